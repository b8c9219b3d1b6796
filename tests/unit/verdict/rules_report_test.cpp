#include "standard.hpp"

#include "estafette/verdict/rules_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace estafette::verdict {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view table = "source\tcode\tenhanced\ttext\tcategory\n"
                                   "x\t550\t5.1.1\tno such user\tunknown_user\n"
                                   "x\t452\t\tmailbox\\nfull\tmailbox_full\n"
                                   "x\t\t5.1.1\tno such user\tunknown_user\n"
                                   "x\t\t\tuser unknown\tunknown_user\r\n"
                                   "x\t554\t5.7.1\tcontains a virus\tblocked_reputation\n"
                                   "x\t550\t\tZorglub\tunknown_user\n"
                                   "x\t550\t5.1.1\tno such user\tother\n";

constexpr std::string_view map = "reason\tdisposition\tcategory\n"
                                 "unknown_user\t*\tunknown_user\n"
                                 "mailbox_full\t*\tmailbox_full,quota\n"
                                 "blocked_content\t*\tblocked_content\n"
                                 "other\tfail\tother\n";

TEST(rules_report, a_table_is_classified_line_by_line) {
    const auto& c = standard_rules();
    const auto out = classify_table(c, table);
    ASSERT_TRUE(out);
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < out->size();) {
        const auto end = out->find('\n', at);
        lines.push_back(out->substr(at, end - at));
        at = end + 1;
    }
    ASSERT_EQ(lines.size(), 7u);
    EXPECT_EQ(lines[0], "unknown_user\trecipient\tfail\trecipient/unknown");
    EXPECT_THAT(lines[1], HasSubstr("mailbox_full\trecipient\tretry\t"));
    EXPECT_THAT(lines[2], HasSubstr("unknown_user\trecipient\tfail\t"));
    EXPECT_THAT(lines[3], HasSubstr("unknown_user\trecipient\tretry\t"));
    EXPECT_EQ(lines[5], "other\trecipient\tfail\t");
}

TEST(rules_report, a_table_is_measured_against_its_expectations) {
    const auto& c = standard_rules();
    const auto s = score_table(c, table, "category", map);
    ASSERT_TRUE(s);
    EXPECT_EQ(s->rows, 5u) << "rows without a code are not measured";
    EXPECT_EQ(s->right, 2u);
    EXPECT_EQ(s->dead, 2u);
    EXPECT_EQ(s->dead_missed, 1u);
    EXPECT_EQ(s->healthy, 3u);
    EXPECT_EQ(s->healthy_called_dead, 1u);
    ASSERT_EQ(s->misses.size(), 3u);
    EXPECT_EQ(s->misses[0].line, 6u);
    EXPECT_EQ((s->confusion.at({"blocked_reputation", "blocked_content"})), 1u);
    EXPECT_THAT(print(*s), HasSubstr("right               40.0 % (2 of 5)"));
    EXPECT_THAT(print(*s), HasSubstr("unknown_user\tother\t1"));
}

TEST(rules_report, a_table_that_lacks_a_column_is_refused_by_its_name) {
    const auto& c = standard_rules();
    EXPECT_EQ(classify_table(c, "code\ttext\n").error().text, "the table has no column enhanced");
    EXPECT_EQ(score_table(c, table, "zorg", map).error().text, "the table has no column zorg");
    EXPECT_THAT(score_table(c, table, "category", "a\tb\n").error().text, HasSubstr("the map needs"));
    EXPECT_FALSE(classify_table(c, ""));
}

TEST(rules_report, one_reply_is_explained) {
    const auto& c = standard_rules();
    const auto out = explain_reply(c, "450 4.7.1 Greylisted, try again in 300 seconds", "mx.example.org");
    ASSERT_TRUE(out);
    EXPECT_THAT(
        *out,
        HasSubstr("reason       greylisted\nscope        recipient\ndisposition  retry\nrule         "
                  "greylisting/by-name\nwait         5m\n")
    );
    EXPECT_THAT(*out, HasSubstr("We will come back automatically."));
    const auto unknown = explain_reply(c, "550 Zorglub", "");
    ASSERT_TRUE(unknown);
    EXPECT_THAT(*unknown, HasSubstr("rule         none matched"));
    EXPECT_FALSE(explain_reply(c, "hello", ""));
    EXPECT_FALSE(explain_reply(c, "", ""));
    EXPECT_TRUE(explain_reply(c, "550", ""));
}

}  // namespace
}  // namespace estafette::verdict
