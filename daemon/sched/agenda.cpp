#include "estafette/sched/agenda.hpp"

#include <algorithm>
#include <tuple>

namespace estafette::sched {

namespace {
constexpr milliseconds least_jump = seconds{1};
constexpr milliseconds longest_nap = seconds{5};
}  // namespace

agenda plan(
    const std::vector<store::waiting_tenant>& waiting,
    const std::function<bool(const store::waiting_tenant&)>& takes,
    wall_time now
) {
    agenda a;
    for (const auto& w : waiting) {
        if (!takes(w)) {
            continue;  // its route says when it has room
        }
        if (w.earliest_due <= now) {
            a.claims.push_back(w);
        } else if (!a.look_again || w.earliest_due < *a.look_again) {
            a.look_again = w.earliest_due;
        }
    }
    std::sort(a.claims.begin(), a.claims.end(), [](const auto& left, const auto& right) {
        return std::tie(left.precedence, left.earliest_due, left.tenant) <
               std::tie(right.precedence, right.earliest_due, right.tenant);
    });
    return a;
}

std::optional<milliseconds> clock_watch::jumped(wall_time wall, steady_time steady) noexcept {
    std::optional<milliseconds> jump;
    if (wall_) {
        const auto by = (wall - *wall_) - std::chrono::floor<milliseconds>(steady - steady_);
        if (by > least_jump || by < -least_jump) {
            jump = by;
        }
    }
    wall_ = wall;
    steady_ = steady;
    return jump;
}

milliseconds nap(wall_time look_again, wall_time now) noexcept {
    return std::clamp(look_again - now, milliseconds{1}, longest_nap);
}

}  // namespace estafette::sched
