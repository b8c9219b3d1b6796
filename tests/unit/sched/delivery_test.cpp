// What becomes of mail, from its acceptance to the server's answer.
#include "house.hpp"

namespace estafette::sched {
namespace {

using store::state;

const auto relay = store::pause_target::of(route_id{"relay"});

TEST_F(house, mail_goes_to_the_relay_and_says_so) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        auto m = h.make({"ann@example.org", "bob@example.org"});
        co_await h.accept(m);
        auto v = co_await h.until(m->id, {state::relayed});
        EXPECT_EQ(h.server_.accepted.size(), 2u);
        EXPECT_EQ(v.recipients[0].last->code, 250);
        EXPECT_EQ(v.recipients[0].last->text, "2.0.0 queued as Q1");
        EXPECT_EQ(v.recipients[0].attempts, 1u);
    }(*this)));
}

TEST_F(house, a_greylisted_recipient_is_tried_again_when_the_server_said_while_the_others_leave) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        auto m = h.make({"grey@example.org", "ann@example.org", "unknown@example.org"});
        co_await h.accept(m);
        auto v = co_await h.until(m->id, {state::relayed, state::failed});
        EXPECT_EQ(v.recipients[0].now, state::relayed);
        EXPECT_EQ(v.recipients[0].attempts, 2u);
        EXPECT_EQ(v.recipients[1].attempts, 1u);
        EXPECT_EQ(v.recipients[2].now, state::failed);
        EXPECT_EQ(v.recipients[2].why, verdict::reason::unknown_user);
        using verdict::disposition;
        auto& attempts = h.meters_.delivery_attempts;
        EXPECT_EQ(attempts[disposition::accepted][verdict::reason::accepted].value(), 2u);
        EXPECT_EQ(attempts[disposition::retry][verdict::reason::greylisted].value(), 1u);
        EXPECT_EQ(attempts[disposition::fail][verdict::reason::unknown_user].value(), 1u);
        EXPECT_EQ(h.meters_.recipients_completed[labels::completion::relayed].value(), 2u);
        EXPECT_EQ(h.meters_.recipients_completed[labels::completion::failed].value(), 1u);
    }(*this)));
}

TEST_F(house, a_server_that_sends_reports_is_told_which_ones) {
    server_.offers = {"DSN"};
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        auto plain = h.make({"ann@example.org"});
        co_await h.accept(plain);
        co_await h.until(plain->id, {state::relayed});
        EXPECT_TRUE(h.server_.parameters.at(0).ends_with(" RET=HDRS ENVID=" + plain->id.text()));
        EXPECT_EQ(h.server_.parameters.at(1), " ORCPT=rfc822;ann@example.org");
        auto wished = std::make_shared<mail::message>(*h.make({"bob@example.org"}));
        wished->reports = {mail::dsn_request::content::full, "run 7", mail::dsn_request::never, false};
        co_await h.accept(wished);
        co_await h.until(wished->id, {state::relayed});
        EXPECT_TRUE(h.server_.parameters.at(2).ends_with(" RET=FULL ENVID=run+207"));
        EXPECT_EQ(h.server_.parameters.at(3), " NOTIFY=NEVER ORCPT=rfc822;bob@example.org");
    }(*this)));
}

TEST_F(house, who_is_on_the_list_gets_nothing_and_the_others_their_mail) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        std::vector<store::suppressed> lines(1);
        lines[0].tenant = tenant_id{"default"};
        lines[0].address = "Ann@example.org";
        lines[0].text = "asked by phone";
        const auto added = co_await h.lists_.add(std::move(lines));
        EXPECT_EQ(added.value(), 1u);
        auto m = h.make({"ann@example.org", "bob@example.org"});
        co_await h.accept(m);
        auto v = co_await h.until(m->id, {state::relayed, state::failed});
        EXPECT_EQ(v.recipients[0].now, state::failed);
        EXPECT_EQ(v.recipients[0].why, verdict::reason::suppressed);
        EXPECT_EQ(v.recipients[0].attempts, 0u);
        EXPECT_TRUE(v.recipients[0].note.ends_with("asked by phone"));
        EXPECT_EQ(h.server_.accepted, std::vector<std::string>{"bob@example.org"});
        EXPECT_EQ(h.meters_.recipients_completed[labels::completion::failed].value(), 1u);
    }(*this)));
}

TEST_F(house, a_mailbox_that_is_not_there_goes_on_the_list_of_its_tenant) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        auto m = h.make({"unknown@example.org"});
        co_await h.accept(m);
        co_await h.until(m->id, {state::failed});
        for (int i = 0; i < 500 && !h.lists_.may_have(m->tenant, "unknown@example.org"); ++i) {
            asio::steady_timer pause{h.loop_, milliseconds{10}};
            co_await pause.async_wait(asio::use_awaitable);
        }
        EXPECT_TRUE(h.lists_.may_have(m->tenant, "UNKNOWN@example.org"));
        EXPECT_FALSE(h.lists_.may_have(tenant_id{"acme"}, "unknown@example.org"));
    }(*this)));
}

TEST_F(house, mail_whose_answer_never_came_is_uncertain_and_sent_again) {
    config::config c;
    c.relay = options("relay", server_.port());
    auto& tenant = c.tenants["default"];
    tenant.id = tenant_id{"default"};
    tenant.retry.standard.delays = {milliseconds{100}};
    tenant.retry.by_reason.clear();
    start(std::move(c));
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        auto m = h.make({"drop@example.org"});
        co_await h.accept(m);
        auto v = co_await h.until(m->id, {state::relayed});
        EXPECT_EQ(v.recipients[0].attempts, 2u);
        const auto uncertain = std::ranges::count_if(v.timeline, [](const store::event& e) {
            return e.what && e.what->judged.why == verdict::reason::uncertain;
        });
        EXPECT_EQ(uncertain, 1);
    }(*this)));
}

TEST_F(house, a_tenant_that_wishes_so_has_its_uncertain_mail_held) {
    config::config c;
    c.relay = options("relay", server_.port());
    c.tenants["default"].id = tenant_id{"default"};
    c.tenants["default"].hold_uncertain = true;
    start(std::move(c));
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        auto m = h.make({"drop@example.org"});
        co_await h.accept(m);
        auto v = co_await h.until(m->id, {state::held});
        EXPECT_EQ(v.recipients[0].why, verdict::reason::uncertain);
    }(*this)));
}

TEST_F(house, a_tenant_without_a_route_sends_nothing_anywhere) {
    config::config c;
    c.relay = options("relay", server_.port());
    auto& lost = c.tenants["lost"];
    lost.id = tenant_id{"lost"};
    lost.route = config::tenant_route::own;
    start(std::move(c));
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        auto m = h.make({"ann@example.org"}, "lost");
        co_await h.accept(m);
        auto other = h.make({"bob@example.org"});
        co_await h.accept(other);
        co_await h.until(other->id, {state::relayed});
        co_await h.pause_for(milliseconds{100});
        auto v = co_await h.view(m->id);
        EXPECT_EQ(v.recipients[0].now, state::queued);
        EXPECT_EQ(h.server_.accepted, std::vector<std::string>{"bob@example.org"});
    }(*this)));
}

TEST_F(house, a_route_that_cannot_connect_rests_once_and_keeps_its_mail) {
    config::config c;
    tcp::acceptor closed{loop_, tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
    const auto port = closed.local_endpoint().port();
    closed.close();
    c.relay = options("relay", port);
    start(std::move(c));
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        std::vector<message_id> ids;
        for (int i = 0; i < 20; ++i) {
            auto m = h.make({"ann@example.org"});
            ids.push_back(m->id);
            co_await h.accept(m);
        }
        auto* r = h.routes_.find(route_id{"relay"});
        for (int i = 0; i < 500 && r->status().state == route::route_state::active; ++i) {
            co_await h.pause_for(milliseconds{10});
        }
        const auto s = r->status();
        EXPECT_EQ(s.state, route::route_state::resting);
        EXPECT_EQ(s.why, verdict::reason::connection_failed);
        const auto paused_metric =
            h.meters_.route_paused[route_id{"relay"}][verdict::reason::connection_failed].value();
        EXPECT_EQ(paused_metric, 1);
        EXPECT_TRUE(s.until);
        auto paused = co_await h.queue_.pauses();
        EXPECT_EQ(paused->size(), 1u);
        for (const auto& id : ids) {
            auto v = co_await h.view(id);
            EXPECT_EQ(v.recipients[0].now, state::queued);
            EXPECT_EQ(v.recipients[0].attempts, 0u) << "the route's fault is no attempt of the recipient";
        }
        auto events = co_await h.queue_.events(0, 1000);
        const auto pauses =
            std::ranges::count_if(*events, [](const auto& e) { return e.type == "route_paused"; });
        EXPECT_EQ(pauses, 1) << "said once, not per message";
    }(*this)));
}

TEST_F(house, a_cancelled_message_does_not_leave) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        co_await h.scheduler_.pause(relay, std::nullopt, "test", "uid 0");
        auto m = h.make({"ann@example.org", "bob@example.org"});
        co_await h.accept(m);
        auto done = co_await h.scheduler_.cancel(m->id, {1}, "uid 0", "no longer wanted");
        EXPECT_EQ(done->cancelled, 1u);
        co_await h.scheduler_.resume(relay, "uid 0");
        auto v = co_await h.until(m->id, {state::relayed, state::cancelled});
        EXPECT_EQ(v.recipients[1].now, state::cancelled);
        EXPECT_EQ(h.server_.accepted, std::vector<std::string>{"ann@example.org"});
        auto again = co_await h.scheduler_.cancel(m->id, {}, "uid 0", "");
        EXPECT_EQ(again->cancelled, 0u);
    }(*this)));
}

TEST_F(house, mail_of_later_waits_and_then_leaves) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        auto m = std::make_shared<mail::message>(*h.make({"ann@example.org"}));
        m->due_at = m->accepted_at + milliseconds{300};
        const auto id = m->id;
        co_await h.accept(std::move(m));
        auto v = co_await h.view(id);
        EXPECT_EQ(v.recipients[0].now, state::scheduled);
        v = co_await h.until(id, {state::relayed});
        EXPECT_GE(v.recipients[0].last->started_at, v.message.due_at);
    }(*this)));
}

TEST_F(house, mail_that_waits_for_long_is_told_of_once) {
    config::config c;
    c.delayed_after = milliseconds{300};
    c.tenants["lost"].id = tenant_id{"lost"};
    c.tenants["lost"].route = config::tenant_route::own;  // and no server: its mail is never tried
    start(std::move(c));
    tasks_.spawn("delays", scheduler_.run_delays());
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        const auto first = h.make({"ann@example.org"}, "lost");
        co_await h.accept(first);
        co_await h.until_told(first->id);
        const auto second = h.make({"bob@example.org"}, "lost");
        co_await h.accept(second);
        co_await h.until_told(second->id);  // so the first was looked at again
        const auto seen = co_await h.view(first->id);
        EXPECT_EQ(std::ranges::count(seen.timeline, "delayed", &store::event::type), 1);
        EXPECT_EQ(seen.recipients[0].now, state::queued);
        EXPECT_EQ(h.meters_.recipients_delayed.value(), 2u);
    }(*this)));
}

TEST_F(house, expired_mail_fails_and_keeps_its_last_reason) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        auto m = std::make_shared<mail::message>(*h.make({"grey@example.org"}));
        m->expires_at = m->accepted_at + milliseconds{500};
        const auto id = m->id;
        co_await h.accept(std::move(m));
        auto v = co_await h.until(id, {state::failed});
        EXPECT_EQ(v.recipients[0].why, verdict::reason::expired);
        EXPECT_EQ(v.recipients[0].last->judged.why, verdict::reason::greylisted);
    }(*this)));
}

TEST_F(house, connections_grow_with_demand_to_the_limit_and_no_further) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        std::vector<message_id> ids;
        for (int i = 0; i < 60; ++i) {
            auto m = h.make({"slow" + std::to_string(i) + "@example.org"});
            ids.push_back(m->id);
            co_await h.accept(m);
        }
        for (const auto& id : ids) {
            co_await h.until(id, {state::relayed});
        }
        EXPECT_EQ(h.server_.accepted.size(), 60u);
        EXPECT_EQ(h.server_.most_open, 4u);
        EXPECT_EQ(std::ranges::count(h.server_.accepted, "slow7@example.org"), 1);
    }(*this)));
}

TEST_F(house, a_server_s_limit_of_messages_a_connection_costs_no_attempt_and_is_learned) {
    server_.mails_per_connection = 3;
    config::config c;
    c.relay = options("relay", server_.port());
    c.relay->connections = 1;
    start(std::move(c));
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        std::vector<message_id> ids;
        for (int i = 0; i < 10; ++i) {
            auto m = h.make({"ann" + std::to_string(i) + "@example.org"});
            ids.push_back(m->id);
            co_await h.accept(m);
        }
        for (const auto& id : ids) {
            auto v = co_await h.until(id, {state::relayed});
            EXPECT_EQ(v.recipients[0].attempts, 1u);
        }
        EXPECT_EQ(h.server_.accepted.size(), 10u);
        EXPECT_EQ(h.server_.connections, 4u) << "3 + 3 + 3 + 1";
    }(*this)));
}

TEST_F(house, a_window_of_four_has_four_messages_under_way_on_one_connection) {
    server_.answers_at_once = 4;  // never answers the content of fewer
    config::config c;
    c.relay = options("relay", server_.port());
    c.relay->connections = 1;
    c.relay->chunking = true;
    c.relay->window = 4;
    start(std::move(c));
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        std::vector<arrival> mail;
        std::vector<message_id> ids;
        for (int i = 0; i < 16; ++i) {
            auto m = h.make({"ann" + std::to_string(i) + "@example.org"});
            ids.push_back(m->id);
            mail.push_back({{std::move(m), {}, {}, false}});
        }
        auto done = co_await h.scheduler_.enqueue(std::move(mail));
        EXPECT_TRUE(done);
        for (const auto& id : ids) {
            const auto v = co_await h.until(id, {state::relayed});
            EXPECT_EQ(v.recipients[0].attempts, 1u);
        }
        EXPECT_EQ(h.server_.accepted.size(), 16u);
        EXPECT_EQ(h.server_.connections, 1u);
    }(*this)));
}

TEST_F(house, a_window_larger_than_the_slate_shrinks_to_it) {
    std::vector<store::slate::slot> taken;
    for (int i = 0; i < 62; ++i) {
        taken.push_back(slate_.take());
    }
    server_.answers_at_once = 2;
    config::config c;
    c.relay = options("relay", server_.port());
    c.relay->connections = 1;
    c.relay->chunking = true;
    c.relay->window = 4;
    start(std::move(c));
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        std::vector<arrival> mail;
        std::vector<message_id> ids;
        for (int i = 0; i < 4; ++i) {
            auto m = h.make({"ann" + std::to_string(i) + "@example.org"});
            ids.push_back(m->id);
            mail.push_back({{std::move(m), {}, {}, false}});
        }
        auto done = co_await h.scheduler_.enqueue(std::move(mail));
        EXPECT_TRUE(done);
        for (const auto& id : ids) {
            (void)co_await h.until(id, {state::relayed});
        }
        EXPECT_EQ(h.server_.most_unanswered, 2u);
    }(*this)));
}

TEST_F(house, what_a_domain_s_limit_holds_back_waits_for_its_turn_and_nobody_waits_behind_it) {
    config::config c;
    c.relay = options("relay", server_.port());
    c.relay->domain_rates = {{"slow.example", {"2/h"}}};
    start(std::move(c));
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        std::vector<message_id> slow;
        for (int i = 0; i < 5; ++i) {
            auto m = h.make({"ann" + std::to_string(i) + "@slow.example"});
            slow.push_back(m->id);
            co_await h.accept(m);
        }
        auto other = h.make({"bob@example.org"});
        co_await h.accept(other);
        (void)co_await h.until(other->id, {state::relayed});
        for (int i = 0; i < 2; ++i) {
            (void)co_await h.until(slow[static_cast<std::size_t>(i)], {state::relayed});
        }
        const auto* relay = h.routes_.find(route_id{"relay"});
        EXPECT_TRUE(relay->limited_until(tenant_id{"default"}, "slow.example"));
        EXPECT_FALSE(relay->limited_until(tenant_id{"default"}, "example.org"));
        const auto now = std::chrono::system_clock::now();
        for (std::size_t i = 2; i < 5; ++i) {
            auto v = co_await h.view(slow[i]);
            while (v.recipients[0].next_attempt_at <= now) {  // the store hears of it a turn later
                v = co_await h.view(slow[i]);
            }
            EXPECT_EQ(v.recipients[0].now, state::queued);
            EXPECT_EQ(v.recipients[0].attempts, 0u);
        }
        EXPECT_EQ(h.server_.accepted.size(), 3u);
    }(*this)));
}

TEST_F(house, a_tenant_s_limit_holds_back_its_own_mail_only) {
    config::config c;
    c.relay = options("relay", server_.port());
    for (const char* name : {"acme", "globex"}) {
        c.tenants[name].id = tenant_id{name};
    }
    c.tenants["acme"].rates = {"1/h"};
    start(std::move(c));
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        auto first = h.make({"ann@example.org"}, "acme");
        auto second = h.make({"bob@example.org"}, "acme");
        co_await h.accept(first);
        co_await h.accept(second);
        (void)co_await h.until(first->id, {state::relayed});
        for (int i = 0; i < 3; ++i) {
            auto m = h.make({"cem" + std::to_string(i) + "@example.org"}, "globex");
            co_await h.accept(m);
            (void)co_await h.until(m->id, {state::relayed});
        }
        const auto v = co_await h.view(second->id);
        EXPECT_EQ(v.recipients[0].now, state::queued);
        EXPECT_EQ(v.recipients[0].attempts, 0u);
        EXPECT_EQ(h.server_.accepted.size(), 4u);
    }(*this)));
}

TEST_F(house, what_a_crash_left_in_doubt_is_recorded_as_uncertain) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        co_await h.scheduler_.pause(relay, std::nullopt, "test", "uid 0");
        auto m = h.make({"ann@example.org", "bob@example.org"});
        co_await h.accept(m);
        std::vector<recipient_id> doubtful{{m->id, 1}};
        co_await h.scheduler_.settle_in_doubt(std::move(doubtful));
        auto v = co_await h.view(m->id);
        EXPECT_EQ(v.recipients[0].attempts, 0u);
        EXPECT_EQ(v.recipients[1].now, state::deferred);
        EXPECT_EQ(v.recipients[1].why, verdict::reason::uncertain);
    }(*this)));
}

}  // namespace
}  // namespace estafette::sched
