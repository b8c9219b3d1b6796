// The journal's segments as bytes, both ways: pure, bounded, fuzzed. docs/journal.md has the format byte
// by byte and the rules of recovery.
//
// Promise: a reader never goes beyond the bytes it was given, and never takes a record whose checksum does
// not fit; what is behind the last good record is told apart: nothing, a torn write, or damage.
// Not here: files (daemon/store/journal.hpp).
#pragma once

#include "estafette/store/change.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace estafette::store {

struct segment_header {
    static constexpr std::size_t size = 64;

    std::uint64_t number = 0;          // in the file's name as well
    std::uint64_t first_sequence = 0;  // of its first record
    std::uint64_t salt = 0;            // random: no content can pose as a record

    bool operator==(const segment_header&) const = default;
};

// A change of a record; new mail comes without its body.
struct logged_change {
    change what;
    std::optional<std::uint64_t> body;  // where it is in the segment
};

[[nodiscard]] std::string encode_header(const segment_header& h);
[[nodiscard]] result<segment_header> decode_header(std::string_view bytes);  // errc::store_damaged, _newer

// One record of all changes, appended to `out`; of each change with a body where it is in `out`.
[[nodiscard]] std::vector<std::optional<std::uint64_t>>
encode_record(std::string& out, std::uint64_t sequence, std::uint64_t salt, std::span<const change> batch);

// What is before a body at its place.
struct body_header {
    static constexpr std::size_t size = 8;

    std::uint32_t length = 0;
    std::uint32_t checksum = 0;
};

[[nodiscard]] result<body_header> decode_body_header(std::string_view bytes);  // errc::store_damaged
[[nodiscard]] bool fits(const body_header& h, std::string_view body) noexcept;

struct segment_record {
    std::uint64_t sequence = 0;
    std::uint64_t offset = 0;  // of the record in the segment
    std::string_view payload;  // in the segment's bytes
    std::uint32_t changes = 0;
};

// errc::store_damaged for a payload that is not what we write.
[[nodiscard]] result<std::vector<logged_change>> decode_record(const segment_record& r);

// What the bytes between two places may have said, for people who must know what was lost: the changes
// that still look like such. Nothing vouches for them, so nobody acts on them.
[[nodiscard]] std::vector<change>
read_damaged(std::string_view segment, std::uint64_t from, std::uint64_t to);

// Walks over the records of a whole segment's bytes.
class segment_reader {
public:
    // `segment` outlives the reader.
    segment_reader(std::string_view segment, const segment_header& header)
        : bytes_{segment}
        , header_{header}
        , next_sequence_{header.first_sequence} {}

    [[nodiscard]] std::optional<segment_record> next();

    // The sequence that the next record would have.
    [[nodiscard]] std::uint64_t next_sequence() const noexcept { return next_sequence_; }

    // Where the first byte behind the last good record is.
    [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }

    // After the last good record: the place of a later one. Only the last write before a crash can be
    // torn, so a good record behind a bad one means that something damaged the file.
    [[nodiscard]] std::optional<std::uint64_t> find_record_behind() const;

    // For tools that read on behind damage: next() goes on with that later record, whatever its sequence.
    void skip_to(std::uint64_t offset);

private:
    [[nodiscard]] std::optional<segment_record> record_at(std::uint64_t offset) const;

    std::string_view bytes_;
    segment_header header_;
    std::uint64_t offset_ = segment_header::size;
    std::uint64_t next_sequence_;
};

}  // namespace estafette::store
