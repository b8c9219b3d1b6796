#include "estafette/sched/agenda.hpp"

#include <gtest/gtest.h>

namespace estafette::sched {
namespace {

constexpr wall_time now{std::chrono::hours{1000}};
constexpr auto urgent = mail::priority::transactional;
constexpr auto bulk = mail::priority::bulk;

store::waiting_tenant waits(const char* tenant, mail::priority precedence, milliseconds from_now) {
    return {tenant_id{tenant}, precedence, now + from_now};
}

bool takes_all(const store::waiting_tenant&) {
    return true;
}

TEST(agenda, claims_what_is_due_transactional_first_and_the_longest_waiting_first) {
    const auto a = plan(
        {waits("a", bulk, seconds{-100}),
         waits("b", urgent, seconds{-1}),
         waits("c", urgent, seconds{-5}),
         waits("d", urgent, seconds{5})},
        takes_all,
        now
    );
    ASSERT_EQ(a.claims.size(), 3u);
    EXPECT_EQ(a.claims[0].tenant.text(), "c");
    EXPECT_EQ(a.claims[1].tenant.text(), "b");
    EXPECT_EQ(a.claims[2].tenant.text(), "a");
    EXPECT_EQ(a.look_again, now + seconds{5});
}

TEST(agenda, looks_again_when_the_first_of_the_later_ones_is_due) {
    const auto a = plan({waits("a", bulk, seconds{30}), waits("b", bulk, seconds{20})}, takes_all, now);
    EXPECT_TRUE(a.claims.empty());
    EXPECT_EQ(a.look_again, now + seconds{20});
}

TEST(agenda, a_route_without_room_is_neither_claimed_for_nor_waited_for) {
    const auto a = plan(
        {waits("broken", urgent, seconds{-100}), waits("broken", bulk, seconds{1})},
        [](const store::waiting_tenant&) { return false; },
        now
    );
    EXPECT_TRUE(a.claims.empty());
    EXPECT_FALSE(a.look_again);
}

TEST(agenda, an_empty_store_asks_for_nothing) {
    const auto a = plan({}, takes_all, now);
    EXPECT_TRUE(a.claims.empty());
    EXPECT_FALSE(a.look_again);
}

TEST(clock_watch, tells_a_clock_that_was_set_from_one_that_goes_on) {
    constexpr steady_time begun{std::chrono::hours{7}};
    clock_watch watch;
    EXPECT_FALSE(watch.jumped(now, begun)) << "the first look compares with nothing";
    EXPECT_FALSE(watch.jumped(now + seconds{60}, begun + seconds{60}));
    EXPECT_FALSE(watch.jumped(now + seconds{121}, begun + seconds{120})) << "a second is slewed, not set";
    EXPECT_EQ(watch.jumped(now + seconds{3725}, begun + seconds{125}), milliseconds{3'599'000});
    EXPECT_FALSE(watch.jumped(now + seconds{3726}, begun + seconds{126})) << "told once";
    EXPECT_EQ(watch.jumped(now + seconds{127}, begun + seconds{127}), milliseconds{-3'600'000});
}

TEST(nap, is_short_enough_to_notice_a_clock_that_was_set) {
    EXPECT_EQ(nap(now + milliseconds{300}, now), milliseconds{300});
    EXPECT_EQ(nap(now - seconds{1}, now), milliseconds{1});
    EXPECT_EQ(nap(now + std::chrono::hours{24}, now), seconds{5});
}

}  // namespace
}  // namespace estafette::sched
