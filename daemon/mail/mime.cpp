#include "mime.hpp"

#include "characters.hpp"

#include "estafette/base/text.hpp"
#include "estafette/mail/encoding.hpp"

#include <algorithm>

namespace estafette::mail {
namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::size_t max_plain_line = 990;

// Needs no encoding: ASCII, short lines, nothing that servers on the way like to change.
bool is_fit_for_7bit(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find(line_end, at), text.size());
        const auto line = text.substr(at, end - at);
        if (line.size() > max_plain_line || line.starts_with('.') || line.starts_with("From ") ||
            (!line.empty() && is_blank(static_cast<unsigned char>(line.back()))))
            return false;
        const auto is_plain = [](unsigned char c) { return c < 0x80 && (c == '\t' || !is_ascii_control(c)); };
        if (!std::ranges::all_of(line, is_plain))
            return false;
        at = end + line_end.size();
    }
    return true;
}

// Whether a part of type message/… may be carried as it is: RFC 2046 5.2 forbids to encode it.
bool is_embeddable(std::string_view crlf) {
    const auto facts = facts_of(crlf);
    return !facts.eight_bit && !facts.utf8_header && facts.longest_line <= 998 && !facts.leading_dot &&
           crlf.find('\0') == std::string_view::npos;
}

std::string encoding_field(std::string_view encoding) {
    return field("Content-Transfer-Encoding", encoding);
}

}  // namespace

mime_part text_part(std::string_view type, std::string_view utf8) {
    const std::string text = to_crlf(utf8);
    mime_part out;
    out.header = field("Content-Type", std::string{type} + "; charset=utf-8");
    if (is_fit_for_7bit(text)) {
        out.header += encoding_field("7bit");
        out.body = text;
    } else if (quoted_printable_size(text) <= base64_lines_size(text.size())) {
        out.header += encoding_field("quoted-printable");
        out.body = quoted_printable(text);
    } else {
        out.header += encoding_field("base64");
        out.body = base64_lines(text);
    }
    return out;
}

mime_part
file_part(const attachment& a, const std::string& content_type, std::string_view bytes, placement where) {
    mime_part out;
    std::string type = content_type;
    std::string encoding = "base64";
    if (type.starts_with("message/")) {
        std::string lines = to_crlf(bytes);
        if (is_embeddable(lines)) {
            encoding = "7bit";
            out.body = std::move(lines);
        } else {
            type = "application/octet-stream";
        }
    }
    if (encoding == "base64")
        out.body = base64_lines(bytes);
    std::string disposition = where == placement::in_text ? "inline" : "attachment";
    if (!a.filename.empty())
        disposition += parameter("filename", a.filename);
    out.header =
        field("Content-Type", type) + encoding_field(encoding) + field("Content-Disposition", disposition);
    if (!a.content_id.empty())
        out.header += field("Content-ID", "<" + a.content_id + ">");
    return out;
}

namespace {

std::string_view take_token(std::string_view& text) {
    const auto is_end = [](unsigned char c) { return !is_mime_token(c); };
    const auto size = static_cast<std::size_t>(std::ranges::find_if(text, is_end) - text.begin());
    const auto token = text.substr(0, size);
    text.remove_prefix(size);
    return token;
}

// The quoted-string at the front, with its quotes; empty if there is none.
std::string_view take_quoted(std::string_view& text) {
    if (!text.starts_with('"'))
        return {};
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '\\')
            ++i;
        else if (text[i] == '"') {
            const auto quoted = text.substr(0, i + 1);
            text.remove_prefix(i + 1);
            return quoted;
        }
    }
    return {};
}

}  // namespace

result<std::string> content_type_of(std::string_view given) {
    if (given.empty())
        return std::string{"application/octet-stream"};
    if (given.size() > 255 || !is_ascii(given) || has_control(given))
        return errc::header_invalid;
    std::string_view rest = trim(given);
    const auto type = take_token(rest);
    if (type.empty() || !rest.starts_with('/'))
        return errc::header_invalid;
    rest.remove_prefix(1);
    const auto subtype = take_token(rest);
    if (subtype.empty() || ascii_iequals(type, "multipart"))
        return errc::header_invalid;
    std::string out = ascii_lower(type) + "/" + ascii_lower(subtype);
    for (rest = trim(rest); !rest.empty(); rest = trim(rest)) {
        if (!rest.starts_with(';'))
            return errc::header_invalid;
        rest = trim(rest.substr(1));
        if (rest.empty())
            break;
        const auto name = take_token(rest);
        if (name.empty() || !rest.starts_with('='))
            return errc::header_invalid;
        rest.remove_prefix(1);
        const auto value = rest.starts_with('"') ? take_quoted(rest) : take_token(rest);
        if (value.empty())
            return errc::header_invalid;
        out.append("; ").append(name).append("=").append(value);
    }
    return out;
}

boundary_source::boundary_source(std::array<std::uint8_t, 16> random) {
    constexpr std::string_view hex = "0123456789abcdef";
    for (const auto byte : random) {
        random_ += hex[byte >> 4];
        random_ += hex[byte & 15];
    }
}

std::string boundary_source::next(const std::vector<mime_part>& parts) {
    for (;;) {
        // "=_" cannot occur in quoted-printable or base64 text (RFC 2045 6.7).
        std::string candidate = "=_" + random_ + "_" + std::to_string(++count_);
        const auto has_it = [&](const mime_part& p) {
            return p.header.find(candidate) != std::string::npos ||
                   p.body.find(candidate) != std::string::npos;
        };
        if (std::ranges::none_of(parts, has_it))
            return candidate;
    }
}

mime_part boundary_source::join(std::string_view type, std::vector<mime_part> parts) {
    const auto boundary = next(parts);
    mime_part out;
    out.header = field("Content-Type", std::string{type} + "; boundary=\"" + boundary + "\"");
    std::size_t size = 0;
    for (const auto& part : parts)
        size += part.header.size() + part.body.size() + boundary.size() + 16;
    out.body.reserve(size + boundary.size());
    for (auto& part : parts) {
        out.body.append("--").append(boundary).append(line_end);
        out.body.append(part.header).append(line_end).append(part.body).append(line_end);
        part = {};
    }
    out.body.append("--").append(boundary).append("--").append(line_end);
    return out;
}

}  // namespace estafette::mail
