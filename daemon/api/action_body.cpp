#include "action_body.hpp"

#include "estafette/api/json.hpp"
#include "estafette/base/text.hpp"
#include "estafette/mail/address.hpp"

#include <boost/json/serialize.hpp>

namespace estafette::api {
namespace {

constexpr std::size_t max_reason = 255;

// What is wrong with one field, or nothing.
std::optional<mail::field_error> read_field(action_body& out, std::string_view key, std::string_view text) {
    if (key == "reason") {
        out.reason = printable(text, max_reason);
        return std::nullopt;
    }
    if (key == "until") {
        const auto until = parse_rfc3339(text);
        if (!until)
            return mail::field_error{"/until", errc::time_invalid, until.error().message()};
        out.until = *until;
        return std::nullopt;
    }
    out.sender = std::string{};
    if (text.empty())
        return std::nullopt;  // the null sender
    const auto address = mail::address::parse(text);
    if (!address)
        return mail::field_error{"/sender", address.error(), address.error().message()};
    out.sender = address->text();
    return std::nullopt;
}

}  // namespace

boost::system::result<action_body, problem> read_action(const std::string& body, allowed_fields takes) {
    action_body out;
    if (trim(body).empty())
        return out;
    const auto parsed = parse_json(body);
    if (parsed.has_error())
        return broken_json(parsed.error().offset, parsed.error().detail);
    if (!parsed->is_object())
        return invalid("", errc::field_type, "must be an object");
    std::vector<mail::field_error> errors;
    for (const auto& [key, value] : parsed->get_object()) {
        const bool is_known =
            key == "reason" || (key == "until" && takes.until) || (key == "sender" && takes.sender);
        if (!is_known) {
            const auto name = "/" + printable(std::string_view{key}, 64);
            errors.push_back({name, errc::field_unknown, "there is no such field"});
        } else if (value.is_string()) {
            if (auto wrong = read_field(out, key, std::string_view{value.get_string()}))
                errors.push_back(std::move(*wrong));
        } else if (!value.is_null()) {
            errors.push_back({"/" + std::string{key}, errc::field_type, "must be a string"});
        }
    }
    if (!errors.empty())
        return invalid(std::move(errors));
    return out;
}

}  // namespace estafette::api
