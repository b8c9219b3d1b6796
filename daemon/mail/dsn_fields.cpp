#include "dsn_fields.hpp"

#include "characters.hpp"
#include "dsn_text.hpp"

#include "estafette/base/text.hpp"

#include <charconv>
#include <cstdint>
#include <optional>

namespace estafette::mail::dsn {
namespace {

constexpr std::size_t longest_diagnostic = 2048;

std::optional<report_action> action_of(std::string_view value) {
    const auto word = ascii_lower(trim(value.substr(0, value.find_first_of(" ;("))));
    if (word == "failed" || word == "failure" || word == "fail" || word == "expired") {
        return report_action::failed;
    }
    if (word == "delayed" || word == "deferred") {
        return report_action::delayed;
    }
    if (word == "delivered" || word == "deliverable") {
        return report_action::delivered;
    }
    if (word == "relayed") {
        return report_action::relayed;
    }
    return word == "expanded" ? std::optional{report_action::expanded} : std::nullopt;
}

// The characters of an address in ASCII, "\x{E9}" (RFC 6533 3, utf-8-addr-xtext and -unitext). What is no
// character, or would end a line, stays as it is.
std::string with_characters(std::string_view text) {
    constexpr std::string_view opening = "\\x{";
    constexpr std::size_t most_digits = 6;
    std::string out;
    while (!text.empty()) {
        if (text.starts_with(opening)) {
            const auto closing = text.find('}');
            const auto digits = text.substr(opening.size(), closing - opening.size());
            std::uint32_t c = 0;
            const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), c, 16);
            const bool is_number = closing != std::string_view::npos && digits.size() <= most_digits &&
                                   ec == std::errc{} && end == digits.data() + digits.size();
            const bool is_character = c > 0x20 && c != 0x7F && c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
            if (is_number && is_character) {
                append_utf8(out, c);
                text.remove_prefix(closing + 1);
                continue;
            }
        }
        out += text.front();
        text.remove_prefix(1);
    }
    return out;
}

std::string behind_semicolon(std::string_view value) {
    const auto at = value.find(';');
    return std::string{trim(at == std::string_view::npos ? value : value.substr(at + 1))};
}

// One group of fields of a delivery-status part.
void read_recipient(const fields& group, report& into) {
    reported_recipient r;
    r.address = address_of_field(group.get("final-recipient"));
    r.original = address_of_field(group.get("original-recipient"));
    if (r.address.empty()) {
        r.address = address_of_field(group.get("x-actual-recipient"));
    }
    if (r.address.empty() || (r.address.find('@') == std::string::npos && !r.original.empty())) {
        r.address = r.original.empty() ? r.address : r.original;
    }
    r.status = find_status(group.get("status"));
    r.diagnostic = words_of_diagnostic(group.get("diagnostic-code"));
    r.diagnostic.resize(std::min(r.diagnostic.size(), longest_diagnostic));
    r.remote_mta = behind_semicolon(group.get("remote-mta"));
    const auto action = action_of(group.get("action"));
    if (!action && group.get("final-recipient").empty() && group.get("original-recipient").empty()) {
        return;
    }
    r.action = action.value_or(r.status.starts_with('4') ? report_action::delayed : report_action::failed);
    into.recipients.push_back(std::move(r));
}

}  // namespace

std::string address_of_field(std::string_view value) {
    const auto semicolon = value.find(';');
    const bool is_utf8 =
        semicolon != std::string_view::npos && ascii_iequals(trim(value.substr(0, semicolon)), "utf-8");
    const auto decoded = is_utf8 ? with_characters(value.substr(semicolon + 1)) : std::string{};
    const auto words = trim(
        is_utf8                               ? std::string_view{decoded}
        : semicolon == std::string_view::npos ? value
                                              : value.substr(semicolon + 1)
    );
    if (const auto found = find_addresses(words); !found.empty()) {
        return found.front().address;
    }
    auto bare = words;
    while (!bare.empty() && (bare.front() == '<' || bare.front() == '"')) {
        bare.remove_prefix(1);
    }
    return std::string{trim(bare.substr(0, bare.find_first_of(">\" \t")))};
}

std::string words_of_diagnostic(std::string_view value) {
    const auto semicolon = value.find(';');
    // "smtp;", "x-unix;", "X-Postfix;": a type is one short word.
    const bool has_type = semicolon != std::string_view::npos && semicolon <= 24 &&
                          trim(value.substr(0, semicolon)).find_first_of(" \t:") == std::string_view::npos;
    return std::string{trim(has_type ? value.substr(semicolon + 1) : value)};
}

void read_delivery_status(const part& p, report& into, const report_limits& limits) {
    // Groups are separated by blank lines, sometimes by several.
    std::string_view rest = p.text;
    while (!rest.empty() && into.recipients.size() < limits.recipients) {
        while (rest.starts_with('\n') || rest.starts_with(" \n")) {
            rest.remove_prefix(rest.find('\n') + 1);
        }
        auto [group, behind] = split(rest);
        if (behind.size() == rest.size()) {
            rest.remove_prefix(
                std::min(rest.find('\n'), rest.size() - (rest.empty() ? 0 : 1)) + (rest.empty() ? 0 : 1)
            );
            continue;
        }
        rest = behind;
        if (group.has("reporting-mta")) {
            into.reporting_mta = behind_semicolon(group.get("reporting-mta"));
        }
        if (group.has("original-envelope-id")) {
            into.envelope_id = group.get("original-envelope-id");
        }
        read_recipient(group, into);
    }
}

void read_feedback(const part& p, report& into, const report_limits& limits) {
    const auto all = split(p.text).header;
    into.feedback_type = ascii_lower(all.get("feedback-type"));
    into.envelope_id = all.get("original-envelope-id");
    for (const auto* name : {"original-rcpt-to", "removal-recipient", "x-original-recipient"}) {
        for (const auto& f : all.all) {
            if (f.name == name && into.recipients.size() < limits.recipients) {
                reported_recipient r;
                r.address = address_of_field(f.value);
                if (!r.address.empty()) {
                    into.recipients.push_back(std::move(r));
                }
            }
        }
        if (!into.recipients.empty()) {
            return;
        }
    }
}

}  // namespace estafette::mail::dsn
