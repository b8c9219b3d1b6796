#include "estafette/store/suppressions.hpp"

#include <gtest/gtest.h>

namespace estafette::store {
namespace {

TEST(a_line_of_the_suppression_list, has_words_that_can_be_read_again) {
    for (const auto why :
         {suppression_cause::unknown_user,
          suppression_cause::complaint,
          suppression_cause::unsubscribed,
          suppression_cause::manual}) {
        for (const char* by : {"", "uid 0", "mx (old), x"}) {
            for (const char* text : {"", "550 no such user (really)"}) {
                suppression line;
                line.since = *parse_rfc3339("2026-05-01T23:30:00Z");
                line.why = why;
                line.by = by;
                line.text = text;
                const auto read = read_words(words_of(line));
                ASSERT_TRUE(read) << words_of(line);
                EXPECT_EQ(read->why, why) << words_of(line);
                EXPECT_EQ(read->since, *parse_rfc3339("2026-05-01T00:00:00Z"));
            }
        }
    }
}

TEST(a_line_of_the_suppression_list, is_not_read_out_of_other_words) {
    for (const char* note :
         {"",
          "uid 0: on the suppression list since 2026-05-01 (manual)",
          "on the suppression list since ",
          "on the suppression list since 2026-05-01",
          "on the suppression list since 2026-05-01 (",
          "on the suppression list since 2026-13-01 (manual)",
          "on the suppression list since 2026-05-01 (mood)"}) {
        EXPECT_FALSE(read_words(note)) << note;
    }
}

}  // namespace
}  // namespace estafette::store
