// The small JSON bodies of actions: why, until when, whose. Private to the api floor.
#pragma once

#include "problem.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>

namespace estafette::api {

struct action_body {
    std::string reason;
    std::optional<wall_time> until;
    std::optional<std::string> sender;  // an address; empty for the null sender
};

struct allowed_fields {
    bool until = false;
    bool sender = false;
};

// An optional object {"reason", "until", "sender"}.
[[nodiscard]] boost::system::result<action_body, problem>
read_action(const std::string& body, allowed_fields takes);

}  // namespace estafette::api
