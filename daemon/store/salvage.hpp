// A new ledger from what can be read of a damaged one.
//
// Promise: reads the old file only; what comes out is whole in itself (the rules of ledger_check). What of
// the old did not come over is said, a sentence each.
// Errors of the new file are ledger_error, thrown. Thread: any one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace estafette::store {

class database;

struct salvaged {
    std::optional<std::uint64_t> applied;  // the last batch it has; none: that cannot be told
    std::vector<std::string> lost;
};

// `to` is the path of a new file.
[[nodiscard]] salvaged salvage_ledger(const std::string& from, const std::string& to);

// Drops what hangs in the air, counts anew; adds what was dropped to `lost`.
void put_in_order(database& db, std::vector<std::string>& lost);

}  // namespace estafette::store
