// The days and hours in which a tenant's mail may leave: pure. Outside of them its mail waits; nothing is
// stored for that, so that a changed window is true at once, also for what waits already.
//
// Promise: hours are those of the clocks in the zone, on the days on which clocks are put forward or back
// too. Hours that end before they begin end on the next day.
#pragma once

#include "estafette/base/zone.hpp"
#include "estafette/mail/message.hpp"

#include <array>
#include <string>

namespace estafette::config {

struct send_window {
    std::array<bool, 7> days{true, true, true, true, true, true, true};  // from Monday
    std::chrono::minutes opens{0};
    std::chrono::minutes closes{24 * 60};
    zone where;
    bool bulk = true;  // which mail waits for it
    bool transactional = false;

    [[nodiscard]] bool applies_to(mail::priority p) const noexcept {
        return p == mail::priority::bulk ? bulk : transactional;
    }

    bool operator==(const send_window&) const = default;
};

// The first time at or after `t` at which the window is open.
[[nodiscard]] wall_time next_open(const send_window& w, wall_time t);

// The next time after `t` at which it opens or closes.
[[nodiscard]] wall_time next_change(const send_window& w, wall_time t);

// "mon-fri 08:00-19:00 Europe/Paris"
[[nodiscard]] std::string to_text(const send_window& w);

}  // namespace estafette::config
