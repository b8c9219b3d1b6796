#include "dns_channel.hpp"

#include <sys/time.h>

#include <array>
#include <stdexcept>

namespace estafette::net {

namespace {

void check(int status, const char* what) {
    if (status != ARES_SUCCESS)
        throw std::runtime_error{std::string{what} + ": " + ares_strerror(status)};
}

}  // namespace

dns_channel::dns_channel(asio::any_io_executor loop, const std::string& servers, int first_try_ms, int tries)
    : loop_{std::move(loop)}
    , timer_{loop_}
    , alive_{std::make_shared<dns_channel*>(this)} {
    // Reference counted, and our only use of c-ares: the single thread that builds channels is enough.
    check(ares_library_init(ARES_LIB_INIT_ALL), "ares_library_init");
    std::array<char, 3> lookups{'f', 'b', '\0'};  // the hosts file, then the servers
    ares_options options{};
    options.flags = ARES_FLAG_NOSEARCH;  // a customer's name is never tried inside our domain
    options.timeout = first_try_ms;
    options.tries = tries;
    options.lookups = lookups.data();
    options.sock_state_cb = &dns_channel::on_state;
    options.sock_state_cb_data = this;
    check(
        ares_init_options(
            &channel_,
            &options,
            ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB
        ),
        "ares_init"
    );
    if (!servers.empty()) {
        const int status = ares_set_servers_ports_csv(channel_, servers.c_str());
        if (status != ARES_SUCCESS)
            ares_destroy(channel_);
        check(status, "the list of name servers");
    }
}

dns_channel::~dns_channel() {
    ares_destroy(channel_);
    ares_library_cleanup();
}

void dns_channel::ask(const std::string& name, ares_addrinfo_callback answer, void* argument) {
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, answer, argument);
    set_timer();
}

bool dns_channel::is_idle() const {
    timeval left{};
    return ares_timeout(channel_, nullptr, &left) == nullptr;
}

void dns_channel::on_state(void* self, ares_socket_t socket, int readable, int writable) {
    static_cast<dns_channel*>(self)->set_state(socket, readable != 0, writable != 0);
}

void dns_channel::set_state(ares_socket_t socket, bool readable, bool writable) {
    const auto found = watches_.find(socket);
    if (!readable && !writable) {
        if (found == watches_.end())
            return;
        found->second->socket.release();  // c-ares closes it
        found->second->reads = found->second->writes = false;
        watches_.erase(found);
        return;
    }
    auto& w = watches_[socket];
    if (!w)
        w = std::make_shared<watch>(watch{asio::posix::stream_descriptor{loop_, socket}});
    w->reads = readable;
    w->writes = writable;
    await(w);
}

void dns_channel::await(const std::shared_ptr<watch>& w) {
    const auto arm = [&](bool wanted, bool watch::* under_way, asio::posix::descriptor_base::wait_type type) {
        if (!wanted || (*w).*under_way)
            return;
        (*w).*under_way = true;
        w->socket.async_wait(
            type,
            [w, under_way, type, alive = std::weak_ptr{alive_}](const boost::system::error_code& ec) {
                (*w).*under_way = false;
                const auto self = alive.lock();
                if (ec || !self || !w->socket.is_open())
                    return;
                const auto fd = w->socket.native_handle();
                const bool reading = type == asio::posix::descriptor_base::wait_read;
                (*self)->process(reading ? fd : ARES_SOCKET_BAD, reading ? ARES_SOCKET_BAD : fd);
                if (w->socket.is_open())
                    (*self)->await(w);
            }
        );
    };
    arm(w->reads, &watch::awaits_reading, asio::posix::descriptor_base::wait_read);
    arm(w->writes, &watch::awaits_writing, asio::posix::descriptor_base::wait_write);
}

void dns_channel::process(ares_socket_t readable, ares_socket_t writable) {
    ares_process_fd(channel_, readable, writable);
    set_timer();
}

void dns_channel::set_timer() {
    timeval left{};
    if (ares_timeout(channel_, nullptr, &left) == nullptr) {
        timer_.cancel();
        return;
    }
    timer_.expires_after(std::chrono::seconds{left.tv_sec} + std::chrono::microseconds{left.tv_usec});
    timer_.async_wait([alive = std::weak_ptr{alive_}](const boost::system::error_code& ec) {
        const auto self = alive.lock();
        if (!ec && self)
            (*self)->process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    });
}

}  // namespace estafette::net
