#include "output.hpp"
#include "when.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <sstream>

namespace estafette::cli {
namespace {

constexpr wall_time now{seconds{1777622400}};  // 2026-05-01 08:00:00 UTC

// Somewhere to print to.
struct written {
    std::istringstream in;
    std::ostringstream out;
    console io{in, out, out, {}, {}, {}, {}, false, 0};
};

class times_in_brussels : public testing::Test {
protected:
    times_in_brussels() {
        setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
        tzset();
    }

    ~times_in_brussels() override {
        setenv("TZ", "UTC", 1);
        tzset();
    }
};

TEST_F(times_in_brussels, are_shown_in_the_local_zone) {
    EXPECT_EQ(local_time(now), "2026-05-01 10:00:00");
    EXPECT_EQ(local_time(std::nullopt), "-");
}

TEST_F(times_in_brussels, are_read_in_the_local_zone_unless_they_name_one) {
    struct {
        const char* text;
        const char* utc;
    } const cases[]{
        {"2026-05-01 10:00", "2026-05-01T08:00:00.000Z"},
        {"2026-05-01T10:00:30", "2026-05-01T08:00:30.000Z"},
        {"2026-12-01 10:00", "2026-12-01T09:00:00.000Z"},
        {"2026-05-01T08:00:00Z", "2026-05-01T08:00:00.000Z"},
        {"2026-05-01T08:00:00-05:00", "2026-05-01T13:00:00.000Z"},
        {"+2h", "2026-05-01T10:00:00.000Z"},
        {"+1d12h", "2026-05-02T20:00:00.000Z"},
        {"now", "2026-05-01T08:00:00.000Z"},
    };
    for (const auto& [text, utc] : cases) {
        const auto got = parse_when(text, now);
        ASSERT_TRUE(got) << text;
        EXPECT_EQ(to_rfc3339(*got), utc) << text;
    }
    for (const char* text :
         {"",
          "+",
          "+soon",
          "tomorrow",
          "2026-05-01",
          "2026-04-31 10:00",
          "2026-05-01 24:00",
          "2026-05-01 10:60",
          "2026-13-01 10:00",
          "2026-05-01 1a:00",
          "2026-05-01 10:00x",
          "-2h"}) {
        EXPECT_FALSE(parse_when(text, now)) << text;
    }
}

TEST(a_distance, has_one_unit) {
    EXPECT_EQ(distance(now, now), "now");
    EXPECT_EQ(distance(now + seconds{59}, now), "in 59s");
    EXPECT_EQ(distance(now - seconds{119}, now), "119s ago");
    EXPECT_EQ(distance(now + seconds{120}, now), "in 2m");
    EXPECT_EQ(distance(now + seconds{7200}, now), "in 2h");
    EXPECT_EQ(distance(now - seconds{86400 * 3}, now), "3d ago");
}

TEST(a_table, is_aligned_by_characters_not_bytes) {
    table t{"A", "B", "C"};
    t.add({"é", "", "x"});
    t.add({"long", "y", "z"});
    written to;
    t.print(to.io);
    EXPECT_EQ(to.out.str(), "A     B  C\né     -  x\nlong  y  z\n");
}

TEST(facts_of_something, are_broken_between_words_on_a_terminal_only) {
    facts f;
    f.add("Name", "Ann");
    f.add("Nothing", "");
    f.add("What", "one two three four five six seven eight nine ten");
    written file;
    f.print(file.io);
    EXPECT_EQ(file.out.str(), "Name  Ann\nWhat  one two three four five six seven eight nine ten\n");
    written terminal;
    terminal.io.columns = 40;
    f.print(terminal.io);
    EXPECT_EQ(
        terminal.out.str(), "Name  Ann\nWhat  one two three four five six seven\n      eight nine ten\n"
    );
}

TEST(a_word, is_never_broken) {
    EXPECT_EQ(broken("a bbbbbb c", 3), (std::vector<std::string>{"a", "bbbbbb", "c"}));
    EXPECT_EQ(broken("", 3), std::vector<std::string>{""});
}

TEST(a_long_text, is_cut_between_characters) {
    EXPECT_EQ(shortened("abc", 3), "abc");
    EXPECT_EQ(shortened("abcd", 3), "ab…");
    EXPECT_EQ(shortened("éééé", 3), "éé…");
}

}  // namespace
}  // namespace estafette::cli
