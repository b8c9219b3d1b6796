// Each mechanism as a route's options choose it, on a real TLS connection to a server that checks every byte.
#include "net_fixture.hpp"
#include "scram_server.hpp"
#include "tls_server.hpp"
#include "world.hpp"

#include "estafette/net/connection.hpp"
#include "estafette/net/dns.hpp"
#include "estafette/net/tls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

using namespace estafette;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using testing::ElementsAre;
using testing_net::decoded;

namespace {

constexpr const char* everything =
    "AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN EXTERNAL XOAUTH2 OAUTHBEARER";

struct attempt {
    smtp::outcome opened;
    std::optional<smtp::outcome> sent;
    std::string transcript;
};

asio::awaitable<attempt> open_and_send(net::connection& c, config::endpoint to, mail::message_ptr m) {
    attempt a;
    a.opened = co_await c.open(std::move(to));
    if (c.is_open()) {
        const net::transaction mail{m, {0}, m->from, {}};
        auto d = co_await c.deliver(mail, nullptr);
        a.sent = d.recipients.front().what;
        co_await c.quit();
    }
    a.transcript = c.transcript();
    co_return a;
}

struct Login : testing::Test {
    testing_net::world& made = testing_net::world::get();
    asio::io_context loop;
    testing_net::tls_server server{loop};
    net::resolver dns{loop.get_executor()};
    testing_net::certificate_ptr certificate;
    testing_net::scram_server scram;
    config::route_options route;
    std::string secret = "correct horse";
    bool needs_tls_all_the_way = false;

    void SetUp() override {
        certificate = made.trusted.issue({.names = {"IP:127.0.0.1"}}, made.key.get());
        server.use(*certificate, *made.key);
        server.offers = {everything};
        scram.username = "vendor";
        scram.password = secret;
        server.login = [this](SSL* tls, const std::string& line) { return scram(tls, line); };
        route.mode = config::tls_mode::implicit;
        route.ca_file = made.ca_file;
        route.allow_private = true;
        route.username = "vendor";
    }

    void accept_up_to(int version) { SSL_CTX_set_max_proto_version(server.context.native_handle(), version); }

    attempt send() {
        auto m = std::make_shared<mail::message>();
        m->from = *mail::address::parse("from@example.test");
        m->to = {*mail::address::parse("to@example.test")};
        m->body = std::make_shared<const std::string>("Subject: hi\r\n\r\nhello\r\n");
        m->facts.size = m->body->size();
        m->require_tls = needs_tls_all_the_way;
        server.heard.clear();
        net::tls_context context{route};
        std::optional<net::connection> c;
        c.emplace(loop.get_executor(), route, context, dns, "client.example.test", secret);
        auto a = testing_net::run(
            loop, open_and_send(*c, {.host = "127.0.0.1", .port = server.port()}, std::move(m))
        );
        c.reset();
        loop.restart();
        loop.run_for(20ms);  // the server reads to the end
        return a;
    }

    void expect_accepted() {
        const auto a = send();
        EXPECT_TRUE(a.sent && a.sent->is_accepted()) << a.transcript;
        EXPECT_EQ(a.transcript.find(secret), std::string::npos);
    }

    void expect_refused(errc why) {
        const auto a = send();
        EXPECT_EQ(a.opened.at, smtp::phase::auth) << a.transcript;
        EXPECT_EQ(a.opened.error, make_error_code(why)) << a.transcript;
        EXPECT_FALSE(a.sent);
        EXPECT_EQ(server.mails, 0);
    }

    // The first words of what was heard: "AUTH PLAIN".
    [[nodiscard]] std::vector<std::string> logins() const {
        std::vector<std::string> found;
        for (const auto& line : server.heard)
            if (line.starts_with("AUTH "))
                found.push_back(line.substr(0, line.find(' ', 5)));
        return found;
    }
};

TEST_F(Login, TheStrongestIsTakenAndBoundToTheConnectionInBothVersionsOfTls) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        accept_up_to(version);
        expect_accepted();
        EXPECT_THAT(logins(), ElementsAre("AUTH SCRAM-SHA-256-PLUS"));
    }
}

TEST_F(Login, SomebodyInBetweenIsNotLoggedInForUsAndNothingWeakerIsTried) {
    scram.is_another_connection = true;
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        accept_up_to(version);
        const auto a = send();
        ASSERT_TRUE(a.opened.answer) << a.transcript;
        EXPECT_EQ(a.opened.answer->code, 535);
        EXPECT_THAT(logins(), ElementsAre("AUTH SCRAM-SHA-256-PLUS"));
        EXPECT_EQ(server.mails, 0);
    }
}

TEST_F(Login, WhoHidesTheBoundMechanismIsFoundOutByTheOther) {
    // The client says that it could have bound the connection ("y"): a server that offers -PLUS refuses then.
    server.offers = {"AUTH SCRAM-SHA-256"};
    server.login = [this](SSL* tls, const std::string& line) {
        const bool is_first = line.starts_with("AUTH");
        const auto said = is_first ? decoded(line.substr(line.rfind(' ') + 1)) : std::string{};
        return said.starts_with("y,,") ? std::string{"535 5.7.8 the offer was tampered with"}
                                       : scram(tls, line);
    };
    const auto a = send();
    ASSERT_TRUE(a.opened.answer) << a.transcript;
    EXPECT_EQ(a.opened.answer->code, 535);
}

TEST_F(Login, WithoutBindingTheProofIsTheSame) {
    route.mechanisms = {"SCRAM-SHA-256"};
    expect_accepted();
    EXPECT_THAT(logins(), ElementsAre("AUTH SCRAM-SHA-256"));
}

TEST_F(Login, AServerThatDoesNotKnowThePasswordIsNoServerOfOurs) {
    scram.knows_the_password = false;
    expect_refused(errc::auth_server_unproven);
}

TEST_F(Login, AServerThatAsksForTooMuchWorkIsRefusedBeforeAnyIsDone) {
    scram.iterations = "100000";
    expect_accepted();
    server.mails = 0;
    scram.iterations = "100001";
    expect_refused(errc::auth_challenge_invalid);
    EXPECT_EQ(std::ranges::count(server.heard, "*"), 1);
}

TEST_F(Login, AWrongPasswordEndsItWhateverElseIsOffered) {
    secret = "wrong";
    const auto a = send();
    ASSERT_TRUE(a.opened.answer) << a.transcript;
    EXPECT_EQ(a.opened.answer->code, 535);
    EXPECT_EQ(logins().size(), 1u);
}

struct framing {
    std::string mechanism, username;
    std::vector<std::string> responses;  // decoded, the initial one first
};

TEST_F(Login, TokensPasswordsAndCertificatesGoAsTheirMechanismsFrameThem) {
    secret = "the-token";
    for (const auto& [mechanism, username, responses] : std::vector<framing>{
             {"PLAIN", "vendor", {std::string{"\0vendor\0the-token", 17}}},
             {"LOGIN", "vendor", {"vendor", "the-token"}},
             {"XOAUTH2",
              "a@b.example",
              {"user=a@b.example\x01"
               "auth=Bearer the-token\x01\x01"}},
             {"OAUTHBEARER",
              "a@b.example",
              {"n,a=a@b.example,\x01"
               "auth=Bearer the-token\x01\x01"}},
         }) {
        std::vector<std::string> got;
        server.login = [&](SSL* /*tls*/, const std::string& line) {
            if (line == "AUTH LOGIN")
                return std::string{"334 VXNlcm5hbWU6"};
            got.push_back(decoded(line.substr(line.rfind(' ') + 1)));
            return std::string{got.size() == responses.size() ? "235 ok" : "334 UGFzc3dvcmQ6"};
        };
        route.mechanisms = {mechanism};
        route.username = username;
        expect_accepted();
        EXPECT_THAT(logins(), ElementsAre("AUTH " + mechanism));
        EXPECT_EQ(got, responses) << mechanism;
    }
}

TEST_F(Login, ACertificateIsEnoughWhereTheServerKnowsIt) {
    auto* ctx = server.context.native_handle();
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_session_id_context(ctx, reinterpret_cast<const unsigned char*>("t"), 1);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), made.trusted.certificate());
    server.login = [](SSL* tls, const std::string& line) {
        const bool is_known =
            SSL_get0_peer_certificate(tls) != nullptr && SSL_get_verify_result(tls) == X509_V_OK;
        const bool is_meant = line == "AUTH EXTERNAL =" || line == "AUTH EXTERNAL " + base64_encode("vendor");
        return std::string{is_known && is_meant ? "235 ok" : "535 5.7.8 who are you"};
    };
    route.mechanisms = {"EXTERNAL"};
    secret = "unused";
    const auto without = send();
    ASSERT_TRUE(without.opened.answer) << without.transcript;
    EXPECT_EQ(without.opened.answer->code, 535);
    route.client_certificate = made.certificate_file;
    route.client_key = made.key_file;
    for (const char* name : {"", "vendor"}) {
        route.username = name;
        expect_accepted();
    }
}

TEST_F(Login, MailThatNeedsTlsAllTheWaySaysSoToAServerThatPromisesIt) {
    needs_tls_all_the_way = true;
    server.offers.push_back("REQUIRETLS");
    expect_accepted();
    EXPECT_EQ(std::ranges::count(server.heard, "MAIL FROM:<from@example.test> REQUIRETLS"), 1);
}

TEST_F(Login, MailThatNeedsTlsAllTheWayIsNotGivenToAnyOther) {
    needs_tls_all_the_way = true;
    const auto expect_kept = [&] {
        const auto a = send();
        ASSERT_TRUE(a.sent) << a.transcript;
        EXPECT_EQ(a.sent->error, make_error_code(errc::requiretls_missing)) << a.transcript;
        EXPECT_TRUE(std::ranges::none_of(server.heard, [](const auto& l) { return l.starts_with("MAIL"); }));
    };
    expect_kept();  // it does not promise it
    server.offers.push_back("REQUIRETLS");
    certificate = testing_net::sign({.names = {"IP:127.0.0.1"}}, made.key.get(), nullptr, nullptr);
    server.use(*certificate, *made.key);
    route.policy = config::tls_policy::required_unverified;
    expect_kept();  // it does, and may be anybody
}

}  // namespace
