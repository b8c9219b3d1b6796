#include "estafette/mail/dsn_request.hpp"

#include "estafette/base/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace estafette::mail {

namespace {

constexpr std::array<std::pair<std::uint8_t, std::string_view>, 4> notify_words{{
    {dsn_request::success, "success"},
    {dsn_request::failure, "failure"},
    {dsn_request::delay, "delay"},
    {dsn_request::never, "never"},
}};

constexpr bool is_plain_in_xtext(char c) noexcept {
    return c > ' ' && c < 0x7F && c != '+' && c != '=';
}

std::uint8_t bit_of(std::string_view word) noexcept {
    for (const auto& [bit, text] : notify_words) {
        if (ascii_iequals(text, word)) {
            return bit;
        }
    }
    return 0;
}

}  // namespace

std::size_t xtext_size(std::string_view text) noexcept {
    const auto plain = std::ranges::count_if(text, is_plain_in_xtext);
    return 3 * text.size() - 2 * static_cast<std::size_t>(plain);
}

void append_xtext(std::string& to, std::string_view text) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    for (const char c : text) {
        if (is_plain_in_xtext(c)) {
            to += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            to += '+';
            to += hex[byte >> 4];
            to += hex[byte & 15];
        }
    }
}

std::string to_xtext(std::string_view text) {
    std::string out;
    append_xtext(out, text);
    return out;
}

std::string notify_text(std::uint8_t notify) {
    std::string out;
    for (const auto& [bit, text] : notify_words) {
        if ((notify & bit) != 0) {
            out += out.empty() ? "" : ",";
            out += text;
        }
    }
    return (notify & dsn_request::never) != 0 ? "never" : out;
}

std::optional<std::uint8_t> parse_notify(std::string_view words) {
    unsigned all = 0;
    for (std::size_t at = 0; at <= words.size();) {
        const std::size_t end = std::min(words.find(',', at), words.size());
        const std::uint8_t bit = bit_of(words.substr(at, end - at));
        if (bit == 0) {
            return std::nullopt;
        }
        all |= bit;
        at = end + 1;
    }
    const bool is_alone = (all & dsn_request::never) == 0 || all == dsn_request::never;
    return is_alone ? std::optional{static_cast<std::uint8_t>(all)} : std::nullopt;
}

std::string_view to_text(dsn_request::content ret) noexcept {
    switch (ret) {
    case dsn_request::content::unspecified: return "";
    case dsn_request::content::full: return "full";
    case dsn_request::content::headers: return "headers";
    }
    return "";
}

std::optional<dsn_request::content> parse_dsn_content(std::string_view word) noexcept {
    if (ascii_iequals(word, "full")) {
        return dsn_request::content::full;
    }
    if (ascii_iequals(word, "headers") || ascii_iequals(word, "hdrs")) {
        return dsn_request::content::headers;
    }
    return std::nullopt;
}

}  // namespace estafette::mail
