// Pauses of routes, tenants and senders: by persons, by the daemon, and their end.
#include "sender.hpp"

#include "estafette/base/log.hpp"
#include "estafette/sched/scheduler.hpp"

#include <algorithm>

namespace estafette::sched {

namespace {

constexpr std::size_t recall_step = 500;  // recipients in one turn of the store

std::vector<recipient_id> ids_of(const std::vector<route::job>& jobs) {
    std::vector<recipient_id> ids;
    for (const auto& j : jobs) {
        for (const auto& t : j.targets) {
            ids.push_back(j.id(t));
        }
    }
    return ids;
}

}  // namespace

void scheduler::configure(config::config_ptr c) {
    config_ = std::move(c);
    hours_change_at_ = {};
    for (const auto& row : holds_.all()) {
        auto* r = row.what.kind == store::pause_kind::route ? routes_.find(row.what.route()) : nullptr;
        if (r != nullptr && r->status().state == route::route_state::active) {
            r->pause(row.until, row.text, row.by);
        }
    }
}

asio::awaitable<result<void>> scheduler::restore_pauses() {
    auto rows = co_await queue_.pauses();
    if (!rows) {
        co_return rows.error();
    }
    for (auto& row : *rows) {
        if (row.what.kind == store::pause_kind::route) {
            auto* r = routes_.find(row.what.route());
            if (r == nullptr) {
                continue;
            }
            route::route_status s;
            s.why = row.why;
            s.text = row.text;
            s.by = row.by;
            s.since = row.since;
            s.until = row.until;
            r->restore(s);
            if (row.by == "daemon") {
                continue;
            }
        }
        holds_.put(std::move(row));
    }
    count_holds();
    co_return result<void>{};
}

asio::awaitable<result<void>>
scheduler::pause(store::pause_target what, std::optional<wall_time> until, std::string text, std::string by) {
    auto* r = routes_.find(what.route());
    if (what.kind == store::pause_kind::route && r == nullptr) {
        co_return errc::not_found;
    }
    const auto now = wall_now();
    std::vector<store::change> changes;
    changes.push_back(store::paused{what, now, until, verdict::reason::other, text, by});
    auto done = co_await queue_.commit(std::move(changes));
    if (!done) {
        co_return done.error();
    }
    const auto* before =
        holds_.row_of(what);  // what waits for it is due at a time counted from its beginning
    const auto since = before != nullptr ? before->since : now;
    store::pause row{what, since, until, verdict::reason::other, std::move(text), std::move(by)};
    holds_.put(row);
    started(row);
    co_return result<void>{};
}

asio::awaitable<result<void>> scheduler::resume(store::pause_target what, std::string by) {
    if (what.kind == store::pause_kind::route && routes_.find(what.route()) == nullptr) {
        co_return errc::not_found;
    }
    const auto now = wall_now();
    const auto* found = holds_.row_of(what);
    const auto row = found != nullptr ? std::optional{*found} : std::nullopt;
    std::vector<store::change> changes;
    changes.push_back(store::resumed{what, now, by});
    auto done = co_await queue_.commit(std::move(changes));
    if (!done) {
        co_return done.error();
    }
    if (!row && what.kind != store::pause_kind::route) {
        co_return errc::not_found;
    }
    holds_.erase(what);
    ended(row.value_or(store::pause{what, now, {}, {}, {}, {}}), by);
    co_return result<void>{};
}

// Said once, and what waits for a connection goes back.
void scheduler::started(const store::pause& row) {
    tend_at_ = wall_time{};
    count_holds();
    if (row.what.kind == store::pause_kind::route) {
        routes_.find(row.what.route())->pause(row.until, row.text, row.by);
        meters_.route_paused.erase(row.what.route());
        meters_.route_paused[row.what.route()][row.why].set(1);
        return;
    }
    const auto tenant = row.what.tenant();
    const bool is_tenant = row.what.kind == store::pause_kind::tenant;
    if (is_tenant) {
        log::event(
            log::level::warning,
            "tenant_paused",
            {{"tenant", tenant.text()},
             {"text", row.text},
             {"by", row.by},
             {"until", row.until ? to_rfc3339(*row.until) : std::string{}}},
            "f0b7c1a2d53e4a86b1c90e7d5a3f2468"
        );
    } else {
        log::event(
            log::level::warning,
            "sender_paused",
            {{"tenant", tenant.text()},
             log::field::address("sender", row.what.sender),
             {"reason", verdict::to_text(row.why)},
             {"text", row.text},
             {"by", row.by},
             {"until", row.until ? to_rfc3339(*row.until) : std::string{}}},
            "a4e19b7c60d84f2f9d3b5c8e7f1a0642"
        );
    }
    if (auto* r = routes_.find(tenant)) {
        auto jobs = r->withdraw([&](const route::job& j) {
            return j.message->tenant == tenant && (is_tenant || sender_of(*j.message) == row.what.sender);
        });
        if (is_tenant) {
            give_back(std::move(jobs));
        } else if (!jobs.empty()) {
            tasks_.spawn("park", park(ids_of(jobs), holds::parked_until(row, wall_now())));
        }
    }
    poke();
}

void scheduler::ended(const store::pause& row, const std::string& by) {
    count_holds();
    if (row.what.kind == store::pause_kind::route) {
        if (auto* r = routes_.find(row.what.route())) {
            r->resume();
        }
        meters_.route_paused.erase(row.what.route());
        return;
    }
    const bool is_tenant = row.what.kind == store::pause_kind::tenant;
    log::event(
        log::level::info,
        is_tenant ? "tenant_resumed" : "sender_resumed",
        {{"tenant", row.what.name}, log::field::address("sender", row.what.sender), {"by", by}},
        is_tenant ? "3d5b0a7e9c1f4c68a2e4d6b8f0123457" : "7c8d9e0f1a2b4c3d8e5f6a7b8c9d0e13"
    );
    if (!is_tenant) {
        tasks_.spawn("recall", recall_all(row.what.tenant(), holds::parked_until(row, wall_now())));
    }
    poke();
}

void scheduler::count_holds() {
    for (const auto kind : {store::pause_kind::route, store::pause_kind::tenant, store::pause_kind::sender}) {
        const auto rows = holds_.all();
        meters_.pauses[kind].set(static_cast<double>(std::ranges::count_if(rows, [&](const auto& r) {
            return r.what.kind == kind;
        })));
    }
}

asio::awaitable<void> scheduler::park(std::vector<recipient_id> ids, wall_time until) {
    (void)co_await queue_.postpone(std::move(ids), until);
}

// In steps: however much waits, the store does other things between them.
asio::awaitable<void> scheduler::recall_all(tenant_id tenant, wall_time until) {
    for (;;) {
        const auto came = co_await queue_.recall(tenant, until, wall_now(), recall_step);
        poke();
        if (!came || *came < recall_step) {
            co_return;
        }
    }
}

// Pauses whose time is over end; a held sender whose time is over gets one message to try with.
asio::awaitable<void> scheduler::tend_holds() {
    const auto now = wall_now();
    for (const auto& what : holds_.over(now)) {
        (void)co_await resume(what, "expiry");
    }
    for (const auto& row : holds_.to_probe(now)) {
        (void)co_await queue_.recall(row.what.tenant(), holds::parked_until(row, now), now, 1);
    }
    tend_at_ = std::min(now + std::chrono::minutes{1}, holds_.next(now).value_or(wall_time::max()));
}

// What transactions say of their senders, as changes to be recorded with them.
std::vector<store::change> scheduler::judge_senders(
    std::span<const route::attempt_report> reports, std::span<const store::attempt> attempts
) {
    std::vector<store::change> changes;
    for (const auto& report : reports) {
        const auto count = report.what.targets.size();
        judge_sender(*report.what.message, attempts.first(count), changes);
        attempts = attempts.subspan(count);
    }
    return changes;
}

void scheduler::judge_sender(
    const mail::message& m, std::span<const store::attempt> attempts, std::vector<store::change>& out
) {
    const store::attempt* refused = nullptr;
    bool got_through = false;
    for (const auto& a : attempts) {
        if (a.judged.fault == verdict::scope::sender && a.judged.what != verdict::disposition::accepted) {
            refused = &a;
        }
        const bool is_theirs = a.judged.fault == verdict::scope::recipient && a.at == smtp::phase::rcpt;
        got_through = got_through || is_theirs || a.judged.what == verdict::disposition::accepted;
    }
    if (refused == nullptr && (!got_through || holds_.empty())) {
        if (!holds_.empty()) {
            holds_.release_probe(m.tenant, sender_of(m));
        }
        return;
    }
    const auto now = wall_now();
    const auto sender = sender_of(m);
    if (got_through) {
        const auto* row = holds_.find(m.tenant, sender);
        const auto before = row != nullptr ? *row : store::pause{};
        if (auto free = holds_.praise(m.tenant, sender, now)) {
            ended(before, free->by);
            out.emplace_back(std::move(*free));
        }
        return;
    }
    const auto where = refused->at == smtp::phase::rcpt ? holds::place::at_a_recipient : holds::place::at_all;
    const bool is_news = holds_.find(m.tenant, sender) == nullptr;
    if (auto held = holds_.blame(m.tenant, sender, refused->judged, refused->text, where, now)) {
        if (is_news) {
            started({held->what, now, held->until, held->why, held->text, held->by});
        }
        tend_at_ = std::min(tend_at_, *held->until);
        look_again_by(*held->until);
        out.emplace_back(std::move(*held));
    }
}

}  // namespace estafette::sched
