// Which of a route's servers the next connection goes to: pure. The lowest priority value that works,
// within it by weight; one that failed is left alone for a while, then tried again.
#pragma once

#include "estafette/config/config.hpp"

#include <cstdint>
#include <vector>

namespace estafette::route {

class server_list {
public:
    explicit server_list(std::vector<config::endpoint> servers);

    // `random` decides among equals. Where all have failed lately, the one that rests the shortest.
    [[nodiscard]] const config::endpoint& pick(steady_time now, std::uint32_t random) const;

    void on_success(const config::endpoint& server);

    // It rests for 30 s, doubling to 10 min. True when none is left that has not failed lately.
    bool on_failure(const config::endpoint& server, steady_time now);

private:
    struct entry {
        config::endpoint server;
        std::uint32_t failures = 0;
        steady_time rests_until{};
    };

    [[nodiscard]] entry* find(const config::endpoint& server);

    std::vector<entry> entries_;  // by priority
};

}  // namespace estafette::route
