#include "transition.hpp"

#include <algorithm>

namespace estafette::store {

namespace {

void enter(standing& s, state next, wall_time at) {
    s.now = next;
    s.changed_at = at;
    s.claimed = false;
    s.due_at.reset();
}

event event_of(const standing& s, std::string_view type, wall_time at) {
    event e;
    e.at = at;
    e.type = type;
    e.now = s.now;
    return e;
}

std::string_view type_of(state next) noexcept {
    switch (next) {
    case state::scheduled:
    case state::queued:
    case state::deferred: return "deferred";
    case state::held: return "held";
    case state::relayed: return "relayed";
    case state::delivered: return "delivered";
    case state::failed: return "failed";
    case state::cancelled: return "cancelled";
    }
    return "deferred";
}

// A server's 250 is the truth even where a cancel or an expiry was recorded while the mail was leaving.
bool fits(const standing& s, const attempted& c) noexcept {
    switch (c.next) {
    case state::relayed: return s.now != state::relayed && s.now != state::delivered;
    case state::queued:
    case state::deferred:
    case state::held:
    case state::failed: return !is_final(s.now);
    case state::scheduled:
    case state::delivered:
    case state::cancelled: return false;
    }
    return false;
}

bool fits(const standing& s, const corrected& c) noexcept {
    switch (c.what) {
    case finding::delivered:
    case finding::failed: return s.now == state::relayed;
    case finding::delayed: return s.now == state::relayed && !s.was_delayed;
    case finding::complained:
        return !s.has_complained &&
               (s.now == state::relayed || s.now == state::delivered || s.now == state::failed);
    }
    return false;
}

}  // namespace

bool waits(state s) noexcept {
    return s == state::scheduled || s == state::queued || s == state::deferred;
}

standing standing_of_new(const enqueued& c) {
    standing s;
    s.now = c.message->due_at > c.message->accepted_at ? state::scheduled : state::queued;
    s.changed_at = c.message->accepted_at;
    s.due_at = c.message->due_at;
    s.claimed = c.claimed;
    return s;
}

std::optional<event> apply(standing& s, const attempted& c) {
    if (!fits(s, c)) {
        return std::nullopt;
    }
    const wall_time at = c.what.started_at + c.what.duration;
    // An attempt that ends without an end leaves a person's hold, and its note, in place.
    const bool stays_held = s.now == state::held && waits(c.next);
    if (!stays_held) {
        enter(s, c.next, at);
        s.note.clear();
        s.why = c.next == state::relayed ? std::nullopt : std::optional{c.what.judged.why};
        if (waits(c.next)) {
            s.due_at = c.next_attempt_at.value_or(at);
        }
    }
    s.attempts = c.what.number != 0 ? c.what.number : s.attempts + 1;
    s.doubted = s.doubted || c.what.judged.what == verdict::disposition::uncertain;
    event e = event_of(s, type_of(c.next), at);
    e.route = c.what.route;
    e.what = c.what;
    e.what->number = s.attempts;
    return e;
}

std::optional<event> apply(standing& s, const cancelled& c) {
    if (is_final(s.now)) {
        return std::nullopt;
    }
    enter(s, state::cancelled, c.at);
    s.why.reset();
    s.note = c.why.empty() ? c.by : c.by + ": " + c.why;
    event e = event_of(s, "cancelled", c.at);
    e.by = c.by;
    e.text = c.why;
    return e;
}

std::optional<event> apply(standing& s, const held& c) {
    if (!waits(s.now)) {
        return std::nullopt;
    }
    enter(s, state::held, c.at);
    s.why = c.why;
    s.note = c.text.empty() ? c.by : c.by + ": " + c.text;
    event e = event_of(s, "held", c.at);
    e.by = c.by;
    e.text = c.text;
    return e;
}

std::optional<event> apply(standing& s, const released& c) {
    if (is_final(s.now)) {
        return std::nullopt;
    }
    // The reason stays: a recipient that was tried never loses its last one.
    enter(s, state::queued, c.at);
    s.due_at = c.at;
    s.note.clear();
    event e = event_of(s, "released", c.at);
    e.by = c.by;
    return e;
}

std::optional<event> apply(standing& s, const expired& c) {
    if (is_final(s.now)) {
        return std::nullopt;
    }
    enter(s, state::failed, c.at);
    s.why = verdict::reason::expired;
    s.note.clear();
    return event_of(s, "expired", c.at);
}

std::optional<event> apply(standing& s, const corrected& c) {
    if (!fits(s, c)) {
        return std::nullopt;
    }
    switch (c.what) {
    case finding::delivered:
    case finding::failed:
        enter(s, c.what == finding::failed ? state::failed : state::delivered, c.at);
        s.why = c.what == finding::failed ? std::optional{c.judged.why} : std::nullopt;
        s.note = c.text;
        break;
    case finding::delayed:
        s.was_delayed = true;
        s.why = c.judged.why;
        s.note = c.text;
        break;
    case finding::complained: s.has_complained = true; break;
    }
    event e = event_of(s, to_text(c.what), c.at);
    e.by = c.by;
    e.text = c.text;
    e.judged = c.judged;
    e.evidence = c.evidence;
    return e;
}

std::optional<event> apply(standing& s, const delayed& c) {
    if (is_final(s.now) || s.late) {
        return std::nullopt;
    }
    s.late = true;
    return event_of(s, "delayed", c.at);
}

std::optional<event> apply(standing& s, const withheld& c) {
    if (is_final(s.now)) {
        return std::nullopt;
    }
    enter(s, state::failed, c.at);
    s.why = verdict::reason::suppressed;
    s.note = c.text;
    event e = event_of(s, "failed", c.at);
    e.text = c.text;
    return e;
}

bool is_news(const std::optional<suppression>& before, const suppressed& c) noexcept {
    return !before || before->why != c.why || before->until != c.until || before->text != c.text;
}

suppression line_of(const suppressed& c) {
    return {c.tenant, c.address, c.at, c.until, c.why, c.by, c.text};
}

bool postpone(standing& s, wall_time until) {
    s.claimed = false;
    if (!waits(s.now)) {
        return false;
    }
    s.due_at = until;
    return true;
}

std::optional<event> apply(standing& s, const erased& c) {
    if (!is_final(s.now) || !mail::address::parse(c.pseudonym)) {
        return std::nullopt;
    }
    s.note = "erased";
    event e = event_of(s, "erased", c.at);
    e.by = c.by;
    e.text = c.why;
    return e;
}

void forget_words(event& e) {
    e.text.clear();
    e.evidence.clear();
    if (e.what) {
        e.what->text.clear();
    }
}

void forget_words(standing& s, event& e) {
    if (!s.note.empty()) {
        s.note = "erased";
    }
    forget_words(e);
}

mail::message erased_message(const mail::message& m, const erased& c) {
    mail::message rest = m;
    const auto pseudonym = mail::address::parse(c.pseudonym).value();
    if (rest.from && rest.from->text() == rest.to.at(c.who.index).text()) {
        rest.from = pseudonym;
    }
    rest.to.at(c.who.index) = pseudonym;
    rest.subject.clear();
    rest.tags.clear();
    rest.metadata.clear();
    rest.reports.envid.clear();
    return rest;
}

namespace {

event event_of(const pause_target& what, const char* verb, wall_time at, const std::string& by) {
    event e;
    e.at = at;
    e.type = std::string{to_text(what.kind)} + "_" + verb;
    e.route = what.route();
    e.tenant = what.tenant();
    e.sender = what.sender;
    e.by = by;
    return e;
}

}  // namespace

action_step apply(std::optional<action>& row, const acted& c, std::uint64_t sequence) {
    if (c.what.id == 0 || (row && row->undone_at)) {
        return {};
    }
    action next = c.what;
    next.first_event = row ? row->first_event : sequence;
    next.last_event = row ? row->last_event : 0;
    const bool is_done = next.done_at && (!row || !row->done_at);
    event e;
    e.by = next.by;
    if (next.undone_at) {
        e.at = *next.undone_at;
        e.type = "action_undone";
        e.by = next.undone_by;
    } else if (is_done) {
        e.at = *next.done_at;
        e.type = "action_done";
        next.last_event = sequence;
    } else if (!row) {
        e.at = next.at;
        e.type = "action_started";
    }
    const auto& whom = next.whom.tenants;
    e.tenant = whom && whom->size() == 1 ? whom->front() : tenant_id{};
    e.text = std::string{to_text(next.verb)} + ", action " + std::to_string(next.id);
    e.text += next.reason.empty() ? "" : ": " + next.reason;
    const bool is_news = !e.type.empty();
    row = std::move(next);
    return {true, is_news ? std::optional{std::move(e)} : std::nullopt};
}

pause_step apply(std::optional<pause>& row, const paused& c) {
    const bool is_news = !row || row->why != c.why || row->by != c.by;
    const wall_time since = row ? row->since : c.at;
    row = pause{c.what, since, c.until, c.why, c.text, c.by};
    pause_step step{true, std::nullopt};
    if (is_news) {
        step.what = event_of(c.what, "paused", c.at, c.by);
        step.what->text = c.text;
    }
    return step;
}

pause_step apply(std::optional<pause>& row, const resumed& c) {
    if (!row) {
        return {};
    }
    row.reset();
    return {true, event_of(c.what, "resumed", c.at, c.by)};
}

namespace {

event event_of(std::string_view type, const tenant_id& tenant, const std::string& category, wall_time at) {
    event e;
    e.at = at;
    e.type = type;
    e.tenant = tenant;
    e.text = category;
    return e;
}

}  // namespace

category_step apply(std::optional<switched_off>& row, const category_off& c) {
    const wall_time since = row ? row->since : c.at;
    row = switched_off{c.tenant, c.category, since, c.until, c.by, c.why};
    event e = event_of("category_off", c.tenant, c.category, c.at);
    e.by = c.by;
    e.text += c.why.empty() ? "" : ": " + c.why;
    return {true, std::move(e)};
}

category_step apply(std::optional<switched_off>& row, const category_on& c) {
    if (!row) {
        return {};
    }
    row.reset();
    event e = event_of("category_on", c.tenant, c.category, c.at);
    e.by = c.by;
    return {true, std::move(e)};
}

}  // namespace estafette::store
