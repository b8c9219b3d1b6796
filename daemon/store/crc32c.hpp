// CRC-32C (Castagnoli), with the processor's instruction where it has one.
#pragma once

#include <cstdint>
#include <string_view>

namespace estafette::store {

// Of `bytes`, continuing from an earlier value: crc32c(b, crc32c(a)) is that of a and b together.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0) noexcept;

}  // namespace estafette::store
