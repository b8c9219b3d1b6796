// A polite mail server with TLS and one fault: its certificates, its versions, or a trick. It keeps
// every byte that came over the wire, so that a test can look for plain text.
#pragma once

#include "certificates.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace testing_net {

namespace asio = boost::asio;
using asio::ip::tcp;

inline constexpr auto quietly = asio::as_tuple(asio::use_awaitable);

// A socket that keeps what it reads.
class tap {
public:
    using executor_type = tcp::socket::executor_type;
    using lowest_layer_type = tcp::socket::lowest_layer_type;

    tap(tcp::socket socket, std::string& kept)
        : socket_{std::move(socket)}
        , kept_{kept} {}

    executor_type get_executor() { return socket_.get_executor(); }

    lowest_layer_type& lowest_layer() { return socket_.lowest_layer(); }

    tcp::socket& socket() { return socket_; }

    template <class Buffers, class Token> auto async_read_some(const Buffers& to, Token&& token) {
        return asio::async_compose<Token, void(boost::system::error_code, std::size_t)>(
            [this,
             to,
             is_first = true](auto& self, boost::system::error_code ec = {}, std::size_t n = 0) mutable {
                if (std::exchange(is_first, false)) {
                    socket_.async_read_some(to, std::move(self));
                    return;
                }
                std::string bytes(n, '\0');
                asio::buffer_copy(asio::buffer(bytes), to);
                kept_ += bytes;
                self.complete(ec, n);
            },
            token,
            socket_
        );
    }

    template <class Buffers, class Token> auto async_write_some(const Buffers& from, Token&& token) {
        return socket_.async_write_some(from, std::forward<Token>(token));
    }

private:
    tcp::socket socket_;
    std::string& kept_;
};

enum class trick : std::uint8_t { none, stall, garbage_in_data, renegotiate, close_without_notify };

class tls_server {
public:
    explicit tls_server(asio::io_context& loop)
        : loop_{loop}
        , acceptor_{loop, tcp::endpoint{asio::ip::address_v4::loopback(), 0}} {
        asio::co_spawn(loop_, accept(), [](std::exception_ptr) {});
    }

    asio::ssl::context context{asio::ssl::context::tls_server};
    bool is_implicit = true;
    trick plays = trick::none;

    std::string received;        // raw, of the last connection
    std::size_t tls_begins = 0;  // where in `received` the handshake begins
    int mails = 0;               // final dots read
    int client_certificates = 0;
    int resumed = 0;

    std::vector<std::string> offers;  // keywords under TLS besides 8BITMIME
    std::vector<std::string> heard;   // the lines under TLS but for the mail's own
    // What is answered to AUTH, and to what follows an answer of 334.
    std::function<std::string(SSL* tls, const std::string& line)> login;

    void use(X509& certificate, EVP_PKEY& key) {
        SSL_CTX_use_certificate(context.native_handle(), &certificate);
        SSL_CTX_use_PrivateKey(context.native_handle(), &key);
    }

    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

    void close() { acceptor_.close(); }

    // Whether all bytes since the handshake began are TLS records.
    [[nodiscard]] bool has_only_records() const {
        std::string_view rest = std::string_view{received}.substr(tls_begins);
        while (rest.size() >= 5) {
            const auto size = static_cast<std::size_t>(static_cast<unsigned char>(rest[3])) * 256 +
                              static_cast<unsigned char>(rest[4]);
            if (rest[0] < 20 || rest[0] > 23 || rest[1] != 3 || rest.size() < size + 5)
                return false;
            rest.remove_prefix(size + 5);
        }
        return rest.empty();
    }

private:
    using tls_stream = asio::ssl::stream<tap&>;

    asio::awaitable<void> accept() {
        for (;;) {
            auto [ec, socket] = co_await acceptor_.async_accept(quietly);
            if (ec)
                co_return;
            auto client = std::make_unique<tap>(std::move(socket), received);
            received.clear();
            asio::co_spawn(loop_, serve(std::move(client)), [](std::exception_ptr) {});
        }
    }

    template <class Stream> static asio::awaitable<bool> say(Stream& to, std::string line) {
        line += "\r\n";
        auto [ec, n] = co_await asio::async_write(to, asio::buffer(line), quietly);
        co_return !ec;
    }

    template <class Stream> static asio::awaitable<std::string> hear(Stream& from, std::string& kept) {
        auto [ec, n] = co_await asio::async_read_until(from, asio::dynamic_buffer(kept), "\r\n", quietly);
        if (ec)
            co_return std::string{};
        std::string line = kept.substr(0, n);
        kept.erase(0, n);
        co_return line;
    }

    asio::awaitable<void> serve(std::unique_ptr<tap> client) {
        if (!is_implicit) {
            std::string kept;
            co_await say(*client, "220 mx ESMTP");
            co_await hear(*client, kept);
            co_await say(*client, "250-mx\r\n250 STARTTLS");
            co_await hear(*client, kept);
            co_await say(*client, "220 go");
        }
        tls_begins = received.size();
        if (plays == trick::stall) {
            co_await drain(*client);
            co_return;
        }
        tls_stream stream{*client, context};
        auto [ec] = co_await stream.async_handshake(asio::ssl::stream_base::server, quietly);
        if (ec) {
            co_await drain(*client);
            co_return;
        }
        auto* ssl = stream.native_handle();
        client_certificates += SSL_get0_peer_certificate(ssl) != nullptr ? 1 : 0;
        resumed += SSL_session_reused(ssl) == 1 ? 1 : 0;
        if (is_implicit)
            co_await say(stream, "220 mx ESMTP");
        co_await converse(stream, *client);
        co_await drain(*client);
    }

    asio::awaitable<void> converse(tls_stream& stream, tap& raw) {
        std::string kept;
        bool is_logging_in = false;
        for (;;) {
            const auto line = co_await hear(stream, kept);
            if (line.empty())
                co_return;
            heard.push_back(line.substr(0, line.size() - 2));
            if (login && (is_logging_in || line.starts_with("AUTH "))) {
                const std::string answer = login(stream.native_handle(), heard.back());
                is_logging_in = answer.starts_with("334");
                co_await say(stream, answer);
            } else if (line.starts_with("DATA")) {
                if (!co_await take_mail(stream, raw, kept))
                    co_return;
            } else if (line.starts_with("QUIT")) {
                co_await say(stream, "221 bye");
                co_await stream.async_shutdown(quietly);
                co_return;
            } else if (line.starts_with("MAIL") && plays == trick::renegotiate) {
                SSL_renegotiate(stream.native_handle());
                SSL_do_handshake(stream.native_handle());
                co_await say(stream, "250 ok");
            } else {
                std::string answer = "250 ok";
                if (line.starts_with("EHLO")) {
                    answer = "250-mx\r\n";
                    for (const auto& keyword : offers)
                        answer += "250-" + keyword + "\r\n";
                    answer += "250 8BITMIME";
                }
                co_await say(stream, answer);
            }
        }
    }

    asio::awaitable<bool> take_mail(tls_stream& stream, tap& raw, std::string& kept) {
        if (plays == trick::garbage_in_data) {
            const std::string alert{
                "\x15\x03\x03\x00\x02\x02\x28", 7
            };  // in clear, where only records belong
            co_await asio::async_write(raw, asio::buffer(alert), quietly);
            co_return false;
        }
        co_await say(stream, "354 go");
        for (;;) {
            const auto line = co_await hear(stream, kept);
            if (line.empty())
                co_return false;
            if (line == ".\r\n")
                break;
        }
        ++mails;
        co_await say(stream, "250 2.0.0 queued");
        if (plays == trick::close_without_notify) {
            raw.socket().close();
            co_return false;
        }
        co_return true;
    }

    // Keeps what still comes until the client closes.
    static asio::awaitable<void> drain(tap& from) {
        std::array<char, 1024> bytes{};
        for (;;) {
            auto [ec, n] = co_await from.async_read_some(asio::buffer(bytes), quietly);
            if (ec)
                co_return;
        }
    }

    asio::io_context& loop_;
    tcp::acceptor acceptor_;
};

}  // namespace testing_net
