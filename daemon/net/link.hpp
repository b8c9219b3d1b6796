// TCP, and TLS over it: connects to the first address that answers, shakes hands, and once TLS was
// begun knows no way back to plain text. Private to this folder. Thread: the loop.
#pragma once

#include "tls_stream.hpp"

#include "estafette/base/error.hpp"
#include "estafette/net/address.hpp"
#include "estafette/net/deadline.hpp"
#include "estafette/net/drive.hpp"
#include "estafette/net/tls.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <optional>
#include <span>
#include <string>

namespace estafette::net {

class link {
public:
    using tcp = asio::ip::tcp;

    explicit link(asio::any_io_executor loop)
        : socket_{std::move(loop)} {}

    // Tries the addresses in order, each checked against the policy, within `limit` for all.
    // errc::address_forbidden, connection_refused, network_unreachable, timeout, interrupted, …
    [[nodiscard]] asio::awaitable<error_code> connect(
        std::span<const asio::ip::address> addresses,
        std::uint16_t port,
        address_policy policy,
        milliseconds limit
    );

    // The handshake; where it fails, or ends without the trust that the route demands, the link is closed.
    [[nodiscard]] asio::awaitable<result<tls_facts>> shake_hands(
        tls_context& context, std::string host, std::string server, deadline& limit, std::string& detail
    );

    // The machine's reading and writing over whichever stream there is.
    [[nodiscard]] asio::awaitable<smtp::action>
    drive(smtp::session& machine, smtp::action act, driving& with);

    // Only the writing, until the machine waits for something.
    [[nodiscard]] asio::awaitable<smtp::action> write(smtp::session& machine, driving& with);

    // TLS's farewell, without waiting long; then the socket is closed.
    [[nodiscard]] asio::awaitable<void> part(deadline& limit);

    void close() noexcept;

    [[nodiscard]] bool is_open() const noexcept { return socket_.is_open(); }

    [[nodiscard]] bool is_encrypted() const noexcept { return tls_.has_value(); }

    // Something came, or the peer went, since the last read. Looks, without reading.
    [[nodiscard]] bool has_unread() const noexcept;

    [[nodiscard]] std::string peer() const;  // "192.0.2.1:587"

private:
    [[nodiscard]] asio::awaitable<error_code> try_connect(tcp::endpoint to, milliseconds limit);

    tcp::socket socket_;
    std::optional<tls_stream> tls_;
    bool tls_failed_ = false;
};

}  // namespace estafette::net
