// SASL over SMTP (RFC 4954): the mechanisms as exchanges of bytes, before base64.
//
// PLAIN RFC 4616, LOGIN, CRAM-MD5 RFC 2195, SCRAM-SHA-256 and -PLUS RFC 5802, 7677 and 9266, EXTERNAL
// RFC 4422, XOAUTH2, OAUTHBEARER RFC 7628. Pure: the nonce comes from the caller, and a hostile server
// cannot make us compute for long. Non-ASCII names and passwords are sent as given (no SASLprep).
// Whether a mechanism may be used at all (never in clear) is the session's decision.
#pragma once

#include "estafette/base/error.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace estafette::smtp {

enum class mechanism : std::uint8_t {
    scram_sha_256_plus,
    scram_sha_256,
    plain,
    login,
    cram_md5,
    external,
    xoauth2,
    oauthbearer,
};

inline constexpr std::size_t mechanism_count = 8;

[[nodiscard]] std::string_view to_text(mechanism m) noexcept;                            // "SCRAM-SHA-256"
[[nodiscard]] std::optional<mechanism> parse_mechanism(std::string_view text) noexcept;  // any case

// What is tried where the operator names nothing, strongest first. EXTERNAL and tokens must be named.
[[nodiscard]] std::span<const mechanism> default_mechanisms() noexcept;

class mechanism_set {
public:
    void add(mechanism m) noexcept { bits_ |= bit(m); }

    [[nodiscard]] bool has(mechanism m) const noexcept { return (bits_ & bit(m)) != 0; }

    [[nodiscard]] bool empty() const noexcept { return bits_ == 0; }

    bool operator==(const mechanism_set&) const = default;

private:
    [[nodiscard]] static constexpr std::uint32_t bit(mechanism m) noexcept {
        return 1u << static_cast<unsigned>(m);
    }

    std::uint32_t bits_ = 0;
};

struct credentials {
    std::string username;  // for EXTERNAL the authorisation identity, may be empty
    std::string secret;    // password, or bearer token
};

// RFC 5929 and RFC 9266: what ties the exchange to this TLS connection.
struct channel_binding {
    std::string type;  // "tls-exporter" on TLS 1.3, "tls-server-end-point" below
    std::string data;

    [[nodiscard]] bool empty() const noexcept { return data.empty(); }
};

// SCRAM iteration counts above this are refused: a hostile server would block the loop.
inline constexpr std::uint32_t scram_iteration_limit = 100'000;

// What an exchange remembers between two challenges.
namespace sasl {

struct one_step {  // PLAIN, EXTERNAL
    bool answered = false;
};

struct login {
    int asked = 0;
};

struct cram_md5 {
    bool answered = false;
};

struct token {  // XOAUTH2, OAUTHBEARER
    bool asked = false, refused = false;
};

struct scram {
    enum class stage : std::uint8_t { first, final, proven };

    std::string nonce, header, first_bare, server_signature;
    stage at = stage::first;
    bool asked = false;
};

using state = std::variant<one_step, login, cram_md5, token, scram>;

}  // namespace sasl

class auth_exchange {
public:
    // `nonce`: for SCRAM, at least 18 random printable characters without ','. `server_has_plus`: the
    // server offered SCRAM-SHA-256-PLUS too (RFC 5802 6: tells a downgrade by a man in the middle).
    auth_exchange(
        mechanism m, credentials who, channel_binding binding, std::string nonce, bool server_has_plus = false
    );

    ~auth_exchange();
    auth_exchange(auth_exchange&&) noexcept = default;
    auth_exchange& operator=(auth_exchange&&) noexcept = default;

    [[nodiscard]] mechanism which() const noexcept { return mechanism_; }

    // The response that goes with the AUTH command; none where the server speaks first.
    [[nodiscard]] std::optional<std::string> initial() const;

    // The response to a challenge, both decoded. Errors: errc::auth_challenge_invalid,
    // auth_server_unproven; the exchange must then be cancelled.
    [[nodiscard]] result<std::string> next(std::string_view challenge);

    // The server said 235: errc::auth_server_unproven if the mechanism demands a proof that did not come.
    [[nodiscard]] error_code finish() const;

private:
    [[nodiscard]] result<std::string> answer(sasl::one_step&, std::string_view challenge);
    [[nodiscard]] result<std::string> answer(sasl::login&, std::string_view challenge);
    [[nodiscard]] result<std::string> answer(sasl::cram_md5&, std::string_view challenge);
    [[nodiscard]] result<std::string> answer(sasl::token&, std::string_view challenge);
    [[nodiscard]] result<std::string> answer(sasl::scram&, std::string_view challenge);
    [[nodiscard]] result<std::string> scram_proof(sasl::scram&, std::string_view server_first);

    mechanism mechanism_;
    credentials who_;
    channel_binding binding_;
    sasl::state state_;
};

}  // namespace estafette::smtp
