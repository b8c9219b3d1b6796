// Which numbers a route may dial. A customer chooses the name of the server, and a name may be made to
// point inside our own network: so the policy looks at the resolved number, at every connect.
//
// A pure function of address and port; only own_addresses() asks the machine. No thread of its own.
// Sources: IANA special-purpose registries (RFC 6890), RFC 4291, 6052 (NAT64), 3056 (6to4), 4380 (Teredo).
#pragma once

#include "estafette/base/error.hpp"

#include <boost/asio/ip/address.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace estafette::net {

namespace asio = boost::asio;

// Not a public unicast address: loopback, private, link-local, CGNAT, ULA, multicast, reserved,
// documentation; also where such an IPv4 address hides in a mapped or NAT64 one. 6to4 and Teredo are
// refused as a whole: no mail server lives there.
[[nodiscard]] bool is_forbidden(const asio::ip::address& a) noexcept;

struct address_policy {
    bool allow_private = false;  // by the operator: any address, any port

    // errc::address_forbidden, or clear. Without allow_private the port is 25, 465, 587 or 2525.
    [[nodiscard]] error_code check(const asio::ip::address& a, std::uint16_t port) const noexcept;
};

// "192.0.2.1", "2001:db8::1", "[2001:db8::1]"; none for a name.
[[nodiscard]] std::optional<asio::ip::address> parse_literal(std::string_view host);

// The addresses of our own interfaces: a public one may lead to services that trust this machine.
[[nodiscard]] std::vector<asio::ip::address> own_addresses();

}  // namespace estafette::net
