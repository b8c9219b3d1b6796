#include "client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <charconv>
#include <thread>

namespace estafette::cli {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

namespace {

using local = asio::local::stream_protocol;

constexpr std::uint64_t answer_limit = 256ull << 20;
constexpr std::size_t path_limit = 107;  // sun_path with its final NUL

// One connection, on a loop of its own that runs while an operation is under way.
class exchange {
public:
    explicit exchange(milliseconds limit)
        : deadline_{std::chrono::steady_clock::now() + limit} {}

    error_code connect(const std::string& path) {
        const local::endpoint where{path};
        for (;;) {
            const error_code e = perform([&](auto done) { stream_.async_connect(where, done); });
            // The kernel's queue of the listening socket is full: the daemon is starting or very busy.
            if (e != asio::error::try_again || std::chrono::steady_clock::now() >= deadline_) {
                return e;
            }
            stream_.close();
            std::this_thread::sleep_for(milliseconds{20});
        }
    }

    error_code send(const http::request<http::string_body>& message) {
        return perform([&](auto done) {
            http::async_write(stream_, message, [done](error_code e, std::size_t) { done(e); });
        });
    }

    error_code receive(http::response_parser<http::string_body>& parser) {
        parser.body_limit(answer_limit);
        return perform([&](auto done) {
            http::async_read(stream_, buffer_, parser, [done](error_code e, std::size_t) { done(e); });
        });
    }

private:
    template <class Start> error_code perform(Start start) {
        error_code outcome;
        stream_.expires_at(deadline_);
        start([&outcome](error_code e) { outcome = e; });
        loop_.restart();
        loop_.run();
        return outcome == beast::error::timeout ? make_error_code(errc::timeout) : outcome;
    }

    asio::io_context loop_{1};
    beast::basic_stream<local> stream_{loop_};
    beast::flat_buffer buffer_;
    steady_time deadline_;
};

http::request<http::string_body> message_of(const request& what) {
    http::request<http::string_body> message{http::string_to_verb(what.method), what.target, 11};
    message.set(http::field::host, "localhost");
    message.set(http::field::user_agent, "estafette/" ESTAFETTE_VERSION);
    message.set(http::field::accept, "application/json, application/problem+json");
    message.set(http::field::connection, "close");
    for (const auto& [name, value] : what.fields) {
        message.set(name, value);
    }
    if (!what.content_type.empty()) {
        message.set(http::field::content_type, what.content_type);
    }
    message.body() = what.body;
    if (what.method != "GET") {
        message.content_length(what.body.size());
    }
    return message;
}

answer answer_of(http::response<http::string_body> message) {
    answer out;
    out.status = message.result_int();
    out.content_type = std::string{message[http::field::content_type]};
    const auto wait = message[http::field::retry_after];
    std::int64_t count = 0;
    const auto parsed = std::from_chars(wait.data(), wait.data() + wait.size(), count);
    if (!wait.empty() && parsed.ec == std::errc{} && count >= 0) {
        out.retry_after = seconds{count};
    }
    out.body = std::move(message.body());
    return out;
}

bool is_http_error(error_code e) {
    return e.category() == make_error_code(http::error::bad_version).category();
}

}  // namespace

result<answer> client::call(const request& what) const {
    if (socket_.empty() || socket_.size() > path_limit) {
        return make_error_code(boost::system::errc::filename_too_long);
    }
    exchange one{limit_};
    if (const error_code e = one.connect(socket_)) {
        return e;
    }
    const error_code written = one.send(message_of(what));
    if (written == errc::timeout) {
        return written;
    }
    http::response_parser<http::string_body> parser;
    const error_code read = one.receive(parser);
    if (!read) {
        return answer_of(parser.release());
    }
    if (written) {
        return written;  // the first thing that went wrong
    }
    if (read == http::error::end_of_stream || read == http::error::partial_message) {
        return make_error_code(errc::connection_closed);
    }
    return is_http_error(read) ? make_error_code(errc::reply_malformed) : read;
}

std::string percent_encode(std::string_view text) {
    static constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' ||
                           byte == '~' || byte == '@' || byte == ':';
        if (plain) {
            out += c;
        } else {
            out += '%';
            out += hex[byte >> 4];
            out += hex[byte & 15];
        }
    }
    return out;
}

std::string query_of(const std::vector<std::pair<std::string, std::string>>& pairs) {
    std::string out;
    for (const auto& [name, value] : pairs) {
        if (!value.empty()) {
            out += out.empty() ? '?' : '&';
            out += name + '=' + percent_encode(value);
        }
    }
    return out;
}

}  // namespace estafette::cli
