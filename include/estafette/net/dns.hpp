// Names to addresses on our own loop (c-ares): A and AAAA, /etc/hosts and localhost honoured, literal
// addresses passed through, answers kept for their TTL within bounds.
//
// Promises: every look-up ends within its limit; one slow name delays no other; at most one query for a
// name is under way. It does not judge addresses: address.hpp does, at every connect.
// Thread: the loop. Cancellation: terminal ends the waiting, not the query that others may share.
#pragma once

#include "estafette/base/error.hpp"
#include "estafette/base/time.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>

#include <memory>
#include <string>
#include <vector>

namespace estafette::net {

namespace asio = boost::asio;

struct resolver_options {
    std::string servers;                  // "192.0.2.1:53,192.0.2.2:53"; empty: the system's
    milliseconds first_try = seconds{2};  // one question to one server; doubled with each round
    int tries = 3;                        // rounds
    milliseconds shortest_ttl = seconds{5};
    milliseconds longest_ttl = std::chrono::hours{1};
    milliseconds negative_ttl = seconds{10};  // "no such name" and "no address"
    std::size_t addresses = 16;               // kept of one answer
    std::size_t names = 4096;                 // kept in all
};

class resolver {
public:
    using addresses = std::vector<asio::ip::address>;

    explicit resolver(asio::any_io_executor loop, resolver_options options = {});
    ~resolver();
    resolver(const resolver&) = delete;
    resolver& operator=(const resolver&) = delete;

    // In the order in which to try them. errc::dns_no_such_name, dns_no_address, dns_failure, timeout,
    // interrupted.
    [[nodiscard]] asio::awaitable<result<addresses>> resolve(std::string host, milliseconds limit);

    // Forgets every answer, and reads the system's configuration again.
    void reload();

    [[nodiscard]] std::size_t cached_names() const noexcept;

private:
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace estafette::net
