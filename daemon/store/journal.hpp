// The journal: what was promised, in the order in which it was. Segments of records, one record and one
// sync per batch; the truth from which the ledger is brought up to date after a crash.
//
// Promise: append() returns when the batch is durable. After the first failed write or sync it fails for
// good: a second sync may report success for bytes that were lost. A segment is deleted only by
// drop(), whose caller knows that the ledger has all of it, synced.
// Not here: what changes mean (transition.hpp); the bytes (journal_format.hpp, docs/journal.md).
// Thread: the store's.
#pragma once

#include "estafette/store/engine.hpp"
#include "estafette/store/file_layer.hpp"
#include "estafette/store/journal_format.hpp"
#include "estafette/store/read_ahead.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>

namespace estafette::store {

class journal {
public:
    struct appended {
        std::uint64_t sequence = 0;
        std::int64_t segment = 0;
        std::vector<std::optional<std::uint64_t>> bodies;  // of each change, in the segment
    };

    using replayed = std::function<void(std::uint64_t sequence, std::int64_t segment, const logged_change&)>;

    // `files` outlives the journal.
    journal(file_layer& files, std::string folder, std::uint64_t segment_size);

    // Hands every change after the batch `applied` to `take`, in order. errc::store_damaged with file and
    // offset, store_newer, io.
    [[nodiscard]] boost::system::result<void, open_error> open(std::uint64_t applied, const replayed& take);

    // errc::store_full, store_busy: nothing was written, there is no space or no file descriptor for a new
    // segment. errc::store_failed.
    [[nodiscard]] result<appended> append(std::span<const change> batch);

    // How long the last append() waited for the disk.
    [[nodiscard]] std::chrono::nanoseconds last_sync() const noexcept { return last_sync_; }

    // errc::not_found without such a segment, store_damaged, store_failed, store_busy (no file descriptor).
    // `likely` is how long it should be: then it is one read.
    [[nodiscard]] result<std::string>
    read_body(std::int64_t segment, std::uint64_t offset, std::size_t likely);

    [[nodiscard]] std::uint64_t last_sequence() const noexcept { return next_sequence_ - 1; }

    [[nodiscard]] bool has(std::int64_t segment) const { return segments_.contains(segment); }

    // What failed: file, call and error; empty before the first failure.
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

    // Its number; 0: there is none.
    [[nodiscard]] std::int64_t newest_segment() const noexcept {
        return segments_.empty() ? 0 : segments_.rbegin()->first;
    }

    // A segment that takes no more records.
    struct sealed {
        std::int64_t segment = 0;
        std::uint64_t last_sequence = 0;  // or of a later record, where the next segment is gone
    };

    [[nodiscard]] std::vector<sealed> all_sealed() const;
    [[nodiscard]] error_code drop(std::int64_t segment);

    // The segment takes no more records: the next batch begins another.
    void seal() noexcept;

private:
    struct segment {
        segment_header header;
        std::unique_ptr<file> content;  // none: not open now
    };

    [[nodiscard]] std::string path_of(std::int64_t number) const;
    [[nodiscard]] boost::system::result<void, open_error> read_headers();
    [[nodiscard]] boost::system::result<void, open_error> check_order(std::uint64_t applied) const;
    [[nodiscard]] boost::system::result<void, open_error>
    scan(std::int64_t number, std::uint64_t applied, const replayed& take);
    [[nodiscard]] error_code roll(std::uint64_t needed);
    [[nodiscard]] error_code write_record();
    [[nodiscard]] result<std::unique_ptr<file>>
    make_segment(const std::string& path, const segment_header& h, std::uint64_t length);
    [[nodiscard]] result<file*> content_of(std::int64_t number);
    void note_open(std::int64_t sealed);
    [[nodiscard]] error_code fail(const std::string& path, const char* call, const error_code& why);

    file_layer& files_;
    std::string folder_;
    std::uint64_t segment_size_;
    std::map<std::int64_t, segment> segments_;
    std::int64_t last_number_ = 0;
    std::uint64_t next_sequence_ = 1;
    std::deque<std::int64_t> open_;  // sealed segments whose files are open, the longest first
    read_ahead ahead_;
    segment* current_ = nullptr;
    std::uint64_t offset_ = 0;    // of the next record in current_
    std::uint64_t capacity_ = 0;  // of current_
    std::uint64_t written_ = 0;   // of current_: so far no block is one that was only allocated
    std::string buffer_;
    bool has_failed_ = false;
    std::string problem_;
    std::chrono::nanoseconds last_sync_{};
};

}  // namespace estafette::store
