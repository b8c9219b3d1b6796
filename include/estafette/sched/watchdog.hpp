// No silence: what a recipient that waits was promised, whether that is kept, and claims that nobody has:
// pure, driven by tests with a clock of their own.
//
// Mail that is due is tried soon, or its route is at work and its turn comes, or something holds it and says
// who must act. Anything else is silence, and a fault of ours. So is a claim that no route and no connection
// knows of: it goes back to the queue.
#pragma once

#include "estafette/store/views.hpp"

#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace estafette::sched {

// Due mail of a route that does nothing may wait so long.
inline constexpr milliseconds patience = std::chrono::minutes{10};

enum class promise : std::uint8_t {
    kept,      // its end has come
    later,     // not due yet
    soon,      // due now, or its route is at work
    somebody,  // somebody must act, and the reason says who
    broken,    // silence
};

struct waiting_facts {
    store::state now = store::state::queued;
    std::optional<wall_time> due_at;  // when it is tried next
    wall_time expires_at;
    bool is_kept_back = false;                // its tenant, route or sender is, or there is no route
    std::optional<wall_time> route_moved_at;  // the route's last outcome
    wall_time watched_since;                  // no judgement on what was before
};

[[nodiscard]] promise promise_of(const waiting_facts& f, wall_time now);

class claim_watch {
public:
    // A claim that was nobody's at so many looks in a row is lost. One look may fall between two steps.
    static constexpr unsigned looks = 3;

    // `claimed`: by the store; `known`: those that a route, a connection or a load under way has. Those that
    // are lost, once.
    [[nodiscard]] std::vector<recipient_id>
    look(const std::vector<recipient_id>& claimed, const std::unordered_set<recipient_id>& known);

private:
    std::unordered_map<recipient_id, unsigned> suspects_;
};

}  // namespace estafette::sched
