#include "body_fields.hpp"

#include "estafette/api/json.hpp"
#include "estafette/base/text.hpp"

#include <boost/json/object.hpp>

#include <algorithm>

namespace estafette::api {
namespace {

constexpr std::size_t max_reason = 255;

}  // namespace

std::optional<problem> read_body_fields(const std::string& body, std::initializer_list<body_field> fields) {
    if (trim(body).empty())
        return std::nullopt;
    const auto parsed = parse_json(body);
    if (parsed.has_error())
        return broken_json(parsed.error().offset, parsed.error().detail);
    if (!parsed->is_object())
        return invalid("", errc::field_type, "must be an object");
    std::vector<mail::field_error> errors;
    const auto refuse = [&](std::string_view name, errc why, std::string detail) {
        errors.push_back({"/" + printable(name, 64), why, std::move(detail)});
    };
    for (const auto& [key, value] : parsed->get_object()) {
        const auto known = std::ranges::find(fields, std::string_view{key}, &body_field::name);
        if (known == fields.end()) {
            refuse(key, errc::field_unknown, "there is no such field");
            continue;
        }
        if (value.is_null())
            continue;
        if (auto* const* text = std::get_if<std::optional<std::string>*>(&known->into)) {
            if (value.is_string())
                (*text)->emplace(value.get_string());
            else
                refuse(key, errc::field_type, "must be a string");
        } else if (value.is_bool()) {
            *std::get<bool*>(known->into) = value.get_bool();
        } else {
            refuse(key, errc::field_type, "must be true or false");
        }
    }
    if (!errors.empty())
        return invalid(std::move(errors));
    return std::nullopt;
}

std::string reason_of(const std::optional<std::string>& given) {
    return given ? printable(*given, max_reason) : std::string{};
}

}  // namespace estafette::api
