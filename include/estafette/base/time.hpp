// The two clocks, by type. wall_time (UTC, milliseconds) is for what people see and what is stored;
// steady_time for deadlines. Floors 0 to 3 never ask for the time: `now` is a parameter.
#pragma once

#include "estafette/base/error.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace estafette {

using milliseconds = std::chrono::milliseconds;
using seconds = std::chrono::seconds;
using wall_time = std::chrono::sys_time<milliseconds>;
using steady_time = std::chrono::steady_clock::time_point;

// RFC 3339 in UTC with milliseconds: "2026-05-01T08:00:00.000Z".
[[nodiscard]] std::string to_rfc3339(wall_time t);

// Any RFC 3339 time, with offset; errc::time_invalid otherwise. Finer than milliseconds is cut off.
[[nodiscard]] result<wall_time> parse_rfc3339(std::string_view text);

// RFC 5322 3.3 in UTC: "Fri, 01 May 2026 08:00:00 +0000".
[[nodiscard]] std::string to_rfc5322(wall_time t);

[[nodiscard]] constexpr std::int64_t to_unix_ms(wall_time t) noexcept {
    return t.time_since_epoch().count();
}

[[nodiscard]] constexpr wall_time from_unix_ms(std::int64_t ms) noexcept {
    return wall_time{milliseconds{ms}};
}

}  // namespace estafette
