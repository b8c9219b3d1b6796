#include "estafette/sched/administration.hpp"

#include "estafette/base/log.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace estafette::sched {

namespace {

using store::action_verb;

constexpr std::size_t looked_at = 500;   // recipients in one turn of the store
constexpr unsigned steps_per_note = 20;  // between two notes of how far it is
constexpr std::size_t events_at_once = 1000;
constexpr std::size_t actions_looked_at = 500;  // at the start: those that may still be under way
constexpr milliseconds longest_sleep = std::chrono::minutes{1};

wall_time wall_now() {
    return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

// Whom it changes: its verb's states, and of them the one asked for. Mail for later is sent early only
// where somebody says so.
std::set<store::state> states_of(action_verb verb, const store::selector& whom) {
    auto states = store::states_of(verb);
    if (whom.now) {
        return states.contains(*whom.now) ? std::set{*whom.now} : std::set<store::state>{};
    }
    if (verb == action_verb::requeue && whom.ids.empty()) {
        states.erase(store::state::scheduled);
    }
    return states;
}

// Names the action in every change that it makes, so that it can be found again.
std::string marker_of(const store::action& a) {
    return a.by + ", action " + std::to_string(a.id);
}

store::change
change_of(action_verb verb, const recipient_id& who, const std::string& by, const std::string& reason) {
    const auto now = wall_now();
    switch (verb) {
    case action_verb::hold: return store::held{who, now, verdict::reason::other, by, reason};
    case action_verb::release:
    case action_verb::requeue: return store::released{who, now, by};
    case action_verb::remove: return store::cancelled{who, now, by, reason};
    case action_verb::expire:
    case action_verb::pause:
    case action_verb::resume: return store::expired{who, now};
    }
    return store::expired{who, now};
}

bool is_pause(action_verb v) {
    return v == action_verb::pause || v == action_verb::resume;
}

std::optional<store::pause_target> target_of(const store::selector& s) {
    if (s.route) {
        return store::pause_target::of(route_id{*s.route});
    }
    if (s.tenant && s.sender) {
        return store::pause_target::of(tenant_id{*s.tenant}, *s.sender);
    }
    return s.tenant ? std::optional{store::pause_target::of(tenant_id{*s.tenant})} : std::nullopt;
}

std::vector<recipient_id> ids_of(const std::vector<store::candidate>& found) {
    std::vector<recipient_id> ids;
    std::ranges::transform(found, std::back_inserter(ids), &store::candidate::id);
    return ids;
}

}  // namespace

administration::administration(asio::any_io_executor loop, store::queue& queue, scheduler& below)
    : loop_{loop}
    , queue_{queue}
    , scheduler_{below}
    , tasks_{loop}
    , wake_{loop} {}

// A step of a walk; the store may be busy for a while. None: it does not answer any more.
asio::awaitable<std::optional<store::selection>>
administration::step(store::selector whom, store::state now, std::uint64_t after) {
    while (!is_stopping_ && !queue_.health()) {
        auto part = co_await queue_.select(whom, now, after, looked_at);
        if (part) {
            co_return std::move(*part);
        }
        asio::steady_timer pause{loop_, seconds{1}};
        boost::system::error_code ec;
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    }
    co_return std::nullopt;
}

// Those that the selector names one by one: a look at each instead of a walk over all.
asio::awaitable<std::vector<store::candidate>>
administration::named(store::selector whom, std::set<store::state> states) {
    std::set<message_id> messages;
    for (const auto& text : whom.ids) {
        const auto message = message_id::parse(text.substr(0, text.find('.')));
        if (message) {
            messages.insert(*message);
        }
    }
    std::vector<store::candidate> found;
    for (const auto& id : messages) {
        const auto view = co_await queue_.view(id);
        if (!view) {
            continue;
        }
        for (const auto& r : view->recipients) {
            const store::candidate c{
                r.id, r.tenant, r.now, r.address, r.sender, r.why, r.accepted_at, r.note
            };
            if (states.contains(r.now) && store::matches(whom, c)) {
                found.push_back(c);
            }
        }
    }
    co_return found;
}

asio::awaitable<result<std::uint64_t>> administration::count(action_verb verb, store::selector whom) {
    const auto states = states_of(verb, whom);
    if (!whom.ids.empty()) {
        const auto found = co_await named(whom, states);
        co_return std::uint64_t{found.size()};
    }
    std::uint64_t sum = 0;
    for (const auto now : states) {
        std::optional<std::uint64_t> after = 0;
        while (after) {
            const auto part = co_await step(whom, now, *after);
            if (!part) {
                co_return errc::store_failed;
            }
            sum += part->found.size();
            after = part->next;
        }
    }
    co_return sum;
}

asio::awaitable<result<void>> administration::write(store::action a) {
    std::vector<store::change> changes;
    changes.emplace_back(store::acted{std::move(a)});
    const auto done = co_await queue_.commit(std::move(changes));
    if (!done) {
        co_return done.error();
    }
    co_return result<void>{};
}

asio::awaitable<result<store::action>> administration::begin(order what) {
    store::action a;
    a.id = ++last_id_;
    a.at = wall_now();
    a.by = std::move(what.by);
    a.verb = what.verb;
    a.whom = std::move(what.whom);
    a.reason = std::move(what.reason);
    a.expires_at = what.expires_at;
    if (is_pause(a.verb)) {
        co_return co_await pause_or_resume(std::move(a));
    }
    a.whom.before = std::min(a.whom.before.value_or(a.at), a.at);
    const auto written = co_await write(a);
    if (!written) {
        co_return written.error();
    }
    log::event(
        log::level::info,
        "action_started",
        {{"action", a.id},
         {"verb", store::to_text(a.verb)},
         {"by", a.by},
         {"selector", store::to_json(a.whom, store::selector_form::for_people)},
         {"text", a.reason}}
    );
    under_way_[a.id] = a;
    if (a.expires_at) {
        ends_.emplace(*a.expires_at, a.id);
        wake_.cancel();
    }
    tasks_.spawn("action", work(a));
    co_return under_way_.contains(a.id) ? under_way_.at(a.id) : a;
}

asio::awaitable<result<store::action>> administration::pause_or_resume(store::action a) {
    const auto what = target_of(a.whom);
    if (!what) {
        co_return errc::conflict;
    }
    const auto done = a.verb == action_verb::pause
                          ? co_await scheduler_.pause(*what, a.expires_at, a.reason, a.by)
                          : co_await scheduler_.resume(*what, a.by);
    if (!done) {
        co_return done.error();
    }
    const auto waiting = co_await count(a.verb, a.whom);
    a.count = waiting ? *waiting : 0;
    a.done_at = wall_now();
    const auto written = co_await write(a);
    if (!written) {
        co_return written.error();
    }
    if (a.expires_at) {
        ends_.emplace(*a.expires_at, a.id);
        wake_.cancel();
    }
    co_return a;
}

// One walk over those whom the action concerns. False: it has to go on another time.
asio::awaitable<bool>
administration::walk(store::action& a, action_verb verb, std::string marker, noting how_far) {
    const auto apply = [verb, marker, reason = a.reason](const recipient_id& who) {
        return change_of(verb, who, marker, reason);
    };
    const auto states = states_of(verb, a.whom);
    // What a connection has in hand may be gone before it is deleted; a hold catches it if it comes back.
    const auto with_in_hand =
        verb == action_verb::hold ? scheduler::in_hand::too : scheduler::in_hand::not_those;
    if (!a.whom.ids.empty()) {
        const auto found = co_await named(a.whom, states);
        const auto changed = co_await scheduler_.change_waiting(ids_of(found), apply, with_in_hand);
        a.count += changed ? *changed : 0;
        co_return changed.has_value();
    }
    unsigned steps = 0;
    for (const auto now : states) {
        std::optional<std::uint64_t> after = 0;
        while (after) {
            const auto part = co_await step(a.whom, now, *after);
            if (!part) {
                co_return false;
            }
            if (!part->found.empty()) {
                const auto changed =
                    co_await scheduler_.change_waiting(ids_of(part->found), apply, with_in_hand);
                if (!changed) {
                    co_return false;
                }
                a.count += *changed;
                if (how_far == noting::yes) {
                    under_way_[a.id].count = a.count;
                }
            }
            after = part->next;
            if (++steps % steps_per_note == 0 && how_far == noting::yes) {
                (void)co_await write(a);
            }
        }
    }
    co_return true;
}

asio::awaitable<void> administration::work(store::action a) {
    const auto marker = marker_of(a);
    const bool is_done = co_await walk(a, a.verb, marker, noting::yes);
    if (is_done) {
        a.done_at = wall_now();
        const auto written = co_await write(a);
        log::event(
            log::level::info,
            "action_done",
            {{"action", a.id},
             {"verb", store::to_text(a.verb)},
             {"recipients", a.count},
             {"recorded", written ? "yes" : "no"}}
        );
    }
    under_way_.erase(a.id);
}

asio::awaitable<result<store::action>> administration::find(std::uint64_t id) {
    if (const auto it = under_way_.find(id); it != under_way_.end()) {
        co_return it->second;
    }
    auto found = co_await queue_.actions(id + 1, 1);
    if (!found) {
        co_return found.error();
    }
    if (found->empty() || found->front().id != id) {
        co_return errc::not_found;
    }
    co_return std::move(found->front());
}

asio::awaitable<result<std::vector<store::action>>>
administration::list(std::uint64_t below, std::size_t limit) {
    auto found = co_await queue_.actions(below, limit);
    if (!found) {
        co_return found.error();
    }
    for (auto& a : *found) {
        if (const auto it = under_way_.find(a.id); it != under_way_.end()) {
            a.count = it->second.count;
        }
    }
    co_return std::move(*found);
}

asio::awaitable<result<store::action>> administration::undo(std::uint64_t id, std::string by) {
    auto a = co_await find(id);
    if (!a) {
        co_return a.error();
    }
    if (!a->done_at || a->undone_at || !store::can_be_undone(a->verb) || under_way_.contains(id)) {
        co_return errc::conflict;
    }
    if (is_pause(a->verb)) {
        const auto what = target_of(a->whom);
        const auto done = a->verb == action_verb::pause
                              ? co_await scheduler_.resume(*what, by)
                              : co_await scheduler_.pause(*what, std::nullopt, a->reason, by);
        if (!done && done.error() != errc::not_found) {
            co_return done.error();
        }
        a->undone_at = wall_now();
        a->undone_by = by;
        const auto written = co_await write(*a);
        if (!written) {
            co_return written.error();
        }
        co_return std::move(*a);
    }
    under_way_[id] = *a;
    tasks_.spawn("undo", work_back(*a, std::move(by)));
    co_await settled(id, seconds{2});
    co_return co_await find(id);
}

asio::awaitable<void> administration::work_back(store::action a, std::string by) {
    bool is_done = false;
    if (a.verb == action_verb::hold) {
        store::action back = a;
        back.count = 0;
        back.whom = {};
        back.whom.held_by = marker_of(a);
        back.by = by;
        const auto marker = by + ", action " + std::to_string(a.id) + " undone";
        is_done = co_await walk(back, action_verb::release, marker, noting::no);
    } else {
        is_done = co_await hold_again(a, by);
    }
    if (is_done) {
        a.undone_at = wall_now();
        a.undone_by = by;
        (void)co_await write(a);
        log::event(log::level::info, "action_undone", {{"action", a.id}, {"by", by}});
    }
    under_way_.erase(a.id);
}

// What the action released, as its events say, is held again where it still waits.
asio::awaitable<bool> administration::hold_again(store::action a, std::string by) {
    const auto released_by = marker_of(a);
    const auto apply = [marker = by + ", action " + std::to_string(a.id) + " undone",
                        reason = a.reason](const recipient_id& who) {
        return change_of(action_verb::hold, who, marker, reason);
    };
    std::uint64_t after = a.first_event;
    while (after < a.last_event) {
        const auto events = co_await queue_.events(after, events_at_once);
        if (!events || is_stopping_) {
            co_return false;
        }
        std::vector<recipient_id> who;
        for (const auto& e : *events) {
            if (e.sequence < a.last_event && e.type == "released" && e.by == released_by) {
                who.push_back(e.who);
            }
        }
        const auto changed = co_await scheduler_.change_waiting(who, apply, scheduler::in_hand::too);
        if (!changed) {
            co_return false;
        }
        after = events->empty() ? a.last_event : events->back().sequence;
    }
    co_return true;
}

asio::awaitable<void> administration::settled(std::uint64_t id, milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (under_way_.contains(id) && std::chrono::steady_clock::now() < deadline) {
        asio::steady_timer pause{loop_, milliseconds{10}};
        boost::system::error_code ec;
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    }
}

asio::awaitable<result<void>> administration::restore() {
    const auto recent = co_await queue_.actions(0, actions_looked_at);
    if (!recent) {
        co_return recent.error();
    }
    for (const auto& a : *recent) {
        last_id_ = std::max(last_id_, a.id);
        if (a.expires_at && !a.undone_at) {
            ends_.emplace(*a.expires_at, a.id);
        }
        if (!a.done_at) {
            under_way_[a.id] = a;
            tasks_.spawn("action", work(a));
        }
    }
    co_return result<void>{};
}

asio::awaitable<void> administration::run() {
    while (!is_stopping_) {
        const auto now = wall_now();
        if (!ends_.empty() && ends_.begin()->first <= now) {
            const auto id = ends_.begin()->second;
            ends_.erase(ends_.begin());
            const auto undone = co_await undo(id, "expiry");
            const bool is_late =
                undone.has_error() && undone.error() == errc::conflict && under_way_.contains(id);
            if (is_late) {
                ends_.emplace(now + seconds{5}, id);  // it has not even been done
            }
            continue;
        }
        const auto next =
            ends_.empty() ? now + longest_sleep : std::min(ends_.begin()->first, now + longest_sleep);
        wake_.expires_after(std::max(next - now, milliseconds{1}));
        boost::system::error_code ec;
        co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, ec));  // at most longest_sleep
    }
}

void administration::stop() {
    is_stopping_ = true;
    wake_.cancel();
}

asio::awaitable<void> administration::wait() {
    (void)co_await tasks_.wait(seconds{10});
}

}  // namespace estafette::sched
