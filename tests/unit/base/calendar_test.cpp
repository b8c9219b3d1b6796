#include "estafette/base/calendar.hpp"

#include <gtest/gtest.h>

namespace estafette {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

calendar_distance distance(const char* text) {
    return calendar_distance::parse(text).value();
}

wall_time utc(const char* text) {
    return parse_rfc3339(text).value();
}

TEST(a_calendar_distance, is_read_in_short_and_in_iso_form) {
    const std::pair<const char*, calendar_distance> rows[] = {
        {"+7d", {0, 7, seconds{0}}},
        {"-15d", {0, -15, seconds{0}}},
        {"+2w", {0, 14, seconds{0}}},
        {"-1d12h", {0, -1, hours{-12}}},
        {"+90m", {0, 0, minutes{90}}},
        {"P7D", {0, 7, seconds{0}}},
        {"-P15D", {0, -15, seconds{0}}},
        {"+P1Y2M3W4D", {14, 25, seconds{0}}},
        {"PT36H", {0, 0, hours{36}}},
        {"P1DT2H3M4S", {0, 1, hours{2} + minutes{3} + seconds{4}}},
        {"P1M", {1, 0, seconds{0}}},
        {"PT1M", {0, 0, minutes{1}}},
        {"+0d", {0, 0, seconds{0}}},
    };
    for (const auto& [text, want] : rows) {
        EXPECT_EQ(distance(text), want) << text;
    }
}

TEST(a_calendar_distance, is_nothing_else) {
    for (const char* text :
         {"",      "7",     "7d",    "+",     "+d",        "+7",
          "+7x",   "+7d7d", "+1h1d", "P",     "PT",        "P1H",
          "P7DT",  "PTT1H", "P1D1D", "P1D1M", "--7d",      "+-7d",
          "P-7D",  "+7 d",  " +7d",  "+7D",   "+1000000d", "+999999d",
          "P999Y", "+1.5d", "P1,5D", "+7d\n", "J+7",       "+0000000000000000000000000000001d"}) {
        EXPECT_TRUE(calendar_distance::parse(text).has_error()) << text;
    }
}

TEST(a_day_later, is_the_same_time_of_day_where_clocks_change) {
    const auto paris = zone::find("Europe/Paris").value();
    const auto start = utc("2026-03-26T08:00:00Z");  // Thursday, 09:00
    EXPECT_EQ(move_by(start, distance("+7d"), {}, paris), utc("2026-04-02T07:00:00Z"));
    EXPECT_EQ(move_by(start, distance("+168h"), {}, paris), utc("2026-04-02T08:00:00Z"))
        << "hours pass as they are";
    EXPECT_EQ(move_by(start, distance("+7d"), {}, zone{}), utc("2026-04-02T08:00:00Z"));
    EXPECT_EQ(move_by(start, distance("+7d"), hours{10}, paris), utc("2026-04-02T08:00:00Z"));
    EXPECT_EQ(move_by(start, distance("-1d"), hours{10}, paris), utc("2026-03-25T09:00:00Z"));
}

TEST(a_day_later, has_a_time_also_where_it_is_skipped_or_comes_twice) {
    const auto paris = zone::find("Europe/Paris").value();
    EXPECT_EQ(move_by(utc("2026-03-28T01:30:00Z"), distance("+1d"), {}, paris), utc("2026-03-29T01:00:00Z"))
        << "02:30 is skipped: the moment at which the clocks were put forward";
    EXPECT_EQ(move_by(utc("2026-10-24T00:30:00Z"), distance("+1d"), {}, paris), utc("2026-10-25T00:30:00Z"))
        << "02:30 comes twice: the first";
}

TEST(a_month_later, ends_where_the_month_ends) {
    EXPECT_EQ(move_by(utc("2026-01-31T12:00:00Z"), distance("P1M"), {}, zone{}), utc("2026-02-28T12:00:00Z"));
    EXPECT_EQ(move_by(utc("2028-01-31T12:00:00Z"), distance("P1M"), {}, zone{}), utc("2028-02-29T12:00:00Z"));
    EXPECT_EQ(
        move_by(utc("2026-03-31T12:00:00Z"), distance("-P1M"), {}, zone{}), utc("2026-02-28T12:00:00Z")
    );
    EXPECT_EQ(
        move_by(utc("2026-01-31T12:00:00Z"), distance("P1M1D"), {}, zone{}), utc("2026-03-01T12:00:00Z")
    );
}

TEST(a_time_of_day, has_two_digits_each) {
    EXPECT_EQ(parse_time_of_day("09:05").value(), hours{9} + minutes{5});
    EXPECT_EQ(parse_time_of_day("23:59").value(), hours{23} + minutes{59});
    for (const char* text : {"", "9:05", "24:00", "09:60", "09-05", "09:05:00", "0a:05"}) {
        EXPECT_TRUE(parse_time_of_day(text).has_error()) << text;
    }
}

TEST(a_day, is_midnight_on_its_calendar) {
    const auto day = parse_day("2026-05-01").value();
    EXPECT_EQ(zone::find("Europe/Paris")->to_wall(day), utc("2026-04-30T22:00:00Z"));
    for (const char* text : {"", "2026-5-1", "2026-02-30", "2026-05-01T", "20260501"}) {
        EXPECT_TRUE(parse_day(text).has_error()) << text;
    }
}

}  // namespace
}  // namespace estafette
