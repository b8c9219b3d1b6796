// How segments of the journal go: what still waits in an old one moves to the ledger, a checkpoint makes
// that durable, then the segment is deleted; all by small steps. Also what a ledger's log needs where no
// segment goes.
//
// Promise: a segment is dropped only when a checkpoint that covers its last record has returned.
// Errors are ledger_error, thrown.
// Thread: the store's.
#pragma once

#include "book.hpp"
#include "checkpointer.hpp"
#include "journal.hpp"
#include "store_failure.hpp"

#include "estafette/store/local_engine.hpp"

namespace estafette::store {

// A message's content, from wherever it is.
[[nodiscard]] result<std::string> read_body(journal& j, ledger& l, const message_row& row);

class retirement {
public:
    // All outlive it.
    retirement(
        const local_tuning& tuning, journal& j, ledger& l, checkpointer& c, book& b, store_failure& failure
    )
        : tuning_{tuning}
        , journal_{j}
        , ledger_{l}
        , checkpoint_{c}
        , book_{b}
        , failure_{failure} {}

    // A step towards dropping segments that nobody needs, once there are more than `kept`. Those of which
    // little still waits are emptied. The ledger has followed.
    [[nodiscard]] settled step(std::size_t kept);

    // A step; true: no segment up to this one is left.
    [[nodiscard]] bool drop_up_to(std::int64_t newest);

    // A checkpoint where the ledger's log is long: where segments go theirs do this, where all that comes
    // waits nobody else would.
    void shorten_log();

private:
    void empty_a_little(std::int64_t segment, std::size_t limit);
    [[nodiscard]] settled drop(const std::vector<journal::sealed>& empty);

    const local_tuning& tuning_;
    journal& journal_;
    ledger& ledger_;
    checkpointer& checkpoint_;
    book& book_;
    store_failure& failure_;
    std::uint64_t log_copied_ = 0;  // of the ledger's log, by the last checkpoint for its length
};

}  // namespace estafette::store
