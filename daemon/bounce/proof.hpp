// Signatures and secrets of webhooks. Private to the bounce floor. Pure.
#pragma once

#include "estafette/base/time.hpp"

#include <string>
#include <string_view>

namespace estafette::bounce {

// In constant time for its length.
[[nodiscard]] bool is_same_secret(std::string_view a, std::string_view b) noexcept;

[[nodiscard]] std::string hmac_sha256_hex(std::string_view key, std::string_view text);

enum class digest_kind : std::uint8_t { sha1, sha256 };

// RSA PKCS#1 v1.5 by the key of a PEM certificate.
[[nodiscard]] bool is_signed_by_certificate(
    std::string_view pem, std::string_view text, std::string_view signature, digest_kind d
);

// ECDSA over SHA-256; key: DER SubjectPublicKeyInfo; signature: DER.
[[nodiscard]] bool is_signed_by_key(std::string_view spki, std::string_view text, std::string_view signature);

// "1700000000" within the window around now.
[[nodiscard]] bool is_recent(std::string_view unix_seconds, wall_time now);

}  // namespace estafette::bounce
