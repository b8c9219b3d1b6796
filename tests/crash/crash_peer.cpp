// crash_peer: both neighbours of a daemon that is made to die: callers at its API, and the server that takes
// its mail. They outlive it, call again when it is back, and remember what was promised to whom.
//
//   crash_peer --socket PATH [--callers C] [--rate PER_SECOND] [--size BYTES] [--delay-ms N] [--defer-every
//   K]
//
// It prints a line each: "P n" the server's port; "A n" mail n was answered with 202; "S n" the server took
// mail n, said before its 250 leaves; "B n" mail n was refused by the API. Mail n goes to u<n>@example.org.
// The server answers the dot after 0 to N ms, and greylists the first try of every K-th mail. On its input:
// "stop" and "go" for the callers.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>
#include <string>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using local = asio::local::stream_protocol;
using std::chrono::milliseconds;

constexpr auto tuple = asio::as_tuple(asio::use_awaitable);

struct options {
    std::string socket;
    std::size_t callers = 50, size = 1000;
    std::uint64_t rate = 0;
    unsigned delay_ms = 2, defer_every = 0;
};

void say(char what, std::uint64_t n) {
    const std::string line = std::string{what} + " " + std::to_string(n) + "\n";
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) {
        std::_Exit(0);
    }
}

void ends(std::exception_ptr e) {
    if (e) {
        std::_Exit(70);
    }
}

asio::awaitable<void> pause(asio::any_io_executor loop, std::chrono::steady_clock::duration how_long) {
    asio::steady_timer timer{loop, how_long};
    (void)co_await timer.async_wait(tuple);
}

// One connection of the daemon's.
class session {
public:
    session(tcp::socket socket, const options& o, std::set<std::uint64_t>& tried)
        : socket_{std::move(socket)}
        , options_{o}
        , tried_{tried} {}

    asio::awaitable<void> run() {
        out_ = "220 peer.example ESMTP\r\n";
        while (!is_over_) {
            const bool is_body = takes_body_;
            const std::string_view end = is_body ? "\r\n.\r\n" : "\r\n";
            if (in_.find(end) == std::string::npos && !co_await flush()) {
                co_return;
            }
            const auto [ec, length] =
                co_await asio::async_read_until(socket_, asio::dynamic_buffer(in_), end, tuple);
            if (ec) {
                co_return;
            }
            const std::string line = in_.substr(0, length - 2);
            in_.erase(0, length);
            if (is_body) {
                co_await take_body();
            } else {
                command(line);
            }
        }
        (void)co_await flush();
    }

private:
    asio::awaitable<bool> flush() {
        const auto [ec, length] = co_await asio::async_write(socket_, asio::buffer(out_), tuple);
        out_.clear();
        co_return !ec;
    }

    asio::awaitable<void> take_body() {
        takes_body_ = false;
        say('S', number_);
        number_ = 0;
        if (options_.delay_ms != 0) {
            co_await pause(socket_.get_executor(), milliseconds{random_() % (options_.delay_ms + 1)});
        }
        out_ += "250 2.0.0 taken\r\n";
    }

    void command(std::string_view line) {
        if (line.starts_with("EHLO")) {
            out_ += "250-peer.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n";
        } else if (line.starts_with("RCPT TO:<u")) {
            recipient(std::strtoull(line.data() + 10, nullptr, 10));
        } else if (line.starts_with("DATA")) {
            takes_body_ = number_ != 0;
            out_ += takes_body_ ? "354 go ahead\r\n" : "554 5.5.1 no valid recipients\r\n";
        } else if (line.starts_with("QUIT")) {
            is_over_ = true;
            out_ += "221 2.0.0 bye\r\n";
        } else {
            number_ = 0;
            out_ += "250 2.0.0 ok\r\n";
        }
    }

    void recipient(std::uint64_t n) {
        if (options_.defer_every != 0 && n % options_.defer_every == 0 && tried_.insert(n).second) {
            out_ += "450 4.2.0 Greylisted, try again\r\n";
            return;
        }
        number_ = n;
        out_ += "250 2.1.5 ok\r\n";
    }

    tcp::socket socket_;
    const options& options_;
    std::set<std::uint64_t>& tried_;
    std::string in_, out_;
    std::uint64_t number_ = 0;
    bool takes_body_ = false, is_over_ = false;
    std::minstd_rand random_{std::random_device{}()};
};

class peer {
public:
    peer(asio::io_context& loop, const options& o)
        : loop_{loop}
        , options_{o}
        , text_(o.size, 'x') {}

    void begin() {
        asio::co_spawn(loop_, serve(), ends);
        asio::co_spawn(loop_, obey(), ends);
        for (std::size_t i = 0; i < options_.callers; ++i) {
            asio::co_spawn(loop_, call(), ends);
        }
    }

private:
    asio::awaitable<void> serve() {
        tcp::acceptor acceptor{loop_, {asio::ip::address_v4::loopback(), 0}};
        say('P', acceptor.local_endpoint().port());
        for (;;) {
            auto [ec, socket] = co_await acceptor.async_accept(tuple);
            if (!ec) {
                asio::co_spawn(loop_, converse(std::move(socket)), ends);
            }
        }
    }

    asio::awaitable<void> converse(tcp::socket socket) {
        session s{std::move(socket), options_, tried_};
        co_await s.run();
    }

    asio::awaitable<void> obey() {
        asio::posix::stream_descriptor input{loop_, ::dup(STDIN_FILENO)};
        std::string text;
        for (;;) {
            const auto [ec, length] =
                co_await asio::async_read_until(input, asio::dynamic_buffer(text), '\n', tuple);
            if (ec) {
                std::_Exit(0);  // the harness is gone
            }
            calls_ = text.starts_with("go");
            text.erase(0, length);
        }
    }

    asio::awaitable<void> call() {
        for (;;) {
            local::socket socket{loop_};
            const auto [ec] = co_await socket.async_connect(local::endpoint{options_.socket}, tuple);
            bool is_alive = !ec;
            while (is_alive) {
                co_await wait_for_turn();
                is_alive = co_await post(socket, ++last_);
            }
            co_await pause(loop_.get_executor(), milliseconds{5});
        }
    }

    asio::awaitable<void> wait_for_turn() {
        while (!calls_) {
            co_await pause(loop_.get_executor(), milliseconds{5});
        }
        if (options_.rate != 0) {
            const auto now = std::chrono::steady_clock::now();
            turn_ = std::max(turn_, now) + std::chrono::nanoseconds{1'000'000'000 / options_.rate};
            co_await pause(loop_.get_executor(), turn_ - now);
        }
    }

    // False: the connection is of no more use. Without an answer nobody knows whether mail n was taken.
    asio::awaitable<bool> post(local::socket& socket, std::uint64_t n) {
        const std::string body = R"({"from":"crash@example.org","to":["u)" + std::to_string(n) +
                                 R"(@example.org"],"subject":"n","text":")" + text_ + R"("})";
        const std::string request =
            "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Content-Length: " +
            std::to_string(body.size()) + "\r\n\r\n" + body;
        const auto [failure, sent] = co_await asio::async_write(socket, asio::buffer(request), tuple);
        std::string in;
        const auto [ec, head] =
            co_await asio::async_read_until(socket, asio::dynamic_buffer(in), "\r\n\r\n", tuple);
        if (failure || ec) {
            co_return false;
        }
        say(in.substr(9, 3) == "202" ? 'A' : 'B', n);
        const auto at = in.find("Content-Length: ");
        const auto length = at < head ? std::strtoull(in.c_str() + at + 16, nullptr, 10) : 0;
        if (in.size() < head + length) {
            const auto missing = asio::transfer_exactly(head + length - in.size());
            const auto [cut, more] =
                co_await asio::async_read(socket, asio::dynamic_buffer(in), missing, tuple);
            co_return !cut;
        }
        co_return true;
    }

    asio::io_context& loop_;
    options options_;
    std::string text_;
    std::set<std::uint64_t> tried_;
    std::uint64_t last_ = 0;
    std::chrono::steady_clock::time_point turn_{};
    bool calls_ = true;
};

}  // namespace

int main(int argc, char** argv) {
    options o;
    CLI::App app{"The callers and the server of a daemon that is made to die."};
    app.add_option("--socket", o.socket)->required();
    app.add_option("--callers", o.callers);
    app.add_option("--rate", o.rate, "calls a second, of all callers; 0: as fast as they can");
    app.add_option("--size", o.size, "of a mail's text");
    app.add_option("--delay-ms", o.delay_ms, "before the answer to the dot, at most");
    app.add_option("--defer-every", o.defer_every, "greylist every K-th mail once");
    CLI11_PARSE(app, argc, argv);
    asio::io_context loop;
    peer p{loop, o};
    p.begin();
    loop.run();
    return 1;
}
