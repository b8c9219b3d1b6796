// Every promise of engine.hpp, over every engine.
#include "store_fixture.hpp"

namespace estafette::store {
namespace {

using namespace test;
using ids = std::vector<recipient_id>;

class an_engine : public testing::TestWithParam<const char*> {
protected:
    store_of store{GetParam()};

    // What is durable is the same after a restart; an engine in memory is simply asked again.
    void reopen() {
        if (store.is_durable()) {
            ASSERT_TRUE(store->settle());
            store.open();
        }
    }
};

INSTANTIATE_TEST_SUITE_P(
    of_kind,
    an_engine,
    testing::Values("memory", "local", "local_in_small_steps"),
    [](const auto& kind) { return std::string{kind.param}; }
);

TEST_P(an_engine, gives_back_every_field_of_a_message) {
    const change mail = mail_of{.n = 7, .to = {"ann@customer.example", "bob@customer.example"}};
    EXPECT_EQ(store.commit({mail}), effects{true});
    reopen();
    const auto loaded = store->load(id_of(7));
    ASSERT_TRUE(loaded.has_value());
    const mail::message& want = *std::get<enqueued>(mail).message;
    const mail::message& have = **loaded;
    EXPECT_EQ(have.id, want.id);
    EXPECT_EQ(have.tenant, want.tenant);
    EXPECT_EQ(have.from, want.from);
    EXPECT_EQ(have.to, want.to);
    EXPECT_EQ(*have.body, *want.body);
    EXPECT_EQ(have.facts, want.facts);
    EXPECT_EQ(have.subject, want.subject);
    EXPECT_EQ(have.header_message_id, want.header_message_id);
    EXPECT_EQ(have.accepted_at, want.accepted_at);
    EXPECT_EQ(have.due_at, want.due_at);
    EXPECT_EQ(have.expires_at, want.expires_at);
    EXPECT_EQ(have.precedence, want.precedence);
    EXPECT_EQ(have.category, want.category);
    EXPECT_EQ(have.group, want.group);
    EXPECT_EQ(have.key, want.key);
    EXPECT_EQ(have.tags, want.tags);
    EXPECT_EQ(have.metadata, want.metadata);
    EXPECT_EQ(have.require_tls, want.require_tls);
    EXPECT_EQ(have.reports, want.reports);
}

TEST_P(an_engine, keeps_the_null_sender_and_a_body_with_every_byte) {
    change mail = mail_of{};
    auto& m = std::get<enqueued>(mail).message;
    mail::message changed = *m;
    changed.from.reset();
    std::string bytes;
    for (int i = 1; i < 70'000; ++i) {
        bytes.push_back(static_cast<char>(i));
    }
    changed.body = std::make_shared<const std::string>(bytes);
    m = std::make_shared<const mail::message>(changed);
    store.commit({mail});
    reopen();
    const auto loaded = store->load(id_of(1));
    ASSERT_TRUE(loaded.has_value());
    EXPECT_FALSE((*loaded)->from.has_value());
    EXPECT_EQ(*(*loaded)->body, bytes);
}

TEST_P(an_engine, gives_back_every_field_of_an_attempt) {
    store.commit({mail_of{}, deferred(rcpt(1), 10, 300)});
    reopen();
    const recipient_view r = store.recipient(1);
    const attempt want = try_of(10, verdict::disposition::retry, verdict::reason::greylisted);
    EXPECT_EQ(r.now, state::deferred);
    EXPECT_EQ(r.attempts, 1u);
    EXPECT_EQ(r.next_attempt_at, at(300));
    EXPECT_EQ(r.why, verdict::reason::greylisted);
    EXPECT_EQ(r.changed_at, at(10) + milliseconds{250});
    ASSERT_TRUE(r.last.has_value());
    EXPECT_EQ(r.last->number, 1u);
    EXPECT_EQ(r.last->started_at, want.started_at);
    EXPECT_EQ(r.last->duration, want.duration);
    EXPECT_EQ(r.last->route, want.route);
    EXPECT_EQ(r.last->server, want.server);
    EXPECT_EQ(r.last->tls, want.tls);
    EXPECT_EQ(r.last->at, want.at);
    EXPECT_EQ(r.last->judged.what, want.judged.what);
    EXPECT_EQ(r.last->judged.fault, want.judged.fault);
    EXPECT_EQ(r.last->judged.why, want.judged.why);
    EXPECT_EQ(r.last->judged.retry_hint, want.judged.retry_hint);
    EXPECT_EQ(r.last->judged.certain, want.judged.certain);
    EXPECT_EQ(r.last->judged.rule, want.judged.rule);
    EXPECT_EQ(r.last->code, want.code);
    EXPECT_EQ(r.last->enhanced, want.enhanced);
    EXPECT_EQ(r.last->text, want.text);
}

TEST_P(an_engine, tells_scheduled_from_queued_mail) {
    store.commit({mail_of{.n = 1}, mail_of{.n = 2, .due = 3600}});
    reopen();
    EXPECT_EQ(store.state_of(1), state::queued);
    EXPECT_EQ(store.state_of(2), state::scheduled);
    EXPECT_EQ(store.recipient(2).next_attempt_at, at(3600));
}

TEST_P(an_engine, counts_recipients_by_state_and_knows_the_oldest_that_waits) {
    EXPECT_EQ(store->count()->oldest_due, std::nullopt);
    store.commit(
        {mail_of{.n = 1, .to = {"a@x.example", "b@x.example", "c@x.example"}, .due = -5},
         mail_of{.n = 2, .due = 60},
         relayed(rcpt(1, 0), 1),
         failed(rcpt(1, 1), 1)}
    );
    reopen();
    const counts c = store->count().value();
    EXPECT_EQ(c.by_state, (decltype(c.by_state){1, 1, 0, 0, 1, 0, 1, 0}));
    EXPECT_EQ(c.oldest_due, at(-5));
    store.claim(0);
    EXPECT_EQ(store->count()->oldest_due, at(-5)) << "claimed mail waits as well";
}

TEST_P(an_engine, skips_a_change_of_a_recipient_that_does_not_exist) {
    store.commit({mail_of{}});
    EXPECT_EQ(
        store.commit({relayed(rcpt(2), 1), relayed(rcpt(1, 1), 1), relayed(rcpt(1), 1)}),
        (effects{false, false, true})
    );
}

TEST_P(an_engine, skips_mail_whose_id_or_idempotency_key_is_known) {
    EXPECT_EQ(
        store.commit(
            {mail_of{.n = 1, .idempotency_key = "k"},
             mail_of{.n = 2, .idempotency_key = "k"},
             mail_of{.n = 1},
             mail_of{.n = 3, .tenant = "globex", .idempotency_key = "k"}}
        ),
        (effects{true, false, false, true})
    );
    reopen();
    EXPECT_EQ(store.commit({mail_of{.n = 4, .idempotency_key = "k"}}), effects{false});
    EXPECT_EQ(store->view(id_of(2)).error(), errc::not_found);
    const auto known = store->find_idempotent(tenant_id{"acme"}, "k").value();
    ASSERT_TRUE(known.has_value());
    EXPECT_EQ(known->message, id_of(1));
    EXPECT_EQ(known->digest, std::string(32, 'd'));
    EXPECT_FALSE(store->find_idempotent(tenant_id{"acme"}, "other")->has_value());
    EXPECT_FALSE(store->find_idempotent(tenant_id{"nobody"}, "k")->has_value());
}

TEST_P(an_engine, remembers_requests_that_were_answered_with_mail_that_waited) {
    store.commit({mail_of{.n = 1, .idempotency_key = "first"}, mail_of{.n = 2, .tenant = "globex"}});
    const std::vector<change> answers{
        answered{id_of(1), "later", "digest"},
        answered{id_of(1), "later", "another"},
        answered{id_of(1), "first", "another"},
        answered{id_of(2), "later", "of globex"},
        answered{id_of(9), "nobody", "digest"}
    };
    EXPECT_EQ(store.commit(answers), (effects{true, false, false, true, false}));
    for (int again = 0; again < 2; ++again) {
        const auto later = store->find_idempotent(tenant_id{"acme"}, "later").value();
        ASSERT_TRUE(later);
        EXPECT_EQ(later->message, id_of(1));
        EXPECT_EQ(later->digest, "digest");
        EXPECT_TRUE(later->was_there);
        EXPECT_FALSE(store->find_idempotent(tenant_id{"acme"}, "first").value()->was_there);
        EXPECT_EQ(store->find_idempotent(tenant_id{"globex"}, "later").value()->message, id_of(2));
        EXPECT_EQ(store.commit({mail_of{.n = 3, .idempotency_key = "later"}}), effects{false});
        reopen();
    }
}

TEST_P(an_engine, forgets_such_requests_with_their_mail) {
    store.commit({mail_of{.n = 1}, mail_of{.n = 2}});
    store.commit(
        {answered{id_of(1), "one", "d"}, answered{id_of(1), "other", "d"}, answered{id_of(2), "two", "d"}}
    );
    store.commit({relayed(rcpt(1), 20)});
    ASSERT_EQ(store->purge(at(30), 10).value(), 1u);
    EXPECT_FALSE(store->find_idempotent(tenant_id{"acme"}, "one")->has_value());
    EXPECT_FALSE(store->find_idempotent(tenant_id{"acme"}, "other")->has_value());
    EXPECT_TRUE(store->find_idempotent(tenant_id{"acme"}, "two")->has_value());
}

TEST_P(an_engine, says_by_whom_and_why_mail_was_held_or_cancelled) {
    store.commit(
        {mail_of{.n = 1},
         mail_of{.n = 2},
         held{rcpt(1), at(5), verdict::reason::suppressed, "uid 0", "wait"},
         cancelled{rcpt(2), at(5), "uid 7", "gone"}}
    );
    reopen();
    EXPECT_EQ(store.recipient(1).note, "uid 0: wait");
    EXPECT_EQ(store.recipient(1).why, verdict::reason::suppressed);
    EXPECT_EQ(store.recipient(2).note, "uid 7: gone");
}

TEST_P(an_engine, never_loses_the_last_attempt) {
    store.commit({mail_of{}, deferred(rcpt(1), 10, 60)});
    store.commit({cancelled{rcpt(1), at(20), "uid 7", ""}});
    reopen();
    const recipient_view r = store.recipient(1);
    EXPECT_EQ(r.now, state::cancelled);
    ASSERT_TRUE(r.last.has_value());
    EXPECT_EQ(r.last->text, "come back later");
}

TEST_P(an_engine, claims_what_is_due_earliest_first_and_only_once) {
    store.commit(
        {mail_of{.n = 1, .due = 30},
         mail_of{.n = 2, .due = 10},
         mail_of{.n = 3, .due = 20},
         mail_of{.n = 4, .due = 99},
         mail_of{.n = 5, .tenant = "globex"},
         mail_of{.n = 6, .due = 5, .precedence = mail::priority::bulk}}
    );
    reopen();
    EXPECT_EQ(store.claim(50, 2), (ids{rcpt(2), rcpt(3)}));
    EXPECT_EQ(store.claim(50), ids{rcpt(1)});
    EXPECT_EQ(store.claim(50), ids{});
    EXPECT_EQ(store.claim(50, 10, "acme", mail::priority::bulk), ids{rcpt(6)});
    EXPECT_EQ(store.claim(50, 10, "globex"), ids{rcpt(5)});
    EXPECT_EQ(store.claim(50, 10, "nobody"), ids{});
}

TEST_P(an_engine, says_what_it_knows_of_due_mail) {
    store.commit({mail_of{.precedence = mail::priority::bulk}, deferred(rcpt(1), 10, 60)});
    const auto due = store->claim_due(tenant_id{"acme"}, mail::priority::bulk, at(60), 10).value();
    ASSERT_EQ(due.size(), 1u);
    EXPECT_EQ(due[0].tenant, tenant_id{"acme"});
    EXPECT_EQ(due[0].precedence, mail::priority::bulk);
    EXPECT_EQ(due[0].due_at, at(60));
    EXPECT_EQ(due[0].expires_at, at(86400));
    EXPECT_EQ(due[0].attempts, 1u);
}

TEST_P(an_engine, gives_claims_back_by_unclaim_and_by_the_next_change) {
    store.commit({mail_of{.n = 1}, mail_of{.n = 2}, mail_of{.n = 3, .claimed = true}});
    EXPECT_EQ(store.claim(0), (ids{rcpt(1), rcpt(2)}));
    ASSERT_TRUE(store->unclaim(ids{rcpt(1), rcpt(9)}));
    EXPECT_EQ(store.claim(0), ids{rcpt(1)});
    store.commit({deferred(rcpt(2), 1, 5), deferred(rcpt(3), 1, 4), relayed(rcpt(1), 1)});
    EXPECT_EQ(store.claim(10), (ids{rcpt(3), rcpt(2)}));
}

TEST_P(an_engine, forgets_claims_with_the_process) {
    if (!store.is_durable()) {
        return;
    }
    store.commit({mail_of{.n = 1}, mail_of{.n = 2, .claimed = true}});
    EXPECT_EQ(store.claim(0), ids{rcpt(1)});
    store.open();
    EXPECT_EQ(store.claim(0), (ids{rcpt(1), rcpt(2)}));
}

// Found by the model: the journal is replayed, and with it the claim that new mail came with.
TEST_P(an_engine, forgets_the_claim_of_new_mail_that_only_the_journal_has) {
    if (!store.is_durable()) {
        return;
    }
    store.commit({mail_of{.n = 1, .claimed = true}});
    store.open();
    EXPECT_EQ(store.claim(0), ids{rcpt(1)});
}

// Found by the model: a batch without effect left the ledger's last applied batch behind its segment.
TEST_P(an_engine, opens_again_after_batches_without_effect) {
    store.commit({mail_of{.n = 1, .body = std::string(3000, 'b')}, relayed(rcpt(1), 1)});
    for (int i = 0; i < 100; ++i) {
        store.commit({relayed(rcpt(1), 2), released{rcpt(9), at(2), std::string(100, 'x')}});
        ASSERT_TRUE(store->settle());
    }
    reopen();
    EXPECT_EQ(store.state_of(1), state::relayed);
}

TEST_P(an_engine, says_per_tenant_and_priority_what_waits) {
    store.commit(
        {mail_of{.n = 1, .due = 30},
         mail_of{.n = 2, .due = 10},
         mail_of{.n = 3, .tenant = "globex", .due = 5, .precedence = mail::priority::bulk},
         mail_of{.n = 4, .due = 7, .precedence = mail::priority::bulk},
         mail_of{.n = 5, .tenant = "done"},
         relayed(rcpt(5), 1)}
    );
    reopen();
    std::vector<std::string> lines;
    const auto said = [&] {
        lines.clear();
        const auto waiting = store->waiting().value();
        for (const waiting_tenant& w : waiting) {
            lines.push_back(
                w.tenant.text() + " " + std::string{mail::to_text(w.precedence)} + " " +
                std::to_string((w.earliest_due - at(0)).count() / 1000)
            );
        }
        std::sort(lines.begin(), lines.end());
        return lines;
    };
    EXPECT_EQ(said(), (std::vector<std::string>{"acme bulk 7", "acme transactional 10", "globex bulk 5"}));
    store.claim(10);
    store.claim(10, 1, "acme", mail::priority::bulk);
    EXPECT_EQ(said(), (std::vector<std::string>{"acme transactional 30", "globex bulk 5"}));
}

TEST_P(an_engine, drops_the_body_when_all_recipients_are_done) {
    store.commit({mail_of{.to = {"a@x.example", "b@x.example"}}});
    store.commit({relayed(rcpt(1, 0), 1)});
    reopen();
    EXPECT_TRUE(store->load(id_of(1)).has_value());
    store.commit({failed(rcpt(1, 1), 2)});
    EXPECT_EQ(store->load(id_of(1)).error(), errc::not_found);
    reopen();
    EXPECT_EQ(store->load(id_of(1)).error(), errc::not_found);
    EXPECT_EQ(store->view(id_of(1))->recipients.size(), 2u) << "the timeline outlives the delivery";
    EXPECT_EQ(store->load(id_of(2)).error(), errc::not_found);
}

TEST_P(an_engine, keeps_bodies_for_a_while_where_that_is_wanted) {
    store.options().retention = std::chrono::hours{10};
    store.options().keep_bodies = std::chrono::hours{1};
    store.open();
    store.commit({mail_of{}, relayed(rcpt(1), 0)});
    reopen();
    EXPECT_TRUE(store->load(id_of(1)).has_value());
    EXPECT_EQ(store->purge(at(3500) - std::chrono::hours{10}, 10).value(), 0u);
    EXPECT_TRUE(store->load(id_of(1)).has_value());
    EXPECT_EQ(store->purge(at(3700) - std::chrono::hours{10}, 10).value(), 1u);
    EXPECT_EQ(store->purge(at(3700) - std::chrono::hours{10}, 10).value(), 0u);
    EXPECT_EQ(store->load(id_of(1)).error(), errc::not_found);
    EXPECT_TRUE(store->view(id_of(1)).has_value());
}

TEST_P(an_engine, tells_the_story_of_a_message_in_order) {
    store.commit({mail_of{.n = 1, .to = {"a@x.example", "b@x.example"}}, mail_of{.n = 2}});
    store.commit({deferred(rcpt(1, 0), 10, 60), relayed(rcpt(1, 1), 10)});
    store.commit(
        {relayed(rcpt(1, 0), 60), corrected{rcpt(1, 0), at(99), finding::failed, {}, "mx", "bounced", ""}}
    );
    reopen();
    std::vector<std::string> story;
    std::uint64_t last = 0;
    const message_view seen = store->view(id_of(1)).value();
    for (const event& e : seen.timeline) {
        story.push_back(std::to_string(e.who.index) + " " + e.type);
        EXPECT_EQ(e.tenant, tenant_id{"acme"});
        EXPECT_GT(e.sequence, last);
        last = e.sequence;
    }
    EXPECT_EQ(
        story,
        (std::vector<std::string>{
            "0 accepted", "1 accepted", "0 deferred", "1 relayed", "0 relayed", "0 failed"
        })
    );
}

TEST_P(an_engine, numbers_events_without_gaps_and_goes_on_after_a_restart) {
    store.commit({mail_of{.n = 1}, deferred(rcpt(1), 1, 2)});
    reopen();
    store.commit({relayed(rcpt(1), 2), mail_of{.n = 2}});
    const auto all = store->events(0, 100).value();
    ASSERT_EQ(all.size(), 4u);
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(all[i].sequence, i + 1);
    }
    EXPECT_EQ(all[1].type, "deferred");
    EXPECT_EQ(all[1].what->code, 450);
    EXPECT_EQ(all[1].now, state::deferred);
    EXPECT_EQ(all[1].who, rcpt(1));
    EXPECT_EQ(all[1].route, route_id{"relay"});
    EXPECT_FALSE(all[3].what.has_value());
    const auto some = store->events(2, 1).value();
    ASSERT_EQ(some.size(), 1u);
    EXPECT_EQ(some[0].sequence, 3u);
}

TEST_P(an_engine, keeps_one_row_and_one_event_per_pause_of_a_route) {
    const route_id relay{"relay"};
    EXPECT_EQ(
        store.commit(
            {paused{pause_target::of(relay), at(1), at(61), verdict::reason::auth_failed, "535 no", "daemon"},
             paused{
                 pause_target::of(relay),
                 at(61),
                 at(181),
                 verdict::reason::auth_failed,
                 "535 still no",
                 "daemon"
             },
             resumed{pause_target::of(route_id{"other"}), at(62), "daemon"}}
        ),
        (effects{true, true, false})
    );
    reopen();
    const auto rows = store->pauses().value();
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].since, at(1));
    EXPECT_EQ(rows[0].until, at(181));
    EXPECT_EQ(rows[0].why, verdict::reason::auth_failed);
    EXPECT_EQ(rows[0].text, "535 still no");
    EXPECT_EQ(rows[0].by, "daemon");
    store.commit({resumed{pause_target::of(relay), at(90), "uid 0"}});
    reopen();
    EXPECT_TRUE(store->pauses()->empty());
    const auto events = store->events(0, 10).value();
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].type, "route_paused");
    EXPECT_EQ(events[0].route, relay);
    EXPECT_TRUE(events[0].who.message.is_null());
    EXPECT_EQ(events[1].type, "route_resumed");
    EXPECT_EQ(events[1].by, "uid 0");
}

TEST_P(an_engine, postpones_what_was_claimed) {
    store.commit({mail_of{.n = 1}, mail_of{.n = 3}});
    const tenant_id acme{"acme"};
    EXPECT_EQ(store->claim_due(acme, mail::priority::transactional, at(10), 10)->size(), 2u);
    store.commit({cancelled{rcpt(3), at(11), "by", ""}});
    const std::vector ids{rcpt(1), rcpt(3), rcpt(99)};
    ASSERT_TRUE(store->postpone(ids, at(3600)));
    EXPECT_TRUE(store->claim_due(acme, mail::priority::transactional, at(3599), 10)->empty());
    EXPECT_EQ(store->view(id_of(1))->recipients[0].next_attempt_at, at(3600));
    EXPECT_EQ(store->view(id_of(1))->recipients[0].now, state::queued);
    EXPECT_EQ(store->view(id_of(3))->recipients[0].now, state::cancelled);
    EXPECT_EQ(store->claim_due(acme, mail::priority::transactional, at(3600), 10)->size(), 1u);
}

TEST_P(an_engine, finds_recipients_newest_first_by_each_condition_and_by_all) {
    store.commit(
        {mail_of{.n = 1, .to = {"a@x.example", "b@x.example"}},
         mail_of{.n = 2, .to = {"a@x.example"}, .tenant = "globex"},
         mail_of{.n = 3, .to = {"c@x.example"}},
         relayed(rcpt(1, 0), 1),
         uncertain(rcpt(1, 1), 1, state::deferred),
         failed(rcpt(2), 1)}
    );
    reopen();
    const tenant_id acme{"acme"}, globex{"globex"}, nobody{"nobody"};
    EXPECT_EQ(store.find({}), (ids{rcpt(3), rcpt(2), rcpt(1, 1), rcpt(1, 0)}));
    EXPECT_EQ(store.find({.address = "a@x.example"}), (ids{rcpt(2), rcpt(1, 0)}));
    EXPECT_EQ(store.find({.now = state::relayed}), ids{rcpt(1, 0)});
    EXPECT_EQ(store.find({.now = state::failed}), ids{rcpt(2)});
    EXPECT_EQ(store.find({.now = state::delivered}), ids{});
    EXPECT_EQ(store.find({.tenants = {acme}}), (ids{rcpt(3), rcpt(1, 1), rcpt(1, 0)}));
    EXPECT_EQ(store.find({.tenants = {acme, globex}}).size(), 4u);
    EXPECT_EQ(store.find({.tenants = {nobody}}), ids{});
    EXPECT_EQ(store.find({.why = verdict::reason::unknown_user}), ids{rcpt(2)});
    EXPECT_EQ(store.find({.uncertain_only = true}), ids{rcpt(1, 1)});
    EXPECT_EQ(store.find({.address = "a@x.example", .tenants = {acme}}), ids{rcpt(1, 0)});
    EXPECT_EQ(
        store.find(
            {.address = "a@x.example",
             .now = state::failed,
             .tenants = {globex, acme},
             .why = verdict::reason::unknown_user}
        ),
        ids{rcpt(2)}
    );
}

TEST_P(an_engine, still_lists_mail_that_was_once_in_doubt_after_it_was_accepted) {
    store.commit({mail_of{}, uncertain(rcpt(1), 1, state::deferred), relayed(rcpt(1), 61)});
    reopen();
    EXPECT_EQ(store.find({.uncertain_only = true}), ids{rcpt(1)});
    EXPECT_EQ(store.state_of(1), state::relayed);
}

TEST_P(an_engine, pages_through_everything_once_while_mail_comes_in) {
    std::vector<change> mails;
    for (std::uint32_t n = 1; n <= 25; ++n) {
        mails.push_back(mail_of{.n = n});
    }
    store.commit(mails);
    ids seen;
    query q{.limit = 10};
    for (std::uint32_t round = 0; round < 3; ++round) {
        const page p = store->find(q).value();
        for (const recipient_view& r : p.recipients) {
            seen.push_back(r.id);
        }
        EXPECT_EQ(p.next_cursor.empty(), round == 2);
        q.cursor = p.next_cursor;
        store.commit({mail_of{.n = 100 + round}});
        reopen();
    }
    ASSERT_EQ(seen.size(), 25u);
    for (std::uint32_t i = 0; i < 25; ++i) {
        EXPECT_EQ(seen[i], rcpt(25 - i));
    }
}

TEST_P(an_engine, refuses_a_cursor_that_it_did_not_give_out) {
    for (const char* cursor : {"x", "12", "zzzzzzzzzzzzzzzz", "ffffffffffffffff", "0000000000000001 "}) {
        EXPECT_EQ(store->find({.cursor = cursor}).error(), errc::cursor_invalid) << cursor;
    }
}

TEST_P(an_engine, purges_what_was_complete_before_the_given_time_and_nothing_else) {
    store.commit(
        {mail_of{.n = 1, .idempotency_key = "one"},
         mail_of{.n = 2},
         mail_of{.n = 3},
         mail_of{.n = 4, .to = {"a@x.example", "b@x.example"}},
         relayed(rcpt(1), 10),
         relayed(rcpt(2), 20),
         failed(rcpt(3), 30),
         relayed(rcpt(4, 0), 10),
         paused{pause_target::of(route_id{"relay"}), at(5), std::nullopt, verdict::reason::other, "", ""}}
    );
    reopen();
    EXPECT_EQ(store->purge(at(25), 1).value(), 1u);
    EXPECT_EQ(store->purge(at(25), 10).value(), 1u);
    EXPECT_EQ(store->purge(at(25), 10).value(), 0u);
    EXPECT_EQ(store->view(id_of(1)).error(), errc::not_found);
    EXPECT_EQ(store->view(id_of(2)).error(), errc::not_found);
    EXPECT_TRUE(store->view(id_of(3)).has_value());
    EXPECT_EQ(store->view(id_of(4))->recipients.size(), 2u);
    EXPECT_FALSE(store->find_idempotent(tenant_id{"acme"}, "one")->has_value());
    EXPECT_EQ(store->pauses()->size(), 1u);
    EXPECT_EQ(store.find({}).size(), 3u);
    const auto c = store->count().value();
    EXPECT_EQ(c.by_state[static_cast<std::size_t>(state::relayed)], 1u);
    reopen();
    store.commit({mail_of{.n = 9}});
    const auto events = store->events(0, 100).value();
    EXPECT_EQ(events.back().sequence, 11u) << "numbers are never used again";
    EXPECT_NE(events.front().type, "route_paused") << "its event is older than that, its row stays";
}

}  // namespace
}  // namespace estafette::store
