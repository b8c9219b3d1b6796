// From a verdict to the recipient's next state: pure. Every rule of product.md on what a fault may do
// stands here.
#pragma once

#include "estafette/config/config.hpp"
#include "estafette/store/change.hpp"

#include <boost/container/static_vector.hpp>

#include <optional>

namespace estafette::sched {

// At most two, without an allocation of their own.
using outcome_changes = boost::container::static_vector<store::change, 2>;

// What to write for one recipient after an attempt: the attempt itself, and expiry if no further attempt
// fits before it. A route's or a sender's fault never fails a recipient, and never ends its time early.
// `held_until`: its sender is held, it is due again then.
[[nodiscard]] outcome_changes settle(
    recipient_id who,
    store::attempt what,
    const config::tenant_options& tenant,
    wall_time now,
    wall_time expires_at,
    std::optional<wall_time> held_until = std::nullopt
);

}  // namespace estafette::sched
