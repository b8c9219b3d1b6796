// Whether a ledger is whole, in itself and with its journal. Opens it for reading only.
//
// Errors are findings. errc::store_newer is thrown as ledger_error.
// Thread: any one.
#pragma once

#include "journal_reading.hpp"

#include "estafette/store/tools.hpp"

namespace estafette::store {

class database;

// The ledger's last applied batch, where it can be told.
[[nodiscard]] std::optional<std::uint64_t> applied_of(const std::string& ledger);

// Adds what is wrong, and how much of what there is, to `report`.
void check_ledger(
    const std::string& path, const journal_reading& journal, const progress& tell, check_report& report
);

}  // namespace estafette::store
