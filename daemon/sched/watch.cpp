// The watchdog's rounds: lost claims go back, silence is said, what is held is counted.
#include "estafette/base/log.hpp"
#include "estafette/sched/scheduler.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace estafette::sched {

namespace {

constexpr milliseconds between_rounds = std::chrono::minutes{1};
constexpr std::size_t looked_at = 500;        // recipients in one turn of the store
constexpr std::size_t most_counted = 10'000;  // of each state, in one round

}  // namespace

asio::awaitable<void> scheduler::run_watchdog() {
    asio::steady_timer timer{loop_};
    watched_since_ = wall_now();
    const auto stop = co_await asio::this_coro::cancellation_state;
    while (stop.cancelled() == asio::cancellation_type::none && !is_stopping_ && !has_failed_) {
        timer.expires_after(between_rounds);
        boost::system::error_code ec;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
        if (!ec && !is_stopping_) {
            co_await watch();
        }
    }
}

asio::awaitable<void> scheduler::watch() {
    co_await return_lost_claims();
    co_await expire_what_waits();
    if (!is_stopping_) {
        co_await look_for_silence();
    }
    if (!is_stopping_) {
        co_await count_held();
    }
}

asio::awaitable<void> scheduler::return_lost_claims() {
    std::vector<recipient_id> lost;
    {
        const auto mine = co_await take_turn();  // nothing is on its way from the store to a route
        const auto claimed = co_await queue_.claimed();
        if (!claimed) {
            co_return;
        }
        const auto held = routes_.known();
        lost = claims_.look(*claimed, {held.begin(), held.end()});
    }
    if (lost.empty()) {
        co_return;
    }
    meters_.stale_claims.add(lost.size());
    log::event(
        log::level::error,
        "claims_lost",
        {{"recipients", lost.size()},
         {"id", lost.front().text()},
         {"text", "claimed, but nobody had them: they are back in the queue"}},
        "5b6f0c1d2e3a4f58a9b0c1d2e3f40516"
    );
    (void)co_await queue_.unclaim(std::move(lost));
    poke();
}

// Mail that nobody claims, since its route, its tenant or its sender rests or a person holds it, fails when
// its time is over, not when the rest is. What a connection has in hand is left to its outcome.
asio::awaitable<void> scheduler::expire_what_waits() {
    std::size_t sum = 0;
    while (!is_stopping_ && !has_failed_) {
        const auto now = wall_now();
        auto over = co_await queue_.past_expiry(now, looked_at);
        if (!over || over->empty()) {
            break;
        }
        const bool is_last = over->size() < looked_at;
        const auto expire = [now](const recipient_id& who) -> store::change {
            return store::expired{who, now};
        };
        const auto done = co_await change_waiting(std::move(*over), expire, in_hand::not_those);
        sum += done ? *done : 0;
        if (is_last || !done || *done == 0) {
            break;
        }
    }
    if (sum > 0) {
        meters_.recipients_completed[labels::completion::failed].add(sum);
        log::event(log::level::warning, "expired", {{"recipients", sum}});
    }
}

asio::awaitable<void> scheduler::look_for_silence() {
    const auto waiting = co_await queue_.waiting();
    if (!waiting) {
        co_return;
    }
    const auto now = wall_now();
    std::size_t silent = 0;
    for (const auto& w : *waiting) {
        const auto* r = routes_.find(w.tenant);
        waiting_facts f;
        f.due_at = w.earliest_due;
        f.is_kept_back =
            holds_.keeps_back(w.tenant) || r == nullptr || r->status().state != route::route_state::active;
        f.watched_since = watched_since_;
        if (const auto moved = r != nullptr ? moved_at_.find(r->id()) : moved_at_.end();
            moved != moved_at_.end()) {
            f.route_moved_at = moved->second;
        }
        if (promise_of(f, now) != promise::broken) {
            continue;
        }
        ++silent;
        log::event(
            log::level::error,
            "silence",
            {{"tenant", w.tenant.text()},
             {"route", r != nullptr ? r->id().text() : std::string{}},
             {"due", to_rfc3339(w.earliest_due)},
             {"text", "due mail is not tried, and nothing holds it"}},
            "e1f2a3b4c5d64e7f8091a2b3c4d5e6f7"
        );
    }
    meters_.silent_tenants.set(static_cast<double>(silent));
    if (silent != 0) {
        poke();
    }
}

// Of each state the oldest ten thousand: what waits because somebody must act, by the reason that says who.
asio::awaitable<void> scheduler::count_held() {
    std::map<verdict::reason, std::uint64_t> by_reason;
    for (const auto now : {store::state::held, store::state::queued, store::state::deferred}) {
        store::selector all;
        all.now = now;
        std::optional<std::uint64_t> after = 0;
        for (std::size_t seen = 0; after && seen < most_counted && !is_stopping_; seen += looked_at) {
            const auto part = co_await queue_.select(all, now, *after, looked_at);
            if (!part) {
                co_return;
            }
            for (const auto& c : part->found) {
                const auto why = now == store::state::held
                                     ? std::optional{c.why.value_or(verdict::reason::other)}
                                     : kept_back_for(c.tenant, c.sender);
                if (why) {
                    ++by_reason[*why];
                }
            }
            after = part->next;
        }
    }
    for (std::size_t i = 0; i < labels::reasons.values.size(); ++i) {
        const auto why = static_cast<verdict::reason>(i);
        const auto found = by_reason.find(why);
        meters_.held_recipients[why].set(found == by_reason.end() ? 0 : static_cast<double>(found->second));
    }
}

}  // namespace estafette::sched
