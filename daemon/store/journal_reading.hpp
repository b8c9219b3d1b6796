// A journal as tools read it: every record that is good, also behind damage, and where the damage is. The
// engine reads with journal.hpp, which stops at the first.
//
// Changes nothing. Errors of the file system are findings too: what cannot be read is damaged.
// Thread: any one.
#pragma once

#include "estafette/store/journal_format.hpp"
#include "estafette/store/tools.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace estafette::store {

// Batches that are not there any more.
struct hole {
    damage where;
    std::uint64_t first = 0, end = 0;  // sequences; end is the first one that is there again, 0: unknown
    std::vector<change> said;          // what the bytes seem to have held
};

class journal_reading {
public:
    struct segment {
        std::string path;
        segment_header header;
        std::string bytes;
    };

    using record_taker =
        std::function<void(const segment&, const segment_record&, std::vector<logged_change>)>;

    // `applied`: the last batch that the ledger has; 0 where that is not known.
    journal_reading(std::string folder, std::uint64_t applied);

    // Hands over every good record, by rising sequence. Call once.
    void read(const record_taker& take, const progress& tell);

    // Damage, by place; empty: the journal is whole.
    [[nodiscard]] const std::vector<hole>& holes() const noexcept { return holes_; }

    [[nodiscard]] bool is_newer() const noexcept { return is_newer_; }

    [[nodiscard]] std::uint64_t segments() const noexcept { return order_.size(); }

    [[nodiscard]] bool has(std::int64_t segment) const noexcept;

    // The sequence that follows the last record; nothing for a journal without segments.
    [[nodiscard]] std::optional<std::uint64_t> end() const noexcept { return end_; }

    // Of the oldest segment's first record.
    [[nodiscard]] std::optional<std::uint64_t> begin() const noexcept;

    // The body that starts there, if its checksum fits; reads the file again.
    [[nodiscard]] std::optional<std::string> read_body(std::int64_t segment, std::uint64_t offset) const;

    // Every file of the folder that is a segment by its name.
    [[nodiscard]] static std::vector<std::string> files(const std::string& folder);

private:
    struct span {
        std::uint64_t begin = 0, end = 0;
    };

    struct known {
        std::string path;
        segment_header header;
        std::uint64_t size = 0;
    };

    void read_headers();
    void read_header(const std::string& path, bool is_newest);
    void read_segment(std::size_t place, const record_taker& take);
    void read_records(const segment& s, segment_reader& reader, const record_taker& take);
    void add_hole(const segment& s, span bytes, span sequences);
    void add(const std::string& path, std::uint64_t offset, std::string what);

    std::string folder_;
    std::uint64_t applied_;
    std::vector<known> order_;  // by their first sequence
    std::vector<hole> holes_;
    std::optional<std::uint64_t> end_;
    std::uint64_t last_taken_ = 0;
    bool is_newer_ = false;
};

}  // namespace estafette::store
