#include "estafette/verdict/retry.hpp"

#include <gtest/gtest.h>

namespace estafette::verdict {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr wall_time start{milliseconds{1'790'000'000'000}};
constexpr wall_time far = start + hours{24 * 365};

verdict because(reason why) {
    verdict v;
    v.why = why;
    return v;
}

retry_plan without_jitter() {
    auto plan = retry_plan::defaults();
    plan.standard.jitter = 0;
    for (auto& [why, schedule] : plan.by_reason) {
        schedule.jitter = 0;
    }
    return plan;
}

TEST(retry, delays_follow_the_schedule_and_the_last_one_repeats) {
    const auto plan = without_jitter();
    const std::vector<int> expected{1, 2, 4, 8, 16, 32, 64, 128, 240, 240, 240};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const auto next = next_attempt(
            because(reason::server_busy), static_cast<std::uint32_t>(i + 1), start, far, plan, 7
        );
        ASSERT_TRUE(next);
        EXPECT_EQ(*next - start, minutes{expected[i]}) << "attempt " << i + 1;
    }
}

TEST(retry, a_greylisted_mail_comes_back_within_minutes_and_a_full_mailbox_within_hours) {
    const auto plan = without_jitter();
    EXPECT_EQ(*next_attempt(because(reason::greylisted), 1, start, far, plan, 0) - start, minutes{1});
    EXPECT_EQ(*next_attempt(because(reason::greylisted), 3, start, far, plan, 0) - start, minutes{5});
    EXPECT_EQ(*next_attempt(because(reason::mailbox_full), 1, start, far, plan, 0) - start, hours{1});
    EXPECT_EQ(*next_attempt(because(reason::uncertain), 1, start, far, plan, 0) - start, minutes{10});
}

TEST(retry, a_hint_replaces_the_delay_exactly_within_one_second_and_one_day) {
    const auto plan = retry_plan::defaults();
    auto v = because(reason::greylisted);
    for (const auto& [hint, expected] : std::vector<std::pair<seconds, milliseconds>>{
             {seconds{300}, seconds{300}},
             {seconds{0}, seconds{1}},
             {seconds{-5}, seconds{1}},
             {hours{23}, hours{23}},
             {hours{100}, hours{24}},
         }) {
        v.retry_hint = hint;
        EXPECT_EQ(*next_attempt(v, 4, start, far, plan, 99) - start, expected) << hint.count();
    }
}

TEST(retry, jitter_stays_within_its_share_and_is_the_same_for_the_same_seed) {
    auto plan = retry_plan::defaults();
    plan.standard.jitter = 0.25;
    auto lowest = milliseconds::max();
    auto highest = milliseconds::min();
    for (std::uint64_t seed = 0; seed < 2000; ++seed) {
        const auto next = next_attempt(because(reason::other), 9, start, far, plan, seed);
        ASSERT_EQ(next, next_attempt(because(reason::other), 9, start, far, plan, seed));
        lowest = std::min(lowest, *next - start);
        highest = std::max(highest, *next - start);
    }
    EXPECT_GE(lowest, minutes{180});
    EXPECT_LE(highest, minutes{300});
    EXPECT_LT(lowest, minutes{190}) << "the jitter is used in full";
    EXPECT_GT(highest, minutes{290});
}

TEST(retry, gives_up_where_the_next_attempt_would_come_after_the_expiry) {
    const auto plan = without_jitter();
    const auto v = because(reason::mailbox_full);
    EXPECT_EQ(next_attempt(v, 1, start, start + hours{1}, plan, 0), start + hours{1});
    EXPECT_EQ(next_attempt(v, 1, start, start + hours{1} - milliseconds{1}, plan, 0), std::nullopt);
    EXPECT_EQ(next_attempt(v, 1, start, start, plan, 0), std::nullopt);
    EXPECT_EQ(next_attempt(v, 1, start, start - hours{1}, plan, 0), std::nullopt);
    EXPECT_TRUE(next_attempt(v, 1, start, wall_time::max(), plan, 0)) << "no overflow";
}

TEST(retry, an_empty_schedule_and_an_attempt_of_zero_still_wait) {
    retry_plan plan;
    EXPECT_EQ(next_attempt(because(reason::other), 1, start, far, plan, 0), start + minutes{5});
    plan = without_jitter();
    EXPECT_EQ(next_attempt(because(reason::other), 0, start, far, plan, 0), start + minutes{1});
}

}  // namespace
}  // namespace estafette::verdict
