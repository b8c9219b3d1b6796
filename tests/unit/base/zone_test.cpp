#include "estafette/base/zone.hpp"

#include <gtest/gtest.h>

namespace estafette {
namespace {

wall_time utc(const char* text) {
    return parse_rfc3339(text).value();
}

local_time local(const char* text) {
    return local_time{utc(text).time_since_epoch()};
}

class paris : public testing::Test {
protected:
    zone here = zone::find("Europe/Paris").value();
};

TEST_F(paris, is_one_hour_ahead_in_winter_and_two_in_summer) {
    EXPECT_EQ(here.to_local(utc("2026-01-15T12:00:00Z")), local("2026-01-15T13:00:00Z"));
    EXPECT_EQ(here.to_local(utc("2026-07-15T12:00:00Z")), local("2026-07-15T14:00:00Z"));
    EXPECT_EQ(here.to_wall(local("2026-01-15T13:00:00Z")), utc("2026-01-15T12:00:00Z"));
    EXPECT_EQ(here.to_wall(local("2026-07-15T14:00:00Z")), utc("2026-07-15T12:00:00Z"));
}

TEST_F(paris, has_an_instant_for_the_hour_that_is_skipped_in_spring) {
    for (const char* skipped : {"2026-03-29T02:00:00Z", "2026-03-29T02:30:00Z", "2026-03-29T02:59:59Z"}) {
        EXPECT_EQ(here.to_wall(local(skipped)), utc("2026-03-29T01:00:00Z")) << skipped;
    }
    EXPECT_EQ(here.to_wall(local("2026-03-29T03:00:00Z")), utc("2026-03-29T01:00:00Z"));
    EXPECT_EQ(here.to_wall(local("2026-03-29T01:59:59Z")), utc("2026-03-29T00:59:59Z"));
}

TEST_F(paris, knows_both_of_the_hours_that_come_twice_in_autumn) {
    const auto twice = local("2026-10-25T02:30:00Z");
    EXPECT_EQ(here.to_wall(twice), utc("2026-10-25T00:30:00Z"));
    EXPECT_EQ(here.to_wall(twice, zone::which::last), utc("2026-10-25T01:30:00Z"));
    EXPECT_EQ(here.to_local(utc("2026-10-25T00:30:00Z")), twice);
    EXPECT_EQ(here.to_local(utc("2026-10-25T01:30:00Z")), twice);
}

TEST_F(paris, keeps_milliseconds) {
    EXPECT_EQ(here.to_wall(local("2026-07-15T14:00:00.123Z")), utc("2026-07-15T12:00:00.123Z"));
}

TEST(a_zone, is_utc_unless_it_is_named) {
    EXPECT_EQ(zone{}.name(), "UTC");
    EXPECT_EQ(zone{}.to_wall(local("2026-03-29T02:30:00Z")), utc("2026-03-29T02:30:00Z"));
    EXPECT_EQ(zone::find("UTC").value(), zone{});
}

TEST(a_zone, must_be_known) {
    for (const char* name : {"Europe/Pariss", "", "../etc/passwd", "CEST", "+02:00"}) {
        const auto found = zone::find(name);
        EXPECT_EQ(found.has_error() ? found.error() : error_code{}, errc::not_found) << name;
    }
}

}  // namespace
}  // namespace estafette
