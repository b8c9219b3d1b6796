// The body of POST /v1/actions. An omitted selector never means everything. Private to the api floor.
// Pure. Limits: 1,000 ids; a reason of 255 bytes.
#pragma once

#include "problem.hpp"

#include "estafette/store/action.hpp"

namespace estafette::api {

struct action_request {
    store::action_verb verb = store::action_verb::hold;
    store::selector whom;  // names something; without the caller's tenants
    std::string reason;
    std::optional<wall_time> expires_at;
    bool dry_run = false;
};

// All faults at once, each with its pointer. Ages count from `now`.
[[nodiscard]] boost::system::result<action_request, problem>
read_action_request(const std::string& body, wall_time now);

}  // namespace estafette::api
