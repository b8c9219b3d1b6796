#include "fields.hpp"

#include "estafette/base/text.hpp"

namespace estafette::cli {

namespace json = boost::json;

namespace {

constexpr std::size_t text_limit = 8192;

}  // namespace

const json::value* member(const json::value& of, std::string_view name) {
    const json::object* object = of.if_object();
    if (object == nullptr) {
        return nullptr;
    }
    const json::value* found = object->if_contains(json::string_view{name.data(), name.size()});
    return found == nullptr || found->is_null() ? nullptr : found;
}

std::string text(const json::value& of, std::string_view name) {
    const json::value* found = member(of, name);
    if (found == nullptr || !found->is_string()) {
        return {};
    }
    const json::string& string = found->get_string();
    return printable({string.data(), string.size()}, text_limit);
}

std::optional<std::int64_t> number(const json::value& of, std::string_view name) {
    const json::value* found = member(of, name);
    if (found == nullptr || !found->is_number()) {
        return std::nullopt;
    }
    error_code inexact;
    const auto whole = found->to_number<std::int64_t>(inexact);
    return inexact ? std::nullopt : std::optional{whole};
}

std::optional<wall_time> time(const json::value& of, std::string_view name) {
    const auto parsed = parse_rfc3339(text(of, name));
    return parsed ? std::optional{*parsed} : std::nullopt;
}

const json::array& list(const json::value& of, std::string_view name) {
    static const json::array none;
    const json::value* found = member(of, name);
    return found != nullptr && found->is_array() ? found->get_array() : none;
}

}  // namespace estafette::cli
