#include "cursor.hpp"

#include <charconv>
#include <limits>

namespace estafette::store {

namespace {
constexpr std::size_t digits = 16;
constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
}  // namespace

std::string make_cursor(std::uint64_t order) {
    std::string text(digits, '0');
    char buffer[digits];
    const auto [end, ec] = std::to_chars(buffer, buffer + digits, order, 16);
    const auto used = static_cast<std::size_t>(end - buffer);
    text.replace(digits - used, used, buffer, used);
    return text;
}

result<std::uint64_t> parse_cursor(const std::string& text) {
    if (text.empty()) {
        return largest;
    }
    std::uint64_t order = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), order, 16);
    if (text.size() != digits || ec != std::errc{} || end != text.data() + text.size() || order > largest) {
        return errc::cursor_invalid;
    }
    return order;
}

}  // namespace estafette::store
