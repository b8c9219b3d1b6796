#include "estafette/base/text.hpp"
#include "estafette/mail/compose.hpp"

#include <algorithm>

namespace estafette::mail {
namespace {

constexpr std::string_view line_end = "\r\n";

struct line_facts {
    std::size_t longest = 0;
    bool leading_dot = false;
};

line_facts measure_lines(std::string_view bytes) {
    line_facts out;
    for (std::size_t at = 0; at < bytes.size();) {
        const auto end = std::min(bytes.find(line_end, at), bytes.size());
        out.longest = std::max(out.longest, end - at);
        out.leading_dot = out.leading_dot || bytes[at] == '.';
        at = end + line_end.size();
    }
    return out;
}

}  // namespace

body_facts facts_of(std::string_view bytes) {
    // The header ends at the first empty line; a message that begins with one has no header.
    const auto empty_line = bytes.find("\r\n\r\n");
    const auto header_end = bytes.starts_with(line_end) ? 0 : std::min(empty_line, bytes.size());
    const auto lines = measure_lines(bytes);
    body_facts out;
    out.size = bytes.size();
    out.longest_line = static_cast<std::uint32_t>(lines.longest);
    out.leading_dot = lines.leading_dot;
    out.utf8_header = !is_ascii(bytes.substr(0, header_end));
    out.eight_bit = !is_ascii(bytes.substr(header_end));
    return out;
}

}  // namespace estafette::mail
