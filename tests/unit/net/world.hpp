// The authority that the tests' routes trust, and its files, made once.
#pragma once

#include "certificates.hpp"

#include <gtest/gtest.h>

#include <string>

namespace testing_net {

// What all cases share: making keys and files costs more than a handshake.
struct world {
    authority trusted{"Test Root"};
    authority unknown{"Nobody's Root"};
    key_ptr key = make_key();
    key_ptr other_key = make_key();
    std::string ca_file = testing::TempDir() + "estafette_net_ca.pem";
    std::string certificate_file = testing::TempDir() + "estafette_net_client.pem";
    std::string key_file = testing::TempDir() + "estafette_net_client.key";

    world() {
        trusted.write(ca_file);
        const auto client = trusted.issue({.common_name = "client"}, other_key.get());
        authority::write_certificate(*client, certificate_file);
        authority::write_key(*other_key, key_file);
    }

    static world& get() {
        static world w;
        return w;
    }
};

}  // namespace testing_net
