// The LMTP listener: a Unix socket or loopback, where the machine's mail server delivers what came back.
//
// Promises: each connection has a limit on its bytes, its commands and its time, and there are few at once;
// a mail is answered with 250 when what it says is durable, and with 451 when the store cannot take it.
// close() takes no new connection; wait() lets those under way end.
// Thread: the loop.
#pragma once

#include "estafette/bounce/intake.hpp"

#include <memory>
#include <string>

namespace estafette::bounce {

class lmtp_server {
public:
    lmtp_server(asio::any_io_executor loop, intake& to);
    ~lmtp_server();
    lmtp_server(const lmtp_server&) = delete;
    lmtp_server& operator=(const lmtp_server&) = delete;

    // Where `bounces.lmtp` says so, or on `inherited`, a listening socket of systemd's (-1: none). A sentence
    // where it cannot be had.
    [[nodiscard]] boost::system::result<void, std::string> listen(const config::config& c, int inherited);

    void close();

    // True when every connection has ended; what is left after the limit is cut.
    [[nodiscard]] asio::awaitable<bool> wait(milliseconds limit);

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace estafette::bounce
