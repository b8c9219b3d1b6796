#include "dsn_parts.hpp"

#include "estafette/base/text.hpp"
#include "estafette/mail/encoding.hpp"

#include <algorithm>

namespace estafette::mail::dsn {
namespace {

constexpr std::size_t most_fields = 500;
constexpr std::size_t longest_value = 16 * 1024;

bool is_name(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 76 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f && c != ':'; });
}

bool is_blank(std::string_view line) noexcept {
    return trim(line).empty();
}

// The value of a parameter: charset=utf-8, boundary="x y".
std::string parameter_of(std::string_view value, std::string_view name) {
    const auto lower = ascii_lower(value);
    for (auto at = lower.find(name); at != std::string::npos; at = lower.find(name, at + 1)) {
        auto i = at + name.size();
        while (i < value.size() && (value[i] == ' ' || value[i] == '\t')) {
            ++i;
        }
        const bool begins = at > 0 && (value[at - 1] == ';' || value[at - 1] == ' ' || value[at - 1] == '\t');
        if (!begins || i >= value.size() || value[i] != '=') {
            continue;
        }
        auto rest = trim(value.substr(i + 1));
        if (rest.starts_with('"')) {
            rest.remove_prefix(1);
            return std::string{rest.substr(0, rest.find('"'))};
        }
        return std::string{trim(rest.substr(0, rest.find_first_of("; \t")))};
    }
    return {};
}

// Base64 of strangers: what is no letter of it is passed over, a broken end is dropped.
std::string decode_base64(std::string_view text) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const auto value = letters.find(c);
        if (value == std::string_view::npos) {
            continue;
        }
        bits = ((bits << 6) | static_cast<std::uint32_t>(value)) & 0xFFFFFF;
        count += 6;
        if (count >= 8) {
            count -= 8;
            out += static_cast<char>((bits >> count) & 0xFF);
        }
    }
    return out;
}

// UTF-7 (RFC 2152), which old Exchange servers wrote: +AD4- is '>'.
std::string decode_utf7(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto end = text[i] == '+' ? text.find_first_of("- \n", i) : std::string_view::npos;
        if (end == std::string_view::npos || end - i > 200) {
            out += text[i];
        } else if (end == i + 1) {
            out += '+';
            i = end;
        } else {
            const auto wide = decode_base64(text.substr(i + 1, end - i - 1));
            for (std::size_t k = 0; k + 1 < wide.size(); k += 2) {
                out += wide[k] == '\0' ? wide[k + 1] : '?';
            }
            i = text[end] == '-' ? end : end - 1;
        }
    }
    return out;
}

std::string decoded(const fields& header, std::string_view body) {
    const auto encoding = ascii_lower(trim(header.get("content-transfer-encoding")));
    auto text = encoding.starts_with("base64")             ? with_line_feeds(decode_base64(body))
                : encoding.starts_with("quoted-printable") ? with_line_feeds(quoted_printable_decode(body))
                                                           : std::string{body};
    return ascii_lower(parameter_of(header.get("content-type"), "charset")) == "utf-7" ? decode_utf7(text)
                                                                                       : text;
}

class walker {
public:
    walker(const report_limits& limits)
        : limits_{limits} {}

    void walk(std::string_view text, std::string_view default_type, std::size_t depth, bool in_original) {
        if (depth > limits_.depth || found_.size() >= limits_.parts) {
            return;
        }
        auto [header, body] = split(text);
        const auto& given = header.get("content-type");
        auto type = ascii_lower(trim(std::string_view{given}.substr(0, given.find(';'))));
        if (type.find('/') == std::string::npos) {
            type = default_type;
        }
        const auto boundary = parameter_of(given, "boundary");
        if (type.starts_with("multipart/") && !boundary.empty() &&
            walk_parts(body, type, boundary, depth, in_original)) {
            return;
        }
        part leaf;
        leaf.type = type;
        leaf.text = decoded(header, body);
        leaf.header = std::move(header);
        leaf.depth = depth;
        leaf.in_original = in_original;
        const bool holds_mail = type == "message/rfc822" || type == "message/global";
        found_.push_back(leaf);
        if (holds_mail) {
            walk(leaf.text, "text/plain", depth + 1, true);
        }
    }

    [[nodiscard]] std::vector<part> take() { return std::move(found_); }

private:
    // False where the boundary does not occur: then the body is read as text.
    bool walk_parts(
        std::string_view body,
        const std::string& type,
        const std::string& boundary,
        std::size_t depth,
        bool in_original
    ) {
        const auto mark = "--" + boundary;
        const std::string_view inner = type == "multipart/digest" ? "message/rfc822" : "text/plain";
        std::size_t begin = std::string_view::npos;
        for (std::size_t at = 0; at < body.size();) {
            const auto end = std::min(body.find('\n', at), body.size());
            const auto line = body.substr(at, end - at);
            if (line.starts_with(mark)) {
                if (begin != std::string_view::npos) {
                    walk(body.substr(begin, at > begin ? at - begin - 1 : 0), inner, depth + 1, in_original);
                }
                begin = std::min(end + 1, body.size());
                if (line.substr(mark.size()).starts_with("--")) {
                    return true;
                }
            }
            at = end + 1;
        }
        if (begin == std::string_view::npos) {
            return false;
        }
        walk(body.substr(begin), inner, depth + 1, in_original);  // the end is missing
        return true;
    }

    const report_limits& limits_;
    std::vector<part> found_;
};

}  // namespace

const std::string& fields::get(std::string_view name) const noexcept {
    static const std::string none;
    for (const auto& f : all) {
        if (f.name == name) {
            return f.value;
        }
    }
    return none;
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

std::string with_line_feeds(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (bytes[i] != '\r') {
            out += bytes[i];
        } else if (i + 1 == bytes.size() || bytes[i + 1] != '\n') {
            out += '\n';
        }
    }
    return out;
}

header_and_body split(std::string_view text) {
    header_and_body out;
    if (text.starts_with("From ")) {  // an mbox line
        text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    }
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = text.substr(0, end);
        const auto rest = text.substr(std::min(end + 1, text.size()));
        const auto colon = line.find(':');
        if (is_blank(line)) {
            text = rest;
            break;
        }
        auto& all = out.header.all;
        if ((line[0] == ' ' || line[0] == '\t') && !all.empty()) {
            if (all.back().value.size() < longest_value) {
                all.back().value += ' ';
                all.back().value += trim(line);
            }
        } else if (colon != std::string_view::npos && is_name(trim(line.substr(0, colon))) &&
                   all.size() < most_fields) {
            all.push_back(
                {ascii_lower(trim(line.substr(0, colon))), std::string{trim(line.substr(colon + 1))}}
            );
        } else if (colon == std::string_view::npos || all.size() < most_fields) {
            break;  // a line that is no field: the body begins here
        }
        text = rest;
    }
    out.body = text;
    return out;
}

std::string decode_words(const std::string& value) {
    auto text = decode_header(value);
    // What is left is base64 that is not quite right.
    const auto begin = ascii_lower(text).find("?b?");
    const auto end = begin == std::string::npos ? begin : text.find("?=", begin + 3);
    return end == std::string::npos
               ? text
               : decode_base64(std::string_view{text}.substr(begin + 3, end - begin - 3));
}

std::vector<part> parts_of(std::string_view text, const report_limits& limits) {
    walker w{limits};
    w.walk(text, "text/plain", 0, false);
    return w.take();
}

}  // namespace estafette::mail::dsn
