#include "characters.hpp"

namespace estafette::mail {

code_point code_point_at(std::string_view text, std::size_t at) noexcept {
    auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    const auto rest = [&](std::size_t i) { return static_cast<char32_t>(byte(i) & 0x3Fu); };
    const unsigned char lead = byte(0);
    const auto left = text.size() - at;
    if (lead < 0x80)
        return {lead, 1};
    if (lead < 0xE0 && left >= 2)
        return {static_cast<char32_t>(lead & 0x1Fu) << 6 | rest(1), 2};
    if (lead < 0xF0 && left >= 3)
        return {static_cast<char32_t>(lead & 0x0Fu) << 12 | rest(1) << 6 | rest(2), 3};
    if (left >= 4)
        return {static_cast<char32_t>(lead & 0x07u) << 18 | rest(1) << 12 | rest(2) << 6 | rest(3), 4};
    return {0xFFFD, 1};
}

void append_utf8(std::string& out, char32_t c) {
    const auto put = [&out](char32_t byte) { out += static_cast<char>(byte); };
    if (c < 0x80) {
        put(c);
        return;
    }
    if (c < 0x800) {
        put(0xC0 | (c >> 6));
    } else {
        if (c < 0x10000) {
            put(0xE0 | (c >> 12));
        } else {
            put(0xF0 | (c >> 18));
            put(0x80 | ((c >> 12) & 0x3F));
        }
        put(0x80 | ((c >> 6) & 0x3F));
    }
    put(0x80 | (c & 0x3F));
}

namespace {

template <class Predicate> bool any_character(std::string_view text, Predicate is) noexcept {
    for (std::size_t at = 0; at < text.size();) {
        const auto [value, size] = code_point_at(text, at);
        if (is(value))
            return true;
        at += size;
    }
    return false;
}

}  // namespace

bool is_printable_ascii(std::string_view text) noexcept {
    bool is_so = true;
    for (const char c : text) {  // no early end, so that many are compared at once
        is_so &= c >= 0x20 && c < 0x7F;
    }
    return is_so;
}

bool has_control(std::string_view valid_utf8) noexcept {
    return any_character(valid_utf8, [](char32_t c) {
        return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
    });
}

bool has_bidi_control(std::string_view valid_utf8) noexcept {
    return any_character(valid_utf8, [](char32_t c) {
        return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
    });
}

}  // namespace estafette::mail
