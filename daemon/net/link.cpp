#include "link.hpp"

#include <boost/asio/ssl/error.hpp>

#include <sys/socket.h>

#include <algorithm>

namespace estafette::net {

namespace {

constexpr std::size_t addresses_tried = 6;
constexpr milliseconds shortest_connect{3000};
constexpr milliseconds farewell_limit{250};

std::string text_of(const asio::ip::tcp::endpoint& e) {
    const auto address = e.address().to_string();
    const auto host = e.address().is_v6() ? '[' + address + ']' : address;
    return host + ':' + std::to_string(e.port());
}

bool is_over(asio::cancellation_type cancelled) {
    return (cancelled & asio::cancellation_type::terminal) != asio::cancellation_type::none;
}

}  // namespace

asio::awaitable<error_code> link::try_connect(tcp::endpoint to, milliseconds limit) {
    error_code ec;
    socket_.close(ec);
    socket_.open(to.protocol(), ec);
    if (ec)
        co_return io_error(ec, false, asio::cancellation_type::none);
    const auto loop = co_await asio::this_coro::executor;
    deadline timer{loop, [this] { close(); }};
    timer.start_request(limit);
    auto [failed] = co_await socket_.async_connect(to, use_tuple);
    timer.rest();
    if (failed || timer.has_passed()) {
        const auto state = co_await asio::this_coro::cancellation_state;
        close();
        co_return io_error(failed, timer.has_passed(), state.cancelled());
    }
    socket_.set_option(tcp::no_delay{true}, ec);
    co_return error_code{};
}

asio::awaitable<error_code> link::connect(
    std::span<const asio::ip::address> addresses,
    std::uint16_t port,
    address_policy policy,
    milliseconds limit
) {
    const auto ours = policy.allow_private ? std::vector<asio::ip::address>{} : own_addresses();
    auto why = make_error_code(errc::address_forbidden);
    const auto count = std::min(addresses.size(), addresses_tried);
    const auto share = std::max(
        limit / std::max<milliseconds::rep>(milliseconds::rep(count), 1), std::min(limit, shortest_connect)
    );
    for (const auto& address : addresses.first(count)) {
        if (policy.check(address, port) || std::find(ours.begin(), ours.end(), address) != ours.end())
            continue;
        const tcp::endpoint to{address, port};
        why = co_await try_connect(to, share);
        const auto state = co_await asio::this_coro::cancellation_state;
        if (!why || is_over(state.cancelled()))
            break;
    }
    co_return why;
}

asio::awaitable<result<tls_facts>> link::shake_hands(
    tls_context& context, std::string host, std::string server, deadline& limit, std::string& detail
) {
    tls_failed_ = true;  // until it has not
    try {
        tls_.emplace(socket_, context.new_client(host, server));
    } catch (const std::exception& e) {
        detail = e.what();
        close();
        co_return make_error_code(errc::tls_handshake);
    }
    const auto ec = co_await tls_->shake_hands();
    limit.rest();
    if (ec) {
        const auto state = co_await asio::this_coro::cancellation_state;
        close();
        detail = ec.message();
        if (ec.category() != asio::error::get_ssl_category() || limit.has_passed())
            co_return io_error(ec, limit.has_passed(), state.cancelled());
        co_return context.explain_failure(tls_->native_handle(), ec, detail);
    }
    auto facts = context.inspect(tls_->native_handle());
    if (context.is_fatal(facts.problem)) {
        close();
        co_return facts.problem;
    }
    tls_failed_ = false;
    co_return std::move(facts);
}

namespace {

asio::awaitable<smtp::action> no_way_back(smtp::session& machine) {
    co_return machine.on_broken(make_error_code(errc::tls_handshake));
}

}  // namespace

asio::awaitable<smtp::action> link::drive(smtp::session& machine, smtp::action act, driving& with) {
    if (tls_failed_)
        return no_way_back(machine);
    if (tls_)
        return net::drive(*tls_, machine, act, with);
    return net::drive(socket_, machine, act, with);
}

asio::awaitable<smtp::action> link::write(smtp::session& machine, driving& with) {
    const auto act = machine.current();
    if (tls_ && !tls_failed_)
        return net::drive(*tls_, machine, act, with, until::written);
    return net::drive(socket_, machine, act, with, until::written);
}

asio::awaitable<void> link::part(deadline& limit) {
    if (tls_ && !tls_failed_ && is_open()) {
        limit.start_request(farewell_limit);
        co_await tls_->part();
        limit.rest();
    }
    close();
}

void link::close() noexcept {
    error_code ignored;
    socket_.close(ignored);
}

bool link::has_unread() const noexcept {
    if (!is_open())
        return true;
    if (tls_ && tls_->has_unread())
        return true;
    char byte = 0;
    const auto fd = const_cast<tcp::socket&>(socket_).native_handle();
    return ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

std::string link::peer() const {
    error_code ec;
    const auto e = socket_.remote_endpoint(ec);
    return ec ? std::string{} : text_of(e);
}

}  // namespace estafette::net
