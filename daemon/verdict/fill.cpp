#include "fill.hpp"

#include "estafette/base/text.hpp"

#include <algorithm>
#include <optional>

namespace estafette::verdict {
namespace {

constexpr std::size_t longest_value = 600;

std::optional<std::string> value_of(std::string_view name, facts values) {
    const auto found = std::ranges::find(values, name, &fact::name);
    if (found == values.end()) {
        return std::nullopt;
    }
    auto shown = printable(trim(found->value), longest_value);
    // The quotation ends with our own full stop.
    while (name == "reply" && shown.ends_with('.')) {
        shown.pop_back();
    }
    return shown;
}

struct hole {
    std::string_view name;
    std::optional<std::string_view> otherwise;
    std::size_t length = 0;  // with both braces
};

// `text` begins with '{'.
std::optional<hole> read_hole(std::string_view text) {
    const auto end = text.find_first_of("}{[]", 1);
    if (end == std::string_view::npos || text[end] != '}') {
        return std::nullopt;
    }
    const auto inside = text.substr(1, end - 1);
    const auto bar = inside.find('|');
    if (bar == std::string_view::npos) {
        return hole{inside, std::nullopt, end + 1};
    }
    return hole{inside.substr(0, bar), inside.substr(bar + 1), end + 1};
}

}  // namespace

std::string check_template(std::string_view text, std::span<const std::string_view> known) {
    bool in_brackets = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        switch (text[i]) {
        case '[':
            if (in_brackets) {
                return "a bracket inside brackets";
            }
            in_brackets = true;
            break;
        case ']':
            if (!in_brackets) {
                return "a closing bracket without its opening one";
            }
            in_brackets = false;
            break;
        case '}': return "a closing brace without its opening one";
        case '{': {
            const auto found = read_hole(text.substr(i));
            if (!found) {
                return "a brace that is not closed";
            }
            if (std::ranges::find(known, found->name) == known.end()) {
                return "unknown fact {" + std::string{found->name} + "}";
            }
            if (!found->otherwise && !in_brackets) {
                return "{" + std::string{found->name} + "} needs words for the case that it is not known";
            }
            i += found->length - 1;
            break;
        }
        default: break;
        }
    }
    return in_brackets ? "a bracket that is not closed" : "";
}

std::string fill(std::string_view text, facts values) {
    std::string out;
    std::size_t bracket_began = 0;
    bool is_missing = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '[') {
            bracket_began = out.size();
            is_missing = false;
        } else if (text[i] == ']') {
            if (is_missing) {
                out.resize(bracket_began);
            }
        } else if (const auto found = text[i] == '{' ? read_hole(text.substr(i)) : std::nullopt) {
            const auto value = value_of(found->name, values);
            if (value && !value->empty()) {
                out += *value;
            } else if (found->otherwise) {
                out += *found->otherwise;
            } else {
                is_missing = true;
            }
            i += found->length - 1;
        } else {
            out += text[i];
        }
    }
    return std::string{trim(out)};
}

}  // namespace estafette::verdict
