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

// Times in the store are the wall clock's, which may be set to and fro; sleeping is the steady clock's.
// jumped() says by how much the wall clock was set since the last call, if it was by more than a second.
class clock_watch {
public:
    [[nodiscard]] std::optional<milliseconds> jumped(wall_time wall, steady_time steady) noexcept;

private:
    std::optional<wall_time> wall_;
    steady_time steady_{};
};

// How long to sleep until `look_again`: never long, so that a clock that was set is noticed.
[[nodiscard]] milliseconds nap(wall_time look_again, wall_time now) noexcept;

}  // namespace estafette::sched
