#include "estafette/route/planner.hpp"

#include <gtest/gtest.h>

namespace estafette::route {
namespace {

using gravity = planner::gravity;

constexpr steady_time start{std::chrono::hours{1}};

planner with_connections(std::uint32_t n) {
    return planner{{n, std::chrono::minutes{5}, {}}};
}

TEST(planner, grows_by_one_with_each_success_up_to_the_limit) {
    auto p = with_connections(4);
    EXPECT_EQ(p.wanted(100, 0), 1u);
    for (int i = 0; i < 10; ++i) {
        p.on_success(start);
    }
    EXPECT_EQ(p.wanted(100, 0), 4u);
}

TEST(planner, a_first_open_connection_brings_a_quarter_of_the_limit_and_each_further_one_another) {
    auto p = with_connections(100);
    EXPECT_EQ(p.wanted(1000, 0), 1u) << "a wrong password is tried once";
    p.on_opened(start);
    EXPECT_EQ(p.wanted(1000, 0), 25u);
    p.on_opened(start);
    EXPECT_EQ(p.wanted(1000, 0), 26u);
    auto few = with_connections(3);
    few.on_opened(start);
    EXPECT_EQ(few.wanted(1000, 0), 3u);
}

TEST(planner, an_open_connection_adds_none_after_overload_or_in_a_rest) {
    auto p = with_connections(100);
    p.on_opened(start);
    p.on_overload(start);
    const auto cut = p.allowed();
    p.on_opened(start + seconds{10});
    EXPECT_EQ(p.allowed(), cut);
    (void)p.on_failure(start, gravity::passing, false);
    p.on_opened(start + seconds{10});
    EXPECT_EQ(p.allowed(), 1u);
}

TEST(planner, wants_no_more_connections_than_there_is_work) {
    auto p = with_connections(20);
    for (int i = 0; i < 20; ++i) {
        p.on_success(start);
    }
    EXPECT_EQ(p.wanted(3, 0), 3u);
    EXPECT_EQ(p.wanted(3, 2), 5u);
}

TEST(planner, overload_cuts_once_per_wave_and_growth_is_slow_after_it) {
    auto p = with_connections(100);
    for (int i = 0; i < 50; ++i) {
        p.on_success(start);
    }
    const auto before = p.allowed();
    p.on_overload(start);
    const auto cut = p.allowed();
    EXPECT_LT(cut, before);
    p.on_overload(start + milliseconds{10});
    EXPECT_EQ(p.allowed(), cut);
    const auto later = start + seconds{2};
    for (std::uint32_t i = 0; i + 1 < cut * 10; ++i) {
        p.on_success(later);
    }
    EXPECT_EQ(p.allowed(), cut);
    p.on_success(later);
    EXPECT_EQ(p.allowed(), cut + 1);
}

TEST(planner, rests_shortly_at_first_and_ever_longer_to_the_longest_pause) {
    auto p = with_connections(20);
    EXPECT_TRUE(p.on_failure(start, gravity::passing, false)) << "the first failure is news";
    EXPECT_EQ(p.state(start), breaker::open);
    EXPECT_EQ(*p.probe_at(), start + seconds{5});
    EXPECT_EQ(p.state(start + seconds{5}), breaker::half_open);
    EXPECT_EQ(p.wanted(100, 0), 1u) << "one probe";
    EXPECT_FALSE(p.on_failure(start + seconds{5}, gravity::passing, false)) << "said once";
    EXPECT_EQ(*p.probe_at(), start + seconds{15});
    auto at = start;
    for (int i = 0; i < 20; ++i) {
        at = *p.probe_at();
        (void)p.on_failure(at, gravity::passing, false);
    }
    EXPECT_EQ(*p.probe_at(), at + std::chrono::minutes{5});
}

TEST(planner, a_refused_password_rests_for_the_whole_pause_at_once) {
    auto p = with_connections(20);
    EXPECT_TRUE(p.on_failure(start, gravity::lasting, true));
    EXPECT_EQ(*p.probe_at(), start + std::chrono::minutes{5});
}

TEST(planner, one_failed_connection_among_working_ones_is_no_rest) {
    auto p = with_connections(20);
    for (int i = 0; i < 10; ++i) {
        p.on_success(start);
    }
    EXPECT_FALSE(p.on_failure(start, gravity::passing, true));
    EXPECT_EQ(p.state(start), breaker::closed);
    EXPECT_GT(p.open_at(), start) << "but the next one is not opened at once";
}

TEST(planner, a_success_ends_the_rest) {
    auto p = with_connections(20);
    (void)p.on_failure(start, gravity::passing, false);
    p.on_success(start + seconds{6});
    EXPECT_EQ(p.state(start + seconds{6}), breaker::closed);
    EXPECT_TRUE(p.on_failure(start + seconds{7}, gravity::passing, false))
        << "and the next rest is news again";
}

TEST(planner, a_person_pauses_until_a_time_or_for_good) {
    auto p = with_connections(20);
    p.stop(start + seconds{60});
    EXPECT_EQ(p.state(start), breaker::stopped);
    EXPECT_EQ(p.state(start + seconds{60}), breaker::closed);
    p.stop(std::nullopt);
    p.on_success(start + std::chrono::hours{100});
    EXPECT_EQ(p.state(start + std::chrono::hours{100}), breaker::stopped);
    p.resume();
    EXPECT_EQ(p.state(start), breaker::closed);
}

TEST(planner, admits_as_fast_as_every_rate_allows) {
    planner p{{20, seconds{60}, {*rate_limit::parse("2/s"), *rate_limit::parse("3/m")}}};
    EXPECT_TRUE(p.admit(start));
    EXPECT_TRUE(p.admit(start));
    EXPECT_FALSE(p.admit(start)) << "two a second";
    EXPECT_TRUE(p.admit(start + milliseconds{1100}));
    EXPECT_FALSE(p.admit(start + seconds{3})) << "three a minute";
    EXPECT_GT(p.send_at(start + seconds{3}), start + seconds{60});
}

}  // namespace
}  // namespace estafette::route
