#include "estafette/sched/agenda.hpp"

#include <algorithm>
#include <tuple>

namespace estafette::sched {

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

}  // namespace estafette::sched
