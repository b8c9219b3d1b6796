// The payload of a record, for journal_format.cpp.
#pragma once

#include "estafette/store/journal_format.hpp"

namespace estafette::store {

inline constexpr std::size_t record_header_size = 24;

[[nodiscard]] std::vector<std::optional<std::uint64_t>>
encode_changes(std::string& out, std::span<const change> batch);

// The changes up to the first that is not what we write.
[[nodiscard]] std::vector<change> decode_readable(std::string_view payload);

}  // namespace estafette::store
