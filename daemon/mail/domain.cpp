#include "characters.hpp"

#include "estafette/base/text.hpp"
#include "estafette/mail/address.hpp"

#include <idn2.h>

#include <algorithm>
#include <memory>

namespace estafette::mail {
namespace {

constexpr std::size_t max_domain = 253;
constexpr std::size_t max_label = 63;

// Without IDN2_USE_STD3_ASCII_RULES: with it, libidn2 2.3.3 silently drops a FULLWIDTH COMMERCIAL AT
// and makes another name. is_ascii_domain() refuses what is left of it.
constexpr int idn_flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;

struct release_idn {
    void operator()(char* p) const noexcept { idn2_free(p); }
};

using idn_string = std::unique_ptr<char, release_idn>;

// U-labels to A-labels; empty if the name is not valid under IDNA 2008 with UTS 46.
std::string to_ascii(const std::string& name) {
    char* out = nullptr;
    const int answer = idn2_to_ascii_8z(name.c_str(), &out, idn_flags);
    const idn_string owner{out};
    return answer == IDN2_OK && out != nullptr ? std::string{out} : std::string{};
}

std::string to_unicode(const std::string& name) {
    char* out = nullptr;
    const int answer = idn2_to_unicode_8z8z(name.c_str(), &out, 0);
    const idn_string owner{out};
    return answer == IDN2_OK && out != nullptr ? std::string{out} : std::string{};
}

// An A-label is only as good as what it stands for: "xn--" labels that decode to '@', ',' or to plain
// ASCII, or that encode again to something else, are tricks.
bool is_honest_a_label(const std::string& label) {
    const std::string shown = to_unicode(label);
    return !shown.empty() && !is_ascii(shown) && to_ascii(shown) == label;
}

bool is_label(std::string_view label) {
    if (label.empty() || label.size() > max_label || label.front() == '-' || label.back() == '-')
        return false;
    if (!std::ranges::all_of(label, [](unsigned char c) { return is_alphanumeric(c) || c == '-'; }))
        return false;
    return !label.starts_with("xn--") || is_honest_a_label(std::string{label});
}

// Letters, digits and hyphens in labels. A last label of digits only is an address, not a name.
bool is_ascii_domain(std::string_view name) {
    if (name.empty() || name.size() > max_domain)
        return false;
    for (std::size_t from = 0;;) {
        const auto dot = name.find('.', from);
        const auto label = name.substr(from, dot == std::string_view::npos ? dot : dot - from);
        if (!is_label(label))
            return false;
        if (dot == std::string_view::npos)
            return !std::ranges::all_of(label, [](unsigned char c) { return c >= '0' && c <= '9'; });
        from = dot + 1;
    }
}

}  // namespace

result<std::string> parse_domain(std::string_view text) {
    // Four bytes a character at most: what is longer cannot become 253 characters.
    if (text.empty() || text.size() > 4 * max_domain)
        return errc::domain_invalid;
    const bool is_plain = is_printable_ascii(text);
    if (!is_plain && (!is_valid_utf8(text) || has_control(text)))
        return errc::domain_invalid;
    std::string name = is_plain ? ascii_lower(text) : ascii_lower(to_ascii(std::string{text}));
    if (!is_ascii_domain(name))
        return errc::domain_invalid;
    return name;
}

}  // namespace estafette::mail
