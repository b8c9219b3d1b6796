// What a change does to a recipient: pure, shared by all engines, so that they cannot disagree on which
// changes fit which state and on the event that follows.
#pragma once

#include "estafette/store/views.hpp"

#include <optional>
#include <string>

namespace estafette::store {

// Where a recipient stands; the rest of its picture never changes.
struct standing {
    state now = state::queued;
    std::uint32_t attempts = 0;
    wall_time changed_at;
    std::optional<wall_time> due_at;  // scheduled, queued, deferred: when it is tried next
    bool claimed = false;             // in memory only: a restart forgets it
    bool doubted = false;             // some attempt was uncertain: it may have been sent twice
    bool late = false;                // somebody was told that it is delayed
    std::optional<verdict::reason> why;
    std::string note;
    bool was_delayed = false;     // a report said so
    bool has_complained = false;  // its reader did

    bool operator==(const standing&) const = default;
};

// In the queue: it has a time at which it is tried.
[[nodiscard]] bool waits(state s) noexcept;

[[nodiscard]] standing standing_of_new(const enqueued& c);

// The event of the change, without sequence, recipient and tenant; none if the change does not fit the
// state, which is then untouched.
[[nodiscard]] std::optional<event> apply(standing& s, const attempted& c);
[[nodiscard]] std::optional<event> apply(standing& s, const cancelled& c);
[[nodiscard]] std::optional<event> apply(standing& s, const held& c);
[[nodiscard]] std::optional<event> apply(standing& s, const released& c);
[[nodiscard]] std::optional<event> apply(standing& s, const expired& c);
[[nodiscard]] std::optional<event> apply(standing& s, const corrected& c);
[[nodiscard]] std::optional<event> apply(standing& s, const delayed& c);
[[nodiscard]] std::optional<event> apply(standing& s, const withheld& c);

// Whether the line is news beside the one that is there.
[[nodiscard]] bool is_news(const std::optional<suppression>& before, const suppressed& c) noexcept;
[[nodiscard]] suppression line_of(const suppressed& c);

// Another time at which a recipient that waits is tried; it is no longer claimed. False: it does not wait.
[[nodiscard]] bool postpone(standing& s, wall_time until);
[[nodiscard]] std::optional<event> apply(standing& s, const erased& c);

// What people and servers wrote goes: it may name who was erased.
void forget_words(event& e);

// Also where it comes after the erasure.
void forget_words(standing& s, event& e);

// What is left of a message after one of its recipients was erased: the pseudonym for the address, nothing
// that its sender wrote for people. Names and content go with the last recipient that waits.
[[nodiscard]] mail::message erased_message(const mail::message& m, const erased& c);

// Another time at which a recipient that waits is tried; it is no longer claimed. False: it does not wait.
[[nodiscard]] bool postpone(standing& s, wall_time until);

// The row of the target before the change, or none if it was not paused.
struct pause_step {
    bool fits = false;
    std::optional<event> what;  // none where only the next probe moved
};

[[nodiscard]] pause_step apply(std::optional<pause>& row, const paused& c);
[[nodiscard]] pause_step apply(std::optional<pause>& row, const resumed& c);

// The row of the action before the change, or none if it is new; `sequence` is that of the event, if there
// is one.
struct action_step {
    bool fits = false;
    std::optional<event> what;  // none where only its count grew
};

[[nodiscard]] action_step apply(std::optional<action>& row, const acted& c, std::uint64_t sequence);

// The switch before the change, or none where mail of the category is sent. `off` is there until somebody
// switches it on, also when its time is over.
struct category_step {
    bool fits = false;
    std::optional<event> what;
};

[[nodiscard]] category_step apply(std::optional<switched_off>& row, const category_off& c);
[[nodiscard]] category_step apply(std::optional<switched_off>& row, const category_on& c);

}  // namespace estafette::store
