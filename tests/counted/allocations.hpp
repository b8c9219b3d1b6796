// The heap allocations of the calling thread, counted. allocations_test.cpp replaces operator new, so this
// program is one of its own.
#pragma once

#include <cstdint>

namespace counted {

// By operator new, since the thread began.
[[nodiscard]] std::uint64_t allocations() noexcept;

}  // namespace counted
