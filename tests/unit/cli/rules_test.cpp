// estafette rules, from the command line to its output.
#include "fake_console.hpp"
#include "fake_daemon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace estafette::cli {
namespace {

using ::testing::HasSubstr;

class rules_command : public ::testing::Test {
protected:
    rules_command() {
        std::string name = (std::filesystem::temp_directory_path() / "estafette-rules-XXXXXX").string();
        folder = ::mkdtemp(name.data());
        write("map.tsv", "reason\tdisposition\tcategory\nunknown_user\t*\tunknown\nother\t*\tother\n");
        write(
            "replies.tsv",
            "code\tenhanced\ttext\tcategory\n550\t5.1.1\tno such user\tunknown\n550\t\tZorglub 7\tother\n"
            "\t\tuser unknown\tunknown\n550\t\tZorglub 8\tother\n"
        );
    }

    ~rules_command() override { std::filesystem::remove_all(folder); }

    std::string write(const std::string& name, const std::string& text) const {
        const auto path = folder + "/" + name;
        std::ofstream{path} << text;
        return path;
    }

    int run(std::vector<std::string> args) {
        args.insert(args.begin(), {"estafette", "rules"});
        args.insert(args.end(), {"--rules", folder});
        return io.run(args);
    }

    std::string folder;
    fake_console io;
};

TEST_F(rules_command, classifies_every_row_and_prints_nothing_else) {
    EXPECT_EQ(run({"classify", folder + "/replies.tsv"}), 0) << io.err;
    EXPECT_EQ(
        io.out,
        "unknown_user\trecipient\tfail\trecipient/unknown\nother\trecipient\tfail\t\n"
        "unknown_user\trecipient\tretry\trecipient/unknown\nother\trecipient\tfail\t\n"
    );
    EXPECT_EQ(io.err, "");
}

TEST_F(rules_command, measures_against_expectations) {
    EXPECT_EQ(run({"test", folder + "/replies.tsv", "--expect", "category", "--map", folder + "/map.tsv"}), 0)
        << io.err;
    EXPECT_THAT(io.out, HasSubstr("100.0 % (3 of 3)"));
}

TEST_F(rules_command, lists_what_no_rule_knows_in_groups) {
    EXPECT_EQ(run({"unmatched", folder + "/replies.tsv"}), 0) << io.err;
    EXPECT_EQ(io.out, "2\t550 Zorglub 7\n");
}

TEST_F(rules_command, lists_what_the_daemon_met_and_did_not_know) {
    fake_daemon daemon{
        200,
        R"({"total":9,"replies":[{"count":7,"code":550,"text":"550 Zorglub 7","server":"mx.y.example",
            "seen_at":"2026-05-01T08:00:00.000Z"},{"count":2,"code":450,"text":"450 \u001b[31m","server":null,"seen_at":null}]})"
    };
    EXPECT_EQ(io.run({"estafette", "--socket", daemon.socket(), "rules", "unmatched"}), 0) << io.err;
    EXPECT_THAT(io.out, HasSubstr("7      2026-05-01 08:00:00  mx.y.example  550 Zorglub 7\n"));
    EXPECT_EQ(io.out.find('\x1b'), std::string::npos);
    EXPECT_EQ(io.run({"estafette", "--socket", daemon.socket(), "--json", "rules", "unmatched"}), 0);
    EXPECT_EQ(std::ranges::count(io.out, '\n'), 2);
}

TEST_F(rules_command, explains_a_reply_by_the_operators_own_rules_first) {
    write("05-ours.yaml", "rules:\n  - {id: ours/zorglub, text: zorglub, reason: blocked_policy}\n");
    EXPECT_EQ(run({"explain", "550 Zorglub"}), 0) << io.err;
    EXPECT_THAT(io.out, HasSubstr("rule         ours/zorglub"));
}

TEST_F(rules_command, refuses_bad_rules_and_files_with_their_place) {
    EXPECT_EQ(run({"classify", folder + "/none.tsv"}), 66);
    EXPECT_THAT(io.err, HasSubstr("none.tsv cannot be read"));
    EXPECT_EQ(run({"classify", folder + "/map.tsv"}), 65);
    EXPECT_THAT(io.err, HasSubstr("the table has no column code"));
    EXPECT_EQ(run({"explain", "hello"}), 65);
    write("05-ours.yaml", "rules:\n  - {id: ours, text: '(', reason: other}\n");
    EXPECT_EQ(run({"explain", "550 x"}), 78);
    EXPECT_THAT(io.err, HasSubstr("05-ours.yaml:2: not a pattern"));
}

}  // namespace
}  // namespace estafette::cli
