// check_store() for those that already have the lock.
#pragma once

#include "estafette/store/tools.hpp"

namespace estafette::store {

[[nodiscard]] outcome<check_report> check_files(const std::string& path, const progress& tell);

}  // namespace estafette::store
