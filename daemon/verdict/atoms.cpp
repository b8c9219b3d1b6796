#include "atoms.hpp"

#include <algorithm>

namespace estafette::verdict {

atom_finder::atom_finder(const std::vector<std::string>& atoms) {
    for (std::uint32_t number = 0; number < atoms.size(); ++number) {
        const auto& text = atoms[number];
        const auto key = text.size() < key_size ? two_bytes(text.data()) : four_bytes(text.data());
        entries_.push_back({key, number, text});
    }
    std::sort(entries_.begin(), entries_.end(), [](const entry& a, const entry& b) {
        return hash(a.key) < hash(b.key);
    });
    std::uint32_t next = 0;
    for (std::uint32_t slot = 0; slot < 1u << bits; ++slot) {
        first_[slot] = next;
        while (next < entries_.size() && hash(entries_[next].key) == slot) {
            begins_[slot / 64] |= std::uint64_t{1} << (slot % 64);
            ++next;
        }
    }
    first_.back() = next;
}

}  // namespace estafette::verdict
