// The ledger's tables. A change here is a new version with its step in ledger_schema.cpp.
#pragma once

#include "sqlite.hpp"

namespace estafette::store {

inline constexpr std::int64_t ledger_application_id = 0x45535446;  // "ESTF"

// Of the tables that this program makes.
[[nodiscard]] std::int64_t schema_version() noexcept;

// Creates the tables of a new file, migrates an older one; errc::store_newer, store_damaged.
void prepare_schema(database& db);

}  // namespace estafette::store
