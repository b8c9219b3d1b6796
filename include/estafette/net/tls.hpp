// TLS as a route wants it: one context per route, so that trust, client certificate and session tickets
// are never shared across policies. OpenSSL 3, TLS 1.2 or newer; no I/O here.
//
// What the certificate is worth is data: `problem` is clear only where it names the server and we trust
// it (RFC 9525: subject alternative names only, no partial wildcards). Under required_verified a
// handshake with a problem fails; otherwise it only makes the connection "unverified".
// A pin (SHA-256 of the server's key, RFC 7858 4.2) holds besides the policy: a wrong key is fatal under
// every policy, the right one makes an unverified certificate trusted. Revocation is not checked.
// Thread: the loop.
#pragma once

#include "estafette/base/error.hpp"
#include "estafette/config/config.hpp"
#include "estafette/smtp/auth.hpp"

#include <cstdint>
#include <memory>
#include <string>

struct ssl_st;

namespace estafette::net {

// What a finished handshake left us with.
struct tls_facts {
    std::string description;  // "TLSv1.3 TLS_AES_256_GCM_SHA384, verified"
    bool is_resumed = false;
    error_code problem;  // tls_untrusted, self_signed, expired, not_yet_valid, name_mismatch, pin_mismatch
    smtp::channel_binding binding;  // for SCRAM-SHA-256-PLUS
};

class tls_context {
public:
    // Throws std::runtime_error that names the option and the file: a route without its trust is none.
    explicit tls_context(const config::route_options& route);
    ~tls_context();
    tls_context(const tls_context&) = delete;
    tls_context& operator=(const tls_context&) = delete;

    // A client for one connection; the caller owns it (SSL_free). `host` is what the route names, a DNS
    // name in ASCII or an address; `server` ("host:port") is the key of the kept sessions.
    [[nodiscard]] ssl_st* new_client(const std::string& host, const std::string& server);

    // After a handshake that succeeded. Where is_fatal(problem): write nothing, close.
    [[nodiscard]] tls_facts inspect(ssl_st* client);

    // Why the handshake failed: what was wrong with the certificate, else errc::tls_handshake. Forgets
    // the server's sessions. `detail` receives OpenSSL's words for the transcript.
    [[nodiscard]] error_code explain_failure(ssl_st* client, const error_code& ec, std::string& detail);

    [[nodiscard]] bool is_fatal(const error_code& problem) const noexcept;
    [[nodiscard]] std::uint64_t handshakes() const noexcept;
    [[nodiscard]] std::uint64_t resumed() const noexcept;

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace estafette::net
