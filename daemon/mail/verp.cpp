#include "estafette/mail/verp.hpp"

#include "estafette/base/text.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

namespace estafette::mail {

namespace {

constexpr std::string_view prefix = "bounce+";
constexpr std::string_view purpose = "estafette return path 1";  // the secret may serve nothing else
constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::size_t id_bytes = 18;
constexpr std::size_t tag_bytes = 12;
constexpr std::size_t all_bytes = id_bytes + tag_bytes;
constexpr std::size_t characters = all_bytes * 8 / 5;  // no bits left over
constexpr std::size_t most_candidates = 32;            // of one text

using block = std::array<std::uint8_t, all_bytes>;

int value_of(char c) noexcept {
    if (c >= 'a' && c <= 'z')
        return c - 'a';
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

std::string to_base32(const block& bytes) {
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const std::uint8_t byte : bytes) {
        bits = bits << 8 | byte;
        for (count += 8; count >= 5; count -= 5)
            out += alphabet[bits >> (count - 5) & 31];
    }
    return out;
}

std::optional<block> from_base32(std::string_view text) {
    block out{};
    std::uint32_t bits = 0;
    int count = 0;
    std::size_t place = 0;
    for (const char c : text) {
        const int value = value_of(c);
        if (value < 0)
            return std::nullopt;
        bits = bits << 5 | static_cast<std::uint32_t>(value);
        count += 5;
        if (count >= 8) {
            count -= 8;
            out[place++] = static_cast<std::uint8_t>(bits >> count);
        }
    }
    return out;
}

std::array<std::uint8_t, tag_bytes> tag_of(const std::string& secret, const block& b) {
    std::string text{purpose};
    text.append(b.begin(), b.begin() + id_bytes);
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> whole{};
    unsigned size = 0;
    HMAC(
        EVP_sha256(),
        secret.data(),
        static_cast<int>(secret.size()),
        reinterpret_cast<const std::uint8_t*>(text.data()),
        text.size(),
        whole.data(),
        &size
    );
    std::array<std::uint8_t, tag_bytes> tag{};
    std::copy_n(whole.begin(), tag_bytes, tag.begin());
    return tag;
}

}  // namespace

std::optional<std::string> verp_keys::local_part(const recipient_id& who) const {
    if (secrets_.empty() || who.index > 0xFFFF)
        return std::nullopt;
    block b{};
    std::ranges::copy(who.message.bytes(), b.begin());
    b[16] = static_cast<std::uint8_t>(who.index >> 8);
    b[17] = static_cast<std::uint8_t>(who.index);
    std::ranges::copy(tag_of(secrets_.front(), b), b.begin() + id_bytes);
    return std::string{prefix} + to_base32(b);
}

bool looks_like_verp(std::string_view local_part) noexcept {
    return local_part.size() == prefix.size() + characters &&
           ascii_iequals(local_part.substr(0, prefix.size()), prefix) &&
           std::ranges::all_of(local_part.substr(prefix.size()), [](char c) { return value_of(c) >= 0; });
}

std::optional<recipient_id> verp_keys::verify(std::string_view local_part) const {
    if (!looks_like_verp(local_part))
        return std::nullopt;
    const auto b = from_base32(local_part.substr(prefix.size()));
    if (!b)
        return std::nullopt;
    bool is_genuine = false;
    for (const std::string& secret : secrets_) {
        const auto tag = tag_of(secret, *b);
        is_genuine = CRYPTO_memcmp(tag.data(), b->data() + id_bytes, tag_bytes) == 0 || is_genuine;
    }
    if (!is_genuine)
        return std::nullopt;
    message_id::bytes_type id{};
    std::copy_n(b->begin(), id.size(), id.begin());
    return recipient_id{message_id{id}, static_cast<std::uint32_t>((*b)[16]) << 8 | (*b)[17]};
}

verp_match find_verp(std::string_view text, const verp_keys& keys) {
    verp_match found;
    std::size_t candidates = 0;
    for (auto at = text.find('+', prefix.size() - 1);
         at != std::string_view::npos && candidates < most_candidates;
         at = text.find('+', at + 1)) {
        const auto local = text.substr(at + 1 - prefix.size(), prefix.size() + characters);
        if (!looks_like_verp(local))
            continue;
        ++candidates;
        found.who = keys.verify(local);
        if (found.who)
            return {found.who, false};
        found.is_forged = true;
    }
    return found;
}

}  // namespace estafette::mail
