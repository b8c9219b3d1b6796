// The strict YAML reader: no input makes it crash, hang or leave its limits, and places are true.
#include "estafette/base/yaml.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace estafette;

namespace {

void require(bool holds) {
    if (!holds)
        std::abort();
}

std::size_t walk(const yaml::node& n, std::size_t lines, std::size_t depth, const yaml::limits& bounds) {
    require(depth <= bounds.depth && n.line() >= 1 && n.line() <= lines + 1);
    std::size_t total = 1;
    for (const auto& item : n.items())
        total += walk(item, lines, depth + 1, bounds);
    for (const auto& m : n.members()) {
        require(n.find(m.key) == &m.value);  // no duplicates
        total += walk(m.value, lines, depth + 1, bounds);
    }
    return total;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const yaml::limits bounds{.bytes = 64 * 1024, .depth = 12, .nodes = 2'000, .aliases = 50};
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto tree = yaml::parse(text, "FILE", bounds);
    if (!tree) {
        require(tree.error().starts_with("FILE:") && tree.error().find('\n') == std::string::npos);
        return 0;
    }
    // yaml-cpp counts a lone CR as the end of a line, too.
    const auto lines =
        std::count(text.begin(), text.end(), '\n') + std::count(text.begin(), text.end(), '\r') + 1;
    require(walk(*tree, static_cast<std::size_t>(lines), 0, bounds) <= bounds.nodes);
    return 0;
}
