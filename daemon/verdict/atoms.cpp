#include "atoms.hpp"

#include <limits>

namespace estafette::verdict {
namespace {

constexpr auto none = std::numeric_limits<std::uint32_t>::max();

}  // namespace

atom_finder::atom_finder(const std::vector<std::string>& atoms) {
    classes_ = 1;
    for (const auto& atom : atoms) {
        for (const char c : atom) {
            auto& of = class_of_[static_cast<unsigned char>(c)];
            if (of == 0) {
                of = static_cast<std::uint8_t>(classes_++);
            }
        }
    }
    // The trie
    std::vector<std::vector<std::uint32_t>> ending(1);
    next_.assign(classes_, none);
    for (std::uint32_t number = 0; number < atoms.size(); ++number) {
        std::uint32_t at = 0;
        for (const char c : atoms[number]) {
            const auto slot = at * classes_ + class_of_[static_cast<unsigned char>(c)];
            if (next_[slot] == none) {
                next_[slot] = static_cast<std::uint32_t>(ending.size());
                ending.emplace_back();
                next_.resize(next_.size() + classes_, none);
            }
            at = next_[slot];
        }
        ending[at].push_back(number);
    }
    // Where a node has no way on, it goes where its longest proper suffix goes; breadth first, so that
    // the suffix's ways are complete when they are needed.
    std::vector<std::uint32_t> suffix(ending.size(), 0);
    std::vector<std::uint32_t> order{0};
    for (std::size_t i = 0; i < order.size(); ++i) {
        const auto at = order[i];
        for (std::uint32_t k = 0; k < classes_; ++k) {
            auto& way = next_[at * classes_ + k];
            const auto beside = at == 0 ? 0 : next_[suffix[at] * classes_ + k];
            if (way == none) {
                way = beside;
                continue;
            }
            suffix[way] = beside;
            ending[way].insert(ending[way].end(), ending[beside].begin(), ending[beside].end());
            order.push_back(way);
        }
    }
    for (const auto& of_node : ending) {
        first_.push_back(static_cast<std::uint32_t>(ends_.size()));
        ends_.insert(ends_.end(), of_node.begin(), of_node.end());
    }
    first_.push_back(static_cast<std::uint32_t>(ends_.size()));
}

}  // namespace estafette::verdict
