#include "when.hpp"

#include "estafette/base/text.hpp"

#include <array>
#include <charconv>
#include <ctime>

namespace estafette::cli {

namespace {

// The number in text[first, first + count), digits only.
bool digits(std::string_view text, std::size_t first, std::size_t count, int& value) {
    const std::string_view part = text.substr(first, count);
    if (part.size() != count || part.find_first_not_of("0123456789") != std::string_view::npos) {
        return false;
    }
    return std::from_chars(part.data(), part.data() + part.size(), value).ec == std::errc{};
}

result<wall_time> parse_local(std::string_view text) {
    std::tm parts{};
    const bool shaped = (text.size() == 16 || text.size() == 19) && text[4] == '-' && text[7] == '-' &&
                        (text[10] == ' ' || text[10] == 'T') && text[13] == ':' &&
                        (text.size() == 16 || text[16] == ':');
    if (!shaped || !digits(text, 0, 4, parts.tm_year) || !digits(text, 5, 2, parts.tm_mon) ||
        !digits(text, 8, 2, parts.tm_mday) || !digits(text, 11, 2, parts.tm_hour) ||
        !digits(text, 14, 2, parts.tm_min) || (text.size() == 19 && !digits(text, 17, 2, parts.tm_sec))) {
        return errc::time_invalid;
    }
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    parts.tm_isdst = -1;
    const std::tm asked = parts;
    const std::time_t whole = std::mktime(&parts);
    // mktime moves 31 April to 1 May; a clock change may move the hour, which is right.
    if (whole == -1 || parts.tm_mday != asked.tm_mday || parts.tm_mon != asked.tm_mon || asked.tm_hour > 23 ||
        asked.tm_min > 59 || asked.tm_sec > 59) {
        return errc::time_invalid;
    }
    return wall_time{seconds{whole}};
}

}  // namespace

result<wall_time> parse_when(std::string_view text, wall_time now) {
    if (text == "now") {
        return now;
    }
    if (text.starts_with('+')) {
        const auto ahead = parse_duration(text.substr(1));
        if (!ahead) {
            return errc::time_invalid;
        }
        return now + *ahead;
    }
    if (auto exact = parse_rfc3339(text)) {
        return exact;
    }
    return parse_local(text);
}

}  // namespace estafette::cli
