// The opaque cursor of find(): the order number of the last recipient of the page, 16 hex digits.
#pragma once

#include "estafette/base/error.hpp"

#include <cstdint>
#include <string>

namespace estafette::store {

[[nodiscard]] std::string make_cursor(std::uint64_t order);

// The largest number for an empty cursor; errc::cursor_invalid for what we did not give out.
[[nodiscard]] result<std::uint64_t> parse_cursor(const std::string& text);

}  // namespace estafette::store
