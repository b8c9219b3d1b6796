#include "output.hpp"

#include <algorithm>
#include <ctime>

namespace estafette::cli {

namespace {

constexpr std::size_t least_text = 30;  // on a narrower terminal lines are left to it

bool begins_character(char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

void pad(std::ostream& out, const std::string& cell, std::size_t columns) {
    out << cell;
    for (std::size_t n = width(cell); n < columns; ++n) {
        out << ' ';
    }
}

}  // namespace

std::string local_time(std::optional<wall_time> t) {
    if (!t) {
        return "-";
    }
    const std::time_t whole = std::chrono::floor<seconds>(*t).time_since_epoch().count();
    std::tm parts{};
    char text[32];
    if (localtime_r(&whole, &parts) == nullptr ||
        std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts) == 0) {
        return "-";
    }
    return text;
}

std::string distance(wall_time t, wall_time now) {
    const auto whole = std::chrono::floor<seconds>(t > now ? t - now : now - t).count();
    if (whole == 0) {
        return "now";
    }
    std::string amount = std::to_string(whole) + "s";
    if (whole >= 2 * 86400) {
        amount = std::to_string(whole / 86400) + "d";
    } else if (whole >= 2 * 3600) {
        amount = std::to_string(whole / 3600) + "h";
    } else if (whole >= 120) {
        amount = std::to_string(whole / 60) + "m";
    }
    return t > now ? "in " + amount : amount + " ago";
}

table::table(std::initializer_list<std::string_view> heading) {
    rows_.emplace_back(heading.begin(), heading.end());
}

void table::add(std::vector<std::string> cells) {
    cells.resize(rows_.front().size());
    for (std::string& cell : cells) {
        if (cell.empty()) {
            cell = "-";
        }
    }
    rows_.push_back(std::move(cells));
}

void table::print(const console& io) const {
    print_from(0, io.out);
}

void table::print_rows(const console& io) const {
    print_from(1, io.out);
}

void table::print_from(std::size_t first, std::ostream& out) const {
    std::vector<std::size_t> columns(rows_.front().size());
    for (std::size_t n = first; n < rows_.size(); ++n) {
        for (std::size_t i = 0; i < rows_[n].size(); ++i) {
            columns[i] = std::max(columns[i], width(rows_[n][i]));
        }
    }
    for (std::size_t n = first; n < rows_.size(); ++n) {
        const auto& row = rows_[n];
        for (std::size_t i = 0; i + 1 < row.size(); ++i) {
            pad(out, row[i], columns[i] + 2);
        }
        out << row.back() << '\n';
    }
}

void facts::add(std::string label, std::string value) {
    if (!value.empty()) {
        lines_.emplace_back(std::move(label), std::move(value));
    }
}

void facts::print(const console& io) const {
    std::size_t columns = 0;
    for (const auto& [label, value] : lines_) {
        columns = std::max(columns, width(label) + 2);
    }
    const bool is_wide_enough = io.columns >= columns + least_text;
    for (const auto& [label, value] : lines_) {
        pad(io.out, label, columns);
        const auto lines = is_wide_enough ? broken(value, io.columns - columns) : std::vector{value};
        for (std::size_t i = 0; i < lines.size(); ++i) {
            pad(io.out, "", i == 0 ? 0 : columns);
            io.out << lines[i] << '\n';
        }
    }
}

std::vector<std::string> broken(std::string_view text, std::size_t columns) {
    std::vector<std::string> out{""};
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(word.size() + 1, text.size()));
        if (!out.back().empty() && width(out.back()) + 1 + width(word) > columns) {
            out.emplace_back();
        }
        out.back() += (out.back().empty() ? "" : " ") + std::string{word};
    }
    return out;
}

std::string shortened(std::string text, std::size_t columns) {
    if (width(text) <= columns) {
        return text;
    }
    std::size_t kept = 0;
    std::size_t at = 0;
    for (; at < text.size(); ++at) {
        if (begins_character(text[at]) && ++kept == columns) {
            break;
        }
    }
    text.resize(at);
    return text + "…";
}

std::size_t width(std::string_view text) noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(text, begins_character));
}

}  // namespace estafette::cli
