// What is replaced, cancelled by name, switched off, kept for its hours; and what a clock that jumps does.
#include "house.hpp"

#include <ranges>

namespace estafette::sched {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using store::state;

TEST_F(house, mail_replaced_by_its_key_does_not_leave_and_its_successor_does) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        co_await h.scheduler_.pause(
            store::pause_target::of(route_id{"relay"}), std::nullopt, "test", "uid 0"
        );
        const auto keyed = [&](const char* to) {
            auto m = std::make_shared<mail::message>(*h.make({to}));
            m->key = "reminder-1";
            return m;
        };
        const auto first = keyed("ann@example.org");
        const auto second = keyed("bob@example.org");
        co_await h.accept(first);
        co_await h.accept(second);
        co_await h.scheduler_.resume(store::pause_target::of(route_id{"relay"}), "uid 0");
        co_await h.until(second->id, {state::relayed});
        auto v = co_await h.view(first->id);
        EXPECT_EQ(v.recipients[0].now, state::cancelled);
        EXPECT_EQ(v.recipients[0].note, "key: replaced by " + second->id.text());
        EXPECT_EQ(h.server_.accepted, std::vector<std::string>{"bob@example.org"});
        const auto third = keyed("cid@example.org");
        co_await h.accept(third);
        co_await h.until(third->id, {state::relayed});  // what has left is in nobody's way
    }(*this)));
}

TEST_F(house, arrivals_with_one_key_at_the_same_time_leave_one_message) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        co_await h.scheduler_.pause(
            store::pause_target::of(route_id{"relay"}), std::nullopt, "test", "uid 0"
        );
        std::vector<mail::message_ptr> all;
        int open = 0;
        for (int i = 0; i < 20; ++i) {
            auto m = std::make_shared<mail::message>(*h.make({"ann@example.org"}));
            m->key = "one";
            all.push_back(m);
            ++open;
            asio::co_spawn(h.loop_, h.accept(m), [&open](const std::exception_ptr&) { --open; });
        }
        while (open > 0) {
            co_await h.pause_for(milliseconds{5});
        }
        int waiting = 0;
        for (const auto& m : all) {
            auto v = co_await h.view(m->id);
            waiting += v.recipients[0].now == state::cancelled ? 0 : 1;
        }
        EXPECT_EQ(waiting, 1);
        co_await h.scheduler_.resume(store::pause_target::of(route_id{"relay"}), "uid 0");
        co_await h.until(all.back()->id, {state::relayed, state::cancelled});
        co_await h.pause_for(milliseconds{100});
        EXPECT_EQ(h.server_.accepted.size(), 1u);
    }(*this)));
}

TEST_F(house, a_group_is_cancelled_whole_and_other_groups_leave) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        co_await h.scheduler_.pause(
            store::pause_target::of(route_id{"relay"}), std::nullopt, "test", "uid 0"
        );
        for (const char* group : {"a", "b", "a"}) {
            auto m = std::make_shared<mail::message>(*h.make({std::string{group} + "@example.org"}));
            m->group = group;
            co_await h.accept(std::move(m));
        }
        auto later = std::make_shared<mail::message>(*h.make({"later@example.org"}));
        later->group = "a";
        later->due_at = later->accepted_at + std::chrono::hours{24 * 45};
        later->expires_at = later->due_at + std::chrono::hours{1};
        co_await h.accept(later);
        auto done = co_await h.scheduler_.cancel_labelled(
            {default_tenant(), store::label::group, "a"}, "uid 0", "the user acted"
        );
        EXPECT_EQ(done->messages, 3u);
        EXPECT_EQ(done->cancelled, 3u);
        EXPECT_EQ(done->in_hand, 0u);
        auto again =
            co_await h.scheduler_.cancel_labelled({default_tenant(), store::label::group, "a"}, "uid 0", "");
        EXPECT_EQ(again->cancelled, 0u);
        co_await h.scheduler_.resume(store::pause_target::of(route_id{"relay"}), "uid 0");
        while (h.server_.accepted.empty()) {
            co_await h.pause_for(milliseconds{10});
        }
        EXPECT_EQ(h.server_.accepted, std::vector<std::string>{"b@example.org"});
        auto v = co_await h.view(later->id);
        EXPECT_EQ(v.recipients[0].note, "uid 0: the user acted");
    }(*this)));
}

TEST_F(house, mail_of_a_category_that_is_switched_off_is_accepted_and_cancelled) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        const auto of_kind = [&](const char* to, const char* category) {
            auto m = std::make_shared<mail::message>(*h.make({to}));
            m->category = category;
            return m;
        };
        co_await h.scheduler_.pause(
            store::pause_target::of(route_id{"relay"}), std::nullopt, "test", "uid 0"
        );
        const auto before = of_kind("before@example.org", "surveys");
        co_await h.accept(before);  // the route has it already
        store::switched_off off;
        off.tenant = default_tenant();
        off.category = "surveys";
        off.by = "uid 0";
        const auto switched = co_await h.scheduler_.switch_off(off);
        EXPECT_TRUE(switched);
        const auto after = of_kind("after@example.org", "surveys");
        const auto other = of_kind("other@example.org", "invitations");
        co_await h.accept(after);
        co_await h.accept(other);
        auto v = co_await h.view(after->id);
        EXPECT_EQ(v.recipients[0].now, state::cancelled);
        EXPECT_EQ(v.recipients[0].note, "category surveys: switched off");
        EXPECT_EQ(v.recipients[0].changed_at, after->accepted_at);
        co_await h.scheduler_.resume(store::pause_target::of(route_id{"relay"}), "uid 0");
        co_await h.until(other->id, {state::relayed});
        co_await h.until(before->id, {state::cancelled});
        const auto on = co_await h.scheduler_.switch_on(default_tenant(), "surveys", "uid 0");
        EXPECT_EQ(on ? *on : 0u, 1u);
        const auto again = of_kind("again@example.org", "surveys");
        co_await h.accept(again);
        co_await h.until(again->id, {state::relayed});
        EXPECT_EQ(h.server_.accepted, (std::vector<std::string>{"other@example.org", "again@example.org"}));
    }(*this)));
}

TEST_F(house, a_category_stays_off_until_its_time_and_over_a_restart) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        wall_time now = from_unix_ms(1'800'000'000'000);
        h.scheduler_.set_clock([&now] { return now; });
        std::vector<store::change> off;
        off.push_back(
            store::category_off{default_tenant(), "surveys", now, now + minutes{10}, "uid 0", "a while"}
        );
        const auto stored = co_await h.queue_.commit(std::move(off));
        EXPECT_TRUE(stored);
        const auto restored = co_await h.scheduler_.restore_categories();
        EXPECT_TRUE(restored);
        const auto of_kind = [&] {
            auto m = std::make_shared<mail::message>(*h.make({"ann@example.org"}));
            m->category = "surveys";
            m->accepted_at = m->due_at = now;
            m->expires_at = now + hours{1};
            return m;
        };
        const auto early = of_kind();
        co_await h.accept(early);
        auto v = co_await h.view(early->id);
        EXPECT_EQ(v.recipients[0].now, state::cancelled);
        now += minutes{11};
        const auto late = of_kind();
        co_await h.accept(late);
        co_await h.until(late->id, {state::relayed});
        h.scheduler_.set_clock({});
    }(*this)));
}

// A tenant whose bulk mail leaves from 08:00 to 19:00 UTC, and a clock that tests turn.
class office_hours : public house {
public:
    office_hours() {
        config::config c;
        c.relay = options("relay", server_.port());
        auto& t = c.tenants["default"];
        t.id = default_tenant();
        t.send_window.emplace();
        t.send_window->opens = hours{8};
        t.send_window->closes = hours{19};
        scheduler_.set_clock([this] { return now; });
        start(std::move(c));
    }

    mail::message_ptr bulk(const char* to, mail::priority p = mail::priority::bulk) {
        auto m = std::make_shared<mail::message>(*make({to}));
        m->precedence = p;
        m->accepted_at = m->due_at = now;
        m->expires_at = now + hours{72};
        return m;
    }

    wall_time now = parse_rfc3339("2026-06-03T06:00:00Z").value();
};

TEST_F(office_hours, keep_bulk_mail_until_they_begin_and_let_urgent_mail_pass) {
    EXPECT_TRUE(run([](office_hours& h) -> asio::awaitable<void> {
        const auto early = h.bulk("early@example.org");
        const auto urgent = h.bulk("urgent@example.org", mail::priority::transactional);
        co_await h.accept(early);
        co_await h.accept(urgent);
        co_await h.until(urgent->id, {state::relayed});
        auto v = co_await h.view(early->id);
        EXPECT_EQ(v.recipients[0].now, state::queued);
        h.now += hours{2};
        h.scheduler_.poke();
        co_await h.until(early->id, {state::relayed});
    }(*this)));
}

TEST_F(office_hours, take_back_what_the_route_has_not_begun_when_they_are_over) {
    EXPECT_TRUE(run([](office_hours& h) -> asio::awaitable<void> {
        h.now += hours{12};
        co_await h.scheduler_.pause(
            store::pause_target::of(route_id{"relay"}), std::nullopt, "test", "uid 0"
        );
        const auto late = h.bulk("late@example.org");
        co_await h.accept(late);
        h.now += hours{1};
        h.scheduler_.poke();
        co_await h.pause_for(milliseconds{50});
        co_await h.scheduler_.resume(store::pause_target::of(route_id{"relay"}), "uid 0");
        co_await h.pause_for(milliseconds{100});
        EXPECT_TRUE(h.server_.accepted.empty());
        h.now += hours{13};
        h.scheduler_.poke();
        co_await h.until(late->id, {state::relayed});
    }(*this)));
}

TEST_F(office_hours, count_after_the_clock_was_put_back_too) {
    EXPECT_TRUE(run([](office_hours& h) -> asio::awaitable<void> {
        h.now += hours{48};  // ahead, in the morning of another day
        h.scheduler_.poke();
        co_await h.pause_for(milliseconds{30});
        h.now -= hours{47};  // 07:00
        const auto early = h.bulk("early@example.org");
        co_await h.accept(early);
        co_await h.pause_for(milliseconds{50});
        EXPECT_TRUE(h.server_.accepted.empty());
        h.now += hours{1};
        h.scheduler_.poke();
        co_await h.until(early->id, {state::relayed});
        EXPECT_EQ(h.server_.accepted.size(), 1u);
    }(*this)));
}

TEST_F(house, an_erased_address_is_cancelled_where_it_waits_and_a_pseudonym_everywhere) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        const auto sent = h.make({"ann@example.org", "bob@example.org"});
        co_await h.accept(sent);
        co_await h.until(sent->id, {state::relayed});
        auto waits = std::make_shared<mail::message>(*h.make({"ann@example.org"}));
        waits->due_at = waits->accepted_at + hours{24};
        waits->expires_at = waits->due_at + hours{24};
        co_await h.accept(waits);
        erase_request what{"ann@example.org", {}, "erased-1@erased.invalid", "uid 0", "asked", true};
        const auto counted = co_await h.scheduler_.erase(what);
        EXPECT_EQ(counted->recipients, 2u);
        EXPECT_EQ(counted->messages, 2u);
        EXPECT_EQ(counted->cancelled, 1u);
        auto v = co_await h.view(waits->id);
        EXPECT_EQ(v.recipients[0].now, state::scheduled) << "counted only";
        what.is_dry_run = false;
        const auto done = co_await h.scheduler_.erase(what);
        EXPECT_EQ(done->recipients, 2u);
        EXPECT_EQ(done->cancelled, 1u);
        v = co_await h.view(waits->id);
        EXPECT_EQ(v.recipients[0].now, state::cancelled);
        EXPECT_EQ(v.recipients[0].address, "erased-1@erased.invalid");
        v = co_await h.view(sent->id);
        EXPECT_EQ(v.recipients[0].address, "erased-1@erased.invalid");
        EXPECT_EQ(v.recipients[1].address, "bob@example.org");
        const auto again = co_await h.scheduler_.erase(what);
        EXPECT_EQ(again->recipients, 0u);
    }(*this)));
}

TEST_F(house, a_clock_that_jumps_ahead_sends_what_is_due_once) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        wall_time now = from_unix_ms(1'800'000'000'000);
        h.scheduler_.set_clock([&now] { return now; });
        std::vector<mail::message_ptr> reminders;
        for (int day = 1; day <= 5; ++day) {
            auto m = std::make_shared<mail::message>(*h.make({"ann@example.org"}));
            m->accepted_at = now;
            m->due_at = now + hours{24 * day};
            m->expires_at = m->due_at + hours{48};
            reminders.push_back(m);
            co_await h.accept(m);
        }
        now += hours{24 * 2};
        h.scheduler_.poke();
        for (const auto& m : reminders | std::views::take(2)) {
            co_await h.until(m->id, {state::relayed});
        }
        now -= hours{24 * 2};  // and back: what has left does not leave again
        h.scheduler_.poke();
        co_await h.pause_for(milliseconds{50});
        now += hours{24 * 2};
        h.scheduler_.poke();
        co_await h.pause_for(milliseconds{50});
        EXPECT_EQ(h.server_.accepted.size(), 2u);
        auto v = co_await h.view(reminders[2]->id);
        EXPECT_EQ(v.recipients[0].now, state::scheduled);
        h.scheduler_.set_clock({});
    }(*this)));
}

TEST_F(house, mail_tried_while_the_clock_was_ahead_is_not_forgotten_when_it_is_put_back) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        const wall_time truth = from_unix_ms(1'800'000'000'000);
        wall_time now = truth + hours{30};
        h.scheduler_.set_clock([&now] { return now; });
        h.scheduler_.poke();
        auto tried = std::make_shared<mail::message>(*h.make({"ann@example.org"}));
        tried->accepted_at = tried->due_at = now;
        tried->expires_at = now + hours{120};
        auto later = std::make_shared<mail::message>(*h.make({"later@example.org"}));
        later->accepted_at = now;
        later->due_at = truth + hours{40};
        later->expires_at = truth + hours{120};
        store::attempt a;
        a.started_at = now;
        a.judged.what = verdict::disposition::retry;
        a.judged.why = verdict::reason::greylisted;
        std::vector<store::change> changes;
        changes.emplace_back(store::enqueued{tried, {}, {}, true});
        changes.emplace_back(store::enqueued{later, {}, {}, false});
        changes.emplace_back(store::attempted{{tried->id, 0}, state::deferred, now + minutes{5}, a});
        const auto stored = co_await h.queue_.commit(std::move(changes));
        EXPECT_TRUE(stored);
        co_await h.pause_for(milliseconds{30});
        now = truth;  // the retry would come thirty hours late
        h.scheduler_.poke();
        co_await h.until(tried->id, {state::relayed});
        EXPECT_EQ(h.server_.accepted, std::vector<std::string>{"ann@example.org"});
        auto v = co_await h.view(later->id);
        EXPECT_EQ(v.recipients[0].now, state::scheduled) << "what was meant for later stays so";
        h.scheduler_.set_clock({});
    }(*this)));
}

}  // namespace
}  // namespace estafette::sched
