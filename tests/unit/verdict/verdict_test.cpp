#include "estafette/verdict/verdict.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace estafette::verdict {
namespace {

TEST(verdict_words, every_reason_has_a_word_of_its_own_and_is_read_back) {
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < reason_count; ++i) {
        const auto r = static_cast<reason>(i);
        EXPECT_NE(to_text(r), "?") << i;
        EXPECT_TRUE(seen.insert(to_text(r)).second) << to_text(r);
        EXPECT_EQ(parse_reason(to_text(r)), r);
    }
    EXPECT_EQ(parse_reason("?"), std::nullopt);
    EXPECT_EQ(parse_reason("Unknown_User"), std::nullopt);
    EXPECT_EQ(parse_reason(""), std::nullopt);
}

TEST(verdict_words, dispositions_and_scopes_are_read_back) {
    for (const auto d :
         {disposition::accepted, disposition::retry, disposition::fail, disposition::uncertain}) {
        EXPECT_EQ(parse_disposition(to_text(d)), d);
    }
    for (const auto s : {scope::recipient, scope::message, scope::sender, scope::route}) {
        EXPECT_EQ(parse_scope(to_text(s)), s);
    }
    EXPECT_EQ(parse_disposition("failed"), std::nullopt);
    EXPECT_EQ(parse_scope("server"), std::nullopt);
}

TEST(verdict_meaning, a_fault_of_the_sender_or_the_route_is_only_ever_retried) {
    for (std::size_t i = 0; i < reason_count; ++i) {
        const auto r = static_cast<reason>(i);
        EXPECT_FALSE(is_meaningful(r, scope::sender, disposition::fail)) << to_text(r);
        EXPECT_FALSE(is_meaningful(r, scope::route, disposition::fail)) << to_text(r);
    }
}

TEST(verdict_meaning, every_reason_can_be_said_in_some_way) {
    for (std::size_t i = 0; i < reason_count; ++i) {
        const auto r = static_cast<reason>(i);
        auto ways = 0;
        for (const auto d :
             {disposition::accepted, disposition::retry, disposition::fail, disposition::uncertain}) {
            for (const auto s : {scope::recipient, scope::message, scope::sender, scope::route}) {
                ways += is_meaningful(r, s, d) ? 1 : 0;
            }
        }
        EXPECT_GT(ways, 0) << to_text(r);
    }
}

}  // namespace
}  // namespace estafette::verdict
