// Tables and times as people read them on a terminal. Cells are expected printable (fields.hpp).
#pragma once

#include "console.hpp"

#include <initializer_list>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace estafette::cli {

// "2026-05-01 10:00:00" in the local zone; "-" for none.
[[nodiscard]] std::string local_time(std::optional<wall_time> t);

// "in 4m", "5s ago", "now": one unit, rounded down.
[[nodiscard]] std::string distance(wall_time t, wall_time now);

// An aligned table with a heading; the last column is not padded. Empty cells show as "-".
class table {
public:
    table(std::initializer_list<std::string_view> heading);

    void add(std::vector<std::string> cells);

    [[nodiscard]] bool empty() const noexcept { return rows_.size() == 1; }

    void print(const console& io) const;
    void print_rows(const console& io) const;  // without the heading

private:
    void print_from(std::size_t first, std::ostream& out) const;

    std::vector<std::vector<std::string>> rows_;
};

// "Label     value" lines, long values broken between words where a terminal is narrower; empty values
// are left out.
class facts {
public:
    void add(std::string label, std::string value);
    void print(const console& io) const;

private:
    std::vector<std::pair<std::string, std::string>> lines_;
};

// Text cut at `columns` for a table; "…" marks the cut.
[[nodiscard]] std::string shortened(std::string text, std::size_t columns);

// The text in lines of at most `columns`, broken at spaces; a longer word has a line of its own.
[[nodiscard]] std::vector<std::string> broken(std::string_view text, std::size_t columns);

// Columns that the text takes on a terminal: its code points.
[[nodiscard]] std::size_t width(std::string_view text) noexcept;

}  // namespace estafette::cli
