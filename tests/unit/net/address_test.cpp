#include "estafette/net/address.hpp"

#include <gtest/gtest.h>

#include <algorithm>

using namespace estafette;

namespace {

struct row {
    const char* text;
    bool forbidden;
};

// The borders of each block, and the disguises that were used against other products.
constexpr row rows[] = {
    {"8.8.8.8", false},
    {"1.1.1.1", false},
    {"0.0.0.0", true},
    {"0.255.255.255", true},
    {"9.255.255.255", false},
    {"10.0.0.0", true},
    {"10.255.255.255", true},
    {"11.0.0.0", false},
    {"100.63.255.255", false},
    {"100.64.0.0", true},
    {"100.127.255.255", true},
    {"100.128.0.0", false},
    {"127.0.0.1", true},
    {"127.255.255.254", true},
    {"128.0.0.1", false},
    {"169.253.255.255", false},
    {"169.254.169.254", true},
    {"172.15.255.255", false},
    {"172.16.0.1", true},
    {"172.31.255.255", true},
    {"172.32.0.0", false},
    {"192.0.0.8", true},
    {"192.0.1.0", false},
    {"192.0.2.1", true},
    {"192.88.99.1", true},
    {"192.168.1.1", true},
    {"192.169.0.1", false},
    {"198.17.255.255", false},
    {"198.18.0.1", true},
    {"198.19.255.255", true},
    {"198.20.0.0", false},
    {"198.51.100.7", true},
    {"203.0.113.7", true},
    {"223.255.255.255", false},
    {"224.0.0.1", true},
    {"239.255.255.250", true},
    {"240.0.0.1", true},
    {"255.255.255.255", true},
    {"2a00:1450:4007:80e::200e", false},
    {"2001:4860:4860::8888", false},
    {"2400:cb00::1", false},
    {"3fff:1000::1", false},
    {"::", true},
    {"::1", true},
    {"::7f00:1", true},          // the old IPv4-compatible form of 127.0.0.1
    {"::ffff:127.0.0.1", true},  // mapped
    {"::ffff:169.254.169.254", true},
    {"::ffff:8.8.8.8", false},
    {"64:ff9b::7f00:1", true},  // NAT64 of 127.0.0.1
    {"64:ff9b::a00:1", true},
    {"64:ff9b::808:808", false},   // NAT64 of 8.8.8.8
    {"64:ff9b:1::808:808", true},  // NAT64 of a local prefix
    {"100::1", true},              // discard
    {"2001::1", true},             // Teredo
    {"2001:0:7f00:1::", true},
    {"2001:1ff:ffff::", true},
    {"2001:200::1", false},
    {"2001:db8::1", true},
    {"2001:db9::1", false},
    {"2002:7f00:1::1", true},   // 6to4 of 127.0.0.1
    {"2002:808:808::1", true},  // 6to4, whatever it holds
    {"2003::1", false},
    {"3fff::1", true},  // documentation
    {"4000::1", true},  // not assigned
    {"fc00::1", true},
    {"fd12:3456:789a::1", true},
    {"fe80::1", true},
    {"fec0::1", true},
    {"ff02::1", true},
};

}  // namespace

TEST(AddressPolicy, ForbidsEveryAddressThatIsNotPublicUnicast) {
    for (const auto& [text, forbidden] : rows)
        EXPECT_EQ(net::is_forbidden(boost::asio::ip::make_address(text)), forbidden) << text;
}

TEST(AddressPolicy, AllowsMailPortsOnlyUnlessTheOperatorSaysOtherwise) {
    const auto address = boost::asio::ip::make_address("8.8.8.8");
    const net::address_policy strict;
    for (const std::uint16_t port : std::initializer_list<std::uint16_t>{25, 465, 587, 2525})
        EXPECT_FALSE(strict.check(address, port)) << port;
    for (const std::uint16_t port : std::initializer_list<std::uint16_t>{0, 22, 24, 26, 80, 443, 65535})
        EXPECT_EQ(strict.check(address, port), make_error_code(errc::address_forbidden)) << port;
    const net::address_policy trusted{.allow_private = true};
    EXPECT_FALSE(trusted.check(address, 2500));
    EXPECT_FALSE(trusted.check(boost::asio::ip::make_address("127.0.0.1"), 25));
}

TEST(AddressPolicy, LiteralsAreCanonicalNumbersOnly) {
    EXPECT_TRUE(net::parse_literal("192.0.2.1"));
    EXPECT_TRUE(net::parse_literal("2001:db8::1"));
    EXPECT_EQ(net::parse_literal("[2001:db8::1]"), net::parse_literal("2001:db8::1"));
    for (const char* text :
         {"127.1", "0x7f.1", "0x7f000001", "2130706433", "0177.0.0.1", "1.2.3.4.", "", "[]", "mail.example"})
        EXPECT_FALSE(net::parse_literal(text)) << text;
}

TEST(AddressPolicy, KnowsTheMachinesOwnAddresses) {
    const auto own = net::own_addresses();
    EXPECT_NE(std::find(own.begin(), own.end(), boost::asio::ip::make_address("127.0.0.1")), own.end());
}
