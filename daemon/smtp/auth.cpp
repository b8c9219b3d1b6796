#include "estafette/smtp/auth.hpp"

#include "estafette/base/text.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <charconv>

namespace estafette::smtp {

namespace {

constexpr std::size_t sha256_size = 32;

using digest = std::array<unsigned char, sha256_size>;

const unsigned char* bytes_of(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::string_view view_of(const digest& d) noexcept {
    return {reinterpret_cast<const char*>(d.data()), d.size()};
}

digest hmac_sha256(std::string_view key, std::string_view text) noexcept {
    digest out{};
    unsigned size = sha256_size;
    HMAC(
        EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(), out.data(), &size
    );
    return out;
}

digest sha256(std::string_view text) noexcept {
    digest out{};
    unsigned size = sha256_size;
    EVP_Digest(text.data(), text.size(), out.data(), &size, EVP_sha256(), nullptr);
    return out;
}

// RFC 5802 5.1: ',' and '=' are written "=2C" and "=3D".
std::string to_saslname(std::string_view name) {
    std::string out;
    for (const char c : name) {
        if (c == ',') {
            out += "=2C";
        } else if (c == '=') {
            out += "=3D";
        } else {
            out += c;
        }
    }
    return out;
}

// The value of "x=value" at the front of `message`, cut off it with its comma.
std::optional<std::string_view> take_attribute(std::string_view& message, char name) noexcept {
    if (message.size() < 2 || message[0] != name || message[1] != '=') {
        return std::nullopt;
    }
    const std::size_t comma = message.find(',');
    const std::string_view value = message.substr(2, comma == std::string_view::npos ? comma : comma - 2);
    message.remove_prefix(comma == std::string_view::npos ? message.size() : comma + 1);
    return value;
}

struct name_of {
    mechanism what;
    std::string_view text;
};

constexpr std::array<name_of, mechanism_count> names{{
    {mechanism::scram_sha_256_plus, "SCRAM-SHA-256-PLUS"},
    {mechanism::scram_sha_256, "SCRAM-SHA-256"},
    {mechanism::plain, "PLAIN"},
    {mechanism::login, "LOGIN"},
    {mechanism::cram_md5, "CRAM-MD5"},
    {mechanism::external, "EXTERNAL"},
    {mechanism::xoauth2, "XOAUTH2"},
    {mechanism::oauthbearer, "OAUTHBEARER"},
}};

constexpr std::array default_order{
    mechanism::scram_sha_256_plus,
    mechanism::scram_sha_256,
    mechanism::plain,
    mechanism::login,
    mechanism::cram_md5
};

}  // namespace

std::string_view to_text(mechanism m) noexcept {
    return names[static_cast<std::size_t>(m)].text;
}

std::optional<mechanism> parse_mechanism(std::string_view text) noexcept {
    for (const name_of& name : names) {
        if (ascii_iequals(name.text, text)) {
            return name.what;
        }
    }
    return std::nullopt;
}

std::span<const mechanism> default_mechanisms() noexcept {
    return default_order;
}

auth_exchange::auth_exchange(
    mechanism m, credentials who, channel_binding binding, std::string nonce, bool server_has_plus
)
    : mechanism_{m}
    , who_{std::move(who)}
    , binding_{std::move(binding)} {
    switch (m) {
    case mechanism::plain:
    case mechanism::external: state_ = sasl::one_step{}; break;
    case mechanism::login: state_ = sasl::login{}; break;
    case mechanism::cram_md5: state_ = sasl::cram_md5{}; break;
    case mechanism::xoauth2:
    case mechanism::oauthbearer: state_ = sasl::token{}; break;
    case mechanism::scram_sha_256_plus:
    case mechanism::scram_sha_256: {
        sasl::scram s;
        s.nonce = std::move(nonce);
        if (m == mechanism::scram_sha_256_plus) {
            s.header = "p=" + binding_.type + ",,";
        } else {
            // 'y': we could bind, and believe that the server cannot; a server that can knows of a downgrade.
            s.header = binding_.empty() || server_has_plus ? "n,," : "y,,";
            binding_ = {};
        }
        s.first_bare = "n=" + to_saslname(who_.username) + ",r=" + s.nonce;
        state_ = std::move(s);
        break;
    }
    }
}

auth_exchange::~auth_exchange() {
    OPENSSL_cleanse(who_.secret.data(), who_.secret.size());
}

std::optional<std::string> auth_exchange::initial() const {
    switch (mechanism_) {
    case mechanism::login:
    case mechanism::cram_md5: return std::nullopt;
    case mechanism::external: return who_.username;
    case mechanism::plain: {
        std::string out;
        out += '\0';
        out += who_.username;
        out += '\0';
        out += who_.secret;
        return out;
    }
    case mechanism::xoauth2: return "user=" + who_.username + "\1auth=Bearer " + who_.secret + "\1\1";
    case mechanism::oauthbearer:
        return "n,a=" + to_saslname(who_.username) + ",\1auth=Bearer " + who_.secret + "\1\1";
    case mechanism::scram_sha_256_plus:
    case mechanism::scram_sha_256: {
        const auto& s = std::get<sasl::scram>(state_);
        return s.header + s.first_bare;
    }
    }
    return std::nullopt;
}

result<std::string> auth_exchange::next(std::string_view challenge) {
    return std::visit([&](auto& s) { return answer(s, challenge); }, state_);
}

error_code auth_exchange::finish() const {
    const auto* scram = std::get_if<sasl::scram>(&state_);
    if (scram != nullptr && scram->at != sasl::scram::stage::proven) {
        return errc::auth_server_unproven;
    }
    return {};
}

// A server that did not take the initial response with the command asks for it by an empty challenge.
result<std::string> auth_exchange::answer(sasl::one_step& s, std::string_view) {
    if (s.answered) {
        return errc::auth_challenge_invalid;
    }
    s.answered = true;
    return *initial();
}

// The prompts are "Username:" and "Password:" in every wording; their order is all there is to trust.
result<std::string> auth_exchange::answer(sasl::login& s, std::string_view) {
    switch (s.asked++) {
    case 0: return who_.username;
    case 1: return who_.secret;
    default: return errc::auth_challenge_invalid;
    }
}

result<std::string> auth_exchange::answer(sasl::cram_md5& s, std::string_view challenge) {
    if (s.answered || challenge.empty()) {
        return errc::auth_challenge_invalid;
    }
    s.answered = true;
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned size = 0;
    const unsigned char* done = HMAC(
        EVP_md5(),
        who_.secret.data(),
        static_cast<int>(who_.secret.size()),
        bytes_of(challenge),
        challenge.size(),
        out.data(),
        &size
    );
    if (done == nullptr) {
        return errc::internal;  // a system policy without MD5
    }
    constexpr std::string_view hex = "0123456789abcdef";
    std::string response = who_.username + ' ';
    for (unsigned i = 0; i < size; ++i) {
        response += hex[out[i] >> 4];
        response += hex[out[i] & 15];
    }
    return response;
}

// An empty challenge asks for the initial response. A filled one tells, in JSON, why the token was
// refused; the exchange must be finished by an empty line or ^A before the server says 535.
result<std::string> auth_exchange::answer(sasl::token& s, std::string_view challenge) {
    if (challenge.empty() && !s.asked) {
        s.asked = true;
        return *initial();
    }
    if (s.refused) {
        return errc::auth_challenge_invalid;
    }
    s.refused = true;
    return std::string{mechanism_ == mechanism::oauthbearer ? "\1" : ""};
}

result<std::string> auth_exchange::answer(sasl::scram& s, std::string_view challenge) {
    switch (s.at) {
    case sasl::scram::stage::first:
        if (challenge.empty() && !s.asked) {
            s.asked = true;
            return *initial();
        }
        return scram_proof(s, challenge);
    case sasl::scram::stage::final: {
        const auto signature = take_attribute(challenge, 'v');
        const auto decoded =
            signature ? base64_decode(*signature) : result<std::string>{errc::base64_invalid};
        if (!decoded || decoded->size() != s.server_signature.size() ||
            CRYPTO_memcmp(decoded->data(), s.server_signature.data(), decoded->size()) != 0) {
            return errc::auth_server_unproven;
        }
        s.at = sasl::scram::stage::proven;
        return std::string{};
    }
    case sasl::scram::stage::proven: break;
    }
    return errc::auth_challenge_invalid;
}

result<std::string> auth_exchange::scram_proof(sasl::scram& s, std::string_view server_first) {
    std::string_view rest = server_first;
    const auto nonce = take_attribute(rest, 'r');
    const auto salt_text = nonce ? take_attribute(rest, 's') : std::nullopt;
    const auto count = salt_text ? take_attribute(rest, 'i') : std::nullopt;
    if (!count || nonce->size() <= s.nonce.size() || !nonce->starts_with(s.nonce)) {
        return errc::auth_challenge_invalid;
    }
    const auto salt = base64_decode(*salt_text);
    std::uint32_t iterations = 0;
    const auto [end, error] = std::from_chars(count->data(), count->data() + count->size(), iterations);
    if (!salt || salt->empty() || error != std::errc{} || end != count->data() + count->size() ||
        iterations == 0 || iterations > scram_iteration_limit) {
        return errc::auth_challenge_invalid;
    }

    digest salted{};
    PKCS5_PBKDF2_HMAC(
        who_.secret.data(),
        static_cast<int>(who_.secret.size()),
        bytes_of(*salt),
        static_cast<int>(salt->size()),
        static_cast<int>(iterations),
        EVP_sha256(),
        sha256_size,
        salted.data()
    );
    const std::string without_proof =
        "c=" + base64_encode(s.header + binding_.data) + ",r=" + std::string{*nonce};
    const std::string signed_text = s.first_bare + ',' + std::string{server_first} + ',' + without_proof;

    digest proof = hmac_sha256(view_of(salted), "Client Key");
    const digest client_signature = hmac_sha256(view_of(sha256(view_of(proof))), signed_text);
    for (std::size_t i = 0; i < proof.size(); ++i) {
        proof[i] ^= client_signature[i];
    }
    const digest server_key = hmac_sha256(view_of(salted), "Server Key");
    s.server_signature = view_of(hmac_sha256(view_of(server_key), signed_text));
    s.at = sasl::scram::stage::final;
    OPENSSL_cleanse(salted.data(), salted.size());
    return without_proof + ",p=" + base64_encode(view_of(proof));
}

}  // namespace estafette::smtp
