// The engine of the machine's own disk: journal and ledger. The journal is the truth: a batch is durable
// when it is there, with one sync. The ledger (SQLite) follows in large transactions that need no sync of
// their own; after a crash the journal is replayed from the ledger's last applied batch.
//
// For tests and benchmarks; the daemon calls open_engine().
#pragma once

#include "estafette/store/engine.hpp"
#include "estafette/store/file_layer.hpp"

#include <memory>

namespace estafette::store {

struct local_tuning {
    std::uint64_t segment_size = 32u << 20;  // of the journal
    std::size_t kept_segments = 4;           // that nobody needs any more, while others wait
    std::uint64_t sparse_below = 16u << 20;  // a segment of which less waits is emptied into the ledger
    std::uint64_t largest_log = 128u << 20;  // of the ledger, that no checkpoint has copied
    std::size_t flush_changes = 512;         // events after which the ledger begins to follow
    std::size_t flush_bytes = 32u << 20;     // bodies in memory, likewise
    std::size_t rows_per_step = 128;         // rows and events that it takes at a time, while others wait
    std::size_t bodies_per_step = 128;       // moved to the ledger at a time
    bool checkpoints_apart = true;           // on a thread of their own
};

[[nodiscard]] boost::system::result<std::unique_ptr<engine>, open_error> open_local_engine(
    const config::store_options& options,
    std::unique_ptr<file_layer> files = make_disk_files(),
    const local_tuning& tuning = {}
);

}  // namespace estafette::store
