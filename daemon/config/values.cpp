#include "values.hpp"

#include "estafette/mail/address.hpp"
#include "estafette/smtp/auth.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace estafette::config {

namespace {

bool is_plain(std::string_view text) noexcept {
    if (text.empty() || text.front() == '-' || text == "null" || text == "~")
        return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
               c == '_' || c == '/' || c == '-' || c == '+' || c == '@';
    });
}

}  // namespace

std::string quoted(std::string_view text) {
    if (is_plain(text))
        return std::string{text};
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out += '\\';
        if (c == '\n')
            out += "\\n";
        else if (c == '\r')
            out += "\\r";
        else
            out += c;
    }
    return out + '"';
}

const char* any_text(std::string&) {
    return nullptr;
}

const char* check_domain(std::string& text) {
    if (text.empty())
        return nullptr;
    auto domain = mail::parse_domain(text);
    if (!domain)
        return sentence(errc::domain_invalid);
    text = std::move(*domain);
    return nullptr;
}

const char* check_host(std::string& text) {
    in6_addr number{};
    if (::inet_pton(AF_INET, text.c_str(), &number) == 1 || ::inet_pton(AF_INET6, text.c_str(), &number) == 1)
        return nullptr;
    return text.empty() || check_domain(text) != nullptr ? "not a host name or address" : nullptr;
}

const char* check_network(std::string& text) {
    static constexpr const char* wrong =
        "not an IP address, or a network such as 192.0.2.0/24 or 2001:db8::/48";
    const std::size_t slash = text.find('/');
    const std::string number = text.substr(0, slash);
    in6_addr bytes{};
    const bool is_four = ::inet_pton(AF_INET, number.c_str(), &bytes) == 1;
    if (!is_four && ::inet_pton(AF_INET6, number.c_str(), &bytes) != 1)
        return wrong;
    if (slash == std::string::npos)
        return nullptr;
    unsigned bits = 0;
    const char* end = text.data() + text.size();
    const auto [stop, failed] = std::from_chars(text.data() + slash + 1, end, bits);
    return failed == std::errc{} && stop == end && bits <= (is_four ? 32u : 128u) ? nullptr : wrong;
}

const char* check_sender(std::string& text) {
    if (text.find('@') == std::string::npos)
        return text.empty() ? "not an address or a domain" : check_domain(text);
    const auto address = mail::address::parse(text);
    if (!address)
        return sentence(errc::address_invalid);
    text = address->text();
    return nullptr;
}

const char* check_absolute_path(std::string& text) {
    return text.starts_with('/') ? nullptr : "not an absolute path";
}

const char* check_optional_path(std::string& text) {
    return text.empty() ? nullptr : check_absolute_path(text);
}

const char* check_file_name(std::string& text) {
    return text.find('\0') == std::string::npos ? nullptr : "not a file name";
}

bool is_loopback(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos)
        return false;
    const auto host = text.substr(0, colon);
    const auto digits = text.substr(colon + 1);
    const bool is_number = !digits.empty() && digits.size() <= 5 &&
                           digits.find_first_not_of("0123456789") == std::string_view::npos;
    const auto port = is_number ? std::stoul(std::string{digits}) : 0;
    return port >= 1 && port <= 65535 && (host == "[::1]" || host == "127.0.0.1");
}

const char* check_required_file_name(std::string& text) {
    return text.empty() ? "not a file name" : check_file_name(text);
}

const char* check_pin(std::string& text) {
    static constexpr std::size_t sha256_bytes = 32;
    if (text.empty())
        return nullptr;
    const auto bytes = base64_decode(text);
    return bytes && bytes->size() == sha256_bytes ? nullptr : "not the base64 of a SHA-256 (44 characters)";
}

const char* check_rate(std::string& text) {
    const std::size_t slash = text.find('/');
    const bool has_digits =
        slash != std::string::npos && slash > 0 && slash <= 9 && text.front() != '0' &&
        std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(slash), [](char c) {
            return c >= '0' && c <= '9';
        });
    const bool has_unit = has_digits && text.size() == slash + 2 &&
                          std::string_view{"smhd"}.find(text.back()) != std::string_view::npos;
    return has_unit ? nullptr : "not a rate such as 10/s, 30/m, 1000/h or 10000/d";
}

const char* check_mechanism(std::string& text) {
    const auto mechanism = smtp::parse_mechanism(text);
    if (!mechanism)
        return "not a mechanism that we know, such as PLAIN, LOGIN or XOAUTH2";
    text = smtp::to_text(*mechanism);
    return nullptr;
}

std::optional<milliseconds> read_duration(
    const yaml::node& n, const std::string& path, reading& r, milliseconds least, milliseconds most
) {
    const auto d = n.is_scalar() ? parse_duration(n.scalar()) : result<milliseconds>{errc::duration_invalid};
    if (!d) {
        r.errors.add(n, path, sentence(errc::duration_invalid));
        return std::nullopt;
    }
    if (*d < least || *d > most) {
        r.errors.add(n, path, "not from " + format_duration(least) + " to " + format_duration(most));
        return std::nullopt;
    }
    return *d;
}

}  // namespace estafette::config
