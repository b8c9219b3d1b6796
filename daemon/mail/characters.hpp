// Characters that the grammars of mail speak of. Private to the mail floor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace estafette::mail {

[[nodiscard]] constexpr bool is_ascii_control(unsigned char c) noexcept {
    return c < 0x20 || c == 0x7F;
}

[[nodiscard]] constexpr bool is_alphanumeric(unsigned char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// atext of RFC 5322 3.2.3
[[nodiscard]] constexpr bool is_atext(unsigned char c) noexcept {
    return is_alphanumeric(c) || (c != 0 && std::string_view{"!#$%&'*+-/=?^_`{|}~"}.find(static_cast<char>(c)
                                            ) != std::string_view::npos);
}

// ftext of RFC 5322 3.6.8: the characters of a field's name
[[nodiscard]] constexpr bool is_ftext(unsigned char c) noexcept {
    return c > 0x20 && c < 0x7F && c != ':';
}

// token of RFC 2045 5.1
[[nodiscard]] constexpr bool is_mime_token(unsigned char c) noexcept {
    return c > 0x20 && c < 0x7F &&
           std::string_view{"()<>@,;:\\\"/[]?="}.find(static_cast<char>(c)) == std::string_view::npos;
}

[[nodiscard]] constexpr bool is_blank(unsigned char c) noexcept {
    return c == ' ' || c == '\t';
}

struct code_point {
    char32_t value = 0;
    std::size_t size = 1;  // bytes
};

// The character that begins at `at`, in valid UTF-8.
[[nodiscard]] code_point code_point_at(std::string_view text, std::size_t at) noexcept;

// `c` is a Unicode scalar value.
void append_utf8(std::string& out, char32_t c);

// Nearly all text in addresses: what is so needs no look at single characters.
[[nodiscard]] bool is_printable_ascii(std::string_view text) noexcept;

// C0, DEL, C1, the line and paragraph separators: what must not reach a command, a header or a log.
[[nodiscard]] bool has_control(std::string_view valid_utf8) noexcept;

// Embeddings, overrides and isolates, which show text in another order than it is.
[[nodiscard]] bool has_bidi_control(std::string_view valid_utf8) noexcept;

}  // namespace estafette::mail
