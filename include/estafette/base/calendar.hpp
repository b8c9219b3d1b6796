// Distances as people say them, on the calendar: "+7d", "-15d", "P1M", "PT2H". Seven days after Monday at
// nine is Monday at nine, also where the clocks changed in between.
//
// Promise: parse() takes at most 32 bytes and 100 years. Months end where the month ends: 31 January and a
// month is the last day of February. Pure. Source: ISO 8601 (4.4.3.2, without fractions), and
// SIGN NUMBER UNIT with the units m, h, d, w.
#pragma once

#include "estafette/base/zone.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace estafette {

struct calendar_distance {
    int months = 0;
    int days = 0;
    seconds time{0};

    // errc::duration_invalid.
    [[nodiscard]] static result<calendar_distance> parse(std::string_view text);

    bool operator==(const calendar_distance&) const = default;
};

// From `start`: months, then days, on the calendar of the zone; then the time of the day `at`, if it is
// given; then hours and minutes, as they pass.
[[nodiscard]] wall_time move_by(
    wall_time start, const calendar_distance& d, std::optional<std::chrono::minutes> at, const zone& where
);

// "09:00", up to 23:59; errc::time_invalid.
[[nodiscard]] result<std::chrono::minutes> parse_time_of_day(std::string_view text);

// "2026-05-01": midnight of that day on no zone's calendar; errc::time_invalid.
[[nodiscard]] result<local_time> parse_day(std::string_view text);

}  // namespace estafette
