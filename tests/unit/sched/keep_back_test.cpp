// Mail that waits: for a held sender, a paused tenant, space on the disk; and that nobody forgets it.
#include "house.hpp"

namespace estafette::sched {
namespace {

using store::state;

const auto everybody = store::pause_target::of(tenant_id{"default"});
const auto app = store::pause_target::of(tenant_id{"default"}, "app@vendor.example");

TEST_F(house, a_refused_sender_is_held_once_and_its_mail_waits_while_others_leave) {
    server_.refused_senders = {"app@vendor.example"};
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        std::vector<mail::message_ptr> mails;
        for (int i = 0; i < 20; ++i) {
            mails.push_back(h.make({"ann@example.org"}));
            co_await h.accept(mails.back());
        }
        for (int i = 0; i < 500 && h.scheduler_.kept_back().empty(); ++i) {
            co_await h.pause_for(milliseconds{10});
        }
        auto other = h.make({"bob@example.org"}, "default", "other@vendor.example");
        co_await h.accept(other);
        co_await h.until(other->id, {state::relayed});
        auto late = h.make({"late@example.org"});
        co_await h.accept(late);
        co_await h.pause_for(milliseconds{200});
        mails.push_back(late);
        for (const auto& m : mails) {
            auto v = co_await h.view(m->id);
            EXPECT_TRUE(v.recipients[0].now == state::queued || v.recipients[0].now == state::deferred);
        }
        const auto rows = *co_await h.queue_.pauses();
        EXPECT_EQ(rows.size(), 1u);
        EXPECT_EQ(rows.at(0).what, app);
        EXPECT_EQ(rows.at(0).why, verdict::reason::sender_rejected);
        EXPECT_TRUE(rows.at(0).until);
        const auto events = *co_await h.queue_.events(0, 1000);
        EXPECT_EQ(std::ranges::count_if(events, [](const auto& e) { return e.type == "sender_paused"; }), 1);
        h.server_.refused_senders.clear();
        EXPECT_TRUE(co_await h.scheduler_.resume(app, "uid 0"));
        for (const auto& m : mails) {
            co_await h.until(m->id, {state::relayed});
        }
        const auto left = co_await h.queue_.pauses();
        EXPECT_TRUE(left->empty());
    }(*this)));
}

TEST_F(house, an_outcome_that_finds_the_disk_full_is_recorded_when_there_is_space_again) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        auto m = h.make({"slow@example.org"});
        auto next = h.make({"ann@example.org"});
        co_await h.accept(m);
        co_await h.accept(next);
        h.disk_->is_full = true;
        for (int i = 0; i < 500 && h.disk_->refused < 2; ++i) {
            co_await h.pause_for(milliseconds{10});
        }
        EXPECT_GE(h.disk_->refused, 2) << "it is tried again, for as long as it takes";
        EXPECT_EQ(h.routes_.find(route_id{"relay"})->status().state, route::route_state::active);
        h.disk_->is_full = false;
        co_await h.until(m->id, {state::relayed});
        co_await h.until(next->id, {state::relayed});
        EXPECT_EQ(h.server_.accepted.size(), 2u) << "once each";
        auto later = h.make({"bob@example.org"});
        co_await h.accept(later);
        co_await h.until(later->id, {state::relayed});
    }(*this)));
}

TEST_F(house, mail_of_many_bytes_is_read_once_and_goes_on_without_a_pause) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        EXPECT_TRUE(co_await h.scheduler_.pause(everybody, std::nullopt, "a test", "uid 0"));
        std::vector<mail::message_ptr> mails;
        for (int i = 0; i < 200; ++i) {  // three times what a route keeps in memory
            auto large = std::make_shared<mail::message>(*h.make({"ann@example.org"}));
            large->facts.size = 1u << 20;
            mails.push_back(std::move(large));
            co_await h.accept(mails.back());
        }
        EXPECT_TRUE(co_await h.scheduler_.resume(everybody, "uid 0"));
        for (const auto& m : mails) {
            co_await h.until(m->id, {state::relayed});
        }
        EXPECT_EQ(h.disk_->loads, 200);
    }(*this)));
}

TEST_F(house, a_relay_that_denies_one_domain_goes_on_with_the_others) {
    server_.replies["foreign.example"] = "554 5.7.1 <x@foreign.example>: Relay access denied";
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        for (int i = 0; i < 5; ++i) {
            auto denied = h.make({"x@foreign.example"});
            co_await h.accept(denied);
            auto v = co_await h.until(denied->id, {state::deferred});
            EXPECT_EQ(v.recipients[0].why, verdict::reason::relay_denied);
            auto other = h.make({"ann@example.org"});
            co_await h.accept(other);
            co_await h.until(other->id, {state::relayed});
        }
        EXPECT_EQ(h.routes_.find(route_id{"relay"})->status().state, route::route_state::active);
    }(*this)));
}

TEST_F(house, a_relay_that_denies_one_domain_after_the_other_is_at_fault_itself) {
    for (const auto* domain : {"a.example", "b.example", "c.example"}) {
        server_.replies[domain] = "554 5.7.1 Relay access denied";
    }
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        auto* r = h.routes_.find(route_id{"relay"});
        for (const auto* to : {"x@a.example", "x@b.example", "x@c.example"}) {
            EXPECT_EQ(r->status().state, route::route_state::active);
            auto m = h.make({to});
            co_await h.accept(m);
            co_await h.until(m->id, {state::deferred});
        }
        for (int i = 0; i < 500 && r->status().state == route::route_state::active; ++i) {
            co_await h.pause_for(milliseconds{10});
        }
        EXPECT_EQ(r->status().state, route::route_state::resting);
        EXPECT_EQ(r->status().why, verdict::reason::relay_denied);
    }(*this)));
}

TEST_F(house, a_claim_that_nobody_has_goes_back_to_the_queue_and_is_sent) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        auto m = h.make({"ann@example.org"});
        std::vector<store::change> lost;
        lost.emplace_back(store::enqueued{m, {}, {}, true});  // claimed, and offered to nobody
        co_await h.queue_.commit(std::move(lost));
        for (unsigned i = 1; i < claim_watch::looks; ++i) {
            co_await h.scheduler_.watch();
            auto v = co_await h.view(m->id);
            EXPECT_EQ(v.recipients[0].now, state::queued);
        }
        EXPECT_EQ(h.meters_.stale_claims.value(), 0u);
        co_await h.scheduler_.watch();
        EXPECT_EQ(h.meters_.stale_claims.value(), 1u);
        co_await h.until(m->id, {state::relayed});
        co_await h.scheduler_.watch();
        EXPECT_EQ(h.meters_.silent_tenants.value(), 0);
    }(*this)));
}

TEST_F(house, what_is_held_is_counted_by_the_reason_that_says_who_must_act) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        co_await h.scheduler_.pause(everybody, std::nullopt, "audit", "uid 0");
        for (int i = 0; i < 3; ++i) {
            co_await h.accept(h.make({"ann@example.org"}));
        }
        co_await h.scheduler_.watch();
        EXPECT_EQ(h.meters_.held_recipients[verdict::reason::other].value(), 3);
        co_await h.scheduler_.resume(everybody, "uid 0");
    }(*this)));
}

TEST_F(house, a_held_sender_is_probed_by_one_message_and_freed_when_it_passes) {
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        const auto now = h.make({"x@example.org"})->accepted_at;
        std::vector<store::change> changes;
        changes.push_back(store::paused{
            app, now - seconds{700}, now - seconds{100}, verdict::reason::sender_rejected, "550", "daemon"
        });
        co_await h.queue_.commit(std::move(changes));
        h.start_with_relay();
        EXPECT_TRUE(co_await h.scheduler_.restore_pauses());
        std::vector<mail::message_ptr> mails;
        for (int i = 0; i < 10; ++i) {
            mails.push_back(h.make({"ann@example.org"}));
            co_await h.accept(mails.back());
        }
        for (const auto& m : mails) {
            co_await h.until(m->id, {state::relayed});
        }
        const auto left = co_await h.queue_.pauses();
        EXPECT_TRUE(left->empty());
        EXPECT_TRUE(h.scheduler_.kept_back().empty());
    }(*this)));
}

TEST_F(house, a_paused_tenant_s_mail_waits_and_leaves_when_the_pause_ends_by_itself) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        const auto end = h.make({"x@example.org"})->accepted_at + milliseconds{400};
        EXPECT_TRUE(co_await h.scheduler_.pause(everybody, end, "audit", "uid 0"));
        auto m = h.make({"ann@example.org"});
        co_await h.accept(m);
        co_await h.pause_for(milliseconds{100});
        auto v = co_await h.view(m->id);
        EXPECT_EQ(v.recipients[0].now, state::queued);
        EXPECT_EQ(h.server_.accepted.size(), 0u);
        co_await h.until(m->id, {state::relayed});
        const auto events = *co_await h.queue_.events(0, 1000);
        const auto ended =
            std::ranges::find_if(events, [](const auto& e) { return e.type == "tenant_resumed"; });
        EXPECT_TRUE(ended != events.end() && ended->by == "expiry" && ended->tenant.text() == "default");
        const auto again = co_await h.scheduler_.resume(everybody, "uid 0");
        EXPECT_TRUE(again.has_error());
    }(*this)));
}

TEST_F(house, mail_whose_time_is_over_fails_also_while_its_tenant_is_paused_or_a_person_holds_it) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        EXPECT_TRUE(co_await h.scheduler_.pause(everybody, std::nullopt, "audit", "uid 0"));
        std::vector<mail::message_ptr> mail;
        for (const milliseconds left : {milliseconds{0}, milliseconds{0}, milliseconds{3'600'000}}) {
            mail::message m = *h.make({"ann@example.org"});
            m.expires_at = m.accepted_at + left;
            mail.push_back(std::make_shared<const mail::message>(std::move(m)));
            co_await h.accept(mail.back());
        }
        const auto hold = [](const recipient_id& who) -> store::change {
            return store::held{who, {}, verdict::reason::other, "uid 0", "look at it"};
        };
        std::vector<recipient_id> second;
        second.push_back({mail[1]->id, 0});
        EXPECT_EQ(*co_await h.scheduler_.change_waiting(second, hold, scheduler::in_hand::not_those), 1u);
        co_await h.pause_for(milliseconds{20});
        co_await h.scheduler_.watch();
        for (const std::size_t i : {0u, 1u}) {
            const auto v = co_await h.view(mail[i]->id);
            EXPECT_EQ(v.recipients[0].now, state::failed) << i;
            EXPECT_EQ(v.timeline.back().type, "expired") << i;
        }
        EXPECT_EQ((co_await h.view(mail[2]->id)).recipients[0].now, state::queued);
        EXPECT_EQ(h.server_.accepted.size(), 0u);
    }(*this)));
}

}  // namespace
}  // namespace estafette::sched
