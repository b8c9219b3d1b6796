// estafette store, from the command line to its output, on stores of the test's own.
#include "fake_console.hpp"

#include "estafette/store/local_engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace estafette::cli {
namespace {

using ::testing::HasSubstr;

class store_command : public ::testing::Test {
protected:
    store_command() {
        std::string name = (std::filesystem::temp_directory_path() / "estafette-cli-XXXXXX").string();
        folder = ::mkdtemp(name.data());
        options.path = folder + "/store";
        options.engine = "local";
        options.reserve = 0;
        (void)open();
    }

    ~store_command() override { std::filesystem::remove_all(folder); }

    [[nodiscard]] std::unique_ptr<store::engine> open() const {
        auto opened = store::open_engine(options);
        EXPECT_TRUE(opened.has_value()) << opened.error().problem;
        return opened ? std::move(*opened) : nullptr;
    }

    int run(std::vector<std::string> args) {
        args.insert(args.begin(), {"estafette", "store", "--store", options.path});
        return io.run(args);
    }

    void damage_slate() const { std::ofstream{options.path + "/slate"} << "no slate at all"; }

    std::string folder;
    config::store_options options;
    fake_console io;
};

TEST_F(store_command, check_says_that_a_store_is_whole) {
    EXPECT_EQ(run({"check"}), 0) << io.err;
    EXPECT_THAT(io.out, HasSubstr(options.path + ": whole: 0 messages"));
    EXPECT_EQ(run({"check", "--json"}), 0);
    EXPECT_EQ(io.out, "");
}

TEST_F(store_command, check_prints_a_line_for_each_finding) {
    damage_slate();
    EXPECT_EQ(run({"check"}), 1);
    EXPECT_EQ(io.out, options.path + "/slate: damaged at offset 0: the header is not readable\n");
    EXPECT_EQ(run({"check", "--json"}), 1);
    EXPECT_EQ(
        io.out,
        R"({"file":")" + options.path + R"(/slate","offset":0,"what":"the header is not readable"})" + "\n"
    );
}

TEST_F(store_command, check_says_who_has_the_store) {
    const auto store = open();
    EXPECT_EQ(run({"check"}), 75);
    EXPECT_THAT(io.err, HasSubstr("another daemon uses this store: process "));
}

TEST_F(store_command, repair_wants_a_yes_and_says_what_it_moved_and_what_was_lost) {
    damage_slate();
    EXPECT_EQ(run({"repair"}), 1);
    EXPECT_THAT(io.err, HasSubstr("nothing was done: say --yes"));
    EXPECT_EQ(run({"check"}), 1);
    EXPECT_EQ(run({"repair", "--yes"}), 0) << io.err;
    EXPECT_THAT(io.out, HasSubstr("moved aside: " + options.path + "/slate\n"));
    EXPECT_THAT(io.out, HasSubstr("lost: the marks of mail in doubt"));
    EXPECT_THAT(io.out, HasSubstr(options.path + "/aside-2026-05-01T080000000Z"));
    EXPECT_EQ(run({"check"}), 0);
    EXPECT_EQ(run({"repair", "--yes"}), 0);
    EXPECT_THAT(io.out, HasSubstr("nothing to do"));
}

TEST_F(store_command, backup_makes_a_copy_that_is_whole_into_a_new_folder_only) {
    EXPECT_EQ(run({"backup", folder + "/copy"}), 0) << io.err;
    EXPECT_EQ(io.out, folder + "/copy: 0 messages, 0 recipients; checked\n");
    EXPECT_EQ(run({"backup", folder + "/copy"}), 65);
    EXPECT_THAT(io.err, HasSubstr("is there and not empty"));
    const auto store = open();
    EXPECT_EQ(run({"backup", folder + "/second", "--json"}), 0) << io.err;
    EXPECT_EQ(io.out, R"({"folder":")" + folder + R"(/second","messages":0,"recipients":0})" + "\n");
}

TEST_F(store_command, export_and_import_count_what_they_did) {
    EXPECT_EQ(run({"export", folder + "/out"}), 0) << io.err;
    EXPECT_EQ(io.out, folder + "/out: 0 messages, the content of 0\n");
    EXPECT_EQ(run({"export", folder + "/out"}), 65);
    EXPECT_EQ(run({"import", folder + "/out", "--json"}), 0) << io.err;
    EXPECT_EQ(io.out, "{\"taken\":0,\"known\":0,\"done\":0}\n");
    EXPECT_EQ(run({"import", folder + "/nowhere"}), 66);
    std::ofstream{folder + "/out/messages.ndjson"} << "no line of ours\n";
    EXPECT_EQ(run({"import", folder + "/out"}), 65);
    EXPECT_THAT(io.err, HasSubstr("messages.ndjson:1: "));
}

TEST_F(store_command, takes_the_folder_from_the_configuration) {
    const std::string file = folder + "/estafette.yaml";
    std::ofstream{file} << "store: {path: " << folder << "/elsewhere}\n";
    EXPECT_EQ(io.run({"estafette", "store", "--config", file, "check"}), 66);
    EXPECT_THAT(io.err, HasSubstr(folder + "/elsewhere: there is no store"));
    EXPECT_EQ(io.run({"estafette", "store", "--config", folder + "/absent", "check"}), 78);
}

TEST_F(store_command, shows_how_far_it_is_on_a_terminal_only) {
    io.columns = 80;
    EXPECT_EQ(run({"check"}), 0);
    EXPECT_THAT(io.err, HasSubstr("ledger "));
    io.columns = 0;
    EXPECT_EQ(run({"check"}), 0);
    EXPECT_EQ(io.err, "");
}

}  // namespace
}  // namespace estafette::cli
