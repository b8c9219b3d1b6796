// Each provider's words for what happened, as data, and its JSON as readings. Private to the bounce floor.
// Pure.
#pragma once

#include "estafette/bounce/provider.hpp"

#include <boost/json/value.hpp>

namespace estafette::bounce {

struct event_context {
    const mail::verp_keys& keys;
    const verdict::classifier& rules;
};

// Empty where the event says nothing about delivery; none where it is not of the provider's form.
[[nodiscard]] std::optional<std::vector<reading>>
events_of(provider from, const boost::json::value& event, const event_context& with);

}  // namespace estafette::bounce
