#include "exchange.hpp"

#include "estafette/base/text.hpp"

#include <algorithm>

namespace estafette::api {
namespace {

int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9')
        return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::optional<std::string> percent_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0)
            return std::nullopt;
        out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
        i += 2;
    }
    return out;
}

// Calls each(part) for the parts between separators; false as soon as it says so.
template <class Each> bool split(std::string_view text, char separator, Each each) {
    for (;;) {
        const auto end = text.find(separator);
        if (!each(text.substr(0, end)))
            return false;
        if (end == std::string_view::npos)
            return true;
        text.remove_prefix(end + 1);
    }
}

}  // namespace

std::optional<target> target::parse(std::string_view text) {
    if (text.starts_with("http://")) {  // absolute form, RFC 9112 3.2.2
        const auto slash = text.find('/', 7);
        text = slash == std::string_view::npos ? std::string_view{"/"} : text.substr(slash);
    }
    text = text.substr(0, text.find('#'));
    if (!text.starts_with('/'))
        return std::nullopt;
    const auto question = text.find('?');
    target out;
    const auto add_segment = [&](std::string_view part) {
        auto decoded = percent_decode(part);
        if (!decoded)
            return false;
        out.path.push_back(std::move(*decoded));
        return true;
    };
    if (!split(
            text.substr(1, question == std::string_view::npos ? question : question - 1), '/', add_segment
        ))
        return std::nullopt;
    if (question == std::string_view::npos || question + 1 == text.size())
        return out;
    const auto add_parameter = [&](std::string_view part) {
        const auto equals = part.find('=');
        auto name = percent_decode(part.substr(0, equals));
        auto value =
            percent_decode(equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1));
        if (!name || !value)
            return false;
        out.query.emplace_back(std::move(*name), std::move(*value));
        return true;
    };
    if (!split(text.substr(question + 1), '&', add_parameter))
        return std::nullopt;
    return out;
}

const std::string* target::find(std::string_view name) const {
    const auto found = std::ranges::find_if(query, [&](const auto& p) { return p.first == name; });
    return found == query.end() ? nullptr : &found->second;
}

std::string percent_encode(std::string_view text) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    constexpr std::string_view plain = "-._~";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (is_letter || plain.find(c) != std::string_view::npos) {
            out += c;
            continue;
        }
        out += '%';
        out += hex[byte >> 4];
        out += hex[byte & 15];
    }
    return out;
}

}  // namespace estafette::api
