#include "output.hpp"

#include <algorithm>
#include <ctime>

namespace estafette::cli {

namespace {

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

void table::print(std::ostream& out) const {
    print_from(0, out);
}

void table::print_rows(std::ostream& out) const {
    print_from(1, out);
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

void facts::print(std::ostream& out) const {
    std::size_t columns = 0;
    for (const auto& [label, value] : lines_) {
        columns = std::max(columns, width(label));
    }
    for (const auto& [label, value] : lines_) {
        pad(out, label, columns + 2);
        out << value << '\n';
    }
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
