#include "estafette/api/server.hpp"

#include "connection.hpp"

#include "estafette/base/log.hpp"
#include "estafette/net/task_group.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <list>

namespace estafette::api {
namespace {

using protocol = asio::local::stream_protocol;

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
constexpr milliseconds accept_pause{100};  // when the process is out of descriptors

}  // namespace

struct server::state {
    struct listening {
        net::listening_socket file;  // its path is removed at the end
        protocol::acceptor acceptor;
    };

    state(asio::any_io_executor l, store::queue& queue, gateway& below, metrics& meters)
        : loop{std::move(l)}
        , uses{queue, below, meters, {}, {}, {}}
        , tasks{loop, [](std::string_view task, std::string_view what) {
                    log::event(log::level::error, "task_failed", {{"task", task}, {"error", what}});
                }} {}

    [[nodiscard]] asio::awaitable<void> accept(protocol::acceptor& from);
    [[nodiscard]] asio::awaitable<void> serve(std::list<connection>::iterator one);
    void take(protocol::socket s);

    asio::any_io_executor loop;
    services uses;
    config::config_ptr config;
    std::list<listening> listeners;
    std::list<connection> connections;
    net::task_group tasks;
    bool is_closing = false;
};

server::server(asio::any_io_executor loop, store::queue& queue, gateway& below, metrics& meters)
    : state_{std::make_unique<state>(std::move(loop), queue, below, meters)} {}

server::~server() = default;

void server::configure(config::config_ptr c) {
    state_->config = std::move(c);
}

boost::system::result<void, std::string> server::listen(std::vector<inherited_listener> inherited) {
    auto& s = *state_;
    std::list<state::listening> opened;
    std::vector<std::string> replaced;
    const auto add = [&](boost::system::result<net::listening_socket, std::string> made) -> std::string {
        if (made.has_error())
            return made.error();
        const int fd = made->release();
        opened.push_back({std::move(*made), protocol::acceptor{s.loop, protocol{}, fd}});
        return {};
    };
    for (const auto& one : inherited) {
        if (auto why = add(net::adopt_listener(one)); !why.empty())
            return why;
        replaced.push_back(one.name);
    }
    for (const auto& one : s.config->listeners) {
        if (std::ranges::find(replaced, one.name) != replaced.end())
            continue;
        if (auto why = add(net::open_listener(one)); !why.empty())
            return why;
    }
    for (auto& one : opened)
        s.tasks.spawn("api.accept", s.accept(one.acceptor));
    s.listeners.splice(s.listeners.end(), opened);
    return {};
}

asio::awaitable<void> server::state::accept(protocol::acceptor& from) {
    asio::steady_timer pause{loop};
    while (!is_closing) {
        auto [ec, socket] = co_await from.async_accept(use_tuple);  // waits for callers as long as we live
        if (is_closing || ec == asio::error::operation_aborted)
            break;
        if (!ec) {
            take(std::move(socket));
            continue;
        }
        log::event(log::level::warning, "accept_failed", {{"error", ec.message()}});
        pause.expires_after(accept_pause);
        const auto [stopped] = co_await pause.async_wait(use_tuple);
        if (stopped)
            break;
    }
}

void server::state::take(protocol::socket s) {
    if (connections.size() >= config->limits.connections) {
        turn_away(std::move(s));
        return;
    }
    connections.emplace_back(std::move(s), uses, [this] { return config; });
    tasks.spawn("api.connection", serve(std::prev(connections.end())));
}

asio::awaitable<void> server::state::serve(std::list<connection>::iterator one) {
    // Whatever ends run(), the connection leaves the list with it.
    struct leave {
        std::list<connection>& from;
        std::list<connection>::iterator which;

        ~leave() { from.erase(which); }
    } const guard{connections, one};
    co_await one->run();
}

void server::close() {
    auto& s = *state_;
    s.is_closing = true;
    error_code ignored;
    for (auto& one : s.listeners)
        one.acceptor.close(ignored);
    s.listeners.clear();
    for (auto& one : s.connections)
        one.finish();
}

asio::awaitable<bool> server::wait(milliseconds limit) {
    auto& s = *state_;
    const bool all_ended = co_await s.tasks.wait(limit);
    if (!all_ended) {
        s.tasks.stop(asio::cancellation_type::terminal);
        constexpr milliseconds unwinding{1000};
        (void)co_await s.tasks.wait(unwinding);
    }
    co_return all_ended;
}

}  // namespace estafette::api
