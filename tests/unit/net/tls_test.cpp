#include "name_server.hpp"
#include "net_fixture.hpp"
#include "tls_server.hpp"
#include "world.hpp"

#include "estafette/base/text.hpp"
#include "estafette/net/connection.hpp"
#include "estafette/net/dns.hpp"
#include "estafette/net/tls.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <functional>
#include <optional>

using namespace estafette;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using testing_net::leaf;
using testing_net::trick;

namespace {

constexpr const char* host = "mx.example.test";

std::string pin_of(EVP_PKEY* key) {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key, &der);
    std::array<unsigned char, 32> digest{};
    unsigned digest_size = 0;
    EVP_Digest(der, static_cast<std::size_t>(size), digest.data(), &digest_size, EVP_sha256(), nullptr);
    OPENSSL_free(der);
    return base64_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

mail::address address(const char* text) {
    return *mail::address::parse(text);
}

mail::message_ptr make_message(std::string body = "Subject: hi\r\n\r\nhello\r\n") {
    auto m = std::make_shared<mail::message>();
    m->from = address("from@example.test");
    m->to = {address("to@example.test")};
    m->facts.size = body.size();
    m->facts.longest_line = 20;
    m->body = std::make_shared<const std::string>(std::move(body));
    return m;
}

struct attempt {
    smtp::outcome opened;
    std::optional<smtp::outcome> sent;
    std::string tls;
    bool stale_after = false;
    std::string transcript;

    // What decided: a failed opening, else the mail's outcome.
    [[nodiscard]] const smtp::outcome& decided() const { return sent ? *sent : opened; }

    [[nodiscard]] bool is_accepted() const { return sent && sent->is_accepted(); }
};

asio::awaitable<attempt> open_and_send(net::connection& c, config::endpoint server) {
    attempt a;
    a.opened = co_await c.open(std::move(server));
    a.tls = c.tls();
    if (c.is_open()) {
        const net::transaction mail{make_message(), {0}, address("from@example.test"), {}};
        auto d = co_await c.deliver(mail, nullptr);
        a.sent = d.recipients.front().what;
        a.stale_after = c.is_stale();
        co_await c.quit();
    }
    a.transcript = c.transcript();
    co_return a;
}

struct Tls : testing::Test {
    testing_net::world& made = testing_net::world::get();
    asio::io_context loop;
    testing_net::name_server names{loop};
    testing_net::tls_server server{loop};
    net::resolver dns{loop.get_executor(), {.servers = names.address()}};
    testing_net::certificate_ptr certificate;
    config::route_options route;

    void SetUp() override {
        names.names[host] = {.a = {"127.0.0.1"}};
        names.names["deep.mx.example.test"] = {.a = {"127.0.0.1"}};
        names.names["other.example.test"] = {.a = {"127.0.0.1"}};
        route.mode = config::tls_mode::implicit;
        route.ca_file = made.ca_file;
        route.allow_private = true;
        for (const auto p : {smtp::phase::banner, smtp::phase::ehlo, smtp::phase::mail, smtp::phase::dot})
            route.timeouts.set(p, 5s);
        route.timeouts.set(smtp::phase::handshake, 5s);
        serve({.names = {"DNS:mx.example.test"}});
    }

    void serve(const leaf& spec) {
        certificate = made.trusted.issue(spec, made.key.get());
        server.use(*certificate, *made.key);
    }

    void serve_untrusted(const leaf& spec, bool self_signed) {
        certificate = self_signed ? testing_net::sign(spec, made.key.get(), nullptr, nullptr)
                                  : made.unknown.issue(spec, made.key.get());
        server.use(*certificate, *made.key);
    }

    attempt send(net::tls_context& context, const char* to = host) {
        std::optional<net::connection> c;
        c.emplace(loop.get_executor(), route, context, dns, "client.example.test", "");
        auto result = testing_net::run(loop, open_and_send(*c, {.host = to, .port = server.port()}));
        c.reset();
        loop.restart();
        loop.run_for(20ms);  // the server reads to the end
        return result;
    }

    attempt send(const char* to = host) {
        net::tls_context context{route};
        return send(context, to);
    }

    // The certificate's fault under both ways of beginning TLS, and under the policy that does not mind.
    void expect_fault(errc why, const char* to = host) {
        for (const auto mode : {config::tls_mode::implicit, config::tls_mode::starttls}) {
            route.mode = mode;
            server.is_implicit = mode == config::tls_mode::implicit;
            route.policy = config::tls_policy::required_verified;
            const auto refused = send(to);
            EXPECT_EQ(refused.opened.error, make_error_code(why)) << refused.transcript;
            EXPECT_EQ(refused.opened.at, smtp::phase::handshake);
            EXPECT_FALSE(refused.sent);
            EXPECT_TRUE(server.has_only_records());
            EXPECT_EQ(server.mails, 0);
            route.policy = config::tls_policy::required_unverified;
            const auto taken = send(to);
            EXPECT_TRUE(taken.is_accepted()) << taken.transcript;
            EXPECT_NE(taken.tls.find("unverified: " + make_error_code(why).message()), std::string::npos)
                << taken.tls;
            EXPECT_EQ(std::exchange(server.mails, 0), 1);
        }
    }

    void expect_accepted(const char* to = host) {
        for (const auto mode : {config::tls_mode::implicit, config::tls_mode::starttls}) {
            route.mode = mode;
            server.is_implicit = mode == config::tls_mode::implicit;
            const auto a = send(to);
            EXPECT_TRUE(a.is_accepted()) << a.transcript;
            EXPECT_NE(a.tls.find(", verified"), std::string::npos) << a.tls;
            EXPECT_TRUE(server.has_only_records());
        }
    }
};

}  // namespace

TEST_F(Tls, AGoodCertificateIsVerified) {
    expect_accepted();
}

TEST_F(Tls, AnExpiredCertificateIsRefused) {
    serve({.names = {"DNS:mx.example.test"}, .valid_from_days = -50, .valid_to_days = -1});
    expect_fault(errc::tls_expired);
}

TEST_F(Tls, ACertificateFromTheFutureIsRefused) {
    serve({.names = {"DNS:mx.example.test"}, .valid_from_days = 2});
    expect_fault(errc::tls_not_yet_valid);
}

TEST_F(Tls, ACertificateForAnotherNameIsRefused) {
    serve({.names = {"DNS:mx.elsewhere.test"}});
    expect_fault(errc::tls_name_mismatch);
}

TEST_F(Tls, ANameInTheSubjectOnlyDoesNotCount) {
    serve({.common_name = host});
    expect_fault(errc::tls_name_mismatch);
}

TEST_F(Tls, APartialWildcardDoesNotCount) {
    serve({.names = {"DNS:m*.example.test"}});
    expect_fault(errc::tls_name_mismatch);
}

TEST_F(Tls, AWildcardStandsForOneLabel) {
    serve({.names = {"DNS:*.example.test"}});
    expect_accepted();
    server.mails = 0;
    expect_fault(errc::tls_name_mismatch, "deep.mx.example.test");
}

TEST_F(Tls, AnAddressNeedsItsOwnEntry) {
    serve({.names = {"IP:127.0.0.1"}});
    expect_accepted("127.0.0.1");
    server.mails = 0;
    serve({.names = {"DNS:127.0.0.1", "IP:127.0.0.2"}});
    expect_fault(errc::tls_name_mismatch, "127.0.0.1");
}

TEST_F(Tls, ASelfSignedCertificateIsRefused) {
    serve_untrusted({.names = {"DNS:mx.example.test"}}, true);
    expect_fault(errc::tls_self_signed);
}

TEST_F(Tls, AnUnknownAuthorityIsRefused) {
    serve_untrusted({.names = {"DNS:mx.example.test"}}, false);
    expect_fault(errc::tls_untrusted);
}

TEST_F(Tls, AWrongKeyIsRefusedUnderEveryPolicy) {
    route.pin_sha256 = pin_of(made.other_key.get());
    for (const auto policy :
         {config::tls_policy::required_verified, config::tls_policy::required_unverified}) {
        route.policy = policy;
        const auto a = send();
        EXPECT_EQ(a.opened.error, make_error_code(errc::tls_pin_mismatch)) << a.transcript;
        EXPECT_EQ(a.opened.at, smtp::phase::handshake);
        EXPECT_TRUE(server.has_only_records());
        EXPECT_EQ(server.mails, 0);
    }
}

TEST_F(Tls, TheRightKeyHoldsBesidesThePolicy) {
    route.pin_sha256 = pin_of(made.key.get());
    expect_accepted();
    serve_untrusted({.names = {"DNS:elsewhere.test"}, .valid_to_days = 0}, true);
    const auto strict = send();
    EXPECT_EQ(strict.opened.error, make_error_code(errc::tls_self_signed)) << strict.transcript;
    route.policy = config::tls_policy::required_unverified;
    expect_accepted();
}

TEST_F(Tls, RevocationIsNotLookedUp) {
    serve({.names = {"DNS:mx.example.test"}, .crl = "URI:http://127.0.0.1:1/revoked.crl"});
    expect_accepted();
}

TEST_F(Tls, AnOldProtocolIsRefused) {
    auto* ctx = server.context.native_handle();
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(ctx, TLS1_VERSION);
    const auto a = send();
    EXPECT_EQ(a.opened.error, make_error_code(errc::tls_handshake));
    EXPECT_EQ(a.opened.at, smtp::phase::handshake);
    EXPECT_TRUE(server.has_only_records());
}

TEST_F(Tls, BothAllowedProtocolsWorkAlone) {
    auto* ctx = server.context.native_handle();
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    EXPECT_TRUE(send().tls.starts_with("TLSv1.3 "));
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    const auto a = send();
    EXPECT_TRUE(a.tls.starts_with("TLSv1.2 ")) << a.tls;
    EXPECT_TRUE(a.is_accepted());
}

TEST_F(Tls, AClientCertificateIsShownWhereItIsAskedFor) {
    auto* ctx = server.context.native_handle();
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_session_id_context(ctx, reinterpret_cast<const unsigned char*>("t"), 1);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), made.trusted.certificate());
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        SSL_CTX_set_max_proto_version(ctx, version);
        route.client_certificate = route.client_key = "";
        const auto without = send();
        EXPECT_EQ(without.opened.error, make_error_code(errc::tls_handshake)) << without.transcript;
        EXPECT_TRUE(server.has_only_records());
        route.client_certificate = made.certificate_file;
        route.client_key = made.key_file;
        server.client_certificates = 0;
        const auto with = send();
        EXPECT_TRUE(with.is_accepted()) << with.transcript;
        EXPECT_EQ(server.client_certificates, 1);
    }
}

TEST_F(Tls, AStalledHandshakeEndsAtItsLimit) {
    server.plays = trick::stall;
    route.timeouts.set(smtp::phase::handshake, 50ms);
    const auto a = send();
    EXPECT_EQ(a.opened.error, make_error_code(errc::timeout));
    EXPECT_EQ(a.opened.at, smtp::phase::handshake);
    EXPECT_TRUE(server.has_only_records());
}

TEST_F(Tls, AnAlertAmidTheMailEndsTheConnection) {
    server.plays = trick::garbage_in_data;
    const auto a = send();
    ASSERT_TRUE(a.sent);
    EXPECT_EQ(a.sent->error, make_error_code(errc::connection_closed)) << a.transcript;
    EXPECT_EQ(a.sent->at, smtp::phase::data);
    EXPECT_FALSE(a.sent->dot_sent);
    EXPECT_TRUE(server.has_only_records());
}

TEST_F(Tls, ARenegotiationIsRefused) {
    SSL_CTX_set_max_proto_version(server.context.native_handle(), TLS1_2_VERSION);
    server.plays = trick::renegotiate;
    const auto a = send();
    ASSERT_TRUE(a.sent);
    EXPECT_EQ(a.sent->error, make_error_code(errc::connection_closed)) << a.transcript;
    EXPECT_EQ(server.mails, 0);
    EXPECT_TRUE(server.has_only_records());
}

TEST_F(Tls, ACloseWithoutNotifyTakesNothingBack) {
    server.plays = trick::close_without_notify;
    const auto a = send();
    EXPECT_TRUE(a.is_accepted()) << a.transcript;
    EXPECT_EQ(server.mails, 1);
}

TEST_F(Tls, SessionsAreResumedWithinAContextAndNeverAcross) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        SSL_CTX_set_max_proto_version(server.context.native_handle(), version);
        server.resumed = 0;
        net::tls_context strict{route};
        EXPECT_TRUE(send(strict).is_accepted());
        EXPECT_EQ(strict.resumed(), 0u);
        const auto again = send(strict);
        EXPECT_TRUE(again.is_accepted());
        EXPECT_NE(again.tls.find("resumed"), std::string::npos) << again.tls;
        EXPECT_EQ(strict.resumed(), 1u);
        EXPECT_EQ(strict.handshakes(), 2u);
        EXPECT_EQ(server.resumed, 1);
        net::tls_context other{route};
        EXPECT_TRUE(send(other).is_accepted());
        EXPECT_EQ(other.resumed(), 0u);
        EXPECT_EQ(server.resumed, 1);
    }
}

TEST_F(Tls, AnUnverifiedSessionStaysUnverifiedWhenResumed) {
    serve_untrusted({.names = {"DNS:mx.example.test"}}, true);
    route.policy = config::tls_policy::required_unverified;
    net::tls_context context{route};
    send(context);
    const auto again = send(context);
    EXPECT_NE(again.tls.find("unverified"), std::string::npos) << again.tls;
    EXPECT_NE(again.tls.find("resumed"), std::string::npos) << again.tls;
}

namespace {

struct by_name {
    std::string wanted;
    SSL_CTX* then;
};

int choose(SSL* ssl, int* /*alert*/, void* argument) {
    const auto& choice = *static_cast<by_name*>(argument);
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name != nullptr && choice.wanted == name)
        SSL_set_SSL_CTX(ssl, choice.then);
    return SSL_TLSEXT_ERR_OK;
}

}  // namespace

TEST_F(Tls, TheServerIsToldTheNameItShallProve) {
    serve({.names = {"DNS:default.example.test"}});
    asio::ssl::context second{asio::ssl::context::tls_server};
    const auto right = made.trusted.issue({.names = {"DNS:mx.example.test"}}, made.key.get());
    SSL_CTX_use_certificate(second.native_handle(), right.get());
    SSL_CTX_use_PrivateKey(second.native_handle(), made.key.get());
    by_name choice{host, second.native_handle()};
    SSL_CTX_set_tlsext_servername_callback(server.context.native_handle(), &choose);
    SSL_CTX_set_tlsext_servername_arg(server.context.native_handle(), &choice);
    expect_accepted();
    route.tls_name = host;  // reached by another name, or a number: the route's name is proved
    expect_accepted("other.example.test");
    expect_accepted("127.0.0.1");
}

namespace {

// A handshake in memory; the server's side of it.
struct memory_handshake {
    std::unique_ptr<SSL, testing_net::openssl_release<SSL_free>> client, server;

    memory_handshake(net::tls_context& context, SSL_CTX* server_context)
        : client{context.new_client(host, "mx.example.test:465")}
        , server{SSL_new(server_context)} {
        BIO* ours = nullptr;
        BIO* theirs = nullptr;
        BIO_new_bio_pair(&ours, 0, &theirs, 0);
        SSL_set_bio(client.get(), ours, ours);
        SSL_set_bio(server.get(), theirs, theirs);
        SSL_set_connect_state(client.get());
        SSL_set_accept_state(server.get());
        for (int i = 0; i < 10; ++i) {
            SSL_do_handshake(client.get());
            SSL_do_handshake(server.get());
        }
    }
};

}  // namespace

TEST_F(Tls, BothSidesKnowTheSameChannelBinding) {
    net::tls_context context{route};
    auto* ctx = server.context.native_handle();
    {
        const memory_handshake done{context, ctx};
        const auto facts = context.inspect(done.client.get());
        EXPECT_FALSE(facts.problem);
        EXPECT_EQ(facts.binding.type, "tls-exporter");
        std::array<unsigned char, 32> theirs{};
        const std::string label = "EXPORTER-Channel-Binding";
        const auto* nothing = reinterpret_cast<const unsigned char*>("");
        SSL_export_keying_material(
            done.server.get(), theirs.data(), theirs.size(), label.data(), label.size(), nothing, 0, 1
        );
        EXPECT_EQ(facts.binding.data, std::string(theirs.begin(), theirs.end()));
    }
    SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    const memory_handshake done{context, ctx};
    const auto facts = context.inspect(done.client.get());
    EXPECT_EQ(facts.binding.type, "tls-server-end-point");
    std::array<unsigned char, 32> digest{};
    unsigned size = 0;
    X509_digest(certificate.get(), EVP_sha256(), digest.data(), &size);
    EXPECT_EQ(facts.binding.data, std::string(digest.begin(), digest.end()));
}

TEST(TlsContext, RefusesWhatItCannotTrustWithTheOptionsName) {
    const auto message_of = [](const config::route_options& route) -> std::string {
        try {
            const net::tls_context context{route};
        } catch (const std::runtime_error& e) {
            return e.what();
        }
        return {};
    };
    config::route_options route;
    EXPECT_EQ(message_of(route), "");
    route.ca_file = "/nowhere/ca.pem";
    EXPECT_TRUE(message_of(route).starts_with("tls.ca_file /nowhere/ca.pem: ")) << message_of(route);
    route.ca_file = "";
    route.pin_sha256 = "c2hvcnQ=";
    EXPECT_TRUE(message_of(route).starts_with("tls.pin_sha256")) << message_of(route);
    route.pin_sha256 = "";
    route.client_certificate = "/nowhere/client.pem";
    EXPECT_TRUE(message_of(route).starts_with("tls.client_certificate")) << message_of(route);
}
