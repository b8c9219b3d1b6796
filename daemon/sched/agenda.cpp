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
    std::ranges::stable_sort(a.claims, {}, [](const auto& w) {
        return std::tuple{w.precedence, w.earliest_due};
    });
    return a;
}

}  // namespace estafette::sched
