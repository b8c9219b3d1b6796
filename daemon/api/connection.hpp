// One accepted connection: HTTP/1.1 requests one after the other, each within its limits of size and
// time, until the peer, a limit or the daemon ends it. The only unit that knows the HTTP library. Private.
// Thread: the loop.
#pragma once

#include "handlers.hpp"

#include <boost/asio/local/stream_protocol.hpp>

#include <functional>
#include <memory>

namespace estafette::api {

class connection {
public:
    using socket = asio::local::stream_protocol::socket;
    using config_source = std::function<config::config_ptr()>;

    connection(socket s, services& uses, config_source current);
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    // Until the connection is closed; it must outlive the coroutine.
    [[nodiscard]] asio::awaitable<void> run();

    // No further request: closed at once if none is under way, else after its response.
    void finish();

private:
    struct state;
    std::unique_ptr<state> state_;
};

// For a connection above the limit: a 503 that does not wait, then the end.
void turn_away(connection::socket s);

}  // namespace estafette::api
