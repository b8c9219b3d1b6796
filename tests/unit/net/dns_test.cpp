#include "name_server.hpp"
#include "net_fixture.hpp"

#include "estafette/net/dns.hpp"

#include <gtest/gtest.h>

#include <optional>

using namespace estafette;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using testing_net::how;
using testing_net::name_server;
using testing_net::record_set;

namespace {

std::string text_of(const result<net::resolver::addresses>& r) {
    if (!r)
        return r.error().message();
    std::string text;
    for (const auto& a : *r)
        text += (text.empty() ? "" : " ") + a.to_string();
    return text;
}

struct Resolver : testing::Test {
    asio::io_context loop;
    name_server server{loop};
    std::optional<net::resolver> dns;

    void SetUp() override { start({.servers = server.address()}); }

    // For names that nobody answers: c-ares gives up soon.
    void start_impatient() { start({.servers = server.address(), .first_try = 50ms, .tries = 2}); }

    void start(net::resolver_options options) { dns.emplace(loop.get_executor(), options); }

    result<net::resolver::addresses> resolve(const std::string& host, milliseconds limit = 10s) {
        return testing_net::run(loop, dns->resolve(host, limit));
    }

    error_code error_of(const std::string& host, milliseconds limit = 10s) {
        const auto r = resolve(host, limit);
        return r ? error_code{} : r.error();
    }
};

}  // namespace

TEST_F(Resolver, GivesBothFamilies) {
    server.names["mx.example"] = {.a = {"192.0.2.1", "192.0.2.2"}, .aaaa = {"2001:db8::1"}};
    const auto r = resolve("mx.example");
    ASSERT_TRUE(r);
    EXPECT_EQ(r->size(), 3u);
}

TEST_F(Resolver, AServerWithOneFamilyIsEnough) {
    server.names["four.example"] = {.a = {"192.0.2.1"}};
    server.names["six.example"] = {.aaaa = {"2001:db8::1"}};
    EXPECT_EQ(text_of(resolve("four.example")), "192.0.2.1");
    EXPECT_EQ(text_of(resolve("six.example")), "2001:db8::1");
}

TEST_F(Resolver, TellsAMissingNameFromANameWithoutAddress) {
    server.names["bare.example"] = {};
    EXPECT_EQ(error_of("gone.example"), make_error_code(errc::dns_no_such_name));
    EXPECT_EQ(error_of("bare.example"), make_error_code(errc::dns_no_address));
}

TEST_F(Resolver, AFailingServerIsAFailureAndIsAskedAgain) {
    server.names["ill.example"] = {.kind = how::server_failure};
    EXPECT_EQ(error_of("ill.example"), make_error_code(errc::dns_failure));
    server.names["ill.example"] = {.a = {"192.0.2.1"}};
    EXPECT_EQ(text_of(resolve("ill.example")), "192.0.2.1");
}

TEST_F(Resolver, EveryLookUpEndsWithinItsLimit) {
    start_impatient();
    server.names["silent.example"] = {.kind = how::silent};
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(error_of("silent.example", 10ms), make_error_code(errc::timeout));
    EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
    EXPECT_EQ(error_of("silent.example"), make_error_code(errc::timeout));  // c-ares' own end
}

TEST_F(Resolver, ASlowNameDelaysNoOther) {
    start_impatient();
    server.names["silent.example"] = {.kind = how::silent};
    server.names["quick.example"] = {.a = {"192.0.2.1"}};
    auto slow = testing_net::start(loop, dns->resolve("silent.example", 10s));
    EXPECT_EQ(text_of(resolve("quick.example")), "192.0.2.1");
    EXPECT_FALSE(slow->value);
    testing_net::finish(loop, *slow);
}

TEST_F(Resolver, OneQuestionServesAllWhoWait) {
    server.names["mx.example"] = {.a = {"192.0.2.1"}};
    auto first = testing_net::start(loop, dns->resolve("mx.example", 3s));
    auto second = testing_net::start(loop, dns->resolve("MX.example.", 3s));
    EXPECT_EQ(text_of(testing_net::finish(loop, *first)), "192.0.2.1");
    EXPECT_EQ(text_of(testing_net::finish(loop, *second)), "192.0.2.1");
    EXPECT_EQ(server.asked["mx.example"], 1);
}

TEST_F(Resolver, AnswersAreKeptUntilReload) {
    server.names["mx.example"] = {.a = {"192.0.2.1"}};
    resolve("mx.example");
    server.names["mx.example"] = {.a = {"192.0.2.9"}};
    EXPECT_EQ(text_of(resolve("mx.example")), "192.0.2.1");
    EXPECT_EQ(error_of("gone.example"), make_error_code(errc::dns_no_such_name));
    EXPECT_EQ(error_of("gone.example"), make_error_code(errc::dns_no_such_name));
    EXPECT_EQ(server.asked["gone.example"], 1);
    EXPECT_EQ(dns->cached_names(), 2u);
    dns->reload();
    EXPECT_EQ(text_of(resolve("mx.example")), "192.0.2.9");
}

TEST_F(Resolver, ATtlOfNothingIsRaisedToTheShortestAllowed) {
    net::resolver_options options;
    options.servers = server.address();
    options.shortest_ttl = 0ms;
    start(options);
    server.names["mx.example"] = {.a = {"192.0.2.1"}, .ttl = 0};
    resolve("mx.example");
    resolve("mx.example");
    EXPECT_EQ(server.asked["mx.example"], 2);
    options.shortest_ttl = 1h;
    start(options);
    resolve("mx.example");
    resolve("mx.example");
    EXPECT_EQ(server.asked["mx.example"], 3);
}

TEST_F(Resolver, AnswersAndNamesAreBounded) {
    net::resolver_options options;
    options.servers = server.address();
    options.names = 3;
    options.addresses = 4;
    start(options);
    record_set many;
    for (int i = 0; i < 25; ++i)
        many.a.push_back("192.0.2." + std::to_string(i));
    for (int i = 0; i < 6; ++i) {
        const auto name = "mx" + std::to_string(i) + ".example";
        server.names[name] = many;
        const auto r = resolve(name);
        ASSERT_TRUE(r);
        EXPECT_EQ(r->size(), 4u);
    }
    EXPECT_LE(dns->cached_names(), 3u);
}

TEST_F(Resolver, ACnameLoopAndATruncatedAnswerWithoutTcpAreErrors) {
    server.names["loop.example"] = {.kind = how::cname_loop};
    server.names["big.example"] = {.kind = how::truncated};
    EXPECT_TRUE(error_of("loop.example"));
    EXPECT_TRUE(error_of("big.example"));
}

TEST_F(Resolver, AServerThatIsNotThereIsAnError) {
    start_impatient();
    server.close();
    const auto why = error_of("mx.example");
    EXPECT_TRUE(why == errc::dns_failure || why == errc::timeout) << why.message();
}

TEST_F(Resolver, LiteralsAndLocalhostAskNobody) {
    server.close();
    EXPECT_EQ(text_of(resolve("192.0.2.7")), "192.0.2.7");
    EXPECT_EQ(text_of(resolve("[2001:db8::7]")), "2001:db8::7");
    const auto local = resolve("localhost");
    ASSERT_TRUE(local) << local.error().message();
    EXPECT_TRUE(local->front().is_loopback());
    EXPECT_TRUE(server.asked.empty());
}

TEST_F(Resolver, OddNumbersAndJunkAreNoNames) {
    const auto longest = std::string(254, 'a');
    for (const std::string host :
         {"", ".", "127.1", "0x7f.1", "2130706433", "a b", "a/b", "u@h", "a\nb", longest.c_str()})
        EXPECT_EQ(error_of(host), make_error_code(errc::dns_no_such_name)) << host;
    EXPECT_TRUE(server.asked.empty());
}

TEST_F(Resolver, WhoWaitsIsInterruptedWhenItGoesOrHeIsCancelled) {
    server.names["silent.example"] = {.kind = how::silent};
    auto waiting = testing_net::start(loop, dns->resolve("silent.example", 1h));
    loop.poll();
    waiting->cancel.emit(asio::cancellation_type::terminal);
    EXPECT_EQ(testing_net::finish(loop, *waiting).error(), make_error_code(errc::interrupted));
    waiting = testing_net::start(loop, dns->resolve("silent.example", 1h));
    loop.poll();
    dns.reset();
    EXPECT_EQ(testing_net::finish(loop, *waiting).error(), make_error_code(errc::interrupted));
}
