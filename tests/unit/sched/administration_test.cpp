// Administrators' actions over the scheduler and a store in memory; whom they select is the store's affair.
#include "house.hpp"

namespace estafette::sched {
namespace {

using store::action_verb;
using store::state;

const auto everybody = store::pause_target::of(tenant_id{"default"});

administration::order order_of(action_verb verb, const char* domain) {
    administration::order o;
    o.verb = verb;
    o.whom.domain = domain;
    o.reason = "audit";
    o.by = "uid 0";
    return o;
}

// Mail that waits behind a paused tenant: to ann, and to bob elsewhere.
asio::awaitable<std::pair<message_id, message_id>> two_that_wait(house& h) {
    co_await h.scheduler_.pause(everybody, std::nullopt, "test", "uid 0");
    auto ann = h.make({"ann@one.example"});
    auto bob = h.make({"bob@two.example"});
    co_await h.accept(ann);
    co_await h.accept(bob);
    co_return std::pair{ann->id, bob->id};
}

TEST_F(house, a_hold_touches_whom_it_selects_and_is_undone) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        const auto [ann, bob] = co_await two_that_wait(h);
        const auto would =
            co_await h.admin_.count(action_verb::hold, order_of(action_verb::hold, "one.example").whom);
        EXPECT_EQ(would.value(), 1u);
        const auto untouched = co_await h.view(ann);
        EXPECT_EQ(untouched.recipients[0].now, state::queued) << "it only counts";
        auto begun = co_await h.admin_.begin(order_of(action_verb::hold, "one.example"));
        co_await h.admin_.settled(begun->id, seconds{5});
        const auto done = co_await h.admin_.find(begun->id);
        EXPECT_TRUE(done->done_at);
        EXPECT_EQ(done->count, 1u);
        const auto held = co_await h.view(ann);
        EXPECT_EQ(held.recipients[0].now, state::held);
        EXPECT_EQ(held.recipients[0].note, "uid 0, action 1: audit");
        const auto other = co_await h.view(bob);
        EXPECT_EQ(other.recipients[0].now, state::queued);
        const auto undone = co_await h.admin_.undo(begun->id, "uid 7");
        EXPECT_EQ(undone->undone_by, "uid 7");
        const auto again = co_await h.admin_.undo(begun->id, "uid 7");
        EXPECT_EQ(again.error(), errc::conflict);
        co_await h.scheduler_.resume(everybody, "uid 0");
        co_await h.until(ann, {state::relayed});
        co_await h.until(bob, {state::relayed});
    }(*this)));
}

TEST_F(house, an_undo_leaves_alone_what_another_hold_holds) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        const auto [ann, bob] = co_await two_that_wait(h);
        const auto first = co_await h.admin_.begin(order_of(action_verb::hold, "one.example"));
        co_await h.admin_.settled(first->id, seconds{5});
        const auto second = co_await h.admin_.begin(order_of(action_verb::hold, "two.example"));
        co_await h.admin_.settled(second->id, seconds{5});
        (void)co_await h.admin_.undo(first->id, "uid 0");
        const auto free = co_await h.view(ann);
        EXPECT_EQ(free.recipients[0].now, state::queued);
        const auto held = co_await h.view(bob);
        EXPECT_EQ(held.recipients[0].now, state::held);
        co_await h.scheduler_.resume(everybody, "uid 0");
        co_await h.until(ann, {state::relayed});
    }(*this)));
}

TEST_F(house, what_is_deleted_or_expired_does_not_leave_and_has_no_way_back) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        const auto [ann, bob] = co_await two_that_wait(h);
        const auto gone = co_await h.admin_.begin(order_of(action_verb::remove, "one.example"));
        co_await h.admin_.settled(gone->id, seconds{5});
        const auto late = co_await h.admin_.begin(order_of(action_verb::expire, "two.example"));
        co_await h.admin_.settled(late->id, seconds{5});
        co_await h.until(ann, {state::cancelled});
        co_await h.until(bob, {state::failed});
        const auto undone = co_await h.admin_.undo(gone->id, "uid 0");
        EXPECT_EQ(undone.error(), errc::conflict);
        co_await h.scheduler_.resume(everybody, "uid 0");
        co_await h.pause_for(milliseconds{100});
        EXPECT_TRUE(h.server_.accepted.empty());
    }(*this)));
}

TEST_F(house, an_action_that_a_restart_interrupted_goes_on_and_one_with_an_end_ends) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        const auto [ann, bob] = co_await two_that_wait(h);
        store::action a;
        a.id = 41;
        a.at = h.make({"x@x.example"})->accepted_at;
        a.by = "uid 0";
        a.verb = action_verb::hold;
        a.whom.domain = "one.example";
        a.whom.before = a.at;
        a.expires_at = a.at + milliseconds{300};
        std::vector<store::change> rows;
        rows.emplace_back(store::acted{a});
        co_await h.queue_.commit(std::move(rows));
        EXPECT_TRUE(co_await h.admin_.restore());
        co_await h.until(ann, {state::held});
        h.tasks_.spawn("administration", h.admin_.run());
        co_await h.until(ann, {state::queued});
        co_await h.admin_.settled(41, seconds{5});
        const auto row = co_await h.admin_.find(41);
        EXPECT_EQ(row->undone_by, "expiry");
        const auto next = co_await h.admin_.begin(order_of(action_verb::release, "one.example"));
        EXPECT_EQ(next->id, 42u) << "numbers are never used again";
        co_await h.admin_.settled(42, seconds{5});
        co_await h.scheduler_.resume(everybody, "uid 0");
        co_await h.until(bob, {state::relayed});
    }(*this)));
}

}  // namespace
}  // namespace estafette::sched
