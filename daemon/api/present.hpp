// The store's pictures as the JSON of docs/api.md. Private to the api floor.
#pragma once

#include "exchange.hpp"

#include "estafette/api/gateway.hpp"
#include "estafette/verdict/catalogue.hpp"

#include <boost/json/object.hpp>

#include <map>
#include <optional>

namespace estafette::api {

// The language asked for: with one, `explanation` is added. The configuration knows the readers' time zone
// and the server that mail leaves through.
struct wording {
    verdict::language in = verdict::language::en;
    bool explain = false;
    config::config_ptr config;  // may be null
};

// By ?lang=, else by Accept-Language.
[[nodiscard]] wording wording_of(const request& r);

[[nodiscard]] response json_response(boost::json::object body);

// Of the tenant's readers; UTC for an unknown tenant.
[[nodiscard]] zone zone_of(const config::config_ptr& c, const tenant_id& tenant);

// `why_held` of the recipient's tenant and sender: it counts for what waits.
[[nodiscard]] boost::json::object
present(const store::recipient_view& r, const std::optional<hold>& why_held, const wording& words);
[[nodiscard]] boost::json::object
present(const store::message_view& m, const std::optional<hold>& why_held, const wording& words);
[[nodiscard]] boost::json::object present(const route::route_status& r);
[[nodiscard]] boost::json::object present(const store::pause& p);

// In what present() made of a recipient: it waits for its turn under a limit, until about then.
void show_turn(
    boost::json::object& out,
    const store::recipient_view& r,
    std::optional<wall_time> until,
    const wording& words
);

// How a message's recipients began.
struct beginning {
    store::state now = store::state::queued;
    std::map<std::uint32_t, std::string> stopped;  // failed at once, by their place: see sched::placed
};

// The answer to a POST; the same for every repetition of it.
[[nodiscard]] boost::json::object present_accepted(const mail::message& m, const beginning& first);

// As it was decided, and as it can be seen later.
[[nodiscard]] beginning beginning_of(const mail::message& m, const sched::placed& p);
[[nodiscard]] beginning beginning_of(const store::message_view& m);

// Where a tenant's hours are over, the next attempt is when they begin, and the note says so.
[[nodiscard]] store::recipient_view
within_hours(store::recipient_view r, const config::config& c, wall_time now);

// Whether a pause shows for a recipient in that state.
[[nodiscard]] bool is_held_by_pause(store::state s) noexcept;

}  // namespace estafette::api
