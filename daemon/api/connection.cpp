#include "connection.hpp"

#include "estafette/base/log.hpp"
#include "estafette/base/text.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <array>

namespace estafette::api {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t max_head = 64 * 1024;     // of a request: the envelope may be in its target
constexpr std::size_t max_buffered = 256 * 1024;  // unread bytes; a body goes past it
constexpr seconds idle_limit{60};                 // between requests
constexpr std::size_t max_drained = 64 << 20;     // of a refused body, so that the peer reads our answer
constexpr seconds drain_limit{5};

verb to_verb(http::verb v) {
    if (v == http::verb::get)
        return verb::get;
    if (v == http::verb::head)
        return verb::head;
    if (v == http::verb::post)
        return verb::post;
    if (v == http::verb::delete_)
        return verb::erase;
    return v == http::verb::options ? verb::options : verb::other;
}

// What a failed reading means for the caller; none: there is nobody to answer, or it is too late.
std::optional<problem> problem_of(const error_code& ec, std::uint64_t body_limit) {
    if (ec == http::error::body_limit || ec == http::error::buffer_overflow)
        return too_large("the body is larger than the limit of " + format_size(body_limit));
    if (ec == http::error::header_limit) {
        auto p = too_large("the request's header is larger than the limit of 64KiB");
        p.status = 431;
        return p;
    }
    if (ec == http::error::end_of_stream || ec == http::error::partial_message ||
        ec.category() != http::make_error_code(http::error::bad_method).category())
        return std::nullopt;
    return bad_request(ec.message());
}

std::string_view text_of(beast::string_view v) {
    return {v.data(), v.size()};
}

}  // namespace

struct connection::state {
    using stream_type = beast::basic_stream<asio::local::stream_protocol>;
    using parser_type = http::request_parser<http::string_body>;

    state(socket s, services& u, config_source c)
        : stream{std::move(s)}
        , uses{u}
        , current{std::move(c)} {}

    [[nodiscard]] asio::awaitable<bool> serve_one();
    [[nodiscard]] asio::awaitable<bool> wait_for_bytes();
    [[nodiscard]] asio::awaitable<bool> read(parser_type& parser, const config::config& c);
    [[nodiscard]] asio::awaitable<error_code> read_body(parser_type& parser);
    [[nodiscard]] asio::awaitable<response> answer(parser_type& parser, config::config_ptr c);
    [[nodiscard]] asio::awaitable<bool> send(response r, unsigned version, verb method, bool keep);
    [[nodiscard]] asio::awaitable<void> drain();

    stream_type stream;
    services& uses;
    config_source current;
    caller who;
    beast::flat_buffer buffer{max_buffered};
    std::unique_ptr<body_memory::share> held;  // of the request under way
    bool is_idle = true;
    bool is_finishing = false;
};

connection::connection(socket s, services& uses, config_source current)
    : state_{std::make_unique<state>(std::move(s), uses, std::move(current))} {}

connection::~connection() = default;

void connection::finish() {
    state_->is_finishing = true;
    if (state_->is_idle)
        state_->stream.close();
}

asio::awaitable<void> connection::run() {
    auto& s = *state_;
    const auto who = caller_of(s.stream.socket().native_handle());
    if (!who) {
        log::event(log::level::warning, "peer_unknown", {{"error", who.error().message()}});
        co_return;
    }
    s.who = *who;
    while (!s.is_finishing && co_await s.serve_one()) {
    }
    s.stream.close();
}

// False: the connection is over.
asio::awaitable<bool> connection::state::serve_one() {
    is_idle = true;
    if (!co_await wait_for_bytes())
        co_return false;
    is_idle = false;
    const auto config = current();
    const auto began = std::chrono::steady_clock::now();
    stream.expires_after(config->limits.request_timeout);  // for all of the request, however slowly it comes
    parser_type parser;
    if (!co_await read(parser, *config))
        co_return false;
    const auto version = parser.get().version();
    const bool keep = parser.get().keep_alive() && !is_finishing;
    const auto method = to_verb(parser.get().method());
    const std::string path{text_of(parser.get().target()).substr(0, text_of(parser.get().target()).find('?'))
    };
    auto answered = co_await answer(parser, config);
    log::event(
        log::level::debug,
        "request",
        {{"path", path},
         {"status", answered.status},
         {"uid", who.uid},
         {"ms", std::chrono::steady_clock::now() - began}}
    );
    stream.expires_after(config->limits.request_timeout);
    const bool sent = co_await send(std::move(answered), version, method, keep && !is_finishing);
    held.reset();
    co_return sent&& keep && !is_finishing;
}

// The first bytes of the next request, unless some are here already.
asio::awaitable<bool> connection::state::wait_for_bytes() {
    if (buffer.size() != 0)
        co_return true;
    stream.expires_after(idle_limit);
    const auto [ec, n] = co_await stream.async_read_some(buffer.prepare(4096), use_tuple);
    buffer.commit(n);
    co_return !ec;
}

asio::awaitable<error_code> connection::state::read_body(parser_type& parser) {
    if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
        constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        const auto bytes = asio::buffer(go_on.data(), go_on.size());
        const auto [ec, n] = co_await asio::async_write(stream, bytes, use_tuple);
        if (ec)
            co_return ec;
    }
    const auto [ec, n] = co_await http::async_read(stream, buffer, parser, use_tuple);
    co_return ec;
}

// False: it is over, and what could be answered has been.
asio::awaitable<bool> connection::state::read(parser_type& parser, const config::config& c) {
    parser.header_limit(max_head);
    parser.body_limit(c.limits.body);
    auto [ec, n] = co_await http::async_read_header(stream, buffer, parser, use_tuple);
    std::optional<problem> wrong;
    if (!ec && !parser.is_done()) {
        const auto length = parser.content_length();
        held = uses.memory.take(length ? *length : c.limits.body);
        if (held)
            ec = co_await read_body(parser);
        else
            wrong = busy("memory_busy", "too many large requests are under way");
    }
    if (ec)
        wrong = problem_of(ec, c.limits.body);
    else if (!wrong)
        co_return true;
    if (!wrong)
        co_return false;
    const bool sent = co_await send(to_response(*wrong), 11, to_verb(parser.get().method()), false);
    if (sent)
        co_await drain();
    co_return false;
}

asio::awaitable<response> connection::state::answer(parser_type& parser, config::config_ptr config) {
    auto message = parser.release();
    auto where = target::parse(text_of(message.target()));
    if (!where)
        co_return to_response(bad_request("the request's target cannot be read"));
    request r;
    r.method = to_verb(message.method());
    r.where = std::move(*where);
    r.content_type = text_of(message[http::field::content_type]);
    r.content_encoding = text_of(message[http::field::content_encoding]);
    r.accept_language = text_of(message[http::field::accept_language]);
    if (const auto key = message.find("Idempotency-Key"); key != message.end())
        r.idempotency_key = std::string{text_of(key->value())};
    if (r.method == verb::post)  // who proves itself does so there
        for (const auto& field : message)
            r.fields[ascii_lower(text_of(field.name_string()))] = text_of(field.value());
    r.body = std::move(message.body());
    r.who = who;
    r.config = std::move(config);
    co_return co_await route_request(uses, std::move(r));  // what waits in there has its own limits
}

asio::awaitable<bool> connection::state::send(response r, unsigned version, verb method, bool keep) {
    uses.meters.api_requests[labels::to_status_class(r.status)].add();
    http::response<http::string_body> message{static_cast<http::status>(r.status), version};
    message.set(http::field::server, "estafette");
    if (r.status != 204)
        message.set(http::field::content_type, r.content_type);
    message.set(http::field::cache_control, "no-store");
    for (const auto& [name, value] : r.headers)
        message.set(name, value);
    message.keep_alive(keep);
    message.body() = std::move(r.body);
    if (r.status != 204)
        message.prepare_payload();
    http::response_serializer<http::string_body> serializer{message};
    serializer.split(method == verb::head);
    if (method == verb::head) {
        const auto [ec, n] = co_await http::async_write_header(stream, serializer, use_tuple);
        co_return !ec;
    }
    const auto [ec, n] = co_await http::async_write(stream, serializer, use_tuple);
    co_return !ec;
}

// Reads and forgets what a refused peer still sends: closing at once would reset its connection before it
// has read why.
asio::awaitable<void> connection::state::drain() {
    error_code ignored;
    stream.socket().shutdown(socket::shutdown_send, ignored);
    stream.expires_after(drain_limit);
    std::array<char, 64 * 1024> waste;
    for (std::size_t sum = 0; sum < max_drained;) {
        const auto [ec, n] = co_await stream.async_read_some(asio::buffer(waste), use_tuple);
        if (ec)
            break;
        sum += n;
    }
}

void turn_away(connection::socket s) {
    const auto r = to_response(busy("too_many_connections", "more connections than the limit"));
    std::string bytes =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: " + r.content_type +
        "\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: " + std::to_string(r.body.size()) +
        "\r\n\r\n" + r.body;
    error_code ignored;
    s.non_blocking(true, ignored);
    s.write_some(asio::buffer(bytes), ignored);  // a fresh socket has room for it
    s.shutdown(connection::socket::shutdown_send, ignored);
}

}  // namespace estafette::api
