// A server that does what a script says, on loopback. One thread: the loop of the test.
#pragma once

#include "sink/script.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <chrono>
#include <memory>
#include <optional>

namespace estafette::test {

namespace asio = boost::asio;

// One connection of the server, in clear or not.
class scripted_peer {
public:
    scripted_peer(asio::ip::tcp::socket socket, asio::ssl::context& context)
        : socket_{std::move(socket)}
        , context_{context} {}

    // Plays the act; the text of what the client did wrong, or empty.
    asio::awaitable<std::string> play(std::vector<script_step> act) {
        for (const auto& step : act) {
            const bool goes_on = co_await perform(step);
            if (!wrong_.empty())
                co_return std::to_string(step.line) + ": " + wrong_;
            if (!goes_on)
                break;
        }
        boost::system::error_code ignored;
        socket_.close(ignored);
        co_return std::string{};
    }

private:
    static constexpr auto quietly = asio::as_tuple(asio::use_awaitable);

    asio::awaitable<bool> perform(const script_step& step) {
        using script_reading::unescape;
        const auto& what = step.what;
        const auto& argument = step.argument;
        if (what == "S:")
            co_return co_await say(argument + "\r\n");
        if (what == "S!")
            co_return co_await say(unescape(argument));
        if (what == "S*")
            co_return co_await flood(argument);
        if (what == "drip")
            co_return co_await drip(argument);
        if (what == "C:")
            co_return co_await expect(argument);
        if (what == "content")
            co_return co_await take_content(argument);
        if (what == "hello")
            co_return co_await hello(argument);
        if (what == "envelope")
            co_return co_await take_envelope();
        if (what == "data")
            co_return co_await expect("DATA") && co_await say("354 go\r\n");
        if (what == "tls")
            co_return co_await shake_hands();
        if (what == "wait" || what == "deaf")
            co_return co_await wait(what == "deaf" ? "3600000" : argument);
        if (what == "silence" || what == "echo")
            co_return co_await listen(what == "echo");
        if (what == "serve")
            co_return co_await serve(argument);
        co_return end(what);
    }

    bool end(const std::string& how) {
        boost::system::error_code ignored;
        if (how == "half-close") {
            socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
            return true;
        }
        if (how == "rst")
            socket_.set_option(asio::socket_base::linger{true, 0}, ignored);
        socket_.close(ignored);
        return false;
    }

    asio::awaitable<bool> say(std::string bytes) {
        has_spoken_ = has_spoken_ || bytes.starts_with("220 ");
        const auto buffer = asio::buffer(bytes);
        if (tls_) {
            auto [ec, n] = co_await asio::async_write(*tls_, buffer, quietly);
            co_return !ec;
        }
        auto [ec, n] = co_await asio::async_write(socket_, buffer, quietly);
        co_return !ec;
    }

    asio::awaitable<bool> read_more() {
        if (tls_) {
            auto [ec, n] = co_await tls_->async_read_some(asio::buffer(bytes_), quietly);
            kept_.append(bytes_.data(), n);
            co_return !ec;
        }
        auto [ec, n] = co_await socket_.async_read_some(asio::buffer(bytes_), quietly);
        kept_.append(bytes_.data(), n);
        co_return !ec;
    }

    // A line without its end; none when the client has gone.
    asio::awaitable<std::optional<std::string>> hear() {
        for (;;) {
            const auto end = kept_.find("\r\n");
            if (end != std::string::npos) {
                auto line = kept_.substr(0, end);
                kept_.erase(0, end + 2);
                co_return line;
            }
            const bool came = co_await read_more();
            if (!came)
                co_return std::nullopt;
        }
    }

    asio::awaitable<bool> expect(std::string prefix) {
        const auto line = co_await hear();
        if (!line)
            co_return false;
        if (!line->starts_with(prefix))
            wrong_ = "expected " + prefix + ", the client said " + *line;
        co_return wrong_.empty();
    }

    asio::awaitable<bool> flood(std::string argument) {
        const auto space = argument.find(' ');
        auto count = std::stoul(argument.substr(0, space));
        const auto unit = script_reading::unescape(argument.substr(space + 1));
        std::string block;  // large writes: a flood must not take the test's time
        while (block.size() < 16 * 1024)
            block += unit;
        const auto units = block.size() / unit.size();
        while (count != 0) {
            const auto now = std::min<std::size_t>(count, units);
            const bool went = co_await say(block.substr(0, now * unit.size()));
            if (!went)
                co_return false;
            count -= now;
        }
        co_return true;
    }

    asio::awaitable<bool> wait(std::string limit) {
        asio::steady_timer timer{socket_.get_executor(), std::chrono::milliseconds{std::stol(limit)}};
        co_await timer.async_wait(quietly);
        co_return true;
    }

    asio::awaitable<bool> drip(std::string argument) {
        const auto space = argument.find(' ');
        const auto pause = argument.substr(0, space);
        for (const char c : script_reading::unescape(argument.substr(space + 1))) {
            const bool went = co_await say(std::string(1, c));
            if (!went)
                co_return false;
            co_await wait(pause);
        }
        co_return true;
    }

    asio::awaitable<bool> listen(bool echoes) {
        for (;;) {
            kept_.clear();
            const bool came = co_await read_more();
            if (!came)
                co_return false;
            if (echoes && !co_await say(kept_))
                co_return false;
        }
    }

    asio::awaitable<bool> take_content(std::string size) {
        if (!size.empty()) {
            auto left = std::stoul(size);
            while (left > kept_.size()) {
                left -= kept_.size();
                kept_.clear();
                const bool came = co_await read_more();
                if (!came)
                    co_return false;
            }
            kept_.erase(0, left);
            co_return true;
        }
        for (;;) {
            const auto line = co_await hear();
            if (!line)
                co_return false;
            if (*line == ".")
                co_return true;
        }
    }

    asio::awaitable<bool> hello(std::string keywords) {
        bool goes_on = co_await say("220 mx ESMTP\r\n") && co_await expect("EHLO");
        std::string answer = "250-mx\r\n";
        for (std::size_t at = 0; at < keywords.size();) {
            const auto comma = std::min(keywords.find(", ", at), keywords.size());
            answer += "250-" + keywords.substr(at, comma - at) + "\r\n";
            at = comma + 2;
        }
        goes_on = goes_on && co_await say(answer + "250 8BITMIME\r\n");
        co_return goes_on;
    }

    asio::awaitable<bool> take_envelope() {
        bool goes_on = co_await expect("MAIL") && co_await say("250 ok\r\n");
        while (goes_on) {
            goes_on = co_await expect("RCPT") && co_await say("250 ok\r\n");
            if (!goes_on || (kept_.empty() && !co_await read_more()))
                co_return goes_on;
            if (!kept_.starts_with("RCPT"))
                break;
        }
        co_return goes_on;
    }

    asio::awaitable<bool> shake_hands() {
        tls_.emplace(socket_, context_);
        auto [ec] = co_await tls_->async_handshake(asio::ssl::stream_base::server, quietly);
        co_return !ec;
    }

    // "", or "3 rst": the answers to give before the end, and the end. Begins with the banner if none
    // was said.
    asio::awaitable<bool> serve(std::string argument) {
        const auto space = argument.find(' ');
        auto left = argument.empty() ? 1'000'000ul : std::stoul(argument.substr(0, space));
        const auto how = argument.empty() ? std::string{"close"} : argument.substr(space + 1);
        std::string answer = has_spoken_ ? "" : "220 mx ESMTP\r\n";
        for (bool in_content = false;;) {
            if (left-- == 0)
                co_return end(how);
            const bool went = co_await say(answer);
            if (!went)
                co_return false;
            if (in_content && !co_await take_content({}))
                co_return false;
            if (std::exchange(in_content, false)) {
                answer = "250 queued\r\n";
                continue;
            }
            const auto line = co_await hear();
            if (!line)
                co_return false;
            in_content = line->starts_with("DATA");
            answer = in_content ? "354 go\r\n" : line->starts_with("QUIT") ? "221 bye\r\n" : "250 ok\r\n";
        }
    }

    asio::ip::tcp::socket socket_;
    asio::ssl::context& context_;
    std::optional<asio::ssl::stream<asio::ip::tcp::socket&>> tls_;
    std::array<char, 4096> bytes_{};
    std::string kept_, wrong_;
    bool has_spoken_ = false;  // the banner was said to its end
};

class scripted_server {
public:
    scripted_server(asio::io_context& loop, const script& what)
        : loop_{loop}
        , script_{what}
        , acceptor_{loop, {asio::ip::address_v4::loopback(), 0}} {
        asio::co_spawn(loop_, accept(), [](std::exception_ptr) {});
    }

    asio::ssl::context context{asio::ssl::context::tls_server};
    std::vector<std::string> wrong;  // what the client did against the script

    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

    void close() { acceptor_.close(); }

private:
    asio::awaitable<void> accept() {
        for (std::size_t n = 0;; ++n) {
            auto [ec, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
            if (ec)
                co_return;
            const auto act = std::min(n, script_.acts.size() - 1);
            asio::co_spawn(loop_, serve(std::move(socket), act), [](std::exception_ptr) {});
        }
    }

    asio::awaitable<void> serve(asio::ip::tcp::socket socket, std::size_t act) {
        const auto peer = std::make_unique<scripted_peer>(std::move(socket), context);
        auto complaint = co_await peer->play(script_.acts[act]);
        if (!complaint.empty())
            wrong.push_back(script_.name + ".smtp:" + complaint);
    }

    asio::io_context& loop_;
    const script& script_;
    asio::ip::tcp::acceptor acceptor_;
};

}  // namespace estafette::test
