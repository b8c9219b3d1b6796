// What administrators change: pauses, actions, and the walk over those whom an action concerns.
#include "store_fixture.hpp"

namespace estafette::store {
namespace {

using namespace test;

class administration_in : public testing::TestWithParam<const char*> {
protected:
    store_of store{GetParam()};

    void reopen() {
        if (store.is_durable()) {
            ASSERT_TRUE(store->settle());
            store.open();
        }
    }

    // The whole walk, in steps of that size.
    std::vector<recipient_id> select(const selector& whom, state now, std::size_t looked_at) {
        std::vector<recipient_id> ids;
        std::optional<std::uint64_t> after = 0;
        for (int steps = 0; after && steps < 100; ++steps) {
            const auto part = store->select(whom, now, *after, looked_at).value();
            for (const candidate& c : part.found) {
                ids.push_back(c.id);
            }
            after = part.next;
        }
        EXPECT_FALSE(after) << "the walk does not end";
        return ids;
    }
};

INSTANTIATE_TEST_SUITE_P(
    of_kind,
    administration_in,
    testing::Values("memory", "local", "local_in_small_steps"),
    [](const auto& kind) { return std::string{kind.param}; }
);

TEST_P(administration_in, keeps_the_pauses_of_tenants_and_of_their_senders_apart) {
    const tenant_id acme{"acme"};
    const auto sender = pause_target::of(acme, "badges@vendor.example");
    store.commit(
        {paused{pause_target::of(acme), at(1), std::nullopt, verdict::reason::other, "audit", "uid 0"},
         paused{sender, at(2), at(602), verdict::reason::sender_rejected, "550 no", "daemon"},
         paused{pause_target::of(acme, ""), at(3), at(603), verdict::reason::other, "", "daemon"},
         paused{sender, at(602), at(1802), verdict::reason::sender_rejected, "550 no", "daemon"}}
    );
    reopen();
    const auto rows = store->pauses().value();
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(store.commit({resumed{pause_target::of(acme), at(9), "uid 0"}}), effects{true});
    reopen();
    EXPECT_EQ(store->pauses()->size(), 2u);
    const auto events = store->events(0, 10).value();
    ASSERT_EQ(events.size(), 4u) << "one for each pause, not for each probe";
    EXPECT_EQ(events[0].type, "tenant_paused");
    EXPECT_EQ(events[0].tenant, acme);
    EXPECT_EQ(events[1].type, "sender_paused");
    EXPECT_EQ(events[1].tenant, acme);
    EXPECT_EQ(events[1].sender, "badges@vendor.example");
    EXPECT_EQ(events[3].type, "tenant_resumed");
}

TEST_P(administration_in, postpones_what_was_claimed_and_recalls_it_by_that_time) {
    store.commit(
        {mail_of{.n = 1},
         mail_of{.n = 2, .precedence = mail::priority::bulk},
         mail_of{.n = 3},
         mail_of{.n = 4, .tenant = "globex"}}
    );
    const tenant_id acme{"acme"};
    EXPECT_EQ(store->claim_due(acme, mail::priority::transactional, at(10), 10)->size(), 2u);
    EXPECT_EQ(store->claim_due(acme, mail::priority::bulk, at(10), 10)->size(), 1u);
    store.commit({cancelled{rcpt(3), at(11), "by", ""}});
    EXPECT_EQ(store->claimed()->size(), 2u) << "what is cancelled is no longer claimed";
    const std::vector ids{rcpt(1), rcpt(2), rcpt(3), rcpt(99)};
    ASSERT_TRUE(store->postpone(ids, at(3600)));
    EXPECT_TRUE(store->claim_due(acme, mail::priority::transactional, at(3599), 10)->empty());
    EXPECT_EQ(store->view(id_of(1))->recipients[0].next_attempt_at, at(3600));
    EXPECT_EQ(store->view(id_of(1))->recipients[0].now, state::queued);
    EXPECT_EQ(store->view(id_of(3))->recipients[0].now, state::cancelled);
    EXPECT_TRUE(store->claimed()->empty());
    EXPECT_EQ(store->recall(acme, at(3601), at(20), 10).value(), 0u);
    EXPECT_EQ(store->recall(acme, at(3600), at(20), 1).value(), 1u);
    EXPECT_EQ(store->recall(acme, at(3600), at(20), 10).value(), 1u);
    EXPECT_EQ(store->recall(acme, at(3600), at(20), 10).value(), 0u);
    EXPECT_EQ(store->claim_due(acme, mail::priority::transactional, at(20), 10)->size(), 1u);
    EXPECT_EQ(store->claim_due(acme, mail::priority::bulk, at(20), 10)->size(), 1u);
}

TEST_P(administration_in, walks_over_a_state_in_steps_and_selects_by_every_condition) {
    store.commit(
        {mail_of{.n = 1, .to = {"a@one.example", "b@two.example"}, .accepted = 10},
         mail_of{.n = 2, .to = {"a@one.example"}, .tenant = "globex", .accepted = 20},
         mail_of{.n = 3, .to = {"c@one.example"}, .accepted = 30},
         mail_of{.n = 4, .to = {"d@one.example"}, .accepted = 40},
         deferred(rcpt(3), 50, 60),
         held{rcpt(4), at(50), verdict::reason::other, "uid 0, action 17", "wait"}}
    );
    reopen();
    const auto queued = std::vector{rcpt(1, 0), rcpt(1, 1), rcpt(2)};
    for (const std::size_t step : {1u, 2u, 500u}) {
        selector all;
        all.now = state::queued;
        EXPECT_EQ(select(all, state::queued, step), queued);
        EXPECT_TRUE(select({}, state::queued, step).empty()) << "nothing is not everything";
    }
    const auto of = [&](auto set, state now = state::queued) {
        selector s;
        set(s);
        return select(s, now, 500);
    };
    using list = std::vector<recipient_id>;
    EXPECT_EQ(of([](auto& s) { s.domain = "one.example"; }), (list{rcpt(1, 0), rcpt(2)}));
    EXPECT_EQ(of([](auto& s) { s.tenant = "globex"; }), list{rcpt(2)});
    EXPECT_EQ(of([](auto& s) { s.ids = {rcpt(1, 1).text(), id_of(2).text()}; }), (list{rcpt(1, 1), rcpt(2)}));
    EXPECT_EQ(of([](auto& s) { s.sender = "badges@vendor.example"; }), queued);
    EXPECT_TRUE(of([](auto& s) { s.sender = ""; }).empty());
    EXPECT_EQ(of([](auto& s) { s.before = at(10); }), (list{rcpt(1, 0), rcpt(1, 1)}));
    EXPECT_EQ(of([](auto& s) { s.after = at(11); }), list{rcpt(2)});
    EXPECT_EQ(of([](auto& s) { s.why = verdict::reason::greylisted; }, state::deferred), list{rcpt(3)});
    EXPECT_EQ(of([](auto& s) { s.held_by = "uid 0, action 17"; }, state::held), list{rcpt(4)});
    EXPECT_TRUE(of([](auto& s) { s.held_by = "uid 0, action 1"; }, state::held).empty());
    const auto limited = [&](std::vector<tenant_id> tenants) {
        return of([&](auto& s) {
            s.domain = "one.example";
            s.tenants = std::move(tenants);
        });
    };
    EXPECT_EQ(limited({tenant_id{"acme"}}), list{rcpt(1, 0)});
    EXPECT_TRUE(limited({}).empty()) << "no tenant is not every tenant";
}

TEST_P(administration_in, drops_actions_that_were_over_long_ago) {
    const auto of = [](std::uint64_t id, auto and_so) {
        action a;
        a.id = id;
        a.at = at(1);
        a.by = "uid 0";
        a.done_at = at(2);
        and_so(a);
        return acted{a};
    };
    store.commit(
        {of(1, [](action&) {}),
         of(2, [](action& a) { a.done_at.reset(); }),
         of(3, [](action& a) { a.done_at = at(50); }),
         of(4, [](action& a) { a.expires_at = at(60); }),
         of(5, [](action& a) { a.expires_at = at(40); }),
         of(6, [](action& a) { a.expires_at = at(60), a.undone_at = at(3); }),
         of(7, [](action&) {})}
    );
    ASSERT_TRUE(store->purge(at(50), 10).has_value());
    const auto left = store->actions(0, 10).value();
    std::vector<std::uint64_t> ids;
    for (const action& a : left) {
        ids.push_back(a.id);
    }
    EXPECT_EQ(ids, (std::vector<std::uint64_t>{7, 4, 3, 2})) << "the newest, and what is not over";
}

TEST_P(administration_in, keeps_an_action_as_it_is_now_and_says_when_it_began_and_ended) {
    action a;
    a.id = 1;
    a.at = at(1);
    a.by = "uid 0";
    a.verb = action_verb::hold;
    a.whom.domain = "one.example";
    a.whom.tenants = std::vector{tenant_id{"acme"}};
    a.reason = "their move";
    a.expires_at = at(100);
    EXPECT_EQ(store.commit({acted{a}}), effects{true});
    a.count = 500;
    store.commit({acted{a}});
    reopen();
    EXPECT_EQ(store->actions(0, 10)->at(0).count, 500u);
    a.count = 700;
    a.done_at = at(2);
    action other = a;
    other.id = 2;
    other.verb = action_verb::remove;
    store.commit({acted{a}, acted{other}});
    reopen();
    a.undone_at = at(3);
    a.undone_by = "expiry";
    EXPECT_EQ(store.commit({acted{a}, acted{a}, acted{action{}}}), (effects{true, false, false}));
    reopen();
    const auto rows = store->actions(0, 10).value();
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].id, 2u) << "newest first";
    EXPECT_EQ(store->actions(2, 10)->size(), 1u);
    EXPECT_EQ(store->actions(0, 1)->size(), 1u);
    EXPECT_EQ(rows[1].whom, a.whom);
    EXPECT_EQ(rows[1].reason, "their move");
    EXPECT_EQ(rows[1].expires_at, at(100));
    EXPECT_EQ(rows[1].count, 700u);
    EXPECT_EQ(rows[1].undone_by, "expiry");
    const auto events = store->events(0, 10).value();
    ASSERT_EQ(events.size(), 4u);
    EXPECT_EQ(events[0].type, "action_started");
    EXPECT_EQ(events[0].tenant, tenant_id{"acme"});
    EXPECT_EQ(events[0].text, "hold, action 1: their move");
    EXPECT_EQ(events[1].type, "action_done");
    EXPECT_EQ(events[2].type, "action_done");
    EXPECT_EQ(events[3].type, "action_undone");
    EXPECT_EQ(events[3].by, "expiry");
    EXPECT_EQ(rows[1].first_event, events[0].sequence);
    EXPECT_EQ(rows[1].last_event, events[1].sequence);
}

}  // namespace
}  // namespace estafette::store
