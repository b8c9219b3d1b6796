// The HTTP server on the Unix sockets: accepts, knows the peer, reads one request at a time within its
// limits, and hands it to the router. docs/api.md is what it speaks.
//
// close() takes no new connection and lets the requests under way end.
// Thread: the loop.
#pragma once

#include "estafette/api/gateway.hpp"
#include "estafette/base/metrics.hpp"
#include "estafette/config/config.hpp"
#include "estafette/net/listening.hpp"
#include "estafette/store/queue.hpp"

#include <memory>
#include <string>
#include <vector>

namespace estafette::api {

using net::inherited_listener;

class server {
public:
    // All references outlive the server.
    server(asio::any_io_executor loop, store::queue& queue, gateway& below, metrics& meters);
    ~server();
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    // For the requests that begin after the call.
    void configure(config::config_ptr c);

    // A sentence with the path, where a socket cannot be had. A dead socket file is replaced; one that
    // answers belongs to another daemon and is refused.
    [[nodiscard]] boost::system::result<void, std::string> listen(std::vector<inherited_listener> inherited);

    void close();

    // True when every connection has ended; what is left after the limit is cut.
    [[nodiscard]] asio::awaitable<bool> wait(milliseconds limit);

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace estafette::api
