// What tenants wish: kinds of mail that are not sent, the hours in which mail may leave; and what the clock
// does to both. State decides: after a jump of the clock everything is looked at again.
#include "estafette/base/log.hpp"
#include "estafette/sched/scheduler.hpp"

#include <algorithm>

namespace estafette::sched {

namespace {

constexpr milliseconds longest_hint = std::chrono::hours{24};  // a server may ask for that much patience

}  // namespace

asio::awaitable<result<void>> scheduler::restore_categories() {
    auto known = co_await queue_.categories_off();
    if (!known) {
        co_return known.error();
    }
    for (auto& row : *known) {
        off_.insert_or_assign(std::pair{row.tenant, row.category}, row);
    }
    co_return result<void>{};
}

asio::awaitable<result<void>> scheduler::switch_off(store::switched_off what) {
    std::vector<store::change> one;
    one.push_back(store::category_off{what.tenant, what.category, wall_now(), what.until, what.by, what.why});
    auto done = co_await queue_.commit(std::move(one));
    if (!done) {
        co_return done.error();
    }
    off_.insert_or_assign(std::pair{what.tenant, what.category}, what);
    log::event(
        log::level::info,
        "category_off",
        {{"tenant", what.tenant.text()}, {"category", what.category}, {"by", what.by}, {"text", what.why}}
    );
    // What routes have goes back to the store, and is found unwanted when it is claimed again.
    take_back_from(what.tenant, [category = what.category](const route::job& j) {
        return j.message->category == category;
    });
    co_return result<void>{};
}

asio::awaitable<result<std::size_t>>
scheduler::switch_on(tenant_id tenant, std::string category, std::string by) {
    std::vector<store::change> one;
    one.push_back(store::category_on{tenant, category, wall_now(), by});
    auto done = co_await queue_.commit(std::move(one));
    if (!done) {
        co_return done.error();
    }
    off_.erase({tenant, category});
    log::event(
        log::level::info, "category_on", {{"tenant", tenant.text()}, {"category", category}, {"by", by}}
    );
    co_return *done;
}

void scheduler::take_back_from(const tenant_id& tenant, const std::function<bool(const route::job&)>& which) {
    if (auto* r = routes_.find(tenant)) {
        give_back(r->withdraw([&](const route::job& j) { return j.message->tenant == tenant && which(j); }));
    }
}

// At each opening and closing: mail whose hours are over goes back to the store.
void scheduler::keep_hours(wall_time now) {
    if (now < hours_change_at_) {
        return;
    }
    hours_change_at_ = wall_time::max();
    for (const auto& [name, tenant] : config_->tenants) {
        if (!tenant.send_window) {
            continue;
        }
        const auto& w = *tenant.send_window;
        hours_change_at_ = std::min(hours_change_at_, config::next_change(w, now));
        if (config::next_open(w, now) > now) {
            take_back_from(tenant.id, [&w](const route::job& j) {
                return w.applies_to(j.message->precedence);
            });
        }
    }
}

// Mail that was tried while the clock was ahead would wait for a time that is far off now: no plan of a
// retry goes so far, so it is due.
asio::awaitable<void> scheduler::bring_forward(wall_time now) {
    store::query deferred;
    deferred.now = store::state::deferred;
    deferred.limit = 500;
    std::size_t sum = 0;
    do {
        auto page = co_await queue_.find(deferred);
        if (!page || is_stopping_) {
            co_return;
        }
        std::vector<store::change> due;
        for (const auto& r : page->recipients) {
            milliseconds longest = longest_hint;
            const auto& plan = options_of(r.tenant).retry;
            const auto& delays = r.why ? plan.of(*r.why).delays : plan.standard.delays;
            for (const auto d : delays) {
                longest = std::max(longest, 2 * d);
            }
            if (r.next_attempt_at && *r.next_attempt_at > now + longest) {
                due.push_back(store::released{r.id, now, "clock"});
            }
        }
        sum += due.size();
        if (!due.empty()) {
            (void)co_await queue_.commit(std::move(due));
        }
        deferred.cursor = page->next_cursor;
    } while (!deferred.cursor.empty());
    if (sum > 0) {
        log::event(log::level::info, "brought_forward", {{"recipients", sum}});
        poke();
    }
}

}  // namespace estafette::sched
