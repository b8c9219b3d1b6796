#include "fake_console.hpp"
#include "fake_daemon.hpp"
#include "local_names.hpp"
#include "sendmail.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace estafette::cli {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// A program called sendmail, a daemon that takes everything, and its configuration.
class sendmail_command : public testing::Test {
protected:
    sendmail_command() {
        const std::string file = daemon.folder() + "/estafette.yaml";
        std::ofstream{file} << "hostname: mail.dom.example\ndefault_domain: dom.example\n"
                               "aliases: {root: ops@vendor.example, Ops: ops@vendor.example}\n"
                               "listen: [{unix: "
                            << daemon.socket() << "}]\n";
        console.environment["ESTAFETTE_CONFIG"] = file;
    }

    int sendmail(std::vector<std::string> args, const std::string& input = "Subject: x\n\nhi\n") {
        args.insert(args.begin(), "/usr/sbin/sendmail");
        return console.run(std::move(args), input);
    }

    fake_daemon daemon{202, R"({"id":"the-id","recipients":[]})"};
    fake_console console;
};

TEST_F(sendmail_command, hands_a_message_to_the_daemon_and_says_nothing) {
    EXPECT_EQ(sendmail({"-i", "-f", "a@x.example", "b@y.example"}), 0) << console.err;
    EXPECT_EQ(console.out, "");
    EXPECT_EQ(console.err, "");
    const auto requests = daemon.requests();
    ASSERT_EQ(requests.size(), 1u);
    EXPECT_EQ(requests[0].target, "/v1/messages?from=a@x.example&to=b@y.example");
    EXPECT_EQ(requests[0].content_type, "message/rfc822");
    EXPECT_EQ(requests[0].body, "Subject: x\nFrom: Ann Smith <a@x.example>\n\nhi\n");
}

TEST_F(sendmail_command, serves_cron_which_writes_to_root) {
    EXPECT_EQ(
        sendmail(
            {"-i", "-FCronDaemon", "-B8BITMIME", "-oem", "root"},
            "From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@host> date\n\noutput\n"
        ),
        0
    ) << console.err;
    const auto requests = daemon.requests();
    ASSERT_EQ(requests.size(), 1u);
    EXPECT_EQ(requests[0].target, "/v1/messages?from=root@dom.example&to=ops@vendor.example");
    EXPECT_THAT(requests[0].body, StartsWith("From: root@dom.example (Cron Daemon)\nTo: root@dom.example\n"));
}

TEST_F(sendmail_command, takes_the_recipients_of_the_header_for_php) {
    EXPECT_EQ(sendmail({"-t", "-i"}, "To: Ann <ann@x.example>\r\nBcc: root, ben@y.example\r\n\r\nhi\r\n"), 0);
    EXPECT_THAT(
        daemon.requests().at(0).target, EndsWith("&to=ann@x.example&to=ops@vendor.example&to=ben@y.example")
    );
}

struct input_case {
    std::vector<std::string> args;
    std::string input;
    std::string body;
};

TEST_F(sendmail_command, ends_the_message_at_a_lone_dot_unless_told_not_to) {
    for (const auto& [args, input, body] : std::vector<input_case>{
             {{"b@y.example"}, "From: a@x\n\none\n.\ntwo\n", "From: a@x@\n\none\n"},
             {{"b@y.example"}, "From: a@x\n\n..\n", "From: a@x@\n\n..\n"},
             {{"b@y.example"}, "From: a@x\n\nno end", "From: a@x@\n\nno end"},
             {{"-i", "b@y.example"}, "From: a@x\n\none\n.\ntwo\n", "From: a@x@\n\none\n.\ntwo\n"},
             {{"-oi", "b@y.example"}, "From: a@x\n\n.\n", "From: a@x@\n\n.\n"},
         }) {
        EXPECT_EQ(sendmail(args, input), 0);
        std::string expected = body;
        expected.replace(expected.find("x@"), 2, "x");
        EXPECT_EQ(daemon.requests().back().body, expected);
    }
}

TEST_F(sendmail_command, passes_on_which_reports_are_wanted) {
    EXPECT_EQ(sendmail({"-N", "success,delay", "-R", "hdrs", "-V", "run 7", "-f", "a@x", "b@y.example"}), 0);
    const auto body = boost::json::parse(daemon.requests().at(0).body);
    EXPECT_EQ(
        body.at("dsn"),
        boost::json::parse(R"({"notify":"success,delay","return":"headers","envelope_id":"run 7"})")
    );
    EXPECT_THAT(console.logged, testing::IsEmpty());
}

TEST_F(sendmail_command, sends_from_the_null_sender_where_asked) {
    EXPECT_EQ(sendmail({"-f", "<>", "b@y.example"}), 0);
    EXPECT_THAT(daemon.requests().at(0).body, HasSubstr(R"("envelope":{"from":"","to":["b@y.example"]})"));
}

TEST_F(sendmail_command, sends_from_the_user_where_neither_f_nor_from_says_otherwise) {
    EXPECT_EQ(sendmail({"b@y.example"}), 0);
    EXPECT_THAT(daemon.requests().at(0).target, HasSubstr("?from=ann@dom.example&"));
    EXPECT_EQ(sendmail({"b@y.example"}, "From: App <app@x.example>\n\nhi\n"), 0);
    EXPECT_THAT(daemon.requests().at(1).target, HasSubstr("?from=app@x.example&"));
}

TEST_F(sendmail_command, quotes_a_name_that_needs_it) {
    EXPECT_EQ(sendmail({"-F", "Smith, \"Ann\"\r\nBcc: evil@x", "-f", "a@x.example", "b@y.example"}), 0);
    EXPECT_THAT(
        daemon.requests().at(0).body, HasSubstr("From: \"Smith, \\\"Ann\\\" Bcc: evil@x\" <a@x.example>\n")
    );
}

TEST_F(sendmail_command, knows_an_alias_in_any_case_and_sends_once) {
    EXPECT_EQ(sendmail({"ROOT", "ops", "ann"}), 0);
    EXPECT_THAT(daemon.requests().at(0).target, EndsWith("&to=ops@vendor.example&to=ann@dom.example"));
}

TEST_F(sendmail_command, reads_aliases_of_conf_d_though_the_rest_is_faulty_or_secret) {
    std::filesystem::create_directory(daemon.folder() + "/conf.d");
    std::ofstream{daemon.folder() + "/conf.d/10-aliases.yaml"} << "aliases: {www-data: web@vendor.example}\n";
    std::ofstream{daemon.folder() + "/conf.d/20-relay.yaml"}
        << "relay: {servers: [h:1], auth: {username: u, password_file: /nonexistent}}\nunknown: 1\n";
    EXPECT_EQ(sendmail({"www-data", "root"}), 0) << console.err;
    EXPECT_THAT(daemon.requests().at(0).target, EndsWith("&to=web@vendor.example&to=ops@vendor.example"));
}

TEST_F(sendmail_command, refuses_a_bare_name_that_nobody_stands_for) {
    std::ofstream{console.environment["ESTAFETTE_CONFIG"]} << "aliases: {root: ops@vendor.example}\n";
    console.environment["ESTAFETTE_SOCKET"] = daemon.socket();
    EXPECT_EQ(sendmail({"root"}), 0) << console.err;
    EXPECT_EQ(sendmail({"nobody"}), 67);
    EXPECT_EQ(console.err, "sendmail: nobody is no alias, and the configuration has no default_domain\n");
}

TEST_F(sendmail_command, says_with_v_what_it_did_and_ignored) {
    EXPECT_EQ(sendmail({"-v", "-X", "/tmp/trace", "-odi", "b@y.example"}), 0);
    EXPECT_EQ(console.out, "accepted as the-id\n");
    EXPECT_EQ(console.err, "sendmail: ignored -X/tmp/trace -odi\n");
    EXPECT_THAT(console.logged, ElementsAre("sendmail: ignored -X/tmp/trace -odi"));
}

struct refusal {
    std::vector<std::string> args;
    std::string input;
    int code;
};

TEST_F(sendmail_command, refuses_what_the_caller_did_wrong_before_it_asks_the_daemon) {
    for (const auto& [args, input, code] : std::vector<refusal>{
             {{}, "hi", 64},
             {{"-Z"}, "hi", 64},
             {{"-bd"}, "", 64},
             {{"-t"}, "Subject: x\n\nhi", 65},
             {{"b@y\r\nRCPT TO:<c@y>"}, "hi", 65},
             {{"two words"}, "hi", 65},
             {{"<a@x.example> b"}, "hi", 65},
             {{""}, "hi", 65},
             {{"--", "-X/tmp/trace"}, "hi", 65},
             {{"-f", "a@x, b@x", "c@y.example"}, "hi", 65},
         }) {
        EXPECT_EQ(sendmail(args, input), code) << testing::PrintToString(args);
        EXPECT_THAT(console.err, StartsWith("sendmail: "));
    }
    EXPECT_TRUE(daemon.requests().empty());
}

TEST_F(sendmail_command, answers_as_the_daemon_does) {
    struct {
        unsigned status;
        int code;
    } const cases[]{{422, 65}, {400, 65}, {413, 65}, {403, 77}, {404, 67}, {429, 75}, {503, 75}, {500, 75}};
    for (const auto& [status, code] : cases) {
        fake_daemon other{status, R"({"detail":"because"})"};
        console.environment["ESTAFETTE_SOCKET"] = other.socket();
        EXPECT_EQ(sendmail({"b@y.example"}), code) << status;
        EXPECT_EQ(console.err, "sendmail: because\n");
    }
}

TEST_F(sendmail_command, asks_its_caller_to_come_back_when_the_daemon_is_away) {
    console.environment["ESTAFETTE_SOCKET"] = "/nonexistent/api.sock";
    EXPECT_EQ(sendmail({"b@y.example"}), 75);
    EXPECT_THAT(console.err, HasSubstr("is it running?"));
    EXPECT_THAT(console.logged, ElementsAre(HasSubstr("not accepted")));
}

TEST_F(sendmail_command, works_without_a_configuration) {
    console.environment["ESTAFETTE_CONFIG"] = "/nonexistent/estafette.yaml";
    console.environment["ESTAFETTE_SOCKET"] = daemon.socket();
    EXPECT_EQ(sendmail({"-v", "root"}), 0);
    EXPECT_THAT(daemon.requests().at(0).target, HasSubstr("&to=root@"));
    EXPECT_THAT(console.err, HasSubstr("/nonexistent/estafette.yaml cannot be read"));
}

TEST_F(sendmail_command, speaks_smtp_with_bs) {
    EXPECT_EQ(
        sendmail(
            {"-bs"},
            "EHLO me\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<root>\r\nDATA\r\nFrom: "
            "a@x.example\r\n\r\n..hi\r\n.\r\nQUIT\r\n"
        ),
        0
    );
    EXPECT_THAT(console.out, StartsWith("220 dom.example ESMTP"));
    EXPECT_THAT(console.out, HasSubstr("250 2.0.0 Ok: queued as the-id\r\n221 "));
    EXPECT_EQ(daemon.requests().at(0).target, "/v1/messages?from=a@x.example&to=ops@vendor.example");
    EXPECT_EQ(daemon.requests().at(0).body, "From: a@x.example\r\n\r\n.hi\r\n");
}

TEST_F(sendmail_command, lists_the_queue_as_mailq) {
    fake_daemon queue{[](const seen_request& request) {
        const bool is_deferred = request.target.find("state=deferred") != std::string::npos;
        return fake_answer{
            200,
            is_deferred
                ? R"({"recipients":[{"id":"m.0","message":"m","state":"deferred","address":"b@y","headline":"Come back later","accepted_at":"2026-05-01T08:00:00.000Z"}],"next":null})"
                : R"({"recipients":[],"next":null})",
            "",
            {}
        };
    }};
    console.environment["ESTAFETTE_SOCKET"] = queue.socket();
    EXPECT_EQ(console.run({"mailq"}), 0);
    EXPECT_THAT(console.out, HasSubstr("deferred  b@y        Come back later\n-- 1 recipient\n"));
    console.environment["ESTAFETTE_SOCKET"] = daemon.socket();
    EXPECT_EQ(sendmail({"-bp"}), 0);
    EXPECT_EQ(console.out, "Mail queue is empty\n");
}

TEST_F(sendmail_command, has_nothing_to_do_for_newaliases_and_queue_runs) {
    EXPECT_EQ(console.run({"/usr/bin/newaliases"}), 0);
    EXPECT_EQ(sendmail({"-bi"}), 0);
    EXPECT_EQ(sendmail({"-q"}), 0);
    EXPECT_TRUE(daemon.requests().empty());
}

TEST_F(sendmail_command, is_a_subcommand_too) {
    EXPECT_EQ(console.run({"estafette", "sendmail", "-i", "b@y.example"}, "Subject: x\n\nhi\n"), 0);
    EXPECT_EQ(daemon.requests().size(), 1u);
}

}  // namespace
}  // namespace estafette::cli
