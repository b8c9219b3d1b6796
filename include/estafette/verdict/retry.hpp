// When to try again: pure arithmetic over a schedule, so that tests can walk through days in a millisecond.
#pragma once

#include "estafette/base/time.hpp"
#include "estafette/verdict/verdict.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace estafette::verdict {

// Delays before the 2nd, 3rd, … attempt; the last one is repeated. Each is spread by ± jitter.
struct retry_schedule {
    std::vector<milliseconds> delays;
    double jitter = 0.1;  // 0 to 0.5
};

// The schedule of each reason; reasons without one use `standard`.
struct retry_plan {
    retry_schedule standard;
    std::map<reason, retry_schedule> by_reason;

    [[nodiscard]] const retry_schedule& of(reason r) const;

    // What applies where the configuration says nothing: greylisting in minutes, full mailboxes in
    // hours, otherwise exponential from 1 minute to 4 hours.
    [[nodiscard]] static retry_plan defaults();
};

// The next attempt after `attempts` ≥ 1 failed ones; none: the message would have expired by then. A
// server's hint replaces the schedule's delay (never below 1 s, never above 24 h). The same seed gives
// the same jitter.
[[nodiscard]] std::optional<wall_time> next_attempt(
    const verdict& v,
    std::uint32_t attempts,
    wall_time now,
    wall_time expires_at,
    const retry_plan& plan,
    std::uint64_t seed
);

}  // namespace estafette::verdict
