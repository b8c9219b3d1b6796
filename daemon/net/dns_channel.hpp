// c-ares driven by our loop: its sockets are watched, its clock is one timer. Private to this folder.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <ares.h>

#include <map>
#include <memory>
#include <string>

namespace estafette::net {

namespace asio = boost::asio;

class dns_channel {
public:
    // Throws std::runtime_error where c-ares cannot start (a broken resolv.conf does not matter).
    dns_channel(asio::any_io_executor loop, const std::string& servers, int first_try_ms, int tries);
    ~dns_channel();  // open questions are answered with ARES_EDESTRUCTION
    dns_channel(const dns_channel&) = delete;
    dns_channel& operator=(const dns_channel&) = delete;

    // A and AAAA of the name; the callback may come before this returns.
    void ask(const std::string& name, ares_addrinfo_callback answer, void* argument);

    [[nodiscard]] bool is_idle() const;  // no question is open

private:
    struct watch {
        asio::posix::stream_descriptor socket;
        bool reads = false, writes = false;                   // what c-ares wants
        bool awaits_reading = false, awaits_writing = false;  // what is under way
    };

    static void on_state(void* self, ares_socket_t socket, int readable, int writable);
    void set_state(ares_socket_t socket, bool readable, bool writable);
    void await(const std::shared_ptr<watch>& w);
    void process(ares_socket_t readable, ares_socket_t writable);
    void set_timer();

    asio::any_io_executor loop_;
    asio::steady_timer timer_;
    std::map<ares_socket_t, std::shared_ptr<watch>> watches_;
    std::shared_ptr<dns_channel*> alive_;  // handlers that come after our end find it gone
    ares_channel channel_ = nullptr;
};

}  // namespace estafette::net
