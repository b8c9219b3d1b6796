#include "characters.hpp"

#include "estafette/base/text.hpp"
#include "estafette/mail/encoding.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace estafette::mail {
namespace {

// 0x80 to 0x9F of Windows-1252; what is not assigned stays a C1 control, which printable() hides.
constexpr std::array<char16_t, 32> windows_1252{
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178,
};

std::optional<std::string> to_utf8(std::string_view charset, std::string bytes) {
    charset = charset.substr(0, charset.find('*'));  // RFC 2231 5: a language may follow
    if (ascii_iequals(charset, "utf-8") || ascii_iequals(charset, "us-ascii"))
        return bytes;
    const bool is_1252 = ascii_iequals(charset, "windows-1252");
    if (!is_1252 && !ascii_iequals(charset, "iso-8859-1") && !ascii_iequals(charset, "iso-8859-15"))
        return std::nullopt;
    std::string out;
    for (const char raw : bytes) {
        const auto c = static_cast<unsigned char>(raw);
        append_utf8(out, is_1252 && c >= 0x80 && c < 0xA0 ? windows_1252[c - 0x80u] : char32_t{c});
    }
    return out;
}

struct decoded_word {
    std::string text;
    std::size_t size = 0;  // of the encoded word
};

// The encoded word that `text` begins with: =?charset?encoding?text?=
std::optional<decoded_word> decode_word(std::string_view text) {
    const auto charset_end = text.find('?', 2);
    if (charset_end == std::string_view::npos || charset_end + 3 >= text.size() ||
        text[charset_end + 2] != '?')
        return std::nullopt;
    const auto begin = charset_end + 3;
    const auto end = text.find("?=", begin);
    const auto word_end = text.find_first_of(" \t\r\n", 2);
    if (end == std::string_view::npos || (word_end != std::string_view::npos && word_end < end))
        return std::nullopt;
    std::string content{text.substr(begin, end - begin)};
    const char encoding = text[charset_end + 1];
    if (encoding == 'B' || encoding == 'b') {
        auto bytes = base64_decode(content);
        if (!bytes)
            return std::nullopt;
        content = std::move(*bytes);
    } else if (encoding == 'Q' || encoding == 'q') {
        std::ranges::replace(content, '_', ' ');
        content = quoted_printable_decode(content);
    } else {
        return std::nullopt;
    }
    auto utf8 = to_utf8(text.substr(2, charset_end - 2), std::move(content));
    if (!utf8)
        return std::nullopt;
    // A header is one line, whatever its words hide (RFC 2047 5).
    std::ranges::replace_if(*utf8, [](char c) { return c == '\r' || c == '\n'; }, ' ');
    return decoded_word{std::move(*utf8), end + 2};
}

}  // namespace

std::string decode_header(std::string_view value) {
    std::string unfolded;
    for (const char c : value)
        if (c != '\r' && c != '\n')
            unfolded += c == '\t' ? ' ' : c;
    std::string_view rest = trim(unfolded);
    std::string out;
    bool after_word = false;  // blanks between two encoded words are not shown
    while (!rest.empty()) {
        const auto blanks = std::min(rest.find_first_not_of(' '), rest.size());
        if (auto word =
                rest.substr(blanks).starts_with("=?") ? decode_word(rest.substr(blanks)) : std::nullopt) {
            if (!after_word)
                out.append(rest.substr(0, blanks));
            out.append(word->text);
            rest.remove_prefix(blanks + word->size);
            after_word = true;
            continue;
        }
        const auto end = std::min(rest.find(' ', blanks), rest.size());
        out.append(rest.substr(0, end));
        rest.remove_prefix(end);
        after_word = false;
    }
    return out;
}

}  // namespace estafette::mail
