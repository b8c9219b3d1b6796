#include "estafette/config/send_window.hpp"

#include <algorithm>

namespace estafette::config {

namespace {

using std::chrono::days;
using local_day = std::chrono::local_days;

constexpr std::array<std::string_view, 7> day_names{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr int days_ahead = 9;  // a week, a day before it, and one that clocks may take away

struct opening {
    wall_time from, to;  // from < to
};

bool opens_on(const send_window& w, local_day day) {
    return w.days.at(std::chrono::weekday{day}.iso_encoding() - 1);
}

opening opening_of(const send_window& w, local_day day) {
    const auto closes = w.closes <= w.opens ? w.closes + days{1} : w.closes;
    return {w.where.to_wall(day + w.opens), w.where.to_wall(day + closes, zone::which::last)};
}

// The first opening that ends after `t`, with those that touch it.
opening opening_after(const send_window& w, wall_time t) {
    const auto today = std::chrono::floor<days>(w.where.to_local(t));
    opening found{wall_time::max(), wall_time::max()};
    for (int i = -1; i < days_ahead; ++i) {
        const auto day = today + days{i};
        if (!opens_on(w, day)) {
            continue;
        }
        const auto o = opening_of(w, day);
        if (o.to <= t || o.from >= o.to) {
            continue;
        }
        if (found.from == wall_time::max()) {
            found = o;
        } else if (o.from <= found.to) {
            found.to = std::max(found.to, o.to);
        } else {
            break;
        }
    }
    return found;
}

std::string clock_of(std::chrono::minutes m) {
    const auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    return two(m.count() / 60) + ':' + two(m.count() % 60);
}

}  // namespace

wall_time next_open(const send_window& w, wall_time t) {
    const auto o = opening_after(w, t);
    return o.from == wall_time::max() ? t : std::max(t, o.from);
}

wall_time next_change(const send_window& w, wall_time t) {
    const auto o = opening_after(w, t);
    return o.from > t ? o.from : o.to;
}

std::string to_text(const send_window& w) {
    std::string out;
    for (std::size_t i = 0; i < 7; ++i) {
        std::size_t last = i;
        while (last + 1 < 7 && w.days[i] && w.days[last + 1]) {
            ++last;
        }
        if (!w.days[i]) {
            continue;
        }
        out.append(out.empty() ? "" : ",").append(day_names[i]);
        if (last > i) {
            out.append("-").append(day_names[last]);
        }
        i = last;
    }
    return out.append(" ").append(clock_of(w.opens)).append("-").append(clock_of(w.closes)).append(" ") +
           w.where.name();
}

}  // namespace estafette::config
