#include "estafette/net/address.hpp"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>

namespace estafette::net {

namespace {

using asio::ip::address_v4;
using asio::ip::address_v6;

struct block_v4 {
    std::uint32_t first;
    unsigned prefix;
};

constexpr std::uint32_t quad(unsigned a, unsigned b, unsigned c) {
    return (a << 24) | (b << 16) | (c << 8);
}

constexpr std::array forbidden_v4{
    block_v4{quad(0, 0, 0), 8},        // this network; 0.0.0.0 reaches the machine itself
    block_v4{quad(10, 0, 0), 8},       // private
    block_v4{quad(100, 64, 0), 10},    // shared by carriers (CGNAT)
    block_v4{quad(127, 0, 0), 8},      // loopback
    block_v4{quad(169, 254, 0), 16},   // link-local; cloud metadata
    block_v4{quad(172, 16, 0), 12},    // private
    block_v4{quad(192, 0, 0), 24},     // protocol assignments
    block_v4{quad(192, 0, 2), 24},     // documentation
    block_v4{quad(192, 88, 99), 24},   // 6to4 relays
    block_v4{quad(192, 168, 0), 16},   // private
    block_v4{quad(198, 18, 0), 15},    // benchmarks
    block_v4{quad(198, 51, 100), 24},  // documentation
    block_v4{quad(203, 0, 113), 24},   // documentation
    block_v4{quad(224, 0, 0), 4},      // multicast
    block_v4{quad(240, 0, 0), 4},      // reserved, broadcast
};

bool is_forbidden_v4(std::uint32_t a) noexcept {
    return std::any_of(forbidden_v4.begin(), forbidden_v4.end(), [a](const block_v4& block) {
        return ((a ^ block.first) >> (32 - block.prefix)) == 0;
    });
}

struct block_v6 {
    std::array<std::uint8_t, 6> first;
    unsigned prefix;  // at most 48
};

// Within 2000::/3; everything outside it is forbidden but for the addresses that carry an IPv4 one.
constexpr std::array forbidden_v6{
    block_v6{{0x20, 0x01, 0x00, 0x00}, 23},  // protocol assignments: Teredo, ORCHID, benchmarks
    block_v6{{0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation
    block_v6{{0x20, 0x02}, 16},              // 6to4
    block_v6{{0x3f, 0xff, 0x00}, 20},        // documentation
};

bool has_prefix(const address_v6::bytes_type& bytes, const block_v6& block) noexcept {
    const auto whole = block.prefix / 8;
    if (!std::equal(bytes.begin(), bytes.begin() + whole, block.first.begin()))
        return false;
    const auto rest = block.prefix % 8;
    return rest == 0 || ((bytes[whole] ^ block.first[whole]) >> (8 - rest)) == 0;
}

std::uint32_t last_quad(const address_v6::bytes_type& b) noexcept {
    return (std::uint32_t{b[12]} << 24) | (std::uint32_t{b[13]} << 16) | (std::uint32_t{b[14]} << 8) | b[15];
}

bool is_forbidden_v6(const address_v6& a) noexcept {
    constexpr std::array<std::uint8_t, 12> nat64{0x00, 0x64, 0xff, 0x9b};
    const auto bytes = a.to_bytes();
    if (a.is_v4_mapped() || std::equal(nat64.begin(), nat64.end(), bytes.begin()))
        return is_forbidden_v4(last_quad(bytes));
    if ((bytes[0] & 0xe0) != 0x20)
        return true;
    return std::any_of(forbidden_v6.begin(), forbidden_v6.end(), [&](const block_v6& block) {
        return has_prefix(bytes, block);
    });
}

}  // namespace

bool is_forbidden(const asio::ip::address& a) noexcept {
    return a.is_v4() ? is_forbidden_v4(a.to_v4().to_uint()) : is_forbidden_v6(a.to_v6());
}

error_code address_policy::check(const asio::ip::address& a, std::uint16_t port) const noexcept {
    constexpr std::array<std::uint16_t, 4> mail_ports{25, 465, 587, 2525};
    if (allow_private)
        return {};
    if (std::find(mail_ports.begin(), mail_ports.end(), port) == mail_ports.end() || is_forbidden(a))
        return make_error_code(errc::address_forbidden);
    return {};
}

std::optional<asio::ip::address> parse_literal(std::string_view host) {
    if (host.size() > 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    boost::system::error_code ec;
    const auto found = asio::ip::make_address(std::string{host}, ec);
    if (ec)
        return std::nullopt;
    return found;
}

std::vector<asio::ip::address> own_addresses() {
    std::vector<asio::ip::address> found;
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0)
        return found;
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner{first, &::freeifaddrs};
    for (const auto* i = first; i != nullptr; i = i->ifa_next) {
        if (i->ifa_addr == nullptr)
            continue;
        if (i->ifa_addr->sa_family == AF_INET) {
            const auto* in = reinterpret_cast<const sockaddr_in*>(i->ifa_addr);
            found.emplace_back(address_v4{ntohl(in->sin_addr.s_addr)});
        } else if (i->ifa_addr->sa_family == AF_INET6) {
            const auto* in = reinterpret_cast<const sockaddr_in6*>(i->ifa_addr);
            address_v6::bytes_type bytes;
            std::copy_n(in->sin6_addr.s6_addr, bytes.size(), bytes.begin());
            found.emplace_back(address_v6{bytes});
        }
    }
    return found;
}

}  // namespace estafette::net
