#include "estafette/bounce/lmtp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace estafette::bounce {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// Everything said to a machine, in pieces of `size`; its mails are answered with 250.
struct played {
    std::string out;
    std::vector<lmtp_mail> mails;
    bool ends = false;
};

played play(std::string_view bytes, std::size_t size = 4096, lmtp_limits limits = {}) {
    lmtp machine{"mail.vendor.example", limits};
    played p;
    while (!bytes.empty() && !p.ends) {
        auto piece = bytes.substr(0, size);
        bytes.remove_prefix(piece.size());
        while (!piece.empty() && !p.ends) {
            auto s = machine.feed(piece);
            piece.remove_prefix(s.used);
            p.out += s.out;
            p.ends = s.ends;
            if (s.mail) {
                p.out += machine.answer(std::vector<std::string>(s.mail->to.size(), "250 2.0.0 ok"));
                p.mails.push_back(std::move(*s.mail));
            }
        }
    }
    return p;
}

std::vector<std::string> codes(const std::string& out) {
    std::vector<std::string> found;
    for (std::size_t at = 0; at < out.size(); at = out.find('\n', at) + 1) {
        found.push_back(out.substr(at, 4));
    }
    return found;
}

const std::string begin =
    "LHLO relay\r\nMAIL FROM:<> BODY=8BITMIME\r\nRCPT TO:<a@x> ORCPT=rfc822;a@x\r\nDATA\r\n";

TEST(lmtp, takes_a_mail_however_its_bytes_come) {
    const std::string all = begin + "Subject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n";
    for (std::size_t size = 1; size <= all.size(); ++size) {
        const auto p = play(all, size);
        ASSERT_EQ(p.mails.size(), 1u) << size;
        EXPECT_THAT(p.mails[0].to, ElementsAre("a@x"));
        EXPECT_EQ(p.mails[0].content, "Subject: x\r\n\r\n.dot\r\n");
        EXPECT_TRUE(p.ends);
        EXPECT_THAT(
            codes(p.out),
            ElementsAre("250-", "250-", "250-", "250-", "250 ", "250 ", "250 ", "354 ", "250 ", "221 ")
        );
    }
}

TEST(lmtp, answers_for_each_recipient_and_takes_the_next_mail) {
    const std::string mail = "MAIL FROM:<b@y>\r\nRCPT TO:<a@x>\r\nRCPT TO:<\"q >\"@x>\r\nDATA\r\nhi\r\n.\r\n";
    const auto p = play("LHLO relay\r\n" + mail + mail);
    ASSERT_EQ(p.mails.size(), 2u);
    EXPECT_THAT(p.mails[1].to, ElementsAre("a@x", "\"q >\"@x"));
    EXPECT_EQ(p.mails[1].content, "hi\r\n");
}

TEST(lmtp, no_other_line_end_ends_a_mail) {
    for (const char* trick : {"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\rx", "\r.\r\n", "\r\n.\r\r\n"}) {
        const auto p = play(begin + "a" + trick + "MAIL FROM:<evil@x>\r\n.\r\n");
        ASSERT_EQ(p.mails.size(), 1u) << testing::PrintToString(trick);
        EXPECT_THAT(p.mails[0].content, HasSubstr("evil")) << testing::PrintToString(trick);
    }
}

TEST(lmtp, an_empty_mail_is_one) {
    const auto p = play(begin + ".\r\n");
    ASSERT_EQ(p.mails.size(), 1u);
    EXPECT_EQ(p.mails[0].content, "\r\n");
}

TEST(lmtp, keeps_the_beginning_of_a_long_mail_and_ends_an_endless_one) {
    const auto kept = play(begin + std::string(5000, 'x') + "\r\n.\r\n", 100, {.kept = 1000});
    ASSERT_EQ(kept.mails.size(), 1u);
    EXPECT_EQ(kept.mails[0].content.size(), 1000u);
    const auto endless = play(begin + std::string(5000, 'x'), 100, {.mail = 2000});
    EXPECT_TRUE(endless.ends);
    EXPECT_THAT(endless.out, HasSubstr("552 "));
}

TEST(lmtp, refuses_what_is_out_of_step) {
    const auto said = [](const std::string& bytes) { return codes(play(bytes).out).back(); };
    EXPECT_EQ(said("MAIL FROM:<a@x>\r\n"), "503 ");
    EXPECT_EQ(said("EHLO x\r\n"), "500 ");
    EXPECT_EQ(said("LHLO\r\n"), "501 ");
    EXPECT_EQ(said("LHLO x\r\nRCPT TO:<a@x>\r\n"), "503 ");
    EXPECT_EQ(said("LHLO x\r\nDATA\r\n"), "503 ");
    EXPECT_EQ(said("LHLO x\r\nMAIL FROM:<a@x>\r\nMAIL FROM:<a@x>\r\n"), "503 ");
    EXPECT_EQ(said("LHLO x\r\nMAIL FROM:<a@x>\r\nDATA\r\n"), "503 ");
    EXPECT_EQ(said("LHLO x\r\nMAIL FROM:a@x\r\n"), "501 ");
    EXPECT_EQ(said("LHLO x\r\nMAIL FROM:<a@x>x\r\n"), "501 ");
    EXPECT_EQ(said("LHLO x\r\nMAIL FROM:<a@x>\r\nRCPT TO:<>\r\n"), "501 ");
    EXPECT_EQ(said("LHLO x\r\nMAIL FROM:<a@x>\r\nRSET\r\nRCPT TO:<a@x>\r\n"), "503 ");
    EXPECT_EQ(said("WHAT\r\n"), "500 ");
    EXPECT_EQ(said("NOOP\r\n"), "250 ");
    EXPECT_EQ(said(std::string(5000, 'a') + "\r\n"), "500 ");
}

TEST(lmtp, has_limits) {
    std::string many = "LHLO x\r\nMAIL FROM:<>\r\n";
    for (int i = 0; i < 25; ++i) {
        many += "RCPT TO:<a@x>\r\n";
    }
    EXPECT_EQ(codes(play(many).out).back(), "452 ");
    std::string nonsense;
    for (int i = 0; i < 100; ++i) {
        nonsense += "WHAT\r\n";
    }
    const auto p = play(nonsense);
    EXPECT_TRUE(p.ends);
    EXPECT_THAT(p.out.substr(p.out.size() - 40), HasSubstr("421 "));
}

TEST(lmtp, greets_with_its_name) {
    EXPECT_THAT(lmtp{"mail.vendor.example"}.greeting(), StartsWith("220 mail.vendor.example "));
}

}  // namespace
}  // namespace estafette::bounce
