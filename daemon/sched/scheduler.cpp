#include "estafette/sched/scheduler.hpp"

#include "sender.hpp"

#include "estafette/base/log.hpp"
#include "estafette/sched/outcome.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <functional>
#include <map>

namespace estafette::sched {

namespace {

constexpr std::size_t claim_batch = 256;  // recipients claimed at once
constexpr int turns_per_plan = 8;
constexpr milliseconds longest_sleep = std::chrono::minutes{1};
constexpr milliseconds retention_pause = std::chrono::minutes{10};
constexpr milliseconds shortest_delay_pause = milliseconds{250};
constexpr milliseconds longest_delay_pause = std::chrono::minutes{1};
constexpr std::size_t delay_step = 500;  // recipients told of at once
using postponed_together = std::chrono::duration<std::int64_t, std::ratio<1, 10>>;
constexpr milliseconds space_pause = seconds{1};
constexpr std::size_t retention_step = 200;  // messages dropped at once

}  // namespace

scheduler::scheduler(
    asio::any_io_executor loop,
    store::queue& queue,
    store::suppressions& lists,
    route::table& routes,
    const verdict::classifier& classifier,
    metrics& meters
)
    : scheduler_state{loop, queue, lists, routes, classifier, meters} {}

asio::awaitable<result<void>> scheduler::settle_in_doubt(std::vector<recipient_id> doubtful) {
    const auto now = wall_now();
    std::vector<store::change> changes;
    for (const auto& who : doubtful) {
        auto view = co_await queue_.view(who.message);
        if (!view) {
            continue;  // purged, or never made durable
        }
        for (const auto& r : view->recipients) {
            const bool is_meant = who.index == r.id.index || who.index == store::slate::all_recipients;
            if (!is_meant || store::is_final(r.now) || r.now == store::state::held) {
                continue;
            }
            store::attempt a;
            a.number = r.attempts + 1;
            a.started_at = now;
            a.at = smtp::phase::dot;
            a.judged.what = verdict::disposition::uncertain;
            a.judged.fault = verdict::scope::recipient;
            a.judged.why = verdict::reason::uncertain;
            a.text = "the daemon ended before the answer to the final dot was recorded";
            log::event(
                log::level::warning,
                "in_doubt",
                {{"id", r.id.text()}, log::field::address("recipient", r.address)}
            );
            meters_.uncertain.add();
            auto written =
                settle(r.id, std::move(a), options_of(view->message.tenant), now, view->message.expires_at);
            std::ranges::move(written, std::back_inserter(changes));
        }
    }
    if (!changes.empty()) {
        auto done = co_await queue_.commit(std::move(changes));
        if (!done) {
            co_return done.error();
        }
    }
    co_return result<void>{};
}

void scheduler::poke() {
    poked_ = true;
    wake_.cancel();
}

void scheduler::stop() {
    is_stopping_ = true;
    poke();
}

asio::awaitable<void> scheduler::wait() {
    (void)co_await tasks_.wait(seconds{30});
}

asio::awaitable<void> scheduler::run() {
    while (!is_stopping_ && !has_failed_) {
        const auto woke_at = wall_now();
        if (const auto jump = watch_.jumped(woke_at, std::chrono::steady_clock::now())) {
            log::event(log::level::warning, "clock_jumped", {{"ms", *jump}});
            poked_ = true;  // what is due may be another mail now
            tend_at_ = wall_time{};
            hours_change_at_ = wall_time{};
            if (*jump < -longest_sleep) {
                tasks_.spawn("bring_forward", bring_forward(woke_at));
            }
        }
        if (poked_ || wall_now() >= look_again_) {
            poked_ = false;
            look_again_ = wall_now() + longest_sleep;
            if (wall_now() >= tend_at_) {
                co_await tend_holds();
            }
            keep_hours(wall_now());
            look_again_ = std::min({look_again_, tend_at_, hours_change_at_});
            if (const auto next = co_await claim_once()) {
                look_again_ = std::min(look_again_, *next);
            }
            continue;
        }
        wake_.expires_after(nap(look_again_, wall_now()));
        boost::system::error_code ec;
        co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, ec));  // a nap
    }
}

void scheduler::look_again_by(wall_time at) {
    if (at < look_again_) {
        look_again_ = at;
        wake_.cancel();
    }
}

asio::awaitable<std::optional<wall_time>> scheduler::claim_once() {
    for (;;) {
        auto waiting = co_await queue_.waiting();
        if (!waiting) {
            co_return wall_now() + seconds{1};
        }
        const auto takes = [this](const store::waiting_tenant& w) {
            const auto* r = routes_.find(w.tenant);
            return r != nullptr && r->wants(w.tenant, w.precedence) && !holds_.keeps_back(w.tenant);
        };
        const auto now = wall_now();
        for (auto& w : *waiting) {
            const auto earliest = std::max(w.earliest_due, now);
            const auto opens = opens_at(w.tenant, w.precedence, earliest);
            w.earliest_due = opens > earliest ? opens : w.earliest_due;
        }
        auto a = plan(*waiting, takes, now);
        if (a.claims.empty()) {
            co_return a.look_again;
        }
        bool some_came = false;
        // In turns, before another look at who waits: that costs a query.
        for (int turn = 0; turn < turns_per_plan && !a.claims.empty(); ++turn) {
            std::vector<store::waiting_tenant> more;
            for (const auto& w : a.claims) {
                const bool came = co_await claim_for(w);
                if (is_stopping_) {
                    co_return std::nullopt;
                }
                some_came = some_came || came;
                if (came && takes(w)) {
                    more.push_back(w);
                }
            }
            a.claims = std::move(more);
        }
        if (!some_came) {
            co_return wall_now() + seconds{1};  // the store does not answer, or somebody was faster
        }
    }
}

asio::awaitable<bool> scheduler::claim_for(store::waiting_tenant who) {
    auto* r = routes_.find(who.tenant);
    const auto room = r != nullptr ? r->room(who.tenant, who.precedence) : 0;
    if (room == 0) {
        co_return false;
    }
    const auto mine = co_await take_turn();
    auto due = co_await queue_.claim_due(who.tenant, who.precedence, wall_now(), std::min(room, claim_batch));
    if (!due || due->empty()) {
        co_return false;
    }
    co_await leave_beyond(r->free_bytes(who.precedence), *due);
    co_await load_and_offer(std::move(*due));
    co_return true;
}

// What the route has no room for goes back before it is read; the first message is taken whatever its size.
asio::awaitable<void> scheduler::leave_beyond(std::uint64_t bytes, std::vector<store::due_entry>& due) {
    const auto message_of = [](const store::due_entry& d) { return d.id.message; };
    std::uint64_t taken = due.front().size;
    auto beyond = due.begin();
    while (++beyond != due.end()) {
        taken += message_of(*beyond) == message_of(*std::prev(beyond)) ? 0 : beyond->size;
        if (taken > bytes) {
            break;
        }
    }
    if (beyond == due.end()) {
        co_return;
    }
    std::vector<recipient_id> ids;
    std::transform(beyond, due.end(), std::back_inserter(ids), std::mem_fn(&store::due_entry::id));
    due.erase(beyond, due.end());
    (void)co_await queue_.unclaim(std::move(ids));
}

// Of what was claimed, that which may be sent now, by message; the rest goes back, waits, or is over.
asio::awaitable<scheduler::targets_of> scheduler::sort_out(std::vector<store::due_entry> due) {
    const auto now = wall_now();
    std::vector<store::change> expired;
    if (holds_.keeps_back(due.front().tenant)) {  // paused while the store was asked; all are of one tenant
        std::vector<recipient_id> all;
        std::ranges::transform(due, std::back_inserter(all), &store::due_entry::id);
        (void)co_await queue_.unclaim(std::move(all));
        co_return targets_of{};
    }
    targets_of by_message;
    std::map<wall_time, std::vector<recipient_id>> parked;
    for (const auto& d : due) {
        const bool is_known = by_message.contains(d.id.message);
        if (d.expires_at <= now) {
            expired.push_back(store::expired{d.id, now});
        } else if (!holds_.empty() && !is_known && !holds_.admit(d.tenant, d.sender, now)) {
            const auto* row = holds_.find(d.tenant, d.sender);
            parked[row != nullptr ? holds::parked_until(*row, now) : now].push_back(d.id);
        } else {
            by_message[d.id.message].push_back({d.id.index, d.attempts});
        }
    }
    if (!expired.empty()) {
        const auto done = co_await queue_.commit(std::move(expired));
        meters_.recipients_completed[labels::completion::failed].add(done ? *done : 0);
    }
    for (auto& [until, ids] : parked) {
        (void)co_await queue_.postpone(std::move(ids), until);
    }
    co_return by_message;
}

asio::awaitable<void> scheduler::load_and_offer(std::vector<store::due_entry> due) {
    auto by_message = co_await sort_out(std::move(due));
    if (by_message.empty()) {
        co_return;
    }
    std::vector<message_id> ids;
    for (const auto& [id, targets] : by_message) {
        ids.push_back(id);
    }
    auto loaded = co_await queue_.load_many(std::move(ids));
    stopped_mail stops;
    const auto may_stop = [this](const auto& one) { return one && may_be_stopped(**one); };
    if (loaded && std::ranges::any_of(*loaded, may_stop)) {
        stops = co_await stopped_of(*loaded);
    }
    std::vector<store::change> unwanted_mail;
    std::vector<route::job> refused;
    std::size_t place = 0;
    for (auto& [id, targets] : by_message) {
        if (const auto places = stops.find(id); places != stops.end()) {
            withhold(id, targets, places->second);
        }
        const auto message = loaded ? (*loaded)[place] : result<mail::message_ptr>{loaded.error()};
        ++place;
        if (targets.empty()) {
            continue;
        }
        if (!message) {
            // Still claimed, by nobody: the watchdog brings it back in a few minutes.
            log::event(
                log::level::error, "load_failed", {{"id", id.text()}, {"error", message.error().message()}}
            );
            continue;
        }
        if (is_switched_off(**message)) {
            for (const auto& t : targets) {
                unwanted_mail.emplace_back(unwanted({id, t.index}, **message, wall_now()));
            }
            continue;
        }
        route::job j{*message, std::move(targets)};
        auto* r = routes_.find(j.message->tenant);
        if (r != nullptr && r->accepts(j.message->tenant, j.message->precedence) && !is_stopping_ &&
            !holds_.keeps_back(j.message->tenant)) {
            r->offer(std::move(j));
        } else {
            refused.push_back(std::move(j));
        }
    }
    give_back(std::move(refused));
    if (!unwanted_mail.empty()) {
        (void)co_await queue_.commit(std::move(unwanted_mail));
    }
}

void scheduler::give_back(std::vector<route::job> jobs) {
    if (jobs.empty() || has_failed_) {
        return;
    }
    std::vector<recipient_id> ids;
    for (const auto& j : jobs) {
        holds_.release_probe(j.message->tenant, sender_of(*j.message));
        for (const auto& t : j.targets) {
            ids.push_back(j.id(t));
        }
    }
    tasks_.spawn("unclaim", unclaim(std::move(ids)));
}

asio::awaitable<void> scheduler::unclaim(std::vector<recipient_id> ids) {
    (void)co_await queue_.unclaim(std::move(ids));
    poke();
}

void scheduler::postpone(route::job j, wall_time until) {
    const auto at = std::chrono::ceil<postponed_together>(until);
    const bool is_under_way = !postponed_.empty();
    holds_.release_probe(j.message->tenant, sender_of(*j.message));
    auto& ids = postponed_[at];
    for (const auto& t : j.targets) {
        ids.push_back(j.id(t));
    }
    if (!is_under_way && !has_failed_) {
        tasks_.spawn("postpone", write_postponed());
    }
}

asio::awaitable<void> scheduler::write_postponed() {
    co_await asio::post(loop_, asio::use_awaitable);  // what else this turn brings goes with it
    const auto all = std::exchange(postponed_, {});
    for (const auto& [until, ids] : all) {
        (void)co_await queue_.postpone(ids, until);
    }
    if (!all.empty()) {
        look_again_by(all.begin()->first);
    }
}

void scheduler::on_paused(route::route& which) {
    const auto s = which.status();
    meters_.route_paused.erase(which.id());
    meters_.route_paused[which.id()][s.why.value_or(verdict::reason::other)].set(1);
    log::event(
        log::level::warning,
        "route_paused",
        {{"route", which.id().text()},
         {"reason", s.why ? verdict::to_text(*s.why) : std::string_view{"other"}},
         {"text", s.text},
         {"until", s.until ? to_rfc3339(*s.until) : std::string{}}},
        "6f2f0d7bd4c14d0a9e5d0a8f2f7c3b11"
    );
    write_later(store::paused{
        store::pause_target::of(which.id()),
        wall_now(),
        s.until,
        s.why.value_or(verdict::reason::other),
        s.text,
        "daemon"
    });
}

void scheduler::on_resumed(route::route& which) {
    meters_.route_paused.erase(which.id());
    log::event(
        log::level::info, "route_resumed", {{"route", which.id().text()}}, "0b6c9d50b8d34f5cbb1c7b6b5b0c7f52"
    );
    write_later(store::resumed{store::pause_target::of(which.id()), wall_now(), "daemon"});
    poke();
}

void scheduler::on_room(route::route&) {
    poke();
}

void scheduler::write_later(store::change c) {
    std::vector<store::change> one;
    one.push_back(std::move(c));
    tasks_.spawn("write", [](store::queue& q, std::vector<store::change> changes) -> asio::awaitable<void> {
        (void)co_await q.commit(std::move(changes));
    }(queue_, std::move(one)));
}

void scheduler::on_store_failure() {
    if (has_failed_) {
        return;
    }
    has_failed_ = true;
    log::event(
        log::level::error,
        "store_failed",
        {{"text", "the store failed: no mail is taken or sent until the daemon is started again"},
         {"error", queue_.problem()}},
        "4c1d2f2e6a0b4a7c9d5e8b7f3a2c1d90"
    );
    for (auto* r : routes_.all()) {
        r->pause(std::nullopt, sentence(errc::store_failed), "store");
    }
    poke();
}

// An outcome found no space, not even in the reserve. False: the daemon stops meanwhile.
asio::awaitable<bool> scheduler::wait_for_space() {
    asio::steady_timer pause{loop_};
    pause.expires_after(space_pause);
    boost::system::error_code ec;
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    co_return !is_stopping_;
}

asio::awaitable<void> scheduler::run_retention() {
    asio::steady_timer pause{loop_};
    const auto stop = co_await asio::this_coro::cancellation_state;
    while (stop.cancelled() == asio::cancellation_type::none && !is_stopping_) {
        const auto before = wall_now() - config_->store.retention;
        for (;;) {
            auto dropped = co_await queue_.purge(before, retention_step);
            if (!dropped || *dropped < retention_step || is_stopping_) {
                break;
            }
        }
        co_await scrub();  // what a stop or a crash left
        pause.expires_after(retention_pause);
        boost::system::error_code ec;
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    }
}

asio::awaitable<void> scheduler::tell_of_delays() {
    const auto after = config_->delayed_after;
    while (after > milliseconds{0} && !is_stopping_ && !has_failed_) {
        const auto now = wall_now();
        const auto late = co_await queue_.overdue(now - after, delay_step);  // the store's own limit
        if (!late || late->empty()) {
            co_return;
        }
        std::vector<store::change> changes;
        for (const auto& who : *late) {
            changes.push_back(store::delayed{who, now});
        }
        const auto told = co_await queue_.commit(std::move(changes));
        if (!told) {
            co_return;  // looked for again
        }
        meters_.recipients_delayed.add(*told);
        log::event(log::level::warning, "delayed", {{"recipients", *told}, {"after", after}});
    }
}

asio::awaitable<void> scheduler::run_delays() {
    asio::steady_timer pause{loop_};
    const auto stop = co_await asio::this_coro::cancellation_state;
    while (stop.cancelled() == asio::cancellation_type::none && !is_stopping_) {
        co_await tell_of_delays();
        // Tests set seconds; then it is looked for as often.
        pause.expires_after(std::clamp(config_->delayed_after / 4, shortest_delay_pause, longest_delay_pause)
        );
        boost::system::error_code ec;
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    }
}

}  // namespace estafette::sched
