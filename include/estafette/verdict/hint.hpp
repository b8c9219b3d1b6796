// "Try again in 300 seconds": when a server says how long to wait, in whatever form servers say it.
//
// Read: numbers with units ("5 minutes", "1h 30m", "in 10-15 min", "half an hour"), clocks ("in
// 00:04:58"), bare fields ("retry-after: 300") and, where `now` is known, dates ("not before
// 2026-05-01 08:00 UTC"); in English, French, German and Dutch. A number that only describes a limit
// ("30 messages per 5 minutes", "in the last hour") is no hint. Pure, linear, any thread.
#pragma once

#include "estafette/base/time.hpp"

#include <optional>
#include <string_view>

namespace estafette::verdict {

// At least one second and at most 30 days; none where the text names no time to wait.
[[nodiscard]] std::optional<seconds> retry_hint(std::string_view text, std::optional<wall_time> now = {});

}  // namespace estafette::verdict
