#include "fixture.hpp"

#include <boost/asio/local/stream_protocol.hpp>

#include <sys/stat.h>

#include <filesystem>
#include <list>

namespace estafette::api {
namespace {

using ::testing::HasSubstr;

TEST_F(Api, answers_health_without_a_role) {
    config_.grants.clear();
    meters_.version = "1.2.3";
    start();
    EXPECT_EQ(get("/livez").status, 200u);
    EXPECT_EQ(
        get("/readyz").body,
        R"({"ready":true,"checks":{"store":"ok"}})"
        "\n"
    );
    EXPECT_EQ(
        get("/version").body,
        R"({"version":"1.2.3"})"
        "\n"
    );
    const auto metrics = get("/metrics");
    EXPECT_EQ(metrics.body, "estafette_up 1\n");
    EXPECT_THAT(metrics.headers.at("content-type"), HasSubstr("text/plain; version=0.0.4"));
    on_loop([&] { below_->is_ready = {false, {{"store", "failed"}}}; });
    EXPECT_EQ(get("/readyz").status, 503u);
    for (const auto* target : {"/v1/messages", "/v1/queue", "/v1/recipients", "/v1/messages/x", "/nowhere"})
        EXPECT_EQ(get(target).status == 405 ? 403u : get(target).status, 403u) << target;
    EXPECT_EQ(post("/v1/messages", mail_body()).code(), "forbidden");
}

TEST_F(Api, keeps_to_the_methods_of_a_resource) {
    start();
    struct row {
        std::string method, target;
        unsigned status;
        std::string allow;
    };
    const std::vector<row> cases{
        {"GET", "/v1/messages", 405, "POST, OPTIONS"},
        {"DELETE", "/v1/messages", 405, "POST, OPTIONS"},
        {"POST", "/livez", 405, "GET, HEAD, OPTIONS"},
        {"PUT", "/v1/queue", 405, "GET, HEAD, OPTIONS"},
        {"OPTIONS", "/v1/messages", 204, "POST, OPTIONS"},
        {"OPTIONS", "/v1/queue", 204, "GET, HEAD, OPTIONS"},
        {"POST", "/v1/rules/unmatched", 405, "GET, HEAD, OPTIONS"},
        {"BREW", "/v1/queue", 405, "GET, HEAD, OPTIONS"},
    };
    for (const auto& c : cases) {
        const auto a = call(request_bytes(c.method, c.target));
        EXPECT_EQ(a.status, c.status) << c.method << c.target;
        EXPECT_EQ(a.headers.at("allow"), c.allow);
    }
    client c{path()};
    c.send(request_bytes("HEAD", "/livez"));
    const auto head = c.receive(client::body_follows::no);
    EXPECT_EQ(head.status, 200u);
    EXPECT_EQ(head.headers.at("content-length"), "14");
    c.send(request_bytes("GET", "/livez"));
    EXPECT_EQ(c.receive().body, "{\"live\":true}\n") << "HEAD left a body behind";
}

TEST_F(Api, knows_no_resource_by_a_trick) {
    start();
    for (const auto* target :
         {"/",
          "//livez",
          "/livez/",
          "/v1",
          "/v1/",
          "/v1/messages/",
          "/v1/../livez",
          "/v1/./queue",
          "/v1/messages/..%2f..%2flivez",
          "/V1/queue",
          "/v1/messages/00000000-0000-7000-8000-000000000000/cancel/x",
          "/v1/messages/%00",
          "/v1/routes/relay/delete"})
        EXPECT_EQ(get(target).status, 404u) << target;
    for (const auto* target : {"/v1/queue%", "/v1/queue%zz", "/v1/queue?a=%f", "livez", "*"})
        EXPECT_EQ(get(target).status, 400u) << target;
    EXPECT_EQ(get("http://localhost/livez").status, 200u);
    EXPECT_EQ(get("/livez", "Range: bytes=0-99999999999999999999\r\n").status, 200u);
}

TEST_F(Api, serves_requests_that_come_together_in_their_order) {
    start();
    client c{path()};
    c.send(
        request_bytes("GET", "/livez") + request_bytes("GET", "/nowhere") +
        request_bytes("POST", "/v1/messages", mail_body(), "Content-Type: application/json\r\n") +
        request_bytes("GET", "/livez", {}, "Connection: close\r\n")
    );
    EXPECT_EQ(c.receive().status, 200u);
    EXPECT_EQ(c.receive().status, 404u);
    EXPECT_EQ(c.receive().status, 202u);
    const auto last = c.receive();
    EXPECT_EQ(last.status, 200u);
    EXPECT_EQ(last.headers.at("connection"), "close");
    EXPECT_TRUE(c.is_closed_by_server());
}

TEST_F(Api, takes_a_chunked_body) {
    start();
    const auto body = mail_body();
    std::string chunks;
    for (std::size_t i = 0; i < body.size(); i += 7) {
        const auto part = body.substr(i, 7);
        chunks += std::to_string(part.size()) + ";name=value\r\n" + part + "\r\n";
    }
    const auto a = call(
        "POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n" +
        chunks + "0\r\n\r\n"
    );
    EXPECT_EQ(a.status, 202u) << a.body;
}

TEST_F(Api, asks_for_the_body_only_if_it_will_take_it) {
    start();
    const auto body = mail_body();
    client c{path()};
    c.send(
        "POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
        "Content-Length: " +
        std::to_string(body.size()) + "\r\n\r\n"
    );
    EXPECT_EQ(c.receive().status, 100u);
    c.send(body);
    EXPECT_EQ(c.receive().status, 202u);

    client big{path()};
    big.send(
        "POST /v1/messages HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1073741824\r\n\r\n"
    );
    EXPECT_EQ(big.receive().code(), "too_large");
}

TEST_F(Api, refuses_a_body_above_the_limit_while_it_comes) {
    config_.limits.body = 1 << 20;
    start();
    const std::string head = "POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    {
        client c{path()};
        c.send(head + "Content-Length: " + std::to_string(8 << 20) + "\r\n\r\n");
        const std::string part(64 * 1024, 'x');
        for (int i = 0; i < 128; ++i)
            ASSERT_TRUE(c.send(part)) << "the answer would be lost to a caller who sends on";
        const auto a = c.receive();
        EXPECT_EQ(a.status, 413u);
        EXPECT_EQ(a.code(), "too_large");
        EXPECT_EQ(a.headers.at("connection"), "close");
        EXPECT_TRUE(c.is_closed_by_server());
    }
    client c{path()};
    c.send(head + "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 20 && c.send("10000\r\n" + std::string(0x10000, 'x') + "\r\n"); ++i) {
    }
    EXPECT_EQ(c.receive().status, 413u);
    EXPECT_EQ(get("/livez").status, 200u);
}

TEST_F(Api, refuses_requests_that_are_not_http) {
    start();
    const std::string post = "POST /v1/messages HTTP/1.1\r\nHost: x\r\n";
    std::string flood = "GET /livez HTTP/1.1\r\n";
    for (int i = 0; i < 5000; ++i)
        flood += "X-" + std::to_string(i) + ": aaaaaaaaaaaa\r\n";
    const std::vector<std::pair<std::string, unsigned>> cases{
        {post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400},
        {post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400},
        {post + "Content-Length: -1\r\n\r\n", 400},
        {post + "Content-Length: 99999999999999999999999\r\n\r\n", 400},
        {post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
        {"GET /livez HTTP/3.0\r\n\r\n", 400},
        {"GET  /livez HTTP/1.1\r\n\r\n", 400},
        {"GET /li\x01vez HTTP/1.1\r\n\r\n", 400},
        {"GET /livez HTTP/1.1\r\nbad header\r\n\r\n", 400},
        {"\x16\x03\x01\x02", 400},
        {flood + "\r\n", 431},
        {"GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\n\r\n", 431},
    };
    for (const auto& [bytes, status] : cases) {
        const auto a = call(bytes + "\r\n\r\n");
        EXPECT_EQ(a.status, status) << bytes.substr(0, 100);
        EXPECT_EQ(a.headers.at("content-type"), "application/problem+json");
    }
}

TEST_F(Api, bounds_what_a_chunk_extension_costs) {
    start();
    client c{path()};
    c.send("POST /v1/messages HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;");
    const std::string more(64 * 1024, 'e');
    for (int i = 0; i < 64 && c.send(more); ++i) {
    }
    EXPECT_EQ(c.receive().status, 413u);
}

TEST_F(Api, cuts_a_request_that_does_not_come_to_its_end) {
    config_.limits.request_timeout = milliseconds{100};
    start();
    for (const auto* begin :
         {"GET /livez HT", "POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"from\""}) {
        client c{path()};
        c.send(begin);
        EXPECT_TRUE(c.is_closed_by_server());
    }
}

TEST_F(Api, holds_no_more_than_256_mib_of_bodies) {
    start();
    std::list<client> senders;
    const std::string begin =
        "POST /v1/messages HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 20000000\r\n\r\n";
    std::vector<unsigned> statuses;
    for (int i = 0; i < 14; ++i) {
        senders.emplace_back(path());
        senders.back().send(begin);
        statuses.push_back(senders.back().receive().status);
    }
    std::vector<unsigned> expected(13, 100);
    expected.push_back(503);
    EXPECT_EQ(statuses, expected);
    EXPECT_EQ(post("/v1/messages", mail_body()).status, 202u) << "small ones still fit";
    senders.clear();
    for (unsigned status = 503; status == 503;) {  // until the server has seen them go
        client again{path()};
        again.send(begin);
        status = again.receive().status;
        EXPECT_TRUE(status == 503 || status == 100);
    }
}

TEST_F(Api, turns_away_what_is_above_the_limit_of_connections) {
    config_.limits.connections = 2;
    start();
    client first{path()};
    client second{path()};
    first.send(request_bytes("GET", "/livez"));
    second.send(request_bytes("GET", "/livez"));
    EXPECT_EQ(first.receive().status, 200u);
    EXPECT_EQ(second.receive().status, 200u);
    client third{path()};
    const auto a = third.receive();
    EXPECT_EQ(a.status, 503u);
    EXPECT_EQ(a.headers.at("retry-after"), "1");
}

TEST_F(Api, survives_hundreds_of_connections_that_say_nothing) {
    start();
    std::list<client> idle;
    for (int i = 0; i < 400; ++i)
        idle.emplace_back(path());
    EXPECT_EQ(get("/livez").status, 200u);
    idle.clear();
    EXPECT_EQ(get("/livez").status, 200u);
}

TEST_F(Api, ends_idle_connections_when_it_closes_and_finishes_the_others) {
    start();
    client idle{path()};
    idle.send(request_bytes("GET", "/livez"));
    EXPECT_EQ(idle.receive().status, 200u);
    client busy{path()};
    busy.send(
        "POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
        "Content-Length: " +
        std::to_string(mail_body().size()) + "\r\n\r\n"
    );
    EXPECT_EQ(busy.receive().status, 100u);
    on_loop([&] { server_->close(); });
    EXPECT_TRUE(idle.is_closed_by_server());
    busy.send(mail_body());
    const auto a = busy.receive();
    EXPECT_EQ(a.status, 202u);
    EXPECT_EQ(a.headers.at("connection"), "close");
    EXPECT_FALSE(client{path()}.is_connected());
    EXPECT_FALSE(std::filesystem::exists(path())) << "the socket's file goes with the daemon";
}

TEST_F(Api, makes_its_socket_with_the_mode_that_is_asked) {
    config_.listeners[0].mode = 0620;
    start();
    struct stat found{};
    ASSERT_EQ(::stat(path().c_str(), &found), 0);
    EXPECT_TRUE(S_ISSOCK(found.st_mode));
    EXPECT_EQ(found.st_mode & 07777u, 0620u);
}

TEST_F(Api, replaces_a_dead_socket_and_respects_a_living_one) {
    const auto bind_one = [&] {
        asio::io_context other;
        asio::local::stream_protocol::acceptor a{other, asio::local::stream_protocol::endpoint{path()}};
        return std::filesystem::exists(path());
    };
    ASSERT_TRUE(bind_one());
    start();
    EXPECT_EQ(get("/livez").status, 200u);
    on_loop([&] {
        const auto second = server_->listen({});
        ASSERT_TRUE(second.has_error());
        EXPECT_EQ(second.error(), path() + ": another daemon answers on this socket");
    });
}

TEST_F(Api, says_why_a_socket_cannot_be_had) {
    struct row {
        config::listener listener;
        std::string says;
    };
    std::filesystem::create_directory(folder_ + "/taken");
    const std::vector<row> cases{
        {{folder_ + "/none/api.sock", 0600, "", "api"}, "cannot be made"},
        {{folder_ + "/taken", 0600, "", "api"}, "is there already and is not a socket"},
        {{folder_ + "/" + std::string(120, 'x'), 0600, "", "api"}, "1 to 107 bytes"},
        {{folder_ + "/g.sock", 0600, "no-such-group-here", "api"}, "there is no group no-such-group-here"},
    };
    for (const auto& c : cases) {
        config_.listeners = {c.listener};
        configure();
        on_loop([&] {
            const auto opened = server_->listen({});
            ASSERT_TRUE(opened.has_error());
            EXPECT_THAT(opened.error(), HasSubstr(c.listener.unix_path));
            EXPECT_THAT(opened.error(), HasSubstr(c.says));
        });
    }
    on_loop([&] {
        const auto opened = server_->listen({{.fd = ::dup(0), .name = "api"}});
        ASSERT_TRUE(opened.has_error());
        EXPECT_EQ(opened.error(), "inherited socket api: is not a listening Unix socket");
    });
}

TEST_F(Api, serves_an_inherited_socket_instead_of_its_own) {
    const auto inherited = folder_ + "/inherited.sock";
    asio::io_context other;
    asio::local::stream_protocol::acceptor a{other, asio::local::stream_protocol::endpoint{inherited}};
    configure();
    const int fd = a.release();
    on_loop([&] {
        const auto opened = server_->listen({{.fd = fd, .name = "api"}});
        ASSERT_FALSE(opened.has_error()) << opened.error();
    });
    EXPECT_FALSE(std::filesystem::exists(path()));
    client c{inherited};
    c.send(request_bytes("GET", "/livez"));
    EXPECT_EQ(c.receive().status, 200u);
    on_loop([&] { server_->close(); });
    EXPECT_TRUE(std::filesystem::exists(inherited)) << "its file belongs to who made it";
}

}  // namespace
}  // namespace estafette::api
