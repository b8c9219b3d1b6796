#include "command.hpp"
#include "fake_console.hpp"
#include "fake_daemon.hpp"

#include <boost/json/parse.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace estafette::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* id = "01977a1e-5d7c-7d3e-8f52-1c6d1f2b3a4c";

std::string message_in(const std::string& state, const std::string& shown) {
    return std::string{R"({"recipients":[{"address":"it@x.example","shown":")"} + shown + R"(","state":")" +
           state + R"(","explanation":null,"headline":null,"attempts":1,"message":")" + id + R"("}]})";
}

// Accepts the mail, then shows the states one after another.
class daemon_with_states {
public:
    explicit daemon_with_states(std::vector<std::string> messages)
        : messages_{std::move(messages)} {}

    fake_answer operator()(const seen_request& r) {
        if (r.target.starts_with("/v1/tenants/")) {
            return {
                200,
                R"({"senders":["badges@vendor.example"],"missing":["relay.sends_from"],"page":"# Page\n"})",
                "",
                {}
            };
        }
        if (r.method == "POST") {
            return {202, std::string{R"({"id":")"} + id + R"("})", "", {}};
        }
        const auto& now = messages_[std::min(next_, messages_.size() - 1)];
        ++next_;
        return {200, now, "", {}};
    }

private:
    std::vector<std::string> messages_;
    std::size_t next_ = 0;
};

class the_test_mail : public testing::Test {
protected:
    int estafette(const fake_daemon& daemon, std::vector<std::string> args) {
        args.insert(args.begin(), {"estafette", "--socket", daemon.socket()});
        return console.run(std::move(args));
    }

    fake_console console;
};

TEST_F(the_test_mail, is_followed_to_its_end) {
    fake_daemon daemon{daemon_with_states{{message_in("queued", "Pending"), message_in("relayed", "Sent")}}};
    EXPECT_EQ(estafette(daemon, {"test-mail", "--tenant", "acme", "--to", "it@x.example", "--lang", "en"}), 0)
        << console.err;
    EXPECT_THAT(console.err, AllOf(HasSubstr("  Pending\n"), HasSubstr("  Sent\n")));
    EXPECT_THAT(console.out, AllOf(HasSubstr("it@x.example — Sent"), HasSubstr("junk mail")));
    const auto requests = daemon.requests();
    const auto sent = boost::json::parse(requests.at(1).body);
    EXPECT_EQ(sent.at("from").as_string(), "badges@vendor.example");
    EXPECT_EQ(sent.at("tenant").as_string(), "acme");
    EXPECT_EQ(sent.at("to").at(0).as_string(), "it@x.example");
}

TEST_F(the_test_mail, says_by_its_exit_code_how_it_ended) {
    for (const auto& [state, code] :
         std::vector<std::pair<std::string, int>>{{"delivered", 0}, {"failed", 69}, {"cancelled", 69}}) {
        fake_daemon daemon{daemon_with_states{{message_in(state, "S")}}};
        EXPECT_EQ(estafette(daemon, {"test-mail", "--to", "it@x.example", "--from", "a@x"}), code) << state;
    }
    fake_daemon daemon{daemon_with_states{{message_in("deferred", "Pending")}}};
    EXPECT_EQ(estafette(daemon, {"test-mail", "--to", "it@x.example", "--from", "a@x", "--wait", "0s"}), 75);
}

TEST_F(the_test_mail, needs_a_sender_and_a_duration) {
    fake_daemon daemon{200, R"({"senders":[]})"};
    EXPECT_EQ(estafette(daemon, {"test-mail", "--tenant", "acme", "--to", "it@x.example"}), 64);
    EXPECT_THAT(console.err, HasSubstr("tenants.acme.senders"));
    EXPECT_EQ(
        estafette(daemon, {"test-mail", "--to", "it@x.example", "--from", "a@x", "--wait", "soon"}), 64
    );
}

TEST_F(the_test_mail, has_a_page_for_the_customers_it_before_it) {
    fake_daemon daemon{daemon_with_states{{}}};
    EXPECT_EQ(estafette(daemon, {"allowlist", "--tenant", "acme", "--lang", "fr"}), 0);
    EXPECT_EQ(console.out, "# Page\n");
    EXPECT_THAT(console.err, HasSubstr("relay.sends_from"));
    EXPECT_EQ(daemon.requests().at(0).target, "/v1/tenants/acme/allowlist?lang=fr");
}

TEST_F(the_test_mail, an_address_is_explained_from_all_that_is_known) {
    fake_daemon daemon{[](const seen_request& r) {
        if (r.target.starts_with("/v1/diagnosis")) {
            return fake_answer{
                200,
                R"({"finding":"wrong_address","sure":"Very likely","headline":"The address is wrong",
                                  "because":["17 other mails were accepted."],"acts":"You","advice":"Ask."})",
                "",
                {}
            };
        }
        return fake_answer{200, message_in("failed", "Failed"), "", {}};
    }};
    EXPECT_EQ(estafette(daemon, {"explain", "it@x.example", "--lang", "en"}), 0);
    EXPECT_THAT(
        console.out,
        AllOf(
            HasSubstr("Very likely  The address is wrong"),
            HasSubstr("17 other mails were accepted."),
            HasSubstr("You: Ask."),
            HasSubstr("it@x.example — Failed")
        )
    );
    EXPECT_EQ(estafette(daemon, {"explain", "it@x.example", "--json"}), 0);
    EXPECT_THAT(console.out, HasSubstr(R"("finding":"wrong_address")"));
}

}  // namespace
}  // namespace estafette::cli
