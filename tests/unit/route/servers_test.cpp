#include "estafette/route/servers.hpp"

#include <gtest/gtest.h>

#include <map>

namespace estafette::route {
namespace {

constexpr steady_time start{std::chrono::hours{1}};

config::endpoint server(const char* host, std::uint16_t priority, std::uint16_t weight = 10) {
    return {host, 25, priority, weight};
}

TEST(server_list, takes_the_lowest_priority_and_shares_by_weight) {
    server_list s{{server("backup", 20), server("a", 10, 30), server("b", 10, 10)}};
    std::map<std::string, int> picked;
    for (std::uint32_t i = 0; i < 40; ++i) {
        ++picked[s.pick(start, i).host];
    }
    EXPECT_EQ(picked["a"], 30);
    EXPECT_EQ(picked["b"], 10);
    EXPECT_EQ(picked.count("backup"), 0u);
}

TEST(server_list, fails_over_and_comes_back) {
    server_list s{{server("main", 10), server("backup", 20)}};
    EXPECT_FALSE(s.on_failure(server("main", 10), start));
    EXPECT_EQ(s.pick(start, 0).host, "backup");
    EXPECT_EQ(s.pick(start + seconds{31}, 0).host, "main");
    s.on_success(server("main", 10));
    EXPECT_EQ(s.pick(start, 0).host, "main");
}

TEST(server_list, says_when_all_have_failed_and_then_tries_the_one_that_rests_the_shortest) {
    server_list s{{server("main", 10), server("backup", 20)}};
    EXPECT_FALSE(s.on_failure(server("main", 10), start));
    EXPECT_FALSE(s.on_failure(server("main", 10), start + milliseconds{1}));
    EXPECT_TRUE(s.on_failure(server("backup", 20), start + seconds{1}));
    EXPECT_EQ(s.pick(start + seconds{2}, 0).host, "backup");
}

}  // namespace
}  // namespace estafette::route
