#include "client.hpp"
#include "failure.hpp"
#include "fake_daemon.hpp"
#include "submission.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace estafette::cli {
namespace {

using testing::HasSubstr;

constexpr milliseconds patience = std::chrono::minutes{5};  // never waited for

TEST(the_client, brings_an_answer_with_its_status_and_body) {
    fake_daemon daemon{503, R"({"title":"full"})", "7"};
    const auto got = client{daemon.socket(), patience}.call(
        {"POST", "/v1/x?a=b", "text/plain", "body", {{"Idempotency-Key", "k"}}}
    );
    ASSERT_TRUE(got) << got.error().message();
    EXPECT_EQ(got->status, 503u);
    EXPECT_EQ(got->body, R"({"title":"full"})");
    EXPECT_EQ(got->retry_after, seconds{7});
    const auto requests = daemon.requests();
    ASSERT_EQ(requests.size(), 1u);
    EXPECT_EQ(requests[0].method, "POST");
    EXPECT_EQ(requests[0].target, "/v1/x?a=b");
    EXPECT_EQ(requests[0].content_type, "text/plain");
    EXPECT_EQ(requests[0].body, "body");
    EXPECT_EQ(requests[0].key, "k");
}

TEST(the_client, carries_large_bodies_both_ways) {
    fake_daemon daemon{200, std::string(3u << 20, 'y')};
    const auto got =
        client{daemon.socket(), patience}.call({"POST", "/", "text/plain", std::string(2u << 20, 'x'), {}});
    ASSERT_TRUE(got) << got.error().message();
    EXPECT_EQ(got->body.size(), 3u << 20);
    EXPECT_EQ(daemon.requests().at(0).body.size(), 2u << 20);
}

TEST(the_client, gives_up_in_time_on_a_daemon_that_does_not_answer) {
    boost::asio::io_context loop;
    std::string pattern = (std::filesystem::temp_directory_path() / "estafette-cli-XXXXXX").string();
    const std::string folder = mkdtemp(pattern.data());
    const boost::asio::local::stream_protocol::endpoint where{folder + "/s"};
    boost::asio::local::stream_protocol::acceptor mute{loop, where};
    const auto got = client{folder + "/s", milliseconds{30}}.call({});
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error(), errc::timeout);
    std::filesystem::remove_all(folder);
}

TEST(the_client, refuses_a_path_that_no_socket_can_have) {
    for (const std::string& path : {std::string{}, std::string(108, 'x')}) {
        const auto got = client{path, patience}.call({});
        ASSERT_FALSE(got);
        EXPECT_EQ(failure_of(got.error(), path).code, exit_code::usage);
    }
}

TEST(a_failed_call, tells_who_must_act) {
    fake_daemon garbage{[](const seen_request&) {
        return fake_answer{200, "", "", fake_answer::way::garbage};
    }};
    fake_daemon closes{[](const seen_request&) { return fake_answer{200, "", "", fake_answer::way::close}; }};
    struct {
        std::string socket;
        exit_code code;
    } const cases[]{
        {"/nonexistent/api.sock", exit_code::temporary},
        {garbage.socket(), exit_code::protocol},
        {closes.socket(), exit_code::temporary},
    };
    for (const auto& [socket, code] : cases) {
        const auto got = client{socket, patience}.call({});
        ASSERT_FALSE(got) << socket;
        const failure what = failure_of(got.error(), socket);
        EXPECT_EQ(what.code, code) << what.text;
        EXPECT_THAT(what.text, HasSubstr(socket));
    }
    EXPECT_EQ(
        failure_of(make_error_code(boost::system::errc::permission_denied), "/s").code,
        exit_code::no_permission
    );
}

TEST(an_answer_that_refuses, has_the_exit_code_that_callers_understand) {
    struct {
        unsigned status;
        exit_code code;
    } const cases[]{
        {400, exit_code::data},
        {413, exit_code::data},
        {415, exit_code::data},
        {422, exit_code::data},
        {403, exit_code::no_permission},
        {401, exit_code::no_permission},
        {404, exit_code::no_such},
        {409, exit_code::unavailable},
        {405, exit_code::protocol},
        {429, exit_code::temporary},
        {503, exit_code::temporary},
        {500, exit_code::temporary},
        {302, exit_code::protocol},
    };
    for (const auto& [status, code] : cases) {
        EXPECT_EQ(failure_of(answer{status, "", "", {}}).code, code) << status;
    }
}

TEST(an_answer_that_refuses, is_said_in_its_own_words_on_one_line) {
    struct {
        std::string body;
        std::string words;
    } const cases[]{
        {R"({"title":"t","detail":"d","errors":[{"pointer":"/to/0","code":"c","detail":"bad"},{"pointer":"/x","detail":"worse"}]})",
         "/to/0: bad; /x: worse"},
        {R"({"title":"t","detail":"the detail"})", "the detail"},
        {R"({"title":"the title"})", "the title"},
        {R"({"detail":"a\u001b[31mb\nc"})", "a?[31mb c"},
        {"<html>", "the daemon answered 422"},
        {"[1]", "the daemon answered 422"},
        {R"({"errors":7})", "the daemon answered 422"},
    };
    for (const auto& [body, words] : cases) {
        EXPECT_EQ(failure_of(answer{422, "", body, {}}).text, words) << body;
    }
    EXPECT_THAT(failure_of(answer{429, "", "{}", seconds{3}}).text, HasSubstr("try again in 3 s"));
}

TEST(a_submission, is_asked_again_with_the_same_key_when_its_answer_was_lost) {
    std::atomic<int> calls = 0;
    fake_daemon daemon{[&](const seen_request&) {
        return ++calls < 3 ? fake_answer{0, "", "", fake_answer::way::close}
                           : fake_answer{202, R"({"id":"the-id"})", "", {}};
    }};
    const auto got =
        submit(client{daemon.socket(), patience}, request_of(raw_submission{"m", "a@x", {"b@y"}, {}}), {});
    ASSERT_TRUE(got) << got.error().text;
    const auto requests = daemon.requests();
    ASSERT_EQ(requests.size(), 3u);
    EXPECT_EQ(requests[0].key.size(), 36u);
    EXPECT_EQ(requests[0].key, requests[2].key);
}

TEST(a_submission, is_not_asked_again_when_it_was_refused) {
    fake_daemon daemon{409, R"({"code":"conflict"})"};
    const auto got = submit(
        client{daemon.socket(), patience}, request_of(raw_submission{"m", "a@x", {"b@y"}, {}}), "mine"
    );
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, exit_code::unavailable);
    ASSERT_EQ(daemon.requests().size(), 1u);
    EXPECT_EQ(daemon.requests()[0].key, "mine");
}

TEST(a_submission, gives_up_when_the_answer_stays_lost) {
    fake_daemon daemon{[](const seen_request&) { return fake_answer{0, "", "", fake_answer::way::close}; }};
    const auto got = submit(
        client{daemon.socket(), patience},
        request_of(raw_submission{"m", "a@x", {"b@y"}, {}}),
        {},
        milliseconds{0}
    );
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, exit_code::temporary);
}

TEST(a_raw_submission, goes_with_its_envelope_in_the_query) {
    const request got = request_of(raw_submission{"bytes", "a+b@x", {"c@y", "d&e@z"}, {{"tenant", "acme"}}});
    EXPECT_EQ(got.target, "/v1/messages?from=a%2Bb@x&to=c@y&to=d%26e@z&tenant=acme");
    EXPECT_EQ(got.content_type, "message/rfc822");
    EXPECT_EQ(got.body, "bytes");
}

TEST(a_raw_submission, goes_as_json_where_a_query_cannot_say_it) {
    raw_submission null_sender{"bytes", "", {"c@y"}, {}};
    EXPECT_EQ(request_of(null_sender).body, R"({"raw":"Ynl0ZXM=","envelope":{"from":"","to":["c@y"]}})");
    raw_submission many{"bytes", "a@x", {}, {}};
    for (int i = 0; i < 1000; ++i) {
        many.to.push_back("someone" + std::to_string(i) + "@example.org");
    }
    const request got = request_of(many);
    EXPECT_EQ(got.target, "/v1/messages");
    EXPECT_EQ(got.content_type, "application/json");
}

TEST(percent_encode, leaves_nothing_that_a_query_gives_a_meaning) {
    EXPECT_EQ(percent_encode("a-b_c.d~e@f:g"), "a-b_c.d~e@f:g");
    EXPECT_EQ(percent_encode("a b&c=d%\r\n\xc3\xa9/+?#"), "a%20b%26c%3Dd%25%0D%0A%C3%A9%2F%2B%3F%23");
}

}  // namespace
}  // namespace estafette::cli
