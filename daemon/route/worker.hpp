// One connection and what it is doing, as its route sees it.
#pragma once

#include "estafette/net/connection.hpp"
#include "estafette/route/route.hpp"

#include <optional>

namespace estafette::route {

struct route::worker {
    enum class stage : std::uint8_t { opening, idle, busy, closing };

    // In the route's list from birth to end.
    explicit worker(route& owner)
        : home{owner} {
        home.active_.push_back(this);
    }

    ~worker() {
        home.active_.remove(this);
        home.adjust_later();
    }

    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    route& home;
    stage now = stage::opening;
    net::connection* link = nullptr;
    std::optional<job> current, next;  // under way: what a crash or a cancel must know of
    store::slate::slot mark;           // which mail is in doubt if we die now
    std::uint32_t delivered = 0;
    steady_time opened_at{};
};

// In the route's idle list from birth to end.
struct route::idle_worker {
    explicit idle_worker(route& owner)
        : home{owner}
        , wake{owner.loop_} {
        home.idle_.push_front(this);
    }

    ~idle_worker() { home.idle_.remove(this); }

    idle_worker(const idle_worker&) = delete;
    idle_worker& operator=(const idle_worker&) = delete;

    route& home;
    asio::steady_timer wake;
    bool was_woken = false;
};

}  // namespace estafette::route
