// The payload of a record, for journal_format.cpp.
#pragma once

#include "estafette/store/journal_format.hpp"

namespace estafette::store {

inline constexpr std::size_t record_header_size = 24;

[[nodiscard]] std::vector<std::optional<std::uint64_t>>
encode_changes(std::string& out, std::span<const change> batch);

}  // namespace estafette::store
