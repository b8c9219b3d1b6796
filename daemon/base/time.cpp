#include "estafette/base/time.hpp"

#include <array>
#include <cstdio>

namespace estafette {

namespace {

// Reads fixed-width decimal fields from the front of a text; a failure sticks.
class field_reader {
public:
    explicit field_reader(std::string_view text)
        : rest_{text} {}

    int number(std::size_t width) {
        if (rest_.size() < width)
            return fail();
        int value = 0;
        for (std::size_t i = 0; i < width; ++i) {
            if (rest_[i] < '0' || rest_[i] > '9')
                return fail();
            value = value * 10 + (rest_[i] - '0');
        }
        rest_.remove_prefix(width);
        return value;
    }

    char one_of(std::string_view allowed) {
        if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos) {
            fail();
            return '\0';
        }
        const char c = rest_.front();
        rest_.remove_prefix(1);
        return c;
    }

    // ".123456": milliseconds, finer digits cut off.
    int fraction() {
        if (rest_.empty() || rest_.front() != '.')
            return 0;
        rest_.remove_prefix(1);
        int value = 0;
        std::size_t count = 0;
        for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; ++count) {
            if (count < 3)
                value = value * 10 + (rest_.front() - '0');
            rest_.remove_prefix(1);
        }
        if (count == 0)
            return fail();
        for (; count < 3; ++count)
            value *= 10;
        return value;
    }

    [[nodiscard]] bool is_done() const noexcept { return is_good_ && rest_.empty(); }

private:
    int fail() noexcept {
        is_good_ = false;
        return 0;
    }

    std::string_view rest_;
    bool is_good_ = true;
};

struct broken_down {
    std::chrono::year_month_day date;
    std::chrono::weekday weekday;
    std::chrono::hh_mm_ss<milliseconds> time;
};

broken_down break_down(wall_time t) {
    const auto day = std::chrono::floor<std::chrono::days>(t);
    return {
        std::chrono::year_month_day{day},
        std::chrono::weekday{day},
        std::chrono::hh_mm_ss<milliseconds>{t - day},
    };
}

template <std::size_t Size, class... Values>
std::string formatted(const char (&format)[Size], Values... values) {
    std::array<char, 64> buffer{};
    const int n = std::snprintf(buffer.data(), buffer.size(), format, values...);
    return {buffer.data(), static_cast<std::size_t>(n)};
}

}  // namespace

std::string to_rfc3339(wall_time t) {
    const auto [date, weekday, time] = break_down(t);
    return formatted(
        "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
        static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day()),
        static_cast<int>(time.hours().count()),
        static_cast<int>(time.minutes().count()),
        static_cast<int>(time.seconds().count()),
        static_cast<int>(time.subseconds().count())
    );
}

result<wall_time> parse_rfc3339(std::string_view text) {
    field_reader in{text};
    const int year = in.number(4);
    in.one_of("-");
    const int month = in.number(2);
    in.one_of("-");
    const int day = in.number(2);
    in.one_of("Tt ");
    const int hour = in.number(2);
    in.one_of(":");
    const int minute = in.number(2);
    in.one_of(":");
    const int second = in.number(2);
    const int fraction = in.fraction();
    const char zone = in.one_of("Zz+-");
    int offset = 0;
    if (zone == '+' || zone == '-') {
        const int hours = in.number(2);
        in.one_of(":");
        const int minutes = in.number(2);
        if (hours > 23 || minutes > 59)
            return errc::time_invalid;
        offset = (zone == '+' ? 1 : -1) * (hours * 60 + minutes);
    }
    const std::chrono::year_month_day date{
        std::chrono::year{year},
        std::chrono::month{static_cast<unsigned>(month)},
        std::chrono::day{static_cast<unsigned>(day)}
    };
    if (!in.is_done() || !date.ok() || hour > 23 || minute > 59 || second > 60)
        return errc::time_invalid;
    const auto t =
        std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute - offset};
    // Second 60 is a leap second (RFC 3339 5.7): only at the end of a UTC day; it becomes the next second.
    const auto in_day = t - std::chrono::floor<std::chrono::days>(t);
    if (second == 60 && in_day != std::chrono::hours{23} + std::chrono::minutes{59})
        return errc::time_invalid;
    return wall_time{t + seconds{second} + milliseconds{fraction}};
}

std::string to_rfc5322(wall_time t) {
    static constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array<const char*, 12> months{
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
    };
    const auto [date, weekday, time] = break_down(t);
    return formatted(
        "%s, %02u %s %04d %02d:%02d:%02d +0000",
        days[weekday.c_encoding()],
        static_cast<unsigned>(date.day()),
        months[static_cast<unsigned>(date.month()) - 1],
        static_cast<int>(date.year()),
        static_cast<int>(time.hours().count()),
        static_cast<int>(time.minutes().count()),
        static_cast<int>(time.seconds().count())
    );
}

}  // namespace estafette
