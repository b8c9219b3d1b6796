#include "smtp_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace estafette::cli {
namespace {

using testing::StartsWith;

struct taken {
    smtp_server::envelope envelope;
    std::string bytes;
};

class smtp_on_stdin : public testing::Test {
protected:
    std::string say(std::string_view line) { return server.take(line); }

    void open_transaction() {
        say("EHLO me");
        say("MAIL FROM:<a@x>");
        say("RCPT TO:<b@y>");
    }

    std::vector<taken> messages;
    failure refusal;
    bool refuses = false;
    smtp_server server{
        "host.example",
        [](std::string_view address) {
            return !address.empty() && address.find(' ') == std::string_view::npos;
        },
        [this](const smtp_server::envelope& e, std::string_view bytes)
            -> boost::system::result<std::string, failure> {
            if (refuses) {
                return refusal;
            }
            messages.push_back({e, std::string{bytes}});
            return "id-1";
        }
    };
};

TEST_F(smtp_on_stdin, takes_a_message_and_names_its_id) {
    EXPECT_EQ(server.greeting(), "220 host.example ESMTP Estafette\r\n");
    EXPECT_THAT(say("EHLO me"), testing::HasSubstr("250-8BITMIME\r\n"));
    EXPECT_THAT(say("MAIL FROM:<a@x> SIZE=100 BODY=8BITMIME"), StartsWith("250"));
    EXPECT_THAT(say("RCPT TO:<b@y>"), StartsWith("250"));
    EXPECT_THAT(say("rcpt to: <\"c>d\"@y>"), StartsWith("250"));
    EXPECT_THAT(say("DATA"), StartsWith("354"));
    EXPECT_EQ(say("Subject: x"), "");
    EXPECT_EQ(say(""), "");
    EXPECT_EQ(say("..stuffed"), "");
    EXPECT_EQ(say("."), "250 2.0.0 Ok: queued as id-1\r\n");
    ASSERT_EQ(messages.size(), 1u);
    EXPECT_EQ(messages[0].envelope.from, "a@x");
    EXPECT_EQ(messages[0].envelope.to, (std::vector<std::string>{"b@y", "\"c>d\"@y"}));
    EXPECT_EQ(messages[0].bytes, "Subject: x\r\n\r\n.stuffed\r\n");
    EXPECT_THAT(say("QUIT"), StartsWith("221"));
    EXPECT_FALSE(server.is_open());
}

TEST_F(smtp_on_stdin, starts_each_message_afresh) {
    open_transaction();
    say("DATA");
    say("one");
    say(".");
    EXPECT_THAT(say("RCPT TO:<b@y>"), StartsWith("503"));
    say("MAIL FROM:<>");
    say("RCPT TO:<c@y>");
    say("DATA");
    say("two");
    say(".");
    ASSERT_EQ(messages.size(), 2u);
    EXPECT_EQ(messages[1].envelope.from, "");
    EXPECT_EQ(messages[1].envelope.to, std::vector<std::string>{"c@y"});
    EXPECT_EQ(messages[1].bytes, "two\r\n");
}

TEST_F(smtp_on_stdin, forgets_the_transaction_on_rset_and_ehlo) {
    for (const char* command : {"RSET", "EHLO again", "HELO again"}) {
        open_transaction();
        EXPECT_THAT(say(command), StartsWith("250"));
        EXPECT_THAT(say("DATA"), StartsWith("503")) << command;
    }
}

struct exchange_case {
    std::string line;
    std::string reply;
};

TEST_F(smtp_on_stdin, refuses_what_is_wrong_or_out_of_order) {
    EXPECT_THAT(say("MAIL FROM:<a@x>"), StartsWith("503"));
    EXPECT_THAT(say("EHLO"), StartsWith("501"));
    say("HELO me");
    for (const auto& [line, reply] : std::vector<exchange_case>{
             {"RCPT TO:<b@y>", "503"},
             {"DATA", "503"},
             {"MAIL <a@x>", "501"},
             {"MAIL FROM:<a@x", "501"},
             {"MAIL FROM:<a b@x>", "553"},
             {"MAIL FROM:<a@x> SIZE=99999999999", "552"},
             {"MAIL FROM:<a@x> RET=FULL", "555"},
             {"BREW coffee", "500"},
             {std::string(5000, 'x'), "500"},
             {"NOOP", "250"},
             {"VRFY ann", "252"},
             {"MAIL FROM:<a@x>", "250"},
             {"MAIL FROM:<a@x>", "503"},
             {"RCPT TO:<>", "553"},
             {"RCPT TO:", "501"},
             {"RCPT TO:<b@y> NOTIFY=NEVER", "555"},
         }) {
        EXPECT_THAT(say(line), StartsWith(reply)) << line.substr(0, 80);
    }
}

TEST_F(smtp_on_stdin, tells_a_refusal_for_now_from_one_for_good) {
    refuses = true;
    for (const auto& [code, reply] : std::vector<std::pair<exit_code, std::string>>{
             {exit_code::temporary, "451 4.3.0 because\r\n"},
             {exit_code::data, "554 5.6.0 because\r\n"},
             {exit_code::no_permission, "550 5.7.1 because\r\n"},
         }) {
        refusal = {code, "because", {}};
        open_transaction();
        say("DATA");
        EXPECT_EQ(say("."), reply);
    }
}

TEST_F(smtp_on_stdin, bounds_a_message) {
    open_transaction();
    say("DATA");
    const std::string line(1u << 20, 'x');
    for (int i = 0; i < 26; ++i) {
        EXPECT_EQ(say(line), "");
    }
    EXPECT_THAT(say("."), StartsWith("552"));
    EXPECT_TRUE(messages.empty());
    EXPECT_THAT(say("MAIL FROM:<a@x>"), StartsWith("250"));
}

}  // namespace
}  // namespace estafette::cli
