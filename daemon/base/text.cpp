#include "estafette/base/text.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <vector>

namespace estafette {

namespace {

struct decoded {
    char32_t point = 0;
    std::size_t size = 0;  // 0: not valid here
};

constexpr unsigned byte_at(std::string_view text, std::size_t i) noexcept {
    return static_cast<unsigned char>(text[i]);
}

// One code point by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
decoded decode(std::string_view text) noexcept {
    const unsigned lead = byte_at(text, 0);
    if (lead < 0x80)
        return {lead, 1};
    const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < size)
        return {};
    char32_t point = lead & (0xFFu >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        const unsigned next = byte_at(text, i);
        if ((next & 0xC0) != 0x80)
            return {};
        point = (point << 6) | (next & 0x3F);
    }
    static constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
    const bool is_surrogate = point >= 0xD800 && point <= 0xDFFF;
    if (point < smallest[size] || point > 0x10FFFF || is_surrogate)
        return {};
    return {point, size};
}

bool is_line_break_or_tab(char32_t p) noexcept {
    return p == '\t' || p == '\n' || p == '\v' || p == '\f' || p == '\r' || p == 0x85 || p == 0x2028 ||
           p == 0x2029;
}

bool is_unfit(char32_t p) noexcept {
    const bool is_control = p < 0x20 || (p >= 0x7F && p <= 0x9F);
    const bool is_bidi = p == 0x061C || p == 0x200E || p == 0x200F || (p >= 0x202A && p <= 0x202E) ||
                         (p >= 0x2066 && p <= 0x2069);
    return is_control || is_bidi;
}

constexpr std::string_view base64_letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::uint8_t, 256> base64_values = [] {
    std::array<std::uint8_t, 256> table{};
    table.fill(0xFF);
    for (std::size_t i = 0; i < base64_letters.size(); ++i)
        table[static_cast<unsigned char>(base64_letters[i])] = static_cast<std::uint8_t>(i);
    return table;
}();

struct unit {
    std::string_view name;
    std::uint64_t factor;
};

constexpr std::array<unit, 6> duration_units{{
    {"w", 7ull * 24 * 3600 * 1000},
    {"d", 24ull * 3600 * 1000},
    {"h", 3600ull * 1000},
    {"m", 60ull * 1000},
    {"s", 1000},
    {"ms", 1},
}};

constexpr std::array<unit, 8> size_units{{
    {"TiB", 1ull << 40},
    {"GiB", 1ull << 30},
    {"MiB", 1ull << 20},
    {"KiB", 1ull << 10},
    {"TB", 1'000'000'000'000},
    {"GB", 1'000'000'000},
    {"MB", 1'000'000},
    {"KB", 1'000},
}};

// The number at the front of `text`, which it shortens; none if there is no digit or it does not fit.
std::optional<std::uint64_t> take_number(std::string_view& text) noexcept {
    std::uint64_t value = 0;
    std::size_t used = 0;
    for (; used < text.size() && text[used] >= '0' && text[used] <= '9'; ++used) {
        const auto digit = static_cast<std::uint64_t>(text[used] - '0');
        if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10)
            return std::nullopt;
        value = value * 10 + digit;
    }
    if (used == 0)
        return std::nullopt;
    text.remove_prefix(used);
    return value;
}

// The letters at the front of `text`, which it shortens.
std::string_view take_letters(std::string_view& text) noexcept {
    const auto end = std::find_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    const std::string_view letters = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(letters.size());
    return letters;
}

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// Edits (insert, delete, replace, swap neighbours) that turn one word into the other, either case.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), previous(b.size() + 1), current(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        previous[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        current[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = previous[j - 1] + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
            current[j] = std::min({previous[j] + 1, current[j - 1] + 1, replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                current[j] = std::min(current[j], before[j - 2] + 1);
        }
        std::swap(before, previous);
        std::swap(previous, current);
    }
    return previous[b.size()];
}

}  // namespace

std::string printable(std::string_view text, std::size_t limit) {
    const bool is_plain = std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
    if (is_plain && text.size() <= limit)  // nearly always
        return std::string{text};
    std::string out;
    out.reserve(std::min(text.size(), limit));
    while (!text.empty()) {
        const auto [point, size] = decode(text);
        std::string_view piece = "?";
        std::size_t used = 1;
        if (size != 0) {
            used = text.starts_with("\r\n") ? 2 : size;
            piece = is_line_break_or_tab(point) ? " " : is_unfit(point) ? "?" : text.substr(0, size);
        }
        if (out.size() + piece.size() > limit) {
            out += "…";
            break;
        }
        out += piece;
        text.remove_prefix(used);
    }
    return out;
}

bool is_valid_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const auto [point, size] = decode(text);
        if (size == 0)
            return false;
        text.remove_prefix(size);
    }
    return true;
}

bool is_ascii(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string_view host_of(std::string_view server) noexcept {
    return server.substr(0, server.rfind(':'));
}

std::string ascii_lower(std::string_view text) {
    std::string out{text};
    std::transform(out.begin(), out.end(), out.begin(), lower);
    return out;
}

bool ascii_iequals(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return lower(x) == lower(y);
    });
}

std::string_view trim(std::string_view text) noexcept {
    static constexpr std::string_view blank = " \t\r\n";
    const auto first = text.find_first_not_of(blank);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::string base64_encode(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    while (!bytes.empty()) {
        const std::size_t n = std::min<std::size_t>(bytes.size(), 3);
        unsigned group = 0;
        for (std::size_t i = 0; i < 3; ++i)
            group = (group << 8) | (i < n ? byte_at(bytes, i) : 0);
        for (std::size_t i = 0; i < 4; ++i)
            out += i <= n ? base64_letters[(group >> (18 - 6 * i)) & 0x3F] : '=';
        bytes.remove_prefix(n);
    }
    return out;
}

result<std::string> base64_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size() / 4 * 3);
    unsigned group = 0;
    std::size_t letters = 0;
    std::size_t padding = 0;
    for (const char c : text) {
        if (c == ' ' || c == '\r' || c == '\n')
            continue;
        if (c == '=') {
            ++padding;
            continue;
        }
        const unsigned value = base64_values[static_cast<unsigned char>(c)];
        if (value == 0xFF || padding != 0)
            return errc::base64_invalid;
        group = (group << 6) | value;
        if (++letters % 4 == 0) {
            out += static_cast<char>((group >> 16) & 0xFF);
            out += static_cast<char>((group >> 8) & 0xFF);
            out += static_cast<char>(group & 0xFF);
            group = 0;
        }
    }
    const std::size_t rest = letters % 4;
    if (rest == 1 || padding != (4 - rest) % 4)
        return errc::base64_invalid;
    if (rest != 0 && (group & (rest == 2 ? 0x0Fu : 0x03u)) != 0)
        return errc::base64_invalid;  // bits that no encoder sets: one text per value
    if (rest == 2)
        out += static_cast<char>((group >> 4) & 0xFF);
    if (rest == 3) {
        out += static_cast<char>((group >> 10) & 0xFF);
        out += static_cast<char>((group >> 2) & 0xFF);
    }
    return out;
}

result<milliseconds> parse_duration(std::string_view text) {
    if (text == "0")
        return milliseconds{0};
    if (text.empty())
        return errc::duration_invalid;
    static constexpr auto limit = static_cast<std::uint64_t>(milliseconds::max().count());
    std::uint64_t total = 0;
    auto next = duration_units.begin();  // units only get smaller: "30m1h" is a slip
    while (!text.empty()) {
        const auto number = take_number(text);
        const auto letters = take_letters(text);
        const auto found =
            std::find_if(next, duration_units.end(), [&](const unit& u) { return u.name == letters; });
        if (!number || found == duration_units.end() || *number > (limit - total) / found->factor)
            return errc::duration_invalid;
        total += *number * found->factor;
        next = found + 1;
    }
    return milliseconds{static_cast<std::int64_t>(total)};
}

std::string format_duration(milliseconds d) {
    if (d.count() == 0)
        return "0";
    if (d.count() < 0)
        return "-" + format_duration(-d);
    std::string best;
    // Every choice of units, the single ones first: "30d" rather than "4w2d", "90s" rather than "1m30s".
    for (std::size_t parts = 1; parts <= duration_units.size(); ++parts) {
        for (unsigned chosen = 1; chosen < (1u << duration_units.size()); ++chosen) {
            if (static_cast<std::size_t>(__builtin_popcount(chosen)) != parts)
                continue;
            auto rest = static_cast<std::uint64_t>(d.count());
            std::string candidate;
            for (std::size_t i = 0; i < duration_units.size(); ++i) {
                const auto& [name, factor] = duration_units[i];
                if ((chosen & (1u << i)) == 0 || rest < factor)
                    continue;
                candidate += std::to_string(rest / factor);
                candidate += name;
                rest %= factor;
            }
            const bool is_week = candidate.ends_with('w');
            if (rest == 0 && (best.empty() || candidate.size() < best.size() ||
                              (candidate.size() == best.size() && best.ends_with('w') && !is_week)))
                best = candidate;
        }
    }
    return best;
}

result<std::uint64_t> parse_size(std::string_view text) {
    const auto number = take_number(text);
    if (!number)
        return errc::size_invalid;
    if (text.empty())
        return *number;
    for (const auto& [name, factor] : size_units) {
        if (text != name)
            continue;
        if (*number > std::numeric_limits<std::uint64_t>::max() / factor)
            return errc::size_invalid;
        return *number * factor;
    }
    return errc::size_invalid;
}

std::string format_size(std::uint64_t bytes) {
    std::string best = std::to_string(bytes);
    if (bytes == 0)
        return best;
    for (const auto& [name, factor] : size_units) {
        if (name.size() != 3 || bytes % factor != 0)
            continue;
        std::string candidate = std::to_string(bytes / factor) + std::string{name};
        if (candidate.size() <= best.size())
            best = std::move(candidate);
        break;
    }
    return best;
}

std::string_view nearest(std::string_view word, const std::string_view* first, std::size_t count) {
    static constexpr std::size_t longest = 128;
    if (word.empty() || word.size() > longest)
        return {};
    std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
    std::string_view found;
    for (std::size_t i = 0; i < count; ++i) {
        if (first[i].size() > longest)
            continue;
        const bool is_begun =
            word.size() >= 4 && first[i].starts_with(word);  // "password" for "password_file"
        const std::size_t distance = is_begun ? 1 : edit_distance(word, first[i]);
        if (distance < least && distance < first[i].size()) {
            least = distance;
            found = first[i];
        }
    }
    return found;
}

}  // namespace estafette
