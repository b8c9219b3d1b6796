// Tolerant reading of the daemon's JSON: a member that is missing, null or of another type reads as
// nothing, so that an older client understands a newer daemon. All text comes out printable.
#pragma once

#include "estafette/base/time.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace estafette::cli {

// Null where there is none.
[[nodiscard]] const boost::json::value* member(const boost::json::value& of, std::string_view name);

[[nodiscard]] std::string text(const boost::json::value& of, std::string_view name);
[[nodiscard]] std::optional<std::int64_t> number(const boost::json::value& of, std::string_view name);
[[nodiscard]] std::optional<wall_time> time(const boost::json::value& of, std::string_view name);

// Empty where there is none.
[[nodiscard]] const boost::json::array& list(const boost::json::value& of, std::string_view name);

}  // namespace estafette::cli
