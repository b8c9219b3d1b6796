#include "estafette/mail/address.hpp"

#include "characters.hpp"

#include "estafette/base/text.hpp"

#include <algorithm>

namespace estafette::mail {
namespace {

constexpr std::size_t max_address = 254;
constexpr std::size_t max_local = 64;
constexpr std::size_t max_name = 255;
constexpr std::size_t max_input = 1024;  // U-labels may be longer than the A-labels they become

bool is_dot_atom(std::string_view local) {
    if (local.empty() || local.front() == '.' || local.back() == '.' ||
        local.find("..") != std::string_view::npos)
        return false;
    const auto fits = [](unsigned char c) { return c >= 0x80 || c == '.' || is_atext(c); };
    if (!std::ranges::all_of(local, fits))
        return false;
    // An encoded word in a local part is another address to those who decode it.
    return local.find("=?") == std::string_view::npos || local.find("?=") == std::string_view::npos;
}

// Quoted-string of RFC 5321 4.1.2: printable characters and blanks, '"' and '\' behind a '\'.
bool is_quoted_string(std::string_view local) {
    if (local.size() < 2 || local.front() != '"' || local.back() != '"')
        return false;
    const auto inside = local.substr(1, local.size() - 2);
    for (std::size_t i = 0; i < inside.size(); ++i) {
        if (inside[i] == '"')
            return false;
        if (inside[i] == '\\' && (++i == inside.size() || static_cast<unsigned char>(inside[i]) >= 0x80))
            return false;
    }
    return true;
}

errc check_characters(std::string_view text) {
    if (is_printable_ascii(text))
        return errc{};
    if (!is_valid_utf8(text))
        return errc::utf8_invalid;
    return has_control(text) ? errc::control_character : errc{};
}

// The text between two '"', with its quoted pairs resolved; `end` is behind the closing one.
struct quoted_name {
    std::string name;
    std::size_t end = 0;
};

result<quoted_name> read_quoted_name(std::string_view text) {
    quoted_name out;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') {
            out.end = i + 1;
            return out;
        }
        if (text[i] == '\\' && ++i == text.size())
            break;
        out.name += text[i];
    }
    return errc::address_invalid;
}

// The name before '<', quoted or not.
result<std::string> read_name(std::string_view text) {
    if (text.starts_with('"')) {
        auto quoted = read_quoted_name(text);
        if (!quoted)
            return quoted.error();
        if (!trim(text.substr(quoted->end)).empty())
            return errc::address_invalid;
        return std::move(quoted->name);
    }
    if (text.find_first_of("<>\"") != std::string_view::npos)
        return errc::address_invalid;
    return std::string{text};
}

// Where the address's '<' stands: not one inside a quoted name.
std::size_t find_angle(std::string_view text) {
    if (!text.starts_with('"'))
        return text.find('<');
    const auto quoted = read_quoted_name(text);
    return quoted ? text.find('<', quoted->end) : std::string_view::npos;
}

}  // namespace

result<address> address::parse(std::string_view text) {
    if (text.size() > max_input)
        return errc::address_too_long;
    if (const errc e = check_characters(text); e != errc{})
        return e;
    if (!is_printable_ascii(text) && has_bidi_control(text))
        return errc::control_character;
    const auto at = text.rfind('@');
    if (at == std::string_view::npos || at == 0)
        return errc::address_invalid;
    const auto local = text.substr(0, at);
    if (local.size() > max_local)
        return errc::address_too_long;
    if (!is_dot_atom(local) && !is_quoted_string(local))
        return errc::address_invalid;
    auto domain = parse_domain(text.substr(at + 1));
    if (!domain)
        return domain.error();

    address out;
    out.text_.reserve(local.size() + 1 + domain->size());
    out.text_.append(local).append(1, '@').append(*domain);
    if (out.text_.size() > max_address)
        return errc::address_too_long;
    out.at_ = local.size();
    out.needs_smtputf8_ = !is_ascii(local);
    return out;
}

result<mailbox> mailbox::parse(std::string_view text) {
    if (text.size() > max_input + max_name)
        return errc::address_too_long;
    if (const errc e = check_characters(text); e != errc{})
        return e;
    text = trim(text);
    const auto angle = text.ends_with('>') ? find_angle(text) : std::string_view::npos;
    if (angle == std::string_view::npos) {
        auto plain = address::parse(text);
        if (!plain)
            return plain.error();
        return mailbox{{}, std::move(*plain)};
    }
    auto name = read_name(trim(text.substr(0, angle)));
    if (!name)
        return name.error();
    if (name->size() > max_name)
        return errc::too_large;
    auto addr = address::parse(text.substr(angle + 1, text.size() - angle - 2));
    if (!addr)
        return addr.error();
    return mailbox{std::move(*name), std::move(*addr)};
}

}  // namespace estafette::mail
