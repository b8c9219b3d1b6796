// What the routes tell the floor above: an interface of this floor that the scheduler implements.
// Thread: the loop.
#pragma once

#include "estafette/net/connection.hpp"
#include "estafette/route/job.hpp"
#include "estafette/verdict/verdict.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace estafette::route {

namespace asio = boost::asio;

class route;

// One transaction that was tried, with everything the timeline wants to know. It refers to what its
// connection keeps until it is recorded.
struct attempt_report {
    const job& what;
    net::delivery result;     // one entry per target of `what`, in its order
    std::string_view server;  // "host:port"
    std::string_view tls;     // "TLSv1.3 …, verified"; empty for none
    std::string_view banner;  // what the server greeted us with
};

class reporter {
public:
    virtual ~reporter() = default;

    // Durable on return, all of them. False: the store takes nothing more; the connection must not send
    // another body. The reports outlive the task.
    [[nodiscard]] virtual asio::awaitable<bool>
    record(route& from, std::span<const attempt_report> reports) = 0;

    // Jobs that nothing was tried for: they go back to the store or to a route.
    virtual void give_back(std::vector<job> jobs) = 0;

    // A job that may not go before `until`, since a limit is used up; the store keeps it.
    virtual void postpone(job j, wall_time until) = 0;

    // The route rests (status() says why), once per rest; and works again.
    virtual void on_paused(route& which) = 0;
    virtual void on_resumed(route& which) = 0;

    // The route can take more work.
    virtual void on_room(route& which) = 0;
};

}  // namespace estafette::route
