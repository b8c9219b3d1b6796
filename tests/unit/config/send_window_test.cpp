#include "estafette/config/send_window.hpp"

#include <gtest/gtest.h>

namespace estafette::config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

wall_time utc(const char* text) {
    return parse_rfc3339(text).value();
}

send_window office(const char* where = "Europe/Paris") {
    send_window w;
    w.days = {true, true, true, true, true, false, false};
    w.opens = hours{8};
    w.closes = hours{19};
    w.where = zone::find(where).value();
    return w;
}

struct row {
    const char* at;
    const char* opens;
    const char* why;
};

void expect_opens(const send_window& w, std::initializer_list<row> rows) {
    for (const auto& [at, opens, why] : rows) {
        EXPECT_EQ(to_rfc3339(next_open(w, utc(at))), to_rfc3339(utc(opens))) << at << " " << why;
    }
}

TEST(a_send_window, is_open_in_its_hours_on_its_days) {
    expect_opens(
        office(),
        {
            {"2026-06-03T06:00:00Z", "2026-06-03T06:00:00Z", "08:00 on a Wednesday in summer"},
            {"2026-06-03T05:59:59.999Z", "2026-06-03T06:00:00Z", "before"},
            {"2026-06-03T16:59:59.999Z", "2026-06-03T16:59:59.999Z", "the last moment"},
            {"2026-06-03T17:00:00Z", "2026-06-04T06:00:00Z", "after: tomorrow"},
            {"2026-06-05T17:00:00Z", "2026-06-08T06:00:00Z", "Friday evening: Monday"},
            {"2026-06-07T10:00:00Z", "2026-06-08T06:00:00Z", "Sunday: Monday"},
            {"2026-01-07T06:30:00Z", "2026-01-07T07:00:00Z", "winter"},
        }
    );
}

TEST(a_send_window, follows_the_clocks_when_they_are_put_forward_and_back) {
    expect_opens(
        office(),
        {
            {"2026-03-27T18:30:00Z", "2026-03-30T06:00:00Z", "from winter's Friday to summer's Monday"},
            {"2026-10-23T18:30:00Z", "2026-10-26T07:00:00Z", "from summer's Friday to winter's Monday"},
        }
    );
    send_window night = office();
    night.days.fill(true);
    night.opens = hours{2};
    night.closes = hours{5};
    expect_opens(
        night,
        {
            {"2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "02:00 is skipped: 03:00"},
            {"2026-10-25T00:00:00Z", "2026-10-25T00:00:00Z", "the first 02:00"},
            {"2026-10-25T01:30:00Z", "2026-10-25T01:30:00Z", "the second 02:30"},
            {"2026-10-25T04:00:00Z", "2026-10-26T01:00:00Z", "05:00: closed"},
        }
    );
}

TEST(a_send_window, that_clocks_skip_whole_opens_the_day_after) {
    send_window w = office();
    w.days.fill(true);
    w.opens = hours{2} + minutes{15};
    w.closes = hours{2} + minutes{45};
    expect_opens(w, {{"2026-03-29T00:50:00Z", "2026-03-30T00:15:00Z", "there is no 02:15 that day"}});
}

TEST(a_send_window, may_end_on_the_next_day) {
    send_window w = office();
    w.days = {false, false, false, false, true, false, false};
    w.opens = hours{22};
    w.closes = hours{6};
    expect_opens(
        w,
        {
            {"2026-06-06T03:59:00Z", "2026-06-06T03:59:00Z", "Saturday 05:59 belongs to Friday"},
            {"2026-06-06T04:00:00Z", "2026-06-12T20:00:00Z", "Saturday 06:00: next Friday"},
        }
    );
}

TEST(a_send_window, of_one_day_a_week_is_found_from_any_time) {
    send_window w = office("America/Sao_Paulo");
    w.days = {false, false, false, false, false, false, true};
    expect_opens(w, {{"2026-06-07T22:00:00Z", "2026-06-14T11:00:00Z", "a minute after it closed"}});
}

TEST(a_send_window, changes_when_it_opens_and_when_it_closes) {
    const auto w = office();
    EXPECT_EQ(next_change(w, utc("2026-06-03T05:00:00Z")), utc("2026-06-03T06:00:00Z"));
    EXPECT_EQ(next_change(w, utc("2026-06-03T06:00:00Z")), utc("2026-06-03T17:00:00Z"));
    EXPECT_EQ(next_change(w, utc("2026-06-05T17:00:00Z")), utc("2026-06-08T06:00:00Z"));
    send_window whole_days;
    whole_days.days = {true, true, true, true, true, false, false};
    EXPECT_EQ(next_change(whole_days, utc("2026-06-03T06:00:00Z")), utc("2026-06-06T00:00:00Z"));
}

TEST(a_send_window, never_answers_with_a_time_before_the_question_nor_with_a_closed_one) {
    for (const char* where :
         {"Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"}) {
        const auto w = office(where);
        for (wall_time t = utc("2026-01-01T00:00:00Z"); t < utc("2027-01-01T00:00:00Z"); t += minutes{47}) {
            const auto open = next_open(w, t);
            ASSERT_GE(open, t);
            ASSERT_EQ(next_open(w, open), open);
            const auto local = w.where.to_local(open);
            const auto day = std::chrono::floor<std::chrono::days>(local);
            ASSERT_GE(local - day, w.opens);
            ASSERT_LT(local - day, w.closes);
            ASSERT_LE(std::chrono::weekday{day}.iso_encoding(), 5u);
        }
    }
}

TEST(a_send_window, has_words) {
    EXPECT_EQ(to_text(office()), "mon-fri 08:00-19:00 Europe/Paris");
    send_window w;
    w.days = {true, false, true, true, false, false, true};
    EXPECT_EQ(to_text(w), "mon,wed-thu,sun 00:00-24:00 UTC");
}

}  // namespace
}  // namespace estafette::config
