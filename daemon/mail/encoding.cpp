#include "estafette/mail/encoding.hpp"

#include "characters.hpp"

#include "estafette/base/text.hpp"

#include <vector>

namespace estafette::mail {
namespace {

constexpr std::size_t body_line = 76;
constexpr std::string_view hex = "0123456789ABCDEF";

int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void append_escaped(std::string& out, unsigned char c) {
    out += '=';
    out += hex[c >> 4];
    out += hex[c & 15];
}

// Calls put(bytes) for every piece of the encoding; the caller counts or appends.
template <class Put> void encode_quoted_printable(std::string_view text, Put put) {
    std::size_t column = 0;
    const auto is_line_end = [&](std::size_t i) { return text.substr(i, 2) == "\r\n"; };
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_line_end(i)) {
            put("\r\n");
            column = 0;
            ++i;
            continue;
        }
        const auto c = static_cast<unsigned char>(text[i]);
        const bool ends_line = i + 1 == text.size() || is_line_end(i + 1);
        // A soft break needs a column for its '='; a hard one does not.
        const std::size_t room = ends_line ? body_line : body_line - 1;
        const auto must_escape = [&] {
            if (is_blank(c))
                return ends_line;
            if (c <= 0x20 || c > 0x7E || c == '=')
                return true;
            return column == 0 && (c == '.' || (c == 'F' && text.substr(i, 5) == "From "));
        };
        if (column + (must_escape() ? 3u : 1u) > room) {
            put("=\r\n");
            column = 0;
        }
        if (must_escape()) {
            const char escaped[]{'=', hex[c >> 4], hex[c & 15]};
            put(std::string_view{escaped, 3});
            column += 3;
        } else {
            put(text.substr(i, 1));
            ++column;
        }
    }
}

}  // namespace

std::string to_crlf(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 32 + 2);
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find_first_of("\r\n", at);
        if (end == std::string_view::npos) {
            out.append(text.substr(at));
            break;
        }
        out.append(text.substr(at, end - at)).append("\r\n");
        // CRs before a LF are one line end with it; a CR that stands alone is one of its own.
        const auto after = text.find_first_not_of('\r', end);
        at = after != std::string_view::npos && text[after] == '\n' ? after + 1 : end + 1;
    }
    return out;
}

std::string quoted_printable(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 8);
    encode_quoted_printable(text, [&](std::string_view piece) { out.append(piece); });
    return out;
}

std::size_t quoted_printable_size(std::string_view text) {
    std::size_t size = 0;
    encode_quoted_printable(text, [&](std::string_view piece) { size += piece.size(); });
    return size;
}

std::string quoted_printable_decode(std::string_view encoded) {
    std::string out;
    out.reserve(encoded.size());
    for (std::size_t i = 0; i < encoded.size(); ++i) {
        if (encoded[i] != '=') {
            out += encoded[i];
        } else if (encoded.substr(i + 1, 2) == "\r\n") {
            i += 2;
        } else if (encoded.substr(i + 1, 1) == "\n") {
            i += 1;
        } else if (i + 2 < encoded.size() && hex_value(encoded[i + 1]) >= 0 &&
                   hex_value(encoded[i + 2]) >= 0) {
            out += static_cast<char>(hex_value(encoded[i + 1]) * 16 + hex_value(encoded[i + 2]));
            i += 2;
        } else {
            out += '=';
        }
    }
    return out;
}

std::string base64_lines(std::string_view bytes) {
    constexpr std::size_t bytes_a_line = body_line / 4 * 3;
    std::string out;
    out.reserve(base64_lines_size(bytes.size()));
    for (std::size_t at = 0; at < bytes.size(); at += bytes_a_line)
        out.append(base64_encode(bytes.substr(at, bytes_a_line))).append("\r\n");
    return out;
}

namespace {

constexpr std::string_view word_begin_q = "=?utf-8?Q?";
constexpr std::string_view word_begin_b = "=?utf-8?B?";
// 75 are allowed; shorter words fit the first line behind the field's name too.
constexpr std::size_t word_room = 62 - word_begin_q.size() - 2;

// What RFC 2047 5 (3) allows unescaped even in a phrase.
bool is_plain_in_q(unsigned char c) noexcept {
    return is_alphanumeric(c) || c == '!' || c == '*' || c == '+' || c == '-' || c == '/';
}

std::size_t q_size(std::string_view bytes) noexcept {
    std::size_t size = 0;
    for (const char c : bytes)
        size += is_plain_in_q(static_cast<unsigned char>(c)) || c == ' ' ? 1 : 3;
    return size;
}

std::string q_encode(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        if (is_plain_in_q(static_cast<unsigned char>(c)))
            out += c;
        else if (c == ' ')
            out += '_';
        else
            append_escaped(out, static_cast<unsigned char>(c));
    }
    return out;
}

}  // namespace

std::string encoded_words(std::string_view utf8) {
    const bool use_b = q_size(utf8) > (utf8.size() + 2) / 3 * 4;
    std::string out;
    for (std::size_t at = 0; at < utf8.size();) {
        // A word holds whole characters only (RFC 2047 5).
        std::size_t end = at;
        std::size_t used = 0;
        while (end < utf8.size()) {
            const auto size = code_point_at(utf8, end).size;
            used = use_b ? (end + size - at + 2) / 3 * 4 : used + q_size(utf8.substr(end, size));
            if (used > word_room)
                break;
            end += size;
        }
        const auto part = utf8.substr(at, end - at);
        if (!out.empty())
            out += ' ';
        out.append(use_b ? word_begin_b : word_begin_q);
        out.append(use_b ? base64_encode(part) : q_encode(part)).append("?=");
        at = end;
    }
    return out;
}

std::string unstructured(std::string_view utf8) {
    constexpr std::size_t longest_word = 900;
    std::size_t word = 0;
    for (const char c : utf8) {
        word = c == ' ' ? 0 : word + 1;
        if (word > longest_word)
            return encoded_words(utf8);
    }
    const bool is_plain = is_ascii(utf8) && utf8.find("=?") == std::string_view::npos;
    return is_plain ? std::string{utf8} : encoded_words(utf8);
}

std::string phrase(std::string_view utf8) {
    if (!is_ascii(utf8) || utf8.find("=?") != std::string_view::npos)
        return encoded_words(utf8);
    bool is_atoms = !utf8.empty() && utf8.front() != ' ' && utf8.back() != ' ';
    std::string quoted = "\"";
    for (const char c : utf8) {
        is_atoms = is_atoms && (c == ' ' || is_atext(static_cast<unsigned char>(c)));
        if (c == '"' || c == '\\')
            quoted += '\\';
        quoted += c;
    }
    return is_atoms ? std::string{utf8} : quoted + '"';
}

std::string parameter(std::string_view name, std::string_view utf8) {
    constexpr std::size_t room = 60;  // of a piece, so that it fits a folded line with its name
    std::string out = "; ";
    if (is_ascii(utf8) && utf8.size() <= room) {
        out.append(name).append("=\"");
        for (const char c : utf8) {
            if (c == '"' || c == '\\')
                out += '\\';
            out += c;
        }
        return out += '"';
    }
    // attribute-char of RFC 2231 7
    const auto is_plain = [](unsigned char c) {
        return is_alphanumeric(c) ||
               std::string_view{"!#$&+-.^_`{|}~"}.find(static_cast<char>(c)) != std::string_view::npos;
    };
    std::vector<std::string> pieces{"utf-8''"};
    for (const char c : utf8) {
        if (pieces.back().size() + 3 > room)
            pieces.emplace_back();
        if (is_plain(static_cast<unsigned char>(c))) {
            pieces.back() += c;
            continue;
        }
        pieces.back() += '%';
        pieces.back() += hex[static_cast<unsigned char>(c) >> 4];
        pieces.back() += hex[static_cast<unsigned char>(c) & 15];
    }
    if (pieces.size() == 1)
        return out.append(name).append("*=").append(pieces.front());
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        if (i != 0)
            out += "; ";
        out.append(name).append("*").append(std::to_string(i)).append("*=").append(pieces[i]);
    }
    return out;
}

std::string field(std::string_view name, std::string_view value) {
    constexpr std::size_t header_line = 78;
    value = trim(value);
    std::string out{name};
    out.append(":");
    std::size_t column = out.size();
    for (std::size_t at = 0; at < value.size();) {
        // A run of blanks and the word behind it; folding goes before the run.
        const auto word = value.find_first_not_of(" \t", at);
        auto end = value.find_first_of(" \t", word);
        if (end == std::string_view::npos)
            end = value.size();
        const auto blanks = at == 0 ? std::string_view{" "} : value.substr(at, word - at);
        const auto text = value.substr(word, end - word);
        if (column + blanks.size() + text.size() > header_line && column > name.size() + 1) {
            out.append("\r\n");
            column = 0;
        }
        out.append(blanks).append(text);
        column += blanks.size() + text.size();
        at = end;
    }
    return out.append("\r\n");
}

}  // namespace estafette::mail
