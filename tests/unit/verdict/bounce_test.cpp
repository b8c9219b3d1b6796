#include "standard.hpp"

#include "estafette/verdict/bounce.hpp"

#include <gtest/gtest.h>

namespace estafette::verdict {
namespace {

using mail::report_action;

verdict judged(report_action action, std::string status, std::string words) {
    mail::reported_recipient r;
    r.address = "ann@x.example";
    r.action = action;
    r.status = std::move(status);
    r.diagnostic = std::move(words);
    return judge(standard_rules(), r);
}

TEST(bounce, means_what_the_servers_words_mean) {
    struct row {
        std::string status, words;
        reason why;
    };
    for (const auto& [status, words, why] : std::vector<row>{
             {"5.1.1", "550 5.1.1 no such user", reason::unknown_user},
             {"5.0.0",
              "host mx.x.example said: 550 5.1.1 <ann@x.example> is not a valid mailbox (in reply to RCPT TO "
              "command)",
              reason::unknown_user},
             {"5.0.0",
              "SMTP error after MAIL FROM:<zoe@vendor.example> SIZE=1543: host mx.x.example [192.0.2.1]: 552 "
              "mailbox is full",
              reason::mailbox_full},
             {"5.2.2", "", reason::mailbox_full},
             {"", "the mailbox is over quota", reason::mailbox_full},
             {"5.0.0",
              "550-5.1.1 The account that you tried to reach does not 550 5.1.1 exist",
              reason::unknown_user},
             {"5.7.1", "550 5.7.1 Message refused: it contains a virus", reason::blocked_content},
             {"5.0.0", "550 #5.1.0 Address rejected.", reason::unknown_user},
             {"4.4.7", "Envelope expired", reason::connection_failed},
             {"5.0.0", "Zorglub", reason::other},
         }) {
        const auto v = judged(report_action::failed, status, words);
        EXPECT_EQ(to_text(v.why), to_text(why)) << words << " by " << v.rule;
        EXPECT_EQ(v.what, disposition::fail) << "it has left us: the report is the end";
    }
}

TEST(bounce, follows_the_reports_action) {
    EXPECT_EQ(judged(report_action::delayed, "4.4.1", "Connection refused").what, disposition::retry);
    EXPECT_EQ(judged(report_action::delivered, "2.0.0", "").what, disposition::accepted);
    EXPECT_TRUE(judged(report_action::delivered, "2.0.0", "").certain);
    EXPECT_FALSE(judged(report_action::relayed, "2.0.0", "").certain);
    EXPECT_FALSE(judged(report_action::expanded, "2.0.0", "").certain);
}

}  // namespace
}  // namespace estafette::verdict
