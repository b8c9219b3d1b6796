#include "provider_json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace estafette::bounce {

namespace json = boost::json;

std::optional<json::value> parse_provider_json(std::string_view text) {
    json::parse_options options;
    options.max_depth = 16;
    boost::system::error_code failure;
    auto value = json::parse({text.data(), text.size()}, failure, {}, options);
    return failure ? std::nullopt : std::optional{std::move(value)};
}

const json::value* find(const json::value& in, std::initializer_list<std::string_view> path) {
    const json::value* at = &in;
    for (const std::string_view key : path) {
        at = at->is_object() ? at->get_object().if_contains({key.data(), key.size()}) : nullptr;
        if (at == nullptr) {
            return nullptr;
        }
    }
    return at;
}

std::string text_at(const json::value& in, std::initializer_list<std::string_view> path) {
    const auto* found = find(in, path);
    if (found == nullptr) {
        return {};
    }
    if (found->is_string()) {
        return std::string{std::string_view{found->get_string()}};
    }
    return found->is_int64() || found->is_uint64() ? json::serialize(*found) : std::string{};
}

}  // namespace estafette::bounce
