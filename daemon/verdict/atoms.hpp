// Many strings found in a text in one pass (Aho and Corasick, 1975). Pure, const after construction.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace estafette::verdict {

class atom_finder {
public:
    atom_finder() = default;
    explicit atom_finder(const std::vector<std::string>& atoms);

    // Calls `found(number of the atom)` for each place where one ends.
    template <class Found> void find(std::string_view text, Found found) const {
        if (first_.empty()) {
            return;
        }
        std::uint32_t at = 0;
        for (const char c : text) {
            at = next_[at * classes_ + class_of_[static_cast<unsigned char>(c)]];
            for (auto i = first_[at]; i < first_[at + 1]; ++i) {
                found(ends_[i]);
            }
        }
    }

private:
    std::array<std::uint8_t, 256> class_of_{};  // bytes that no atom has share class 0
    std::uint32_t classes_ = 0;
    std::vector<std::uint32_t> next_;   // by node and class
    std::vector<std::uint32_t> first_;  // by node: where its atoms begin in ends_
    std::vector<std::uint32_t> ends_;
};

}  // namespace estafette::verdict
