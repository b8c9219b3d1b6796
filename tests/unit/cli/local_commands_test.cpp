// What the command line does without a daemon.
#include "fake_console.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace estafette::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class the_program_alone : public testing::Test {
protected:
    estafette::test::temporary_folder folder;
    fake_console console;
};

TEST_F(the_program_alone, checks_and_shows_a_configuration) {
    const std::string file = folder.path("e.yaml");
    std::ofstream{file} << "# a comment\nhostname: m.example\n\nstore: {pth: x}\n";
    EXPECT_EQ(console.run({"estafette", "config", "check", file}), 78);
    EXPECT_EQ(console.err, file + ":4: unknown key store.pth; nearest: store.path\n");
    EXPECT_EQ(console.run({"estafette", "config", "show", file}), 78);
    std::ofstream{file} << "hostname: m.example\n";
    console.environment["ESTAFETTE_CONFIG"] = file;
    EXPECT_EQ(console.run({"estafette", "config", "check"}), 0);
    EXPECT_EQ(console.run({"estafette", "config", "show"}), 0);
    EXPECT_THAT(console.out, AllOf(HasSubstr("hostname: m.example\n"), HasSubstr("retention: 30d\n")));
    EXPECT_EQ(console.run({"estafette", "config", "show", "--changed"}), 0);
    EXPECT_EQ(console.out, "hostname: m.example\n");
    EXPECT_EQ(console.run({"estafette", "config", "reference"}), 0);
    EXPECT_THAT(console.out, HasSubstr("#hostname:"));
    EXPECT_EQ(console.run({"estafette", "config", "check", "/nonexistent", "--json"}), 78);
    EXPECT_THAT(console.out, HasSubstr(R"("valid":false)"));
}

// What bash offers behind the words, by running the script in bash.
std::string offered(const std::string& script_file, const std::string& words) {
    const std::string command =
        "bash -c 'source " + script_file + "; COMP_WORDS=(" + words +
        "); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _estafette; echo \"${COMPREPLY[@]}\"' 2>&1";
    FILE* pipe = popen(command.c_str(), "r");
    std::string out;
    for (char buffer[256]; fgets(buffer, sizeof buffer, pipe) != nullptr;) {
        out += buffer;
    }
    pclose(pipe);
    return out;
}

TEST_F(the_program_alone, completes_its_own_commands_in_bash) {
    EXPECT_EQ(console.run({"estafette", "completion", "bash"}), 0);
    const std::string file = folder.path("completion");
    std::ofstream{file} << console.out;
    EXPECT_EQ(offered(file, "estafette he"), "health\n");
    EXPECT_EQ(offered(file, "estafette route p"), "pause\n");
    EXPECT_EQ(offered(file, "estafette send --pri"), "--priority\n");
    EXPECT_EQ(offered(file, "estafette send --priority \"\""), "transactional bulk\n");
    EXPECT_EQ(offered(file, "estafette list --state de"), "deferred delivered\n");
    EXPECT_EQ(offered(file, "estafette status --so"), "--socket\n");
    EXPECT_EQ(offered(file, "estafette completion f"), "fish\n");
    for (const char* shell : {"zsh", "fish"}) {
        EXPECT_EQ(console.run({"estafette", "completion", shell}), 0);
        EXPECT_THAT(
            console.out, AllOf(HasSubstr("pause"), HasSubstr("priority"), HasSubstr("transactional"))
        );
    }
}

}  // namespace
}  // namespace estafette::cli
