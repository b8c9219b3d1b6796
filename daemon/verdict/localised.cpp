// Times and numbers as the readers of each language write them.
#include "estafette/base/text.hpp"
#include "estafette/verdict/catalogue.hpp"

namespace estafette::verdict {
namespace {

using twelve = std::array<std::string_view, 12>;

constexpr std::array<twelve, language_count> months{{
    {"January",
     "February",
     "March",
     "April",
     "May",
     "June",
     "July",
     "August",
     "September",
     "October",
     "November",
     "December"},
    {"janvier",
     "février",
     "mars",
     "avril",
     "mai",
     "juin",
     "juillet",
     "août",
     "septembre",
     "octobre",
     "novembre",
     "décembre"},
    {"januari",
     "februari",
     "maart",
     "april",
     "mei",
     "juni",
     "juli",
     "augustus",
     "september",
     "oktober",
     "november",
     "december"},
}};

constexpr std::string_view no_break_space = "\u00a0";

std::string two_digits(unsigned n) {
    return (n < 10 ? "0" : "") + std::to_string(n);
}

std::string clock(unsigned hour, unsigned minute, language l) {
    switch (l) {
    case language::en: return " at " + two_digits(hour) + ":" + two_digits(minute);
    case language::fr: {
        const std::string h{std::string{no_break_space} + "h"};
        const auto rest = minute == 0 ? std::string{} : std::string{no_break_space} + two_digits(minute);
        return " à " + std::to_string(hour) + h + rest;
    }
    case language::nl: return " om " + two_digits(hour) + "." + two_digits(minute) + " uur";
    }
    return {};
}

}  // namespace

std::string format_date(wall_time t, language l, const zone& where) {
    const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(where.to_local(t))};
    std::string out = std::to_string(static_cast<unsigned>(date.day()));
    out += l == language::fr && out == "1" ? "er " : " ";
    out += months[static_cast<std::size_t>(l)][static_cast<unsigned>(date.month()) - 1];
    out += " " + std::to_string(static_cast<int>(date.year()));
    return out;
}

std::string format_time(wall_time t, language l, const zone& where) {
    const auto local = where.to_local(t);
    const auto minutes = static_cast<unsigned>(
        std::chrono::floor<std::chrono::minutes>(local - std::chrono::floor<std::chrono::days>(local)).count()
    );
    return format_date(t, l, where) + clock(minutes / 60, minutes % 60, l) + " (" + where.name() + ")";
}

std::string format_number(std::uint64_t n, language l) {
    constexpr std::array<std::string_view, language_count> separators{",", no_break_space, "."};
    std::string out = std::to_string(n);
    for (std::size_t at = out.size(); at > 3; at -= 3) {
        out.insert(at - 3, separators[static_cast<std::size_t>(l)]);
    }
    return out;
}

}  // namespace estafette::verdict
