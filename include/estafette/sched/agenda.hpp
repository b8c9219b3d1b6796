// What to claim now and when to look again: pure. The rest waits in the store, not in memory.
#pragma once

#include "estafette/store/views.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace estafette::sched {

struct agenda {
    std::vector<store::waiting_tenant>
        claims;                           // due now, and their routes take them; the longest waiting first
    std::optional<wall_time> look_again;  // when the next one that a route would take is due
};

// `takes` says whether the tenant's route has room. Transactional mail is claimed before bulk.
[[nodiscard]] agenda plan(
    const std::vector<store::waiting_tenant>& waiting,
    const std::function<bool(const store::waiting_tenant&)>& takes,
    wall_time now
);

}  // namespace estafette::sched
