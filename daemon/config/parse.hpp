// From a merged tree to the configuration, for parse() and load().
#pragma once

#include "tables.hpp"

namespace estafette::config {

// Room for thousands of tenants.
inline constexpr yaml::limits file_limits{.bytes = 16u << 20, .nodes = 2'000'000};

[[nodiscard]] config build(const yaml::node& root, reading& r);

}  // namespace estafette::config
