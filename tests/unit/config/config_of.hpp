// A configuration from text, on a machine that is the same everywhere.
#pragma once

#include "estafette/config/config.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace estafette::config {

inline machine test_machine() {
    machine m;
    m.hostname = "host.example";
    m.uid = 990;
    m.gid = 991;
    m.find_user = [](const std::string& name) -> std::optional<std::uint32_t> {
        if (name == "root")
            return 0;
        return name == "www-data" ? std::optional<std::uint32_t>{33} : std::nullopt;
    };
    m.find_group = [](const std::string& name) -> std::optional<std::uint32_t> {
        return name == "estafette" ? std::optional<std::uint32_t>{991} : std::nullopt;
    };
    return m;
}

inline std::vector<std::string> errors_of(std::string_view yaml) {
    const auto c = parse(yaml, "FILE", test_machine());
    return c ? std::vector<std::string>{} : c.error();
}

inline config config_of(std::string_view yaml) {
    auto c = parse(yaml, "FILE", test_machine());
    EXPECT_TRUE(c) << (c ? "" : c.error().front());
    return c ? *std::move(c) : config{};
}

}  // namespace estafette::config
