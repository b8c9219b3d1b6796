// One connection and what it is doing, as its route sees it.
#pragma once

#include "estafette/net/connection.hpp"
#include "estafette/route/route.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace estafette::route {

struct route::worker {
    enum class stage : std::uint8_t { opening, idle, busy, closing };

    // One message on its way: from before its first byte until its outcome is durable. Kept in one place
    // meanwhile, since the connection refers to it.
    struct parcel {
        job what;
        net::transaction as;
        store::slate::slot mark;  // that it is in doubt if we die now
    };

    using parcels = std::vector<std::unique_ptr<parcel>>;

    // In the route's list from birth to end.
    explicit worker(route& owner)
        : home{owner} {
        for (auto* list : {&sent, &over, &spare}) {
            list->reserve(home.options_.window + 2);  // those under way, the next, and one that is over
        }
        home.active_.push_back(this);
    }

    ~worker() {
        home.active_.remove(this);
        home.adjust_later();
    }

    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    [[nodiscard]] std::unique_ptr<parcel> pack(job j);
    void unpack(std::unique_ptr<parcel> p);

    route& home;
    stage now = stage::opening;
    net::connection* link = nullptr;
    parcels sent;                           // begun, oldest first: their outcome is not known
    parcels over;                           // their outcome is being recorded
    std::unique_ptr<parcel> next;           // begun next; its commands may have left
    std::vector<attempt_report> reports;    // of what is over
    std::vector<job> untried;               // of what is over: for another connection
    std::vector<store::slate::slot> marks;  // that mark nothing now; one for each message of the window
    std::uint32_t begun = 0, answered = 0;  // messages, ever
    bool goes_on = true;                    // another message may be begun
    bool next_begun = false;                // commands of `next` have left
    steady_time opened_at{};
    parcels spare;
    std::vector<recipient_id> marked;  // memory for the mark
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
