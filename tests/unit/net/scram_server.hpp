// The server's side of SCRAM-SHA-256 and -PLUS, computed by the book, and with the faults that a test wants.
// Source: RFC 5802, RFC 7677; channel bindings: RFC 5929 4 and RFC 9266.
#pragma once

#include "estafette/base/text.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/ssl.h>

#include <array>
#include <string>
#include <string_view>

namespace testing_net {

// Empty where it is none.
inline std::string decoded(std::string_view base64) {
    const auto bytes = estafette::base64_decode(base64);
    return bytes ? *bytes : std::string{};
}

class scram_server {
public:
    std::string username, password;
    std::string iterations = "4096";
    bool is_another_connection = false;  // somebody sits in between
    bool knows_the_password = true;      // else it takes any proof and shows a false one

    std::string operator()(SSL* tls, const std::string& line) {
        if (line.starts_with("AUTH SCRAM-SHA-256"))
            return first(decoded(line.substr(line.rfind(' ') + 1)));
        if (line == "*")
            return "501 5.7.0 cancelled";
        if (server_signature_.empty())
            return last(tls, decoded(line));
        return line.empty() ? "235 2.7.0 welcome" : "501 5.5.4 nothing more was asked for";
    }

private:
    using digest = std::array<unsigned char, 32>;

    static std::string text_of(const digest& d) {
        return {reinterpret_cast<const char*>(d.data()), d.size()};
    }

    static std::string keyed(std::string_view key, std::string_view text) {
        digest out{};
        HMAC(
            EVP_sha256(),
            key.data(),
            static_cast<int>(key.size()),
            reinterpret_cast<const unsigned char*>(text.data()),
            text.size(),
            out.data(),
            nullptr
        );
        return text_of(out);
    }

    static std::string hashed(std::string_view text) {
        digest out{};
        EVP_Digest(text.data(), text.size(), out.data(), nullptr, EVP_sha256(), nullptr);
        return text_of(out);
    }

    static std::string exclusive_or(std::string a, std::string_view b) {
        for (std::size_t i = 0; i < a.size(); ++i)
            a[i] = static_cast<char>(a[i] ^ b[i]);
        return a;
    }

    // As this end of the connection knows it.
    [[nodiscard]] std::string binding(SSL* tls) const {
        digest out{};
        if (SSL_version(tls) >= TLS1_3_VERSION) {
            constexpr std::string_view label = "EXPORTER-Channel-Binding";
            const unsigned char nothing = 0;
            SSL_export_keying_material(
                tls, out.data(), out.size(), label.data(), label.size(), &nothing, 0, 1
            );
        } else {
            unsigned size = 0;
            X509_digest(SSL_get_certificate(tls), EVP_sha256(), out.data(), &size);
        }
        out[0] = static_cast<unsigned char>(out[0] ^ (is_another_connection ? 1 : 0));
        return text_of(out);
    }

    std::string first(const std::string& said) {
        const auto comma = said.find(',', said.find(',') + 1);
        header_ = said.substr(0, comma + 1);
        bare_ = said.substr(comma + 1);
        if (!bare_.starts_with("n=" + username + ",r="))
            return "535 5.7.8 nobody of that name";
        nonce_ = bare_.substr(bare_.find(",r=") + 3) + "and-ours";
        server_first_ = "r=" + nonce_ + ",s=" + estafette::base64_encode(salt) + ",i=" + iterations;
        server_signature_.clear();
        return "334 " + estafette::base64_encode(server_first_);
    }

    std::string last(SSL* tls, const std::string& said) {
        using estafette::base64_encode;
        const auto proof_at = said.find(",p=");
        const std::string without_proof = said.substr(0, proof_at);
        const bool is_bound = header_.starts_with("p=");
        const std::string bound = header_ + (is_bound ? binding(tls) : "");
        if (without_proof != "c=" + base64_encode(bound) + ",r=" + nonce_)
            return "535 5.7.8 this is not the connection that was proven";
        digest salted{};
        PKCS5_PBKDF2_HMAC(
            password.data(),
            static_cast<int>(password.size()),
            reinterpret_cast<const unsigned char*>(salt.data()),
            static_cast<int>(salt.size()),
            std::stoi(iterations),
            EVP_sha256(),
            static_cast<int>(salted.size()),
            salted.data()
        );
        const std::string all = bare_ + "," + server_first_ + "," + without_proof;
        const std::string stored = hashed(keyed(text_of(salted), "Client Key"));
        const auto proof = decoded(said.substr(proof_at + 3));
        if (knows_the_password &&
            (proof.size() != 32 || hashed(exclusive_or(proof, keyed(stored, all))) != stored))
            return "535 5.7.8 wrong password";
        const std::string key = keyed(knows_the_password ? text_of(salted) : "a guess", "Server Key");
        server_signature_ = keyed(key, all);
        return "334 " + base64_encode("v=" + base64_encode(server_signature_));
    }

    static constexpr std::string_view salt = "sixteen bytes of";
    std::string header_, bare_, nonce_, server_first_, server_signature_;
};

}  // namespace testing_net
