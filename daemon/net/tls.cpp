#include "estafette/net/tls.hpp"

#include "estafette/base/text.hpp"
#include "estafette/net/address.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <map>
#include <span>
#include <stdexcept>
#include <vector>

namespace estafette::net {

namespace {

template <auto free> struct release {
    template <class T> void operator()(T* p) const { free(p); }
};

using context_ptr = std::unique_ptr<SSL_CTX, release<SSL_CTX_free>>;
using session_ptr = std::unique_ptr<SSL_SESSION, release<SSL_SESSION_free>>;
using certificate_ptr = std::unique_ptr<X509, release<X509_free>>;

// Tickets of TLS 1.3 are used once, so a pool of connections that open together needs some.
constexpr std::size_t sessions_per_server = 32;
constexpr long session_seconds = 3600;

std::string openssl_words() {
    const auto code = ERR_peek_last_error();
    const char* reason = ERR_reason_error_string(code);
    ERR_clear_error();
    return reason != nullptr ? reason : "unknown error";
}

[[noreturn]] void refuse(const std::string& option, const std::string& file) {
    throw std::runtime_error{option + " " + file + ": " + openssl_words()};
}

errc to_errc(long verify_result) {
    switch (verify_result) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return errc::tls_expired;
    case X509_V_ERR_CERT_NOT_YET_VALID: return errc::tls_not_yet_valid;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return errc::tls_name_mismatch;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return errc::tls_self_signed;
    default: return errc::tls_untrusted;
    }
}

std::string sha256(std::span<const unsigned char> bytes, const EVP_MD* md = EVP_sha256()) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned size = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, md, nullptr) != 1)
        return {};
    return {reinterpret_cast<const char*>(out.data()), size};
}

std::string spki_digest(const X509* certificate) {
    unsigned char* der = nullptr;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (size <= 0)
        return {};
    auto digest = sha256({der, static_cast<std::size_t>(size)});
    OPENSSL_free(der);
    return digest;
}

// RFC 5929 4.1: the digest of the certificate's signature, but never weaker than SHA-256.
std::string end_point_digest(const X509* certificate) {
    int digest_nid = NID_undef;
    X509_get_signature_info(const_cast<X509*>(certificate), &digest_nid, nullptr, nullptr, nullptr);
    const EVP_MD* md = EVP_sha256();
    if (digest_nid != NID_undef && digest_nid != NID_md5 && digest_nid != NID_sha1)
        if (const EVP_MD* own = EVP_get_digestbynid(digest_nid); own != nullptr)
            md = own;
    unsigned char* der = nullptr;
    const int size = i2d_X509(const_cast<X509*>(certificate), &der);
    if (size <= 0)
        return {};
    auto digest = sha256({der, static_cast<std::size_t>(size)}, md);
    OPENSSL_free(der);
    return digest;
}

smtp::channel_binding binding_of(SSL* client, const X509* certificate) {
    smtp::channel_binding binding;
    if (SSL_version(client) >= TLS1_3_VERSION) {
        constexpr std::string_view label = "EXPORTER-Channel-Binding";  // RFC 9266
        std::array<unsigned char, 32> out{};
        if (SSL_export_keying_material(
                client, out.data(), out.size(), label.data(), label.size(), nullptr, 0, 1
            ) == 1) {
            binding.type = "tls-exporter";
            binding.data.assign(reinterpret_cast<const char*>(out.data()), out.size());
        }
    } else if (certificate != nullptr) {
        binding.type = "tls-server-end-point";
        binding.data = end_point_digest(certificate);
    }
    return binding;
}

void free_key(void* /*ssl*/, void* key, CRYPTO_EX_DATA* /*data*/, int /*index*/, long /*l*/, void* /*p*/) {
    delete static_cast<std::string*>(key);
}

// Where an SSL keeps the name of its server for the new-session callback. (Asio owns the app data.)
int key_index() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_key);
    return index;
}

}  // namespace

struct tls_context::state {
    context_ptr context;
    std::string name;  // to verify instead of the host
    std::string pin;   // the digest's bytes
    bool demands_trust = true;
    std::map<std::string, std::vector<session_ptr>> sessions;
    std::uint64_t handshakes = 0, resumed = 0;

    static int on_session(SSL* client, SSL_SESSION* session);
    void load_trust(const config::route_options& route) const;
    void load_certificate(const config::route_options& route) const;
    void offer_session(SSL* client, const std::string& server);
    [[nodiscard]] error_code judge(SSL* client, const X509* certificate) const;
};

int tls_context::state::on_session(SSL* client, SSL_SESSION* session) {
    auto* self = static_cast<state*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(client)));
    const auto* key = static_cast<const std::string*>(SSL_get_ex_data(client, key_index()));
    if (key == nullptr || SSL_SESSION_is_resumable(session) == 0)
        return 0;
    auto& kept = self->sessions[*key];
    if (kept.size() >= sessions_per_server)
        kept.erase(kept.begin());
    kept.emplace_back(session);
    return 1;  // the reference is ours now
}

void tls_context::state::load_trust(const config::route_options& route) const {
    auto* ctx = context.get();
    if (route.ca_file.empty()) {
        if (SSL_CTX_set_default_verify_paths(ctx) != 1)
            refuse("tls.ca_file", "(the system's authorities)");
        return;
    }
    if (SSL_CTX_load_verify_file(ctx, route.ca_file.c_str()) != 1)
        refuse("tls.ca_file", route.ca_file);
    // What the operator put in the file is trusted even where it is not the root.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
}

void tls_context::state::load_certificate(const config::route_options& route) const {
    if (route.client_certificate.empty())
        return;
    auto* ctx = context.get();
    const auto& key = route.client_key.empty() ? route.client_certificate : route.client_key;
    if (SSL_CTX_use_certificate_chain_file(ctx, route.client_certificate.c_str()) != 1)
        refuse("tls.client_certificate", route.client_certificate);
    if (SSL_CTX_use_PrivateKey_file(ctx, key.c_str(), SSL_FILETYPE_PEM) != 1)
        refuse("tls.client_key", key);
}

void tls_context::state::offer_session(SSL* client, const std::string& server) {
    const auto found = sessions.find(server);
    if (found == sessions.end() || found->second.empty())
        return;
    auto& newest = found->second.back();
    SSL_set_session(client, newest.get());
    // RFC 8446 C.4: a ticket of TLS 1.3 is not used twice; a session of TLS 1.2 may be.
    if (SSL_SESSION_get_protocol_version(newest.get()) >= TLS1_3_VERSION)
        found->second.pop_back();
}

error_code tls_context::state::judge(SSL* client, const X509* certificate) const {
    if (certificate == nullptr)
        return make_error_code(errc::tls_untrusted);
    if (!pin.empty())
        return spki_digest(certificate) == pin ? error_code{} : make_error_code(errc::tls_pin_mismatch);
    const long verified = SSL_get_verify_result(client);
    return verified == X509_V_OK ? error_code{} : make_error_code(to_errc(verified));
}

tls_context::tls_context(const config::route_options& route)
    : state_{std::make_unique<state>()} {
    state_->context.reset(SSL_CTX_new(TLS_client_method()));
    auto* ctx = state_->context.get();
    if (ctx == nullptr)
        throw std::runtime_error{"TLS: " + openssl_words()};
    state_->name = ascii_lower(route.tls_name);
    if (!route.pin_sha256.empty()) {
        auto pin = base64_decode(route.pin_sha256);
        if (!pin || pin->size() != 32)
            throw std::runtime_error{"tls.pin_sha256: not the base64 of a SHA-256 digest"};
        state_->pin = std::move(*pin);
    }
    state_->demands_trust = route.policy == config::tls_policy::required_verified;
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    // Without VERIFY_PEER OpenSSL verifies all the same and lets us read what it found.
    SSL_CTX_set_verify(ctx, state_->demands_trust ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    state_->load_trust(route);
    state_->load_certificate(route);
    SSL_CTX_set_app_data(ctx, state_.get());
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_timeout(ctx, session_seconds);
    SSL_CTX_sess_set_new_cb(ctx, &state::on_session);
}

tls_context::~tls_context() = default;

ssl_st* tls_context::new_client(const std::string& host, const std::string& server) {
    std::unique_ptr<SSL, release<SSL_free>> client{SSL_new(state_->context.get())};
    if (!client)
        throw std::runtime_error{"TLS: " + openssl_words()};
    auto name = state_->name.empty() ? ascii_lower(host) : state_->name;
    if (!name.empty() && name.back() == '.')
        name.pop_back();
    auto* parameters = SSL_get0_param(client.get());
    int accepted = 0;
    if (const auto literal = parse_literal(name)) {
        const auto text = literal->to_string();
        accepted = X509_VERIFY_PARAM_set1_ip_asc(parameters, text.c_str());
    } else {
        SSL_set_hostflags(
            client.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT
        );
        accepted = SSL_set1_host(client.get(), name.c_str());
        if (accepted == 1)
            accepted = static_cast<int>(SSL_set_tlsext_host_name(client.get(), name.c_str()));
    }
    if (accepted != 1)  // without a name to check, any trusted certificate would do
        throw std::runtime_error{"TLS: " + printable(name) + " cannot be verified: " + openssl_words()};
    if (SSL_set_ex_data(client.get(), key_index(), new std::string{server}) != 1)
        throw std::bad_alloc{};
    state_->offer_session(client.get(), server);
    return client.release();
}

tls_facts tls_context::inspect(ssl_st* client) {
    tls_facts facts;
    const certificate_ptr certificate{SSL_get1_peer_certificate(client)};
    facts.problem = state_->judge(client, certificate.get());
    facts.is_resumed = SSL_session_reused(client) == 1;
    facts.binding = binding_of(client, certificate.get());
    facts.description = std::string{SSL_get_version(client)} + ' ' + SSL_get_cipher_name(client);
    if (facts.problem)
        facts.description += ", unverified: " + facts.problem.message();
    else
        facts.description +=
            state_->demands_trust || state_->pin.empty() ? ", verified" : ", verified by its pin";
    if (facts.is_resumed)
        facts.description += ", resumed";
    ++state_->handshakes;
    if (facts.is_resumed)
        ++state_->resumed;
    return facts;
}

error_code tls_context::explain_failure(ssl_st* client, const error_code& ec, std::string& detail) {
    if (const auto* key = static_cast<const std::string*>(SSL_get_ex_data(client, key_index())))
        state_->sessions.erase(*key);
    detail = ec.message();
    const long verified = SSL_get_verify_result(client);
    const auto reason = ERR_GET_REASON(static_cast<unsigned long>(ec.value()));
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && verified != X509_V_OK) {
        detail = X509_verify_cert_error_string(verified);
        return make_error_code(to_errc(verified));
    }
    return make_error_code(errc::tls_handshake);
}

bool tls_context::is_fatal(const error_code& problem) const noexcept {
    return problem && (state_->demands_trust || problem == errc::tls_pin_mismatch);
}

std::uint64_t tls_context::handshakes() const noexcept {
    return state_->handshakes;
}

std::uint64_t tls_context::resumed() const noexcept {
    return state_->resumed;
}

}  // namespace estafette::net
