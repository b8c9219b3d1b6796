// The engine of tests: everything in ordinary containers, nothing on disk, nothing survives.
#pragma once

#include "estafette/store/engine.hpp"

#include <memory>

namespace estafette::store {

[[nodiscard]] std::unique_ptr<engine> make_memory_engine(const config::store_options& options);

}  // namespace estafette::store
