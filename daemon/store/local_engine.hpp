// The engine of the machine's own disk.
#pragma once

#include "estafette/store/engine.hpp"

#include <memory>

namespace estafette::store {

[[nodiscard]] boost::system::result<std::unique_ptr<engine>, open_error>
open_local_engine(const config::store_options& options);

}  // namespace estafette::store
