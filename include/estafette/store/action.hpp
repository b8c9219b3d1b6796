// What administrators do to many recipients at once: whom it concerns, and the row that remembers it.
//
// A selector names at least one thing; an empty one selects nobody. What it selects is what was accepted
// before the action: later mail is not concerned.
// Values only; any thread.
#pragma once

#include "estafette/base/ids.hpp"
#include "estafette/base/time.hpp"
#include "estafette/store/state.hpp"
#include "estafette/verdict/verdict.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace estafette::store {

enum class action_verb : std::uint8_t { hold, release, requeue, remove, expire, pause, resume };

[[nodiscard]] std::string_view to_text(action_verb v) noexcept;  // "delete" for remove
[[nodiscard]] std::optional<action_verb> parse_action_verb(std::string_view text) noexcept;

// The states of recipients that the verb can change.
[[nodiscard]] std::set<state> states_of(action_verb v);

// What a requeue, a delete or an expiry did has no way back.
[[nodiscard]] bool can_be_undone(action_verb v) noexcept;

// Conditions that all hold; within one of them any.
struct selector {
    std::vector<std::string> ids;        // of messages, or of single recipients
    std::optional<std::string> tenant;   // as asked for
    std::optional<std::string> route;    // as asked for: its tenants when the action began are in `tenants`
    std::optional<std::string> domain;   // of the recipient, lower case
    std::optional<std::string> sender;   // the whole address; empty: the null sender
    std::optional<verdict::reason> why;  // of its last attempt or its state
    std::optional<state> now;
    std::optional<wall_time> before, after;         // accepted
    std::optional<std::vector<tenant_id>> tenants;  // those it may touch; none: all
    std::optional<std::string> held_by;             // an action's name in the note of those it holds

    // Nothing is asked for: never everything.
    [[nodiscard]] bool is_empty() const noexcept {
        return ids.empty() && !tenant && !route && !domain && !sender && !why && !now && !before && !after &&
               !held_by;
    }

    bool operator==(const selector&) const = default;
};

// One line of JSON, as the API shows it, and back; without `tenants` where `how` is for_people.
enum class selector_form : std::uint8_t { whole, for_people };
[[nodiscard]] std::string to_json(const selector& s, selector_form how);
[[nodiscard]] std::optional<selector> parse_selector(std::string_view json);

// What of a recipient a selector looks at.
struct candidate {
    recipient_id id;
    tenant_id tenant;
    state now = state::queued;
    std::string address, sender;
    std::optional<verdict::reason> why;
    wall_time accepted_at;
    std::string note;
};

[[nodiscard]] bool matches(const selector& s, const candidate& c);

// Some of a walk over recipients in one state, oldest first.
struct selection {
    std::vector<candidate> found;
    std::optional<std::uint64_t> next;  // where to go on; none: the end
};

struct action {
    std::uint64_t id = 0;  // 1, 2, 3, …
    wall_time at;
    std::string by;  // "uid 0"
    action_verb verb = action_verb::hold;
    selector whom;
    std::string reason;
    std::optional<wall_time> expires_at;  // undone then
    std::optional<wall_time> done_at;     // none: under way
    std::uint64_t count = 0;              // recipients changed
    std::optional<wall_time> undone_at;
    std::string undone_by;
    std::uint64_t first_event = 0, last_event = 0;  // its changes are between them; the store's own
};

// A new row, or the row of that id as it is now.
struct acted {
    action what;
};

}  // namespace estafette::store
