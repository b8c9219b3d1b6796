// A provider's JSON looked into without surprises: what is not there or of another type is empty. Private to
// the bounce floor. Pure.
#pragma once

#include <boost/json/value.hpp>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace estafette::bounce {

// None: no JSON, or nested too deep.
[[nodiscard]] std::optional<boost::json::value> parse_provider_json(std::string_view text);

// The value at the end of a path of object keys, or null.
[[nodiscard]] const boost::json::value*
find(const boost::json::value& in, std::initializer_list<std::string_view> path);

// Its text; a number in digits; else empty.
[[nodiscard]] std::string text_at(const boost::json::value& in, std::initializer_list<std::string_view> path);

}  // namespace estafette::bounce
