#include "estafette/sched/watchdog.hpp"

#include <algorithm>

namespace estafette::sched {

promise promise_of(const waiting_facts& f, wall_time now) {
    if (store::is_final(f.now)) {
        return promise::kept;
    }
    if (f.now == store::state::held) {
        // Held for a person, but its time has passed and nobody came.
        return now > f.expires_at + patience ? promise::broken : promise::somebody;
    }
    if (f.due_at && *f.due_at > now) {
        return promise::later;
    }
    if (f.is_kept_back) {
        return promise::somebody;
    }
    if (!f.due_at) {
        return promise::broken;  // it waits, and will never be tried
    }
    const auto last_sign = std::max({*f.due_at, f.watched_since, f.route_moved_at.value_or(*f.due_at)});
    return now > last_sign + patience ? promise::broken : promise::soon;
}

std::vector<recipient_id>
claim_watch::look(const std::vector<recipient_id>& claimed, const std::unordered_set<recipient_id>& known) {
    std::unordered_map<recipient_id, unsigned> suspects;
    std::vector<recipient_id> lost;
    for (const auto& id : claimed) {
        if (known.contains(id)) {
            continue;
        }
        const auto before = suspects_.find(id);
        const unsigned seen = (before == suspects_.end() ? 0 : before->second) + 1;
        if (seen >= looks) {
            lost.push_back(id);
        } else {
            suspects.emplace(id, seen);
        }
    }
    suspects_ = std::move(suspects);
    return lost;
}

}  // namespace estafette::sched
