// The authority that the tests' routes trust, and its files, made once.
#pragma once

#include "certificates.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <string>

namespace testing_net {

// What all cases share: making keys and files costs more than a handshake.
struct world {
    authority trusted{"Test Root"};
    authority unknown{"Nobody's Root"};
    key_ptr key = make_key();
    key_ptr other_key = make_key();
    // Tests of one program may run side by side, each in a process of its own.
    std::string stem = testing::TempDir() + "estafette_net_" + std::to_string(::getpid());
    std::string ca_file = stem + "_ca.pem";
    std::string certificate_file = stem + "_client.pem";
    std::string key_file = stem + "_client.key";

    world() {
        trusted.write(ca_file);
        const auto client = trusted.issue({.common_name = "client"}, other_key.get());
        authority::write_certificate(*client, certificate_file);
        authority::write_key(*other_key, key_file);
    }

    ~world() {
        for (const auto& file : {ca_file, certificate_file, key_file})
            std::remove(file.c_str());
    }

    world(const world&) = delete;
    world& operator=(const world&) = delete;

    static world& get() {
        static world w;
        return w;
    }
};

}  // namespace testing_net
