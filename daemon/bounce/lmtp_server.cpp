#include "estafette/bounce/lmtp_server.hpp"

#include "estafette/base/log.hpp"
#include "estafette/base/text.hpp"
#include "estafette/bounce/lmtp.hpp"
#include "estafette/net/deadline.hpp"
#include "estafette/net/listening.hpp"
#include "estafette/net/task_group.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <list>

namespace estafette::bounce {

namespace {

using protocol = asio::generic::stream_protocol;
using socket = asio::basic_stream_socket<protocol>;
using acceptor = asio::basic_socket_acceptor<protocol>;

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t most_connections = 50;
constexpr seconds idle_limit{300};    // for the peer's next bytes, RFC 5321 4.5.3.2.7
constexpr seconds whole_limit{1800};  // of a connection
constexpr milliseconds accept_pause{100};

std::string reply_to(const result<taken>& done) {
    if (!done) {
        return "451 4.3.0 cannot be recorded now: " + done.error().message();
    }
    return "250 2.0.0 " + std::string{labels::bounces.values[static_cast<std::size_t>(done->outcome)]};
}

}  // namespace

struct lmtp_server::state {
    struct connection {
        explicit connection(socket s)
            : peer{std::move(s)}
            , limit{peer.get_executor(), [this] { cut(); }} {
            limit.start_total(whole_limit);
        }

        void cut() {
            error_code ignored;
            peer.close(ignored);
        }

        socket peer;
        net::deadline limit;
        bool is_waiting = false;  // for the peer's next bytes
    };

    state(asio::any_io_executor l, intake& i)
        : loop{std::move(l)}
        , to{i}
        , tasks{loop, [](std::string_view task, std::string_view what) {
                    log::event(log::level::error, "task_failed", {{"task", task}, {"error", what}});
                }} {}

    [[nodiscard]] asio::awaitable<void> accept();
    [[nodiscard]] asio::awaitable<void> serve(std::list<connection>::iterator one);
    [[nodiscard]] asio::awaitable<void> talk(connection& c);
    [[nodiscard]] asio::awaitable<std::string> take(lmtp_mail mail, lmtp& machine);
    [[nodiscard]] asio::awaitable<bool> write(connection& c, std::string text);

    asio::any_io_executor loop;
    intake& to;
    std::string hostname;
    std::optional<net::listening_socket> file;
    std::optional<acceptor> from;
    std::list<connection> connections;
    net::task_group tasks;
    bool is_closing = false;
};

lmtp_server::lmtp_server(asio::any_io_executor loop, intake& to)
    : state_{std::make_unique<state>(std::move(loop), to)} {}

lmtp_server::~lmtp_server() = default;

boost::system::result<void, std::string> lmtp_server::listen(const config::config& c, int inherited) {
    auto& s = *state_;
    s.hostname = c.hostname;
    const auto& o = c.bounces;
    if (inherited < 0 && o.lmtp.empty()) {
        return {};
    }
    auto made = inherited >= 0            ? net::adopt_listener({inherited, "lmtp"})
                : o.lmtp.starts_with('/') ? net::open_listener({o.lmtp, o.lmtp_mode, o.lmtp_group, "lmtp"})
                                          : net::open_loopback(o.lmtp);
    if (made.has_error()) {
        return "bounces.lmtp: " + made.error();
    }
    s.file.emplace(std::move(*made));
    const int family = net::family_of(s.file->descriptor());
    s.from.emplace(s.loop, protocol{family, 0}, s.file->release());
    s.tasks.spawn("lmtp.accept", s.accept());
    return {};
}

asio::awaitable<void> lmtp_server::state::accept() {
    asio::steady_timer pause{loop};
    while (!is_closing) {
        auto [ec, peer] = co_await from->async_accept(use_tuple);  // waits for callers as long as we live
        if (is_closing || ec == asio::error::operation_aborted) {
            break;
        }
        if (!ec && connections.size() < most_connections) {
            connections.emplace_back(std::move(peer));
            tasks.spawn("lmtp.connection", serve(std::prev(connections.end())));
            continue;
        }
        // Too many at once, or no descriptors: the others wait in the backlog or are dropped.
        pause.expires_after(accept_pause);
        const auto [stopped] = co_await pause.async_wait(use_tuple);
        if (stopped) {
            break;
        }
    }
}

asio::awaitable<void> lmtp_server::state::serve(std::list<connection>::iterator one) {
    struct leave {
        std::list<connection>& from;
        std::list<connection>::iterator which;

        ~leave() { from.erase(which); }
    } const guard{connections, one};
    co_await talk(*one);
    one->cut();
}

asio::awaitable<bool> lmtp_server::state::write(connection& c, std::string text) {
    if (text.empty()) {
        co_return true;
    }
    c.limit.start_request(idle_limit);
    const auto [ec, n] = co_await asio::async_write(c.peer, asio::buffer(text), use_tuple);
    co_return !ec;
}

asio::awaitable<void> lmtp_server::state::talk(connection& c) {
    lmtp machine{hostname};
    std::array<char, 64 * 1024> buffer;
    if (!co_await write(c, machine.greeting())) {
        co_return;
    }
    while (!is_closing) {
        c.limit.start_request(idle_limit);
        c.is_waiting = true;
        const auto [ec, n] = co_await c.peer.async_read_some(asio::buffer(buffer), use_tuple);
        c.is_waiting = false;
        if (ec) {
            co_return;
        }
        std::string_view bytes{buffer.data(), n};
        while (!bytes.empty()) {
            auto step = machine.feed(bytes);
            bytes.remove_prefix(step.used);
            if (step.mail) {
                step.out += co_await take(std::move(*step.mail), machine);
            }
            const bool is_written = co_await write(c, std::move(step.out));
            if (!is_written || step.ends) {
                co_return;
            }
        }
    }
}

// Each recipient is a return path of its own, and has an answer of its own.
asio::awaitable<std::string> lmtp_server::state::take(lmtp_mail mail, lmtp& machine) {
    std::vector<std::string> replies;
    for (const auto& address : mail.to) {
        mail_in one{mail.content, {address}, std::nullopt};
        const auto done = co_await to.take(std::move(one));  // durable, however long the disk takes
        replies.push_back(reply_to(done));
    }
    co_return machine.answer(replies);
}

void lmtp_server::close() {
    auto& s = *state_;
    s.is_closing = true;
    error_code ignored;
    if (s.from) {
        s.from->close(ignored);
    }
    s.file.reset();
    for (auto& c : s.connections) {
        if (c.is_waiting) {
            c.cut();
        }
    }
}

asio::awaitable<bool> lmtp_server::wait(milliseconds limit) {
    auto& s = *state_;
    const bool all_ended = co_await s.tasks.wait(limit);
    if (!all_ended) {
        s.tasks.stop(asio::cancellation_type::terminal);
        constexpr milliseconds unwinding{1000};
        (void)co_await s.tasks.wait(unwinding);
    }
    co_return all_ended;
}

}  // namespace estafette::bounce
