// From a merged tree to the configuration, for parse() and load().
#pragma once

#include "tables.hpp"

namespace estafette::config {

[[nodiscard]] config build(const yaml::node& root, reading& r);

}  // namespace estafette::config
