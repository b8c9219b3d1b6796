#include "name_server.hpp"
#include "net_fixture.hpp"
#include "sink/scripted_server.hpp"
#include "support/dialog.hpp"

#include "estafette/net/connection.hpp"
#include "estafette/net/dns.hpp"
#include "estafette/net/drive.hpp"
#include "estafette/net/tls.hpp"

#include <gtest/gtest.h>

#include <optional>

using namespace estafette;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

net::transaction make_mail(std::uint8_t number = 1, std::size_t size = 100) {
    std::string body = "Subject: hello\r\n\r\n";
    while (body.size() < size)
        body += "A line of a mail.\r\n";
    auto m = test::make_message(number, "from@x.example", {"to@y.example"}, std::move(body));
    const auto from = m->from;
    return {std::move(m), {0}, from, {}};
}

// A connection to a server that follows a script. The script outlives the server.
struct Connection : testing::Test {
    asio::io_context loop;
    std::optional<test::script> script;
    std::optional<test::scripted_server> server;
    std::optional<net::resolver> dns;
    config::route_options route;
    std::optional<net::tls_context> tls;
    std::optional<net::connection> c;
    net::server_faults known;

    void SetUp() override {
        route.mode = config::tls_mode::none;
        route.policy = config::tls_policy::none;
        route.allow_private = true;
        route.timeouts.set(smtp::phase::quit, 200ms);
        dns.emplace(loop.get_executor());
    }

    void serve(const std::string& text) {
        script = test::script_reader::parse(text);
        server.emplace(loop, *script);
        tls.emplace(route);
        c.emplace(loop.get_executor(), route, *tls, *dns, "client.example", "s3cret", known);
    }

    smtp::outcome open(const std::string& host = "127.0.0.1", std::uint16_t port = 0) {
        config::endpoint to{.host = host, .port = port != 0 ? port : server->port()};
        return testing_net::run(loop, c->open(to));
    }

    net::delivery deliver(const net::transaction& now, const net::transaction* next = nullptr) {
        return testing_net::run(loop, c->deliver(now, next));
    }

    // Until nothing happens any more.
    void settle() {
        loop.restart();
        while (loop.run_one_for(50ms) != 0) {
        }
    }

    void quit() {
        const auto goodbye = [this]() -> asio::awaitable<bool> {
            co_await c->quit();
            co_return true;
        };
        testing_net::run(loop, goodbye());
    }
};

}  // namespace

TEST_F(Connection, DeliversSeveralMailsAndSaysGoodbye) {
    serve("serve");
    EXPECT_EQ(open().at, smtp::phase::ready);
    EXPECT_TRUE(c->is_open());
    EXPECT_EQ(c->server(), "127.0.0.1:" + std::to_string(server->port()));
    for (int i = 0; i < 3; ++i) {
        const auto d = deliver(make_mail());
        EXPECT_TRUE(d.recipients.front().what.is_accepted());
        EXPECT_TRUE(d.is_reusable);
        EXPECT_FALSE(c->is_stale());
    }
    quit();
    EXPECT_FALSE(c->is_open());
    EXPECT_NE(c->transcript().find("C: QUIT"), std::string::npos) << c->transcript();
}

TEST_F(Connection, TheNextMailsCommandsTravelWithTheEndOfThisOne) {
    serve("hello PIPELINING\nC: MAIL\nC: RCPT\nC: DATA\nS! 250 a\\r\\n250 b\\r\\n354 c\\r\\n\ncontent\n"
          "C: MAIL\nC: RCPT\nC: DATA\nS! 250 one\\r\\n250 a\\r\\n250 b\\r\\n354 c\\r\\n\ncontent\nS: 250 "
          "two\nserve");
    open();
    const auto first = make_mail(1), second = make_mail(2);
    const auto d = deliver(first, &second);
    EXPECT_TRUE(d.recipients.front().what.is_accepted()) << c->transcript();
    EXPECT_TRUE(d.next_begun);
    const auto then = deliver(second);
    EXPECT_TRUE(then.recipients.front().what.is_accepted());
    ASSERT_TRUE(then.recipients.front().what.answer);
    EXPECT_EQ(then.recipients.front().what.answer->text, "two");
    EXPECT_FALSE(then.next_begun);
    EXPECT_TRUE(server->wrong.empty());
}

TEST_F(Connection, IsStaleWhenTheServerSpeaksUnasked) {
    serve("hello\nwait 1\nS: 421 going down\nsilence");
    open();
    EXPECT_FALSE(c->is_stale());
    settle();
    EXPECT_TRUE(c->is_stale());
}

TEST_F(Connection, IsStaleWhenTheServerHasGone) {
    serve("hello\nclose");
    open();
    settle();
    EXPECT_TRUE(c->is_stale());
    const auto d = deliver(make_mail());
    EXPECT_FALSE(d.is_reusable);
    EXPECT_FALSE(d.recipients.front().what.is_accepted());
    EXPECT_FALSE(d.recipients.front().what.dot_sent);
}

TEST_F(Connection, ATerminalStopAfterTheDotLeavesTheMailInDoubt) {
    serve("hello\nenvelope\ndata\ncontent\nsilence");
    open();
    const auto mail = make_mail();
    auto task = testing_net::start(loop, c->deliver(mail, nullptr));
    settle();
    EXPECT_FALSE(task->value);
    task->cancel.emit(asio::cancellation_type::terminal);
    const auto d = testing_net::finish(loop, *task);
    const auto& o = d.recipients.front().what;
    EXPECT_EQ(o.at, smtp::phase::dot);
    EXPECT_EQ(o.error, make_error_code(errc::interrupted));
    EXPECT_TRUE(o.dot_sent);
    EXPECT_FALSE(d.is_reusable);
}

TEST_F(Connection, ATerminalStopBeforeTheDotLeavesNoDoubt) {
    serve("hello\nenvelope\nC: DATA\nsilence");
    open();
    const auto mail = make_mail();
    auto task = testing_net::start(loop, c->deliver(mail, nullptr));
    settle();
    task->cancel.emit(asio::cancellation_type::terminal);
    const auto d = testing_net::finish(loop, *task);
    EXPECT_FALSE(d.recipients.front().tried);
    EXPECT_FALSE(d.recipients.front().what.dot_sent);
    EXPECT_FALSE(d.is_reusable);
}

TEST_F(Connection, ATerminalStopAmidALargeMailEndsTheWriting) {
    serve("hello\nenvelope\ndata\ndeaf");
    open();
    const auto mail = make_mail(1, 8'000'000);
    auto task = testing_net::start(loop, c->deliver(mail, nullptr));
    settle();
    EXPECT_FALSE(task->value);
    task->cancel.emit(asio::cancellation_type::terminal);
    const auto d = testing_net::finish(loop, *task);
    EXPECT_FALSE(d.recipients.front().tried);
    EXPECT_FALSE(d.recipients.front().what.dot_sent);
    EXPECT_FALSE(d.is_reusable);
}

TEST_F(Connection, ATerminalStopThatCameEarlierIsSeen) {
    serve("hello\nserve");
    open();
    const auto mail = make_mail();
    // A worker that was stopped while it waited for something else, and goes on all the same.
    const auto stopped_worker = [&]() -> asio::awaitable<net::delivery> {
        asio::steady_timer pause{loop, 1h};
        co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
        co_return co_await c->deliver(mail, nullptr);
    };
    auto task = testing_net::start(loop, stopped_worker());
    settle();
    task->cancel.emit(asio::cancellation_type::terminal);
    const auto d = testing_net::finish(loop, *task);
    EXPECT_FALSE(d.recipients.front().tried);
    EXPECT_FALSE(d.recipients.front().what.dot_sent);
    EXPECT_FALSE(d.is_reusable);
}

TEST_F(Connection, AForbiddenAddressIsNeverDialled) {
    route.allow_private = false;
    serve("serve");
    for (const char* host :
         {"127.0.0.1", "localhost", "::1", "::ffff:127.0.0.1", "169.254.169.254", "10.1.2.3"}) {
        c.emplace(loop.get_executor(), route, *tls, *dns, "client.example", "");
        const auto o = open(host, 587);
        EXPECT_EQ(o.at, smtp::phase::connect) << host;
        EXPECT_EQ(o.error, make_error_code(errc::address_forbidden)) << host;
    }
}

TEST_F(Connection, ANameThatPointsInwardIsCheckedByItsNumber) {
    testing_net::name_server names{loop};
    names.names["mx.example"] = {.a = {"127.0.0.1"}, .aaaa = {"::ffff:127.0.0.1"}};
    dns.emplace(loop.get_executor(), net::resolver_options{.servers = names.address()});
    route.allow_private = false;
    serve("serve");
    EXPECT_EQ(open("mx.example", 587).error, make_error_code(errc::address_forbidden));
    route.allow_private = true;
    c.emplace(loop.get_executor(), route, *tls, *dns, "client.example", "");
    EXPECT_EQ(open("mx.example").at, smtp::phase::ready);
}

TEST_F(Connection, AddressesAreTriedInOrderUntilOneAnswers) {
    testing_net::name_server names{loop};
    names.names["mx.example"] = {.a = {"127.0.0.2", "127.0.0.1"}, .aaaa = {"::1"}};
    dns.emplace(loop.get_executor(), net::resolver_options{.servers = names.address()});
    serve("serve");  // listens on 127.0.0.1 only
    EXPECT_EQ(open("mx.example").at, smtp::phase::ready) << c->transcript();
    EXPECT_NE(c->transcript().find("* connected to 127.0.0.1:"), std::string::npos);
}

TEST_F(Connection, ARefusedConnectionAndAMissingNameAreToldApart) {
    serve("serve");
    const auto port = server->port();
    server->close();
    settle();
    const auto refused = open("127.0.0.1", port);
    EXPECT_EQ(refused.at, smtp::phase::connect);
    EXPECT_EQ(refused.error, make_error_code(errc::connection_refused));
    c.emplace(loop.get_executor(), route, *tls, *dns, "client.example", "");
    const auto missing = open("127.1", port);
    EXPECT_EQ(missing.at, smtp::phase::resolve);
    EXPECT_EQ(missing.error, make_error_code(errc::dns_no_such_name));
}

TEST_F(Connection, ARouteWithoutTheTlsItRequiresIsNotDialled) {
    serve("serve");
    for (const auto policy :
         {config::tls_policy::required_verified, config::tls_policy::required_unverified}) {
        route.policy = policy;
        c.emplace(loop.get_executor(), route, *tls, *dns, "client.example", "");
        EXPECT_EQ(open().error, make_error_code(errc::starttls_missing));
    }
}

TEST_F(Connection, NeverAuthenticatesInClear) {
    route.username = "user";
    serve("hello AUTH PLAIN LOGIN\nC: QUIT\nS: 221 bye");
    const auto o = open();
    EXPECT_EQ(o.at, smtp::phase::auth);
    EXPECT_EQ(o.error, make_error_code(errc::auth_missing));
    EXPECT_TRUE(server->wrong.empty()) << server->wrong.front();
}

TEST_F(Connection, WhatTheServerCannotTakeIsRememberedByTheRoute) {
    serve("hello PIPELINING\nC: MAIL\nC: RCPT\nC: DATA\nS! 250 a\\r\\n503 5.5.1 wait for your turn\\r\\n503 "
          "no\\r\\nsilence");
    open();
    deliver(make_mail());
    EXPECT_TRUE(c->fallbacks().pipelining);
    known.merge(c->fallbacks());
    serve("hello PIPELINING\nC: MAIL\nwait 5\nS: 250 a\nC: RCPT\nwait 5\nS: 250 b\ndata\ncontent\nS: 250 "
          "ok\nserve");
    open();
    EXPECT_TRUE(deliver(make_mail()).recipients.front().what.is_accepted());
    EXPECT_EQ(c->fallbacks(), net::server_faults{});
}

TEST_F(Connection, TheServersLimitsAreKnown) {
    serve("hello LIMITS MAILMAX=7 RCPTMAX=50\nserve");
    open();
    EXPECT_EQ(c->mail_max(), 7u);
    EXPECT_EQ(c->rcpt_max(), 50u);
}

TEST_F(Connection, TheTranscriptIsBounded) {
    serve("S* 400 220-a long welcome that fills the page and says nothing of any worth at all\\r\\n\nserve");
    open();
    deliver(make_mail());
    EXPECT_LE(c->transcript().size(), 16u * 1024u);
    EXPECT_NE(c->transcript().find("MAIL FROM"), std::string::npos) << c->transcript().size();
}

TEST(IoError, TellsWhoEndedIt) {
    namespace error = asio::error;
    using asio::cancellation_type;
    constexpr auto none = cancellation_type::none;
    constexpr auto terminal = cancellation_type::terminal;
    const struct {
        error_code ec;
        bool deadline_passed;
        cancellation_type cancelled;
        errc expected;
    } rows[] = {
        {error::operation_aborted, true, none, errc::timeout},
        {error::bad_descriptor, true, none, errc::timeout},
        {error::operation_aborted, true, terminal, errc::timeout},
        {error::timed_out, false, none, errc::timeout},
        {error::operation_aborted, false, terminal, errc::interrupted},
        {error::eof, false, terminal, errc::interrupted},
        {error::operation_aborted, false, none, errc::interrupted},
        {error::eof, false, none, errc::connection_closed},
        {error::eof, false, cancellation_type::total, errc::connection_closed},
        {error::connection_reset, false, none, errc::connection_closed},
        {error::broken_pipe, false, none, errc::connection_closed},
        {error::connection_refused, false, none, errc::connection_refused},
        {error::network_unreachable, false, none, errc::network_unreachable},
        {error::host_unreachable, false, none, errc::network_unreachable},
    };
    for (const auto& row : rows)
        EXPECT_EQ(net::io_error(row.ec, row.deadline_passed, row.cancelled), make_error_code(row.expected))
            << row.ec.message();
}

TEST(Deadline, TheTotalHoldsHoweverOftenARequestBeginsAnew) {
    asio::io_context loop;
    int cuts = 0;
    net::deadline limit{loop.get_executor(), [&] { ++cuts; }};
    limit.start_total(30ms);
    for (int i = 0; i < 1000 && !limit.has_passed(); ++i) {
        limit.start_request(1h);
        loop.restart();
        loop.run_for(1ms);
    }
    EXPECT_TRUE(limit.has_passed());
    EXPECT_EQ(cuts, 1);
}

TEST(Deadline, ARestingOneNeverCuts) {
    asio::io_context loop;
    int cuts = 0;
    net::deadline limit{loop.get_executor(), [&] { ++cuts; }};
    limit.start_request(5ms);
    limit.rest();
    limit.start_request(1h);
    loop.run_for(30ms);
    EXPECT_EQ(cuts, 0);
    EXPECT_FALSE(limit.has_passed());
}
