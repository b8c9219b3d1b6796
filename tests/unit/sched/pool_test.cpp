// How many connections there are, how long they live and what they carry.
#include "house.hpp"

namespace estafette::sched {
namespace {

using store::state;

class pool : public house {
public:
    void start_with(config::route_options relay) {
        config::config c;
        c.relay = std::move(relay);
        start(std::move(c));
    }

    config::route_options one_connection() {
        auto relay = options("relay", server_.port());
        relay.connections = 1;
        return relay;
    }

    // So many mails, of which none needs a second attempt.
    asio::awaitable<void> send(int count, std::string name) {
        std::vector<message_id> ids;
        for (int i = 0; i < count; ++i) {
            auto m = make({name + std::to_string(i) + "@example.org"});
            ids.push_back(m->id);
            co_await accept(m);
        }
        for (const auto& id : ids) {
            const auto v = co_await until(id, {state::relayed});
            EXPECT_EQ(v.recipients[0].attempts, 1u);
        }
    }

    asio::awaitable<void> until_true(std::function<bool()> holds) {
        for (int i = 0; i < 1000 && !holds(); ++i) {
            co_await pause_for(milliseconds{10});
        }
        EXPECT_TRUE(holds());
    }

    std::size_t allowed() { return routes_.find(route_id{"relay"})->status().allowed; }
};

TEST_F(pool, shrinks_to_nothing_when_idle_and_grows_again) {
    auto relay = options("relay", server_.port());
    relay.idle = milliseconds{50};
    start_with(std::move(relay));
    EXPECT_TRUE(run([](pool& h) -> asio::awaitable<void> {
        co_await h.send(20, "slow");
        EXPECT_GT(h.server_.most_open, 1u);
        co_await h.until_true([&] { return h.server_.open == 0; });
        const auto before = h.server_.connections;
        co_await h.send(1, "ann");
        EXPECT_EQ(h.server_.connections, before + 1);
    }(*this)));
}

TEST_F(pool, a_connection_carries_as_many_messages_as_it_may) {
    auto relay = one_connection();
    relay.messages_per_connection = 3;
    start_with(std::move(relay));
    EXPECT_TRUE(run([](pool& h) -> asio::awaitable<void> {
        co_await h.send(10, "ann");
        EXPECT_EQ(h.server_.connections, 4u) << "3 + 3 + 3 + 1";
    }(*this)));
}

TEST_F(pool, a_connection_that_is_old_enough_is_replaced_though_it_works) {
    auto relay = one_connection();
    relay.max_age = milliseconds{200};
    start_with(std::move(relay));
    EXPECT_TRUE(run([](pool& h) -> asio::awaitable<void> {
        co_await h.send(16, "slow");  // 50 ms each
        EXPECT_GE(h.server_.connections, 3u);
        EXPECT_EQ(h.server_.most_open, 1u);
    }(*this)));
}

TEST_F(pool, the_messages_that_a_server_announces_for_a_connection_are_not_exceeded) {
    server_.offers = {"LIMITS MAILMAX=2"};
    server_.mails_per_connection = 2;
    start_with(one_connection());
    EXPECT_TRUE(run([](pool& h) -> asio::awaitable<void> {
        co_await h.send(6, "ann");
        EXPECT_EQ(h.server_.connections, 3u);
        EXPECT_EQ(h.server_.parameters.size(), 12u) << "no MAIL too many was said";
    }(*this)));
}

TEST_F(pool, the_recipients_that_a_server_announces_for_a_message_are_not_exceeded) {
    server_.offers = {"LIMITS RCPTMAX=2"};
    start_with(one_connection());
    EXPECT_TRUE(run([](pool& h) -> asio::awaitable<void> {
        std::vector<std::string> five;
        for (int i = 0; i < 5; ++i) {
            five.push_back("ann" + std::to_string(i) + "@example.org");
        }
        auto m = h.make(five);
        co_await h.accept(m);
        const auto v = co_await h.until(m->id, {state::relayed});
        for (const auto& r : v.recipients) {
            EXPECT_EQ(r.attempts, 1u);
        }
        EXPECT_EQ(h.server_.senders.size(), 3u) << "2 + 2 + 1";
        EXPECT_EQ(h.server_.accepted, five);
    }(*this)));
}

// What servers say when we are too many or too fast: fewer connections, and nobody's mail fails or is told
// of.
class overload : public pool, public testing::WithParamInterface<const char*> {};

TEST_P(overload, takes_connections_away_and_keeps_the_mail) {
    auto relay = options("relay", server_.port());
    relay.connections = 8;
    start_with(std::move(relay));
    EXPECT_TRUE(run([](overload& h) -> asio::awaitable<void> {
        co_await h.send(30, "slow");
        EXPECT_EQ(h.allowed(), 8u);
        h.server_.mail_answers = {GetParam()};
        auto m = h.make({"ann@example.org"});
        co_await h.accept(m);
        co_await h.until_true([&] { return h.allowed() < 8u; });
        EXPECT_EQ(h.allowed(), 5u);  // seven tenths
        const auto v = co_await h.view(m->id);
        EXPECT_NE(v.recipients[0].now, state::failed);
        EXPECT_EQ(h.routes_.find(route_id{"relay"})->status().state, route::route_state::active);
    }(*this)));
}

INSTANTIATE_TEST_SUITE_P(
    answers,
    overload,
    testing::Values(
        "421 4.7.0 Too many concurrent SMTP connections; please try again later.",
        "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending",
        "451 4.7.1 Too many messages from your host, slow down",
        "452 4.3.2 Connection rate limit exceeded"
    )
);

TEST_F(pool, a_server_that_wants_fewer_connections_gets_all_mail_and_is_not_pestered) {
    server_.most_welcome = 2;
    auto relay = options("relay", server_.port());
    relay.connections = 8;
    start_with(std::move(relay));
    EXPECT_TRUE(run([](pool& h) -> asio::awaitable<void> {
        co_await h.send(60, "slow");
        EXPECT_EQ(h.server_.accepted.size(), 60u);
        EXPECT_GT(h.server_.unwelcome, 0u);
        EXPECT_LT(h.server_.unwelcome, 12u);
        EXPECT_LT(h.allowed(), 8u);
        const auto events = co_await h.queue_.events(0, 1000);
        EXPECT_TRUE(std::ranges::none_of(*events, [](const auto& e) { return e.type == "route_paused"; }));
    }(*this)));
}

TEST_F(pool, mail_goes_to_the_second_server_while_the_first_is_away) {
    tcp::acceptor closed{loop_, tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
    const auto away = closed.local_endpoint().port();
    closed.close();
    auto relay = options("relay", server_.port());
    relay.servers = {{"127.0.0.1", away, 10, 10}, {"127.0.0.1", server_.port(), 20, 10}};
    start_with(std::move(relay));
    EXPECT_TRUE(run([](pool& h) -> asio::awaitable<void> {
        co_await h.send(5, "ann");
        EXPECT_EQ(h.routes_.find(route_id{"relay"})->status().state, route::route_state::active);
    }(*this)));
}

TEST_F(house, mail_that_needs_tls_all_the_way_fails_where_the_server_does_not_promise_it) {
    start_with_relay();
    EXPECT_TRUE(run([](house& h) -> asio::awaitable<void> {
        auto strict = std::make_shared<mail::message>(*h.make({"ann@example.org"}));
        strict->require_tls = true;
        co_await h.accept(strict);
        const auto v = co_await h.until(strict->id, {state::failed});
        EXPECT_EQ(v.recipients[0].why, verdict::reason::tls_failed);
        auto plain = h.make({"bob@example.org"});
        co_await h.accept(plain);
        co_await h.until(plain->id, {state::relayed});  // the route is none the worse for it
        EXPECT_EQ(h.server_.accepted, std::vector<std::string>{"bob@example.org"});
    }(*this)));
}

}  // namespace
}  // namespace estafette::sched
