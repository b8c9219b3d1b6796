#include "transcript.hpp"

#include <algorithm>
#include <string_view>

namespace estafette::smtp {

namespace {

constexpr std::size_t reply_shown_limit = 2 * 1024;
constexpr std::string_view gap = "[…]\n";

}  // namespace

void show_reply(std::string& shown, const reply& r) {
    std::string_view rest = std::string_view{r.text}.substr(0, reply_shown_limit);
    const std::string code = std::to_string(r.code);
    for (bool last = false; !last;) {
        const std::size_t end = rest.find('\n');
        last = end == std::string_view::npos;
        shown += "S: ";
        shown += code;
        shown += last ? ' ' : '-';
        shown += rest.substr(0, end);
        shown += '\n';
        rest.remove_prefix(last ? rest.size() : end + 1);
    }
}

void keep_within(std::string& shown, std::size_t limit) {
    if (shown.size() <= limit) {
        return;
    }
    // The first quarter tells how it began; what is cut is made large, so that cutting is rare.
    std::size_t from = shown.rfind('\n', limit / 4) + 1;
    if (std::string_view{shown}.substr(0, from).ends_with(gap)) {
        from -= gap.size();
    }
    const std::size_t surplus = shown.size() - limit + limit / 4;
    const std::size_t end = shown.find('\n', std::min(from + surplus, shown.size() - 1));
    shown.replace(from, (end == std::string::npos ? shown.size() : end + 1) - from, gap);
}

}  // namespace estafette::smtp
