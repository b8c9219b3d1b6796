#include "fold.hpp"

#include "estafette/base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace estafette::verdict {
namespace {

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

// Latin-1 letters from À (U+00C0) to ÿ, and what they become.
constexpr std::array<std::string_view, 64> latin1{
    "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i",  "i",
    "d", "n", "o", "o", "o", "o", "o",  "x", "o", "u", "u", "u", "u", "y", "th", "ss",
    "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i",  "i",
    "d", "n", "o", "o", "o", "o", "o",  "/", "o", "u", "u", "u", "u", "y", "th", "y",
};

// Latin Extended-A from Ā (U+0100) to ſ (U+017F): the base letters.
constexpr std::string_view extended = "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllllllln"
                                      "nnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
static_assert(extended.size() == 128);

// The bytes 0x80 to 0x9F of Windows-1252; 0 where there is nothing.
constexpr std::array<std::uint32_t, 32> windows1252{
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178,
};

void append_utf8(std::string& out, std::uint32_t c) {
    const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xC0 | (c >> 6));
        put(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        put(0xE0 | (c >> 12));
        put(0x80 | ((c >> 6) & 0x3F));
        put(0x80 | (c & 0x3F));
    } else {
        put(0xF0 | (c >> 18));
        put(0x80 | ((c >> 12) & 0x3F));
        put(0x80 | ((c >> 6) & 0x3F));
        put(0x80 | (c & 0x3F));
    }
}

void append_folded(std::string& out, std::uint32_t c) {
    if (c >= 0xC0 && c <= 0xFF) {
        out += latin1[c - 0xC0];
    } else if (c >= 0x100 && c <= 0x17F && c != 0x152 && c != 0x153) {
        out += extended[c - 0x100];
    } else if (c == 0x152 || c == 0x153) {
        out += "oe";
    } else if (c == 0xA0 || c == 0x202F || c == 0x2009 || c == 0x3000) {
        if (!out.ends_with(' ')) {
            out += ' ';
        }
    } else if (c >= 0x2018 && c <= 0x201B) {
        out += '\'';
    } else if ((c >= 0x201C && c <= 0x201F) || c == 0xAB || c == 0xBB) {
        out += '"';
    } else if (c >= 0x2010 && c <= 0x2015) {
        out += '-';
    } else if (c >= 0x80 && c < 0xA0) {
        out += ' ';
    } else if ((c >= 0x391 && c <= 0x3A9) || (c >= 0x410 && c <= 0x42F)) {
        append_utf8(out, c + 0x20);  // Greek and Cyrillic capitals
    } else if (c >= 0x400 && c <= 0x40F) {
        append_utf8(out, c + 0x50);
    } else {
        append_utf8(out, c);
    }
}

// The length of "550", "550-5.1.1", "5.1.1" and the like at the start of a line, with what separates
// it from the text; 0 where the line begins otherwise.
std::size_t code_length(std::string_view line) noexcept {
    std::size_t i = 0;
    if (line.size() >= 3 && (line[0] == '4' || line[0] == '5') && is_digit(line[1]) && is_digit(line[2]) &&
        (line.size() == 3 || line[3] == ' ' || line[3] == '-')) {
        i = line.size() == 3 ? 3 : 4;
    }
    auto j = i;
    if (j < line.size() && line[j] == '#') {
        ++j;
    }
    int dots = 0;
    const auto digits_from = j;
    while (j < line.size() && (is_digit(line[j]) || (line[j] == '.' && dots < 2 && j > digits_from))) {
        dots += line[j] == '.' ? 1 : 0;
        ++j;
    }
    const bool ends = j == line.size() || line[j] == ' ' || line[j] == ':' || line[j] == '-';
    if (dots == 2 && ends && is_digit(line[j - 1])) {
        return j == line.size() ? j : j + 1;
    }
    return i;
}

// One character of valid UTF-8; `i` moves behind it.
std::uint32_t next_character(std::string_view text, std::size_t& i) noexcept {
    const auto byte = [&](std::size_t at) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(text[at]));
    };
    const auto lead = byte(i);
    const std::size_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    auto c = lead & (0x3Fu >> more);
    for (std::size_t k = 1; k <= more; ++k) {
        c = (c << 6) | (byte(i + k) & 0x3F);
    }
    i += more + 1;
    return c;
}

}  // namespace

std::string fold(std::string_view text, std::string storage, std::size_t limit) {
    if (text.size() > limit) {
        // Not in the middle of a character.
        while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) {
            --limit;
        }
        text = text.substr(0, limit);
    }
    const bool is_utf8 = is_valid_utf8(text);
    std::string out = std::move(storage);
    out.clear();
    out.reserve(text.size() + 8);
    bool at_line_start = true;
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        if (c == '\n' || c == '\r' || c == ' ' || c == '\t') {
            at_line_start |= c == '\n';
            if (!out.empty() && !out.ends_with(' ')) {
                out += ' ';
            }
            ++i;
            continue;
        }
        if (at_line_start) {
            at_line_start = false;
            if (const auto skip =
                    code_length(text.substr(i, std::min<std::size_t>(text.find('\n', i), text.size()) - i))) {
                i += skip;
                continue;
            }
        }
        if (c >= 'A' && c <= 'Z') {
            out += static_cast<char>(c - 'A' + 'a');
            ++i;
        } else if (static_cast<unsigned char>(c) < 0x80) {
            out += c;
            ++i;
        } else if (is_utf8) {
            append_folded(out, next_character(text, i));
        } else {
            const auto byte = static_cast<unsigned char>(c);
            append_folded(out, byte < 0xA0 ? windows1252[byte - 0x80] : byte);
            ++i;
        }
    }
    if (out.ends_with(' ')) {
        out.pop_back();
    }
    return out;
}

namespace {

constexpr bool is_word_byte(char c) noexcept {
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '.' || c == '@' || c == '_' || c == '+' ||
           c == '=' || c == '-' || static_cast<unsigned char>(c) >= 0x80;
}

// What stands for the word, or the word.
std::string_view masked(std::string_view word) noexcept {
    std::size_t digits = 0;
    std::size_t dots = 0;
    std::size_t letters = 0;
    bool has_at = false;
    for (const char c : word) {
        digits += is_digit(c) ? 1 : 0;
        dots += c == '.' ? 1 : 0;
        letters += c >= 'a' && c <= 'z' ? 1 : 0;
        has_at |= c == '@';
    }
    if (has_at && word.size() > 2) {
        return "a@b.c";
    }
    if (digits >= 4 && dots == 3 && letters == 0) {
        return "1.2.3.4";
    }
    const bool is_id = digits >= 4 && letters >= 3 && word.size() >= 14 && dots == 0;
    return is_id && word.find('=') == word.npos ? "x0" : word;
}

}  // namespace

std::string mask(std::string_view folded, std::string storage) {
    std::string out = std::move(storage);
    out.clear();
    out.reserve(folded.size());
    for (std::size_t i = 0; i < folded.size();) {
        auto end = i;
        while (end < folded.size() && is_word_byte(folded[end])) {
            ++end;
        }
        // A full stop at the end belongs to the sentence.
        auto word_end = end;
        while (word_end > i && folded[word_end - 1] == '.') {
            --word_end;
        }
        out += masked(folded.substr(i, word_end - i));
        out += folded.substr(word_end, end - word_end);
        for (i = end; i < folded.size() && !is_word_byte(folded[i]); ++i) {
            out += folded[i];
        }
    }
    return out;
}

std::string fold_pattern(std::string_view pattern) {
    if (!is_valid_utf8(pattern)) {
        return std::string{pattern};
    }
    std::string out;
    for (std::size_t i = 0; i < pattern.size();) {
        if (static_cast<unsigned char>(pattern[i]) < 0x80) {
            out += pattern[i++];
        } else {
            append_folded(out, next_character(pattern, i));
        }
    }
    return out;
}

}  // namespace estafette::verdict
