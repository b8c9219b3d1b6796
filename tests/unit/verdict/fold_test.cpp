// Folding is private to the floor; it is seen through rules that match what it makes.
#include "estafette/verdict/classifier.hpp"

#include <gtest/gtest.h>

namespace estafette::verdict {
namespace {

bool is_matched(const std::string& pattern, const std::string& text) {
    const auto c = classifier::compile(std::vector<rule_file>{
        {"a.yaml", "rules:\n  - {id: hit, text: '" + pattern + "', reason: other}\n"},
    });
    EXPECT_TRUE(c) << c.error();
    smtp::outcome what;
    what.at = smtp::phase::rcpt;
    what.answer = smtp::reply{550, {}, text, false};
    return c->classify({what, {}, {}}).rule == "hit";
}

TEST(folding, makes_case_accents_quotes_and_blanks_equal) {
    EXPECT_TRUE(is_matched("boite pleine", "Boîte\u00a0 Pleine"));
    EXPECT_TRUE(is_matched("boîte pleine", "BOITE PLEINE"));
    EXPECT_TRUE(is_matched("boite pleine", "Bo\xeete pleine")) << "Latin-1";
    EXPECT_TRUE(is_matched("doesn''t exist", "doesn’t\r\nexist"));
    EXPECT_TRUE(is_matched("doesn''t exist", "doesn\x92t exist")) << "Windows-1252";
    EXPECT_TRUE(is_matched("lodz", "Łódź"));
    EXPECT_TRUE(is_matched("oeuvre", "Œuvre"));
    EXPECT_TRUE(is_matched("neznamy uzivatel", "Neznámý uživatel"));
    EXPECT_TRUE(is_matched("не найден", "Не Найден"));
}

TEST(folding, drops_the_codes_that_lines_begin_with) {
    EXPECT_TRUE(is_matched("^no such user here$", "550-5.1.1 no such\n550 5.1.1 user here"));
    EXPECT_TRUE(is_matched("^no such user here$", "5.1.1 no such\n5.1.1 user here"));
    EXPECT_TRUE(is_matched("^no such user$", "#5.1.1 no such user"));
    EXPECT_TRUE(is_matched("^5.1 no$", "5.1 no")) << "not a code";
    EXPECT_TRUE(is_matched("^5501 no$", "5501 no")) << "not a code";
    EXPECT_TRUE(is_matched("^$", "550 5.1.1"));
}

TEST(folding, hides_what_changes_from_one_mail_to_the_next) {
    EXPECT_FALSE(is_matched("spam", "no mailbox for <spam.list@example.org>"));
    EXPECT_TRUE(is_matched("<a@b.c>: unknown", "<anna.b+c=d@example.org>: unknown"));
    EXPECT_TRUE(is_matched("1\\.2\\.3\\.4 blocked", "192.0.2.17 blocked"));
    EXPECT_TRUE(is_matched("ts04", "[TS04] deferred"));
    EXPECT_TRUE(is_matched("limit=15728640", "size limit=15728640"));
}

TEST(folding, survives_whatever_bytes_come) {
    const auto c = classifier::compile(std::vector<rule_file>{
        {"a.yaml", "rules:\n  - {id: hit, text: 'nothing like this', reason: other}\n"},
    });
    ASSERT_TRUE(c);
    for (int first = 0; first < 256; ++first) {
        for (const int second : {0, 0x0a, 0x20, 0x7f, 0x80, 0xbf, 0xc3, 0xe2, 0xf0, 0xff}) {
            smtp::outcome what;
            what.at = smtp::phase::rcpt;
            what.answer =
                smtp::reply{550, {}, {static_cast<char>(first), static_cast<char>(second), 'x'}, false};
            EXPECT_EQ(c->classify({what, {}, {}}).rule, "");
        }
    }
    EXPECT_TRUE(is_matched("^x", std::string(100'000, 'x')));
    EXPECT_FALSE(is_matched("end of text", std::string(5000, 'x') + " end of text"))
        << "only the beginning is read";
    std::string euros;
    for (int i = 0; i < 3000; ++i) {
        euros += "€";
    }
    EXPECT_TRUE(is_matched("€", euros)) << "cut on a character's border";
}

}  // namespace
}  // namespace estafette::verdict
