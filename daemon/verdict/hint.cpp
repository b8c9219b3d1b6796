#include "estafette/verdict/hint.hpp"

#include "fold.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <utility>

namespace estafette::verdict {
namespace {

constexpr std::int64_t longest = 30 * 86400;

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

constexpr bool is_letter(char c) noexcept {
    return c >= 'a' && c <= 'z';
}

using word_value = std::pair<std::string_view, std::int64_t>;

// English, French, German, Dutch, folded (fold.hpp).
constexpr std::array units{
    word_value{"s", 1},          word_value{"sec", 1},       word_value{"secs", 1},
    word_value{"second", 1},     word_value{"seconds", 1},   word_value{"seconde", 1},
    word_value{"secondes", 1},   word_value{"sekunde", 1},   word_value{"sekunden", 1},
    word_value{"seconden", 1},   word_value{"sek", 1},       word_value{"m", 60},
    word_value{"mn", 60},        word_value{"min", 60},      word_value{"mins", 60},
    word_value{"minute", 60},    word_value{"minutes", 60},  word_value{"minuten", 60},
    word_value{"minuut", 60},    word_value{"h", 3600},      word_value{"hr", 3600},
    word_value{"hrs", 3600},     word_value{"hour", 3600},   word_value{"hours", 3600},
    word_value{"heure", 3600},   word_value{"heures", 3600}, word_value{"stunde", 3600},
    word_value{"stunden", 3600}, word_value{"std", 3600},    word_value{"uur", 3600},
    word_value{"uren", 3600},    word_value{"d", 86400},     word_value{"day", 86400},
    word_value{"days", 86400},   word_value{"jour", 86400},  word_value{"jours", 86400},
    word_value{"tag", 86400},    word_value{"tage", 86400},  word_value{"tagen", 86400},
    word_value{"dag", 86400},    word_value{"dagen", 86400},
};

constexpr std::array number_words{
    word_value{"a", 1},        word_value{"an", 1},      word_value{"one", 1},     word_value{"une", 1},
    word_value{"eine", 1},     word_value{"einer", 1},   word_value{"einem", 1},   word_value{"een", 1},
    word_value{"two", 2},      word_value{"deux", 2},    word_value{"zwei", 2},    word_value{"twee", 2},
    word_value{"three", 3},    word_value{"trois", 3},   word_value{"drei", 3},    word_value{"drie", 3},
    word_value{"four", 4},     word_value{"quatre", 4},  word_value{"vier", 4},    word_value{"five", 5},
    word_value{"cinq", 5},     word_value{"funf", 5},    word_value{"fuenf", 5},   word_value{"vijf", 5},
    word_value{"ten", 10},     word_value{"dix", 10},    word_value{"zehn", 10},   word_value{"tien", 10},
    word_value{"fifteen", 15}, word_value{"quinze", 15}, word_value{"thirty", 30}, word_value{"trente", 30},
};

// Half hours, which no number says.
constexpr std::array halves{
    word_value{"half an hour", 1800},
    word_value{"demi-heure", 1800},
    word_value{"demi heure", 1800},
    word_value{"halben stunde", 1800},
    word_value{"halbe stunde", 1800},
    word_value{"half uur", 1800},
};

// Somewhere near the number something must say that it is about coming back…
constexpr std::string_view cues[]{
    "retry",     "retries",      "try again",   "tried again",  "try later", "try it",     "try after",
    "try your",  "try in",       "come back",   "comeback",     "wait",      "again in",   "again after",
    "again at",  "resend",       "re-send",     "send again",   "resubmit",  "reconnect",  "greylist",
    "graylist",  "grey list",    "gray list",   "grey-list",    "gray-list", "not before", "later than",
    "later at",  "reessay",      "ressay",      "revenez",      "renvoye",   "patient",    "attend",
    "erneut",    "wieder",       "warten",      "versuchen",    "opnieuw",   "probeer",    "wacht",
    "remaining", "to go before", "delayed for", "deferred for",
};

// …and nothing right before it that it measures something else…
constexpr std::string_view not_before_number[]{
    "per",     "every",    "last",  "past",    "previous",   "each",   "within",  "than",
    "of",      "par",      "pro",   "letzten", "innerhalb",  "binnen", "laatste", "dernieres",
    "dernier", "derniere", "limit", "limite",  "timeout",    "/",      "up to",   "for up to",
    "maximum", "max",      "alle",  "elke",    "toutes les", "chaque",
};

// …or right behind it.
constexpr std::string_view not_after_number[]{
    "ago",
    "old",
    "limit",
    "window",
    "period",
    "interval",
    "timeout",
    "geleden",
};

template <std::size_t N>
std::optional<std::int64_t> lookup(const std::array<word_value, N>& table, std::string_view word) noexcept {
    for (const auto& [text, value] : table) {
        if (text == word) {
            return value;
        }
    }
    return std::nullopt;
}

class hint_reader {
public:
    hint_reader(std::string_view text, std::optional<wall_time> now)
        : text_{text}
        , now_{now} {}

    [[nodiscard]] std::optional<seconds> read() {
        if (const auto at = field()) {
            return bounded(*at);
        }
        if (now_) {
            if (const auto at = date()) {
                return bounded(*at);
            }
        }
        for (const auto& [half, value] : halves) {
            const auto at = text_.find(half);
            if (at != std::string_view::npos && is_about_retry(at, at + half.size())) {
                return bounded(value);
            }
        }
        for (std::size_t i = 0; i < text_.size(); ++i) {
            if (i > 0 && (is_digit(text_[i - 1]) || is_letter(text_[i - 1]) || text_[i - 1] == '.')) {
                continue;
            }
            auto end = i;
            const auto value = is_digit(text_[i]) ? clock_or_amounts(end) : word_amount(end);
            if (value && is_about_retry(i, end)) {
                return bounded(*value);
            }
        }
        return std::nullopt;
    }

private:
    static std::optional<seconds> bounded(std::int64_t value) noexcept {
        return value >= 1 && value <= longest ? std::optional{seconds{value}} : std::nullopt;
    }

    // "retry-after: 300", "retry_after=300", "retry after 300" (with no unit: seconds).
    [[nodiscard]] std::optional<std::int64_t> field() const {
        for (const std::string_view name :
             {"retry-after", "retry_after", "retryafter", "retry after", "retry in"}) {
            const auto at = text_.find(name);
            if (at == std::string_view::npos) {
                continue;
            }
            auto i = at + name.size();
            while (i < text_.size() && (text_[i] == ' ' || text_[i] == ':' || text_[i] == '=')) {
                ++i;
            }
            auto end = i;
            const auto value = digits(end);
            const bool ends = end == text_.size() || text_[end] == ' ' || text_[end] == ')' ||
                              text_[end] == ']' || text_[end] == ';' || text_[end] == ',' ||
                              (text_[end] == '.' && (end + 1 == text_.size() || !is_digit(text_[end + 1])));
            auto behind = end;
            if (value && ends && !unit(behind)) {
                return value;
            }
        }
        return std::nullopt;
    }

    // Digits from `i` on, which moves behind them; at most seven.
    [[nodiscard]] std::optional<std::int64_t> digits(std::size_t& i) const {
        const auto begin = i;
        std::int64_t value = 0;
        while (i < text_.size() && is_digit(text_[i]) && i - begin < 8) {
            value = value * 10 + (text_[i++] - '0');
        }
        return i == begin || i - begin > 7 ? std::nullopt : std::optional{value};
    }

    [[nodiscard]] std::string_view word_at(std::size_t i) const {
        auto end = i;
        while (end < text_.size() && is_letter(text_[end])) {
            ++end;
        }
        return text_.substr(i, end - i);
    }

    // A unit behind `i`, perhaps after blanks or a bracket as in "minute(s)".
    [[nodiscard]] std::optional<std::int64_t> unit(std::size_t& i) const {
        auto j = i;
        while (j < text_.size() && (text_[j] == ' ' || text_[j] == '-')) {
            ++j;
        }
        const auto word = word_at(j);
        // "300 s" is seconds, but "5 m3" and "4 h" with a blank may be anything.
        const bool is_lone_letter = j > i && word.size() == 1 && word != "s";
        const auto value = is_lone_letter ? std::nullopt : lookup(units, word);
        if (value) {
            i = j + word.size();
            if (text_.substr(i).starts_with("(s)") || text_.substr(i).starts_with("(n)")) {
                i += 3;
            }
        }
        return value;
    }

    [[nodiscard]] std::optional<std::int64_t> clock_or_amounts(std::size_t& i) const {
        auto at = i;
        if (const auto value = clock(at)) {
            i = at;
            return value;
        }
        return amounts(i);
    }

    // "00:04:58", or "04:58" behind "in".
    [[nodiscard]] std::optional<std::int64_t> clock(std::size_t& i) const {
        const auto begin = i;
        std::array<std::int64_t, 3> parts{};
        std::size_t count = 0;
        for (; count < 3; ++count) {
            const auto part_begin = i;
            const auto value = digits(i);
            if (!value || i - part_begin > 3 || (count > 0 && (*value > 59 || i - part_begin != 2))) {
                return std::nullopt;
            }
            parts[count] = *value;
            if (i >= text_.size() || text_[i] != ':' || count == 2) {
                ++count;
                break;
            }
            ++i;
        }
        const auto before = word_before(begin);
        if (before == "at" || before == "until" || before == "um" || before == "om" || before == "bis" ||
            before == "t" || is_behind_date(begin)) {
            return std::nullopt;  // a time of day
        }
        if (count == 3) {
            return parts[0] * 3600 + parts[1] * 60 + parts[2];
        }
        const bool is_span = before == "in" || before == "dans" || before == "over" || before == "for";
        return count == 2 && is_span ? std::optional{parts[0] * 60 + parts[1]} : std::nullopt;
    }

    // "1 hour and 30 minutes", "4m58s", "5 to 10 minutes" (then the longer).
    [[nodiscard]] std::optional<std::int64_t> amounts(std::size_t& i) const {
        std::int64_t sum = 0;
        std::int64_t smallest = longest * 2;
        bool any = false;
        for (auto at = i; at < text_.size();) {
            auto value = digits(at);
            if (!value) {
                break;
            }
            if (at < text_.size() && text_[at] == '.' && at + 1 < text_.size() && text_[at + 1] == '0') {
                at += 2;  // "300.0 seconds"
            }
            if (auto behind = range_sign(at); behind != at) {
                if (const auto upper = digits(behind)) {
                    value = upper;
                    at = behind;
                }
            }
            const auto factor = unit(at);
            if (!factor || *factor >= smallest || *value > longest) {
                break;
            }
            sum += *value * *factor;
            smallest = *factor;
            any = true;
            i = at;
            at = skip_and(at);
        }
        return any ? std::optional{sum} : std::nullopt;
    }

    [[nodiscard]] std::size_t range_sign(std::size_t at) const {
        for (const std::string_view sign : {" to ", " - ", "-", " a ", " bis ", " tot ", " or "}) {
            const auto behind = at + sign.size();
            if (text_.substr(at).starts_with(sign) && behind < text_.size() && is_digit(text_[behind])) {
                return behind;
            }
        }
        return at;
    }

    [[nodiscard]] std::size_t skip_and(std::size_t at) const {
        for (const std::string_view glue : {" and ", " et ", " und ", " en ", ", ", " "}) {
            if (text_.substr(at).starts_with(glue)) {
                return at + glue.size();
            }
        }
        return at;
    }

    // "an hour", "cinq minutes".
    [[nodiscard]] std::optional<std::int64_t> word_amount(std::size_t& i) const {
        const auto word = word_at(i);
        const auto value = word.empty() ? std::nullopt : lookup(number_words, word);
        auto behind = i + word.size();
        if (!value || behind >= text_.size() || text_[behind] != ' ') {
            return std::nullopt;
        }
        const auto name = word_at(behind + 1);
        const auto factor = name.size() < 3 ? std::nullopt : unit(behind);
        if (!factor) {
            return std::nullopt;
        }
        i = behind;
        return *value * *factor;
    }

    [[nodiscard]] std::string_view word_before(std::size_t at) const {
        auto end = at;
        while (end > 0 && (text_[end - 1] == ' ' || text_[end - 1] == '(' || text_[end - 1] == '"')) {
            --end;
        }
        auto begin = end;
        while (begin > 0 && is_letter(text_[begin - 1])) {
            --begin;
        }
        return text_.substr(begin, end - begin);
    }

    // "2026-05-01 08:00:00", "May 1 08:00:00"
    [[nodiscard]] bool is_behind_date(std::size_t at) const {
        while (at > 0 && (text_[at - 1] == ' ' || text_[at - 1] == ',')) {
            --at;
        }
        return at > 0 && is_digit(text_[at - 1]);
    }

    [[nodiscard]] bool is_about_retry(std::size_t begin, std::size_t end) const {
        auto before = text_.substr(0, begin);
        while (before.ends_with(' ')) {
            before.remove_suffix(1);
        }
        for (const auto word : not_before_number) {
            if (before.ends_with(word) && (before.size() == word.size() || !is_letter(word[0]) ||
                                           !is_letter(before[before.size() - word.size() - 1]))) {
                return false;
            }
        }
        auto after = text_.substr(end);
        while (after.starts_with(' ')) {
            after.remove_prefix(1);
        }
        for (const auto word : not_after_number) {
            if (after.starts_with(word)) {
                return false;
            }
        }
        constexpr std::size_t reach = 70;
        const auto near_before = before.substr(before.size() > reach ? before.size() - reach : 0);
        const auto near_after = after.substr(0, 40);
        return std::any_of(std::begin(cues), std::end(cues), [&](std::string_view cue) {
            return near_before.find(cue) != std::string_view::npos ||
                   near_after.find(cue) != std::string_view::npos;
        });
    }

    // The first date of the text that stands where one comes back: seconds from now, if it is ahead.
    [[nodiscard]] std::optional<std::int64_t> date() const;

    std::string_view text_;
    std::optional<wall_time> now_;
};

// ---- dates -----------------------------------------------------------------------------------------

constexpr std::array months{
    word_value{"jan", 1},
    word_value{"feb", 2},
    word_value{"mar", 3},
    word_value{"apr", 4},
    word_value{"may", 5},
    word_value{"jun", 6},
    word_value{"jul", 7},
    word_value{"aug", 8},
    word_value{"sep", 9},
    word_value{"oct", 10},
    word_value{"nov", 11},
    word_value{"dec", 12},
};

// Reads pieces of a date one after the other; every step fails softly.
class date_cursor {
public:
    explicit date_cursor(std::string_view rest)
        : rest_{rest} {}

    [[nodiscard]] std::optional<std::int64_t> number(std::size_t least, std::size_t most) {
        std::size_t n = 0;
        std::int64_t value = 0;
        while (n < rest_.size() && n < most && is_digit(rest_[n])) {
            value = value * 10 + (rest_[n++] - '0');
        }
        if (n < least || (n < rest_.size() && is_digit(rest_[n]))) {
            return std::nullopt;
        }
        rest_.remove_prefix(n);
        return value;
    }

    [[nodiscard]] bool take(std::string_view text) {
        if (!rest_.starts_with(text)) {
            return false;
        }
        rest_.remove_prefix(text.size());
        return true;
    }

    void blanks() {
        while (take(" ") || take(",")) {
        }
    }

    [[nodiscard]] std::optional<std::int64_t> month() {
        const auto found = rest_.size() < 3 ? std::nullopt : lookup(months, rest_.substr(0, 3));
        while (found && !rest_.empty() && is_letter(rest_[0])) {
            rest_.remove_prefix(1);
        }
        return found;
    }

    // "08:00", "08:00:30", "08:00:30.123" as seconds of the day.
    [[nodiscard]] std::optional<std::int64_t> time_of_day() {
        const auto h = number(1, 2);
        if (!h || *h > 23 || !take(":")) {
            return std::nullopt;
        }
        const auto m = number(2, 2);
        if (!m || *m > 59) {
            return std::nullopt;
        }
        std::int64_t s = 0;
        if (take(":")) {
            const auto read = number(2, 2);
            if (!read || *read > 60) {
                return std::nullopt;
            }
            s = *read;
            if (take(".")) {
                (void)number(1, 9);
            }
        }
        return *h * 3600 + *m * 60 + s;
    }

    // Seconds east of UTC; UTC where no zone stands.
    [[nodiscard]] std::int64_t zone() {
        blanks();
        const bool is_west = rest_.starts_with('-');
        if (!is_west && !rest_.starts_with('+')) {
            return 0;
        }
        rest_.remove_prefix(1);
        if (rest_.size() < 4 || !is_digit(rest_[0]) || !is_digit(rest_[1])) {
            return 0;
        }
        const std::int64_t h = (rest_[0] - '0') * 10 + (rest_[1] - '0');
        rest_.remove_prefix(2);
        (void)take(":");
        const auto m = number(2, 2).value_or(0);
        return (h * 3600 + m * 60) * (is_west ? -1 : 1);
    }

private:
    std::string_view rest_;
};

std::optional<std::int64_t>
to_unix(std::int64_t year, std::int64_t month, std::int64_t day, std::int64_t of_day, std::int64_t east) {
    const std::chrono::year_month_day ymd{
        std::chrono::year{static_cast<int>(year)},
        std::chrono::month{static_cast<unsigned>(month)},
        std::chrono::day{static_cast<unsigned>(day)},
    };
    if (!ymd.ok()) {
        return std::nullopt;
    }
    return std::chrono::sys_days{ymd}.time_since_epoch().count() * std::int64_t{86400} + of_day - east;
}

// "2026-05-01 08:00:00 +0200", "2026-05-01t08:00z"
std::optional<std::int64_t> iso_date(date_cursor c) {
    const auto year = c.number(4, 4);
    const bool first = year && c.take("-");
    const auto month = first ? c.number(2, 2) : std::nullopt;
    const auto day = month && c.take("-") ? c.number(2, 2) : std::nullopt;
    if (!day) {
        return std::nullopt;
    }
    if (!c.take("t")) {
        c.blanks();
    }
    const auto time = c.time_of_day();
    return time ? to_unix(*year, *month, *day, *time, c.zone()) : std::nullopt;
}

// "1 may 2026 08:00:00 +0000" (RFC 5322; the week day before it is skipped by the search)
std::optional<std::int64_t> rfc5322_date(date_cursor c) {
    const auto day = c.number(1, 2);
    c.blanks();
    const auto month = day ? c.month() : std::nullopt;
    c.blanks();
    const auto year = month ? c.number(4, 4) : std::nullopt;
    c.blanks();
    (void)c.take("at ");
    const auto time = year ? c.time_of_day() : std::nullopt;
    return time ? to_unix(*year, *month, *day, *time, c.zone()) : std::nullopt;
}

// "may  1 08:00:00 2026" (asctime)
std::optional<std::int64_t> asctime_date(date_cursor c) {
    const auto month = c.month();
    c.blanks();
    const auto day = month ? c.number(1, 2) : std::nullopt;
    c.blanks();
    const auto time = day ? c.time_of_day() : std::nullopt;
    c.blanks();
    (void)c.take("utc ");
    const auto year = time ? c.number(4, 4) : std::nullopt;
    return year ? to_unix(*year, *month, *day, *time, c.zone()) : std::nullopt;
}

std::optional<std::int64_t> hint_reader::date() const {
    const auto now = std::chrono::floor<seconds>(*now_).time_since_epoch().count();
    for (std::size_t i = 0; i < text_.size(); ++i) {
        if (i > 0 && (is_digit(text_[i - 1]) || is_letter(text_[i - 1]))) {
            continue;
        }
        const date_cursor here{text_.substr(i)};
        auto at = is_digit(text_[i]) ? iso_date(here) : asctime_date(here);
        if (!at && is_digit(text_[i])) {
            at = rfc5322_date(here);
        }
        if (at && *at > now && is_about_retry(i, i)) {
            return *at - now;
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<seconds> retry_hint(std::string_view text, std::optional<wall_time> now) {
    const auto folded = fold(text);
    return hint_reader{folded, now}.read();
}

}  // namespace estafette::verdict
