#include "sendmail_options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace estafette::cli {
namespace {

using words = std::vector<std::string>;

struct understood {
    words args;
    sendmail_mode mode = sendmail_mode::deliver;
    bool from_header = false;
    bool dot_ends = true;
    std::optional<std::string> sender;
    std::string full_name;
    words recipients;
    words ignored;
};

class the_command_line : public testing::TestWithParam<understood> {};

TEST_P(the_command_line, is_understood_as_callers_mean_it) {
    const understood& expected = GetParam();
    const auto got = parse_sendmail(expected.args);
    ASSERT_TRUE(got) << got.error();
    EXPECT_EQ(got->mode, expected.mode);
    EXPECT_EQ(got->recipients_from_header, expected.from_header);
    EXPECT_EQ(got->dot_ends_input, expected.dot_ends);
    EXPECT_EQ(got->sender, expected.sender);
    EXPECT_EQ(got->full_name, expected.full_name);
    EXPECT_EQ(got->recipients, expected.recipients);
    EXPECT_EQ(got->ignored, expected.ignored);
}

// Each row is a call seen in the wild or a form that sendmail(8) names.
INSTANTIATE_TEST_SUITE_P(
    calls,
    the_command_line,
    testing::Values(
        understood{{"ann@x.example"}, {}, false, true, {}, "", {"ann@x.example"}, {}},
        // PHP's default, and mail()'s fifth parameter
        understood{{"-t", "-i"}, {}, true, false, {}, "", {}, {}},
        understood{{"-t", "-i", "-fbounces@x.example"}, {}, true, false, "bounces@x.example", "", {}, {}},
        understood{{"-ti"}, {}, true, false, {}, "", {}, {}},
        understood{{"-ti", "-f", "a@x"}, {}, true, false, "a@x", "", {}, {}},
        understood{{"-tif", "a@x"}, {}, true, false, "a@x", "", {}, {}},
        // cron
        understood{
            {"-i", "-FCronDaemon", "-B8BITMIME", "-oem", "root"},
            {},
            false,
            false,
            {},
            "CronDaemon",
            {"root"},
            {"-oem"}
        },
        // git send-email, mutt, mailx, at, logwatch
        understood{{"-i", "ann@x", "ben@y"}, {}, false, false, {}, "", {"ann@x", "ben@y"}, {}},
        understood{{"-oi", "-f", "a@x", "--", "ben@y"}, {}, false, false, "a@x", "", {"ben@y"}, {}},
        understood{{"-oem", "-oi", "-t"}, {}, true, false, {}, "", {}, {"-oem"}},
        understood{{"-i", "-oi", "-oem", "-f", "", "x@y"}, {}, false, false, "", "", {"x@y"}, {"-oem"}},
        understood{{"-bm", "-r", "a@x", "b@y"}, {}, false, true, "a@x", "", {"b@y"}, {}},
        understood{{"-f", "<>", "b@y"}, {}, false, true, "", "", {"b@y"}, {}},
        understood{{"-F", "Ann Smith", "b@y"}, {}, false, true, {}, "Ann Smith", {"b@y"}, {}},
        understood{{"-bs"}, sendmail_mode::smtp, false, true, {}, "", {}, {}},
        understood{{"-b", "p"}, sendmail_mode::list, false, true, {}, "", {}, {}},
        understood{{"-bp", "-v"}, sendmail_mode::list, false, true, {}, "", {}, {}},
        understood{{"-bi"}, sendmail_mode::aliases, false, true, {}, "", {}, {}},
        understood{{"-q"}, sendmail_mode::flush, false, true, {}, "", {}, {"-q"}},
        understood{{"-q30m"}, sendmail_mode::flush, false, true, {}, "", {}, {"-q30m"}},
        understood{{"-q", "b@y"}, {}, false, true, {}, "", {"b@y"}, {"-q"}},
        // ignored: nothing is written, run or believed
        understood{
            {"-X", "/tmp/log", "-C/etc/evil", "-OQueueDirectory=/tmp", "-oQ/tmp", "b@y"},
            {},
            false,
            true,
            {},
            "",
            {"b@y"},
            {"-X/tmp/log", "-C/etc/evil", "-OQueueDirectory=/tmp", "-oQ/tmp"}
        },
        understood{
            {"-h", "3", "-n", "-L", "tag", "-d0.1", "-p", "ESMTP:host", "-U", "b@y"},
            {},
            false,
            true,
            {},
            "",
            {"b@y"},
            {"-h3", "-n", "-Ltag", "-d0.1", "-pESMTP:host", "-U"}
        },
        understood{{"-o", "i", "b@y"}, {}, false, false, {}, "", {"b@y"}, {}},
        understood{{"--", "-t"}, {}, false, true, {}, "", {"-t"}, {}},
        understood{{"b@y", "-t"}, {}, false, true, {}, "", {"b@y", "-t"}, {}},
        understood{{"-"}, {}, false, true, {}, "", {"-"}, {}}
    )
);

TEST(sendmail_options, keeps_which_reports_are_wanted) {
    const auto got = parse_sendmail({"-N", "delay,FAILURE", "-Rhdrs", "-V", "id-1", "b@y"});
    ASSERT_TRUE(got);
    EXPECT_EQ(got->notify, "failure,delay");
    EXPECT_EQ(got->returned, "headers");
    EXPECT_EQ(got->envelope_id, "id-1");
    EXPECT_EQ(parse_sendmail({"-Nnever", "b@y"})->notify, "never");
    EXPECT_EQ(parse_sendmail({"-R", "full", "b@y"})->returned, "full");
}

class a_wrong_command_line : public testing::TestWithParam<words> {};

TEST_P(a_wrong_command_line, is_refused_with_a_sentence) {
    const auto got = parse_sendmail(GetParam());
    ASSERT_FALSE(got);
    EXPECT_GT(got.error().size(), 10u);
}

INSTANTIATE_TEST_SUITE_P(
    calls,
    a_wrong_command_line,
    testing::Values(
        words{"-Z"},
        words{"-N", "sometimes", "b@y"},
        words{"-Nnever,failure", "b@y"},
        words{"-N", "", "b@y"},
        words{"-Rnothing", "b@y"},
        words{"-tZ"},
        words{"-f"},
        words{"-bd"},
        words{"-bd", "-q30m"},
        words{"-bv", "a@x"},
        words{"-B", "BINARYMIME", "a@x"},
        words{"-\x1b"}
    )
);

}  // namespace
}  // namespace estafette::cli
