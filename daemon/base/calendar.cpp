#include "estafette/base/calendar.hpp"

#include <array>
#include <charconv>

namespace estafette {

namespace {

using std::chrono::days;
using std::chrono::months;

constexpr std::size_t longest_text = 32;
constexpr std::int64_t most_days = 36'525;  // a hundred years
constexpr std::int64_t seconds_a_day = 86'400;

// A number of one to six digits at the front, taken off.
std::optional<std::int64_t> take_number(std::string_view& text) {
    std::int64_t value = 0;
    const auto [end, ec] =
        std::from_chars(text.data(), text.data() + std::min<std::size_t>(text.size(), 6), value);
    if (ec != std::errc{} || text.front() < '0' || text.front() > '9') {
        return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

struct sums {
    std::int64_t months = 0, days = 0, seconds = 0;
};

struct unit {
    char name;
    std::int64_t months, days, seconds;
};

constexpr std::array<unit, 4> date_units{{{'Y', 12, 0, 0}, {'M', 1, 0, 0}, {'W', 0, 7, 0}, {'D', 0, 1, 0}}};
constexpr std::array<unit, 3> time_units{{{'H', 0, 0, 3600}, {'M', 0, 0, 60}, {'S', 0, 0, 1}}};
constexpr std::array<unit, 4> short_units{{{'w', 0, 7, 0}, {'d', 0, 1, 0}, {'h', 0, 0, 3600}, {'m', 0, 0, 60}}
};

// NUMBER UNIT, again and again, each unit at most once and in order; false if it is anything else.
template <std::size_t N>
bool take_units(std::string_view& text, const std::array<unit, N>& units, sums& into) {
    for (std::size_t next = 0; !text.empty() && text.front() != 'T';) {
        const auto n = take_number(text);
        if (!n || text.empty()) {
            return false;
        }
        while (next < N && units.at(next).name != text.front()) {
            ++next;
        }
        if (next == N) {
            return false;
        }
        const unit& u = units.at(next++);
        into.months += *n * u.months;
        into.days += *n * u.days;
        into.seconds += *n * u.seconds;
        text.remove_prefix(1);
    }
    return true;
}

bool take_iso(std::string_view text, sums& into) {
    if (text.empty()) {
        return false;
    }
    if (!take_units(text, date_units, into)) {
        return false;
    }
    if (text.empty()) {
        return true;
    }
    text.remove_prefix(1);  // T
    return !text.empty() && text.front() != 'T' && take_units(text, time_units, into) && text.empty();
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

}  // namespace

result<calendar_distance> calendar_distance::parse(std::string_view text) {
    if (text.size() < 2 || text.size() > longest_text) {
        return errc::duration_invalid;
    }
    const int sign = text.front() == '-' ? -1 : 1;
    const bool has_sign = text.front() == '-' || text.front() == '+';
    text.remove_prefix(has_sign ? 1 : 0);
    sums found;
    bool fits = false;
    if (text.front() == 'P') {
        text.remove_prefix(1);
        fits = take_iso(text, found);
    } else if (has_sign) {
        fits = take_units(text, short_units, found) && text.empty();
    }
    const auto all_days = found.months * 31 + found.days + found.seconds / seconds_a_day;
    if (!fits || all_days > most_days) {
        return errc::duration_invalid;
    }
    return calendar_distance{
        sign * static_cast<int>(found.months),
        sign * static_cast<int>(found.days),
        seconds{sign * found.seconds}
    };
}

wall_time move_by(
    wall_time start, const calendar_distance& d, std::optional<std::chrono::minutes> at, const zone& where
) {
    if (d.months == 0 && d.days == 0 && !at) {
        return start + d.time;
    }
    const auto local = where.to_local(start);
    auto day = std::chrono::floor<days>(local);
    const milliseconds of_day = at ? milliseconds{*at} : local - day;
    if (d.months != 0) {
        auto date = std::chrono::year_month_day{day} + months{d.months};
        if (!date.ok()) {
            date = date.year() / date.month() / std::chrono::last;
        }
        day = std::chrono::local_days{date};
    }
    return where.to_wall(day + days{d.days} + of_day) + d.time;
}

result<std::chrono::minutes> parse_time_of_day(std::string_view text) {
    if (text.size() != 5 || text[2] != ':' || !is_digit(text[0]) || !is_digit(text[1]) ||
        !is_digit(text[3]) || !is_digit(text[4])) {
        return errc::time_invalid;
    }
    const int hour = (text[0] - '0') * 10 + text[1] - '0';
    const int minute = (text[3] - '0') * 10 + text[4] - '0';
    if (hour > 23 || minute > 59) {
        return errc::time_invalid;
    }
    return std::chrono::hours{hour} + std::chrono::minutes{minute};
}

result<local_time> parse_day(std::string_view text) {
    if (text.size() != 10) {
        return errc::time_invalid;
    }
    const auto midnight = parse_rfc3339(std::string{text} + "T00:00:00Z");
    if (!midnight) {
        return midnight.error();
    }
    return local_time{midnight->time_since_epoch()};
}

}  // namespace estafette
