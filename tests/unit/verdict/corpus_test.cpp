// The rules measured on real replies that other projects collected. They are not part of this
// repository: ESTAFETTE_CORPUS names the folder that holds replies-dev.tsv and map.tsv.
#include "standard.hpp"

#include "estafette/verdict/rules_report.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

namespace estafette::verdict {
namespace {

std::string read_file(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

// The rows fall into two halves by their text. The rules were tuned on the first; the second stood at 84 %
// then, and its last 126 rows at 87 % before they were looked at too. So both figures flatter now: only
// replies that nobody here has seen measure the rules.
bool is_in_first_half(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    }
    return ((hash >> 32) & 1) == 0;
}

bool is_in_second_half(std::string_view text) {
    return !is_in_first_half(text);
}

TEST(corpus, most_real_replies_are_understood_and_hardly_any_good_address_is_called_dead) {
    const char* folder = std::getenv("ESTAFETTE_CORPUS");
    if (!folder || !*folder) {
        GTEST_SKIP() << "ESTAFETTE_CORPUS is not set: the real replies are not part of the repository";
    }
    const auto replies = read_file(std::string{folder} + "/replies-dev.tsv");
    const auto map = read_file(std::string{folder} + "/map.tsv");
    ASSERT_FALSE(replies.empty()) << folder;
    const auto& c = standard_rules();
    const auto all = score_table(c, replies, "category", map);
    const auto first = score_table(c, replies, "category", map, is_in_first_half);
    const auto second = score_table(c, replies, "category", map, is_in_second_half);
    ASSERT_TRUE(all && first && second);
    std::cout << "all: " << all->share_right() << " right, " << all->share_called_dead() << " called dead, "
              << all->share_missed() << " missed\n"
              << "first half: " << first->share_right() << ", " << first->share_called_dead() << ", "
              << first->share_missed() << "\n"
              << "second half: " << second->share_right() << ", " << second->share_called_dead() << ", "
              << second->share_missed() << "\n";
    if (std::getenv("ESTAFETTE_CORPUS_MISSES")) {
        for (const auto& m : second->misses)
            std::cout << "SECOND " << m.expected << " -> " << m.found << " by " << m.rule << "\n";
        std::cout << print(*first);
    }
    EXPECT_GE(all->share_right(), 0.90);
    EXPECT_LE(all->share_called_dead(), 0.01);
    EXPECT_LE(all->share_missed(), 0.10);
}

}  // namespace
}  // namespace estafette::verdict
