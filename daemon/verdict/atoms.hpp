// Many strings found in a text in one pass: at each place the first bytes, hashed, say whether any string
// can begin there. Small tables rather than an automaton: those of five thousand strings stay in the
// processor's caches, an automaton's millions of bytes do not. Pure, const after construction.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace estafette::verdict {

class atom_finder {
public:
    atom_finder() = default;

    // Each at least two bytes long.
    explicit atom_finder(const std::vector<std::string>& atoms);

    // Calls `found(number of the atom, offset behind it)` for each place where one is.
    template <class Found> void find(std::string_view text, Found found) const {
        for (std::size_t at = 0; at + shortest <= text.size(); ++at) {
            const auto rest = text.substr(at);
            look(rest, two_bytes(rest.data()), at, found);
            if (rest.size() >= key_size) {
                look(rest, four_bytes(rest.data()), at, found);
            }
        }
    }

private:
    static constexpr std::size_t shortest = 2;
    static constexpr std::size_t key_size = 4;
    static constexpr std::uint32_t bits = 14;

    struct entry {
        std::uint32_t key = 0, number = 0;
        std::string text;
    };

    // Of strings shorter than four bytes, their first two; of the others, four.
    static std::uint32_t two_bytes(const char* at) {
        std::uint16_t key;
        std::memcpy(&key, at, sizeof key);
        return key;
    }

    static std::uint32_t four_bytes(const char* at) {
        std::uint32_t key;
        std::memcpy(&key, at, sizeof key);
        return key;
    }

    static std::uint32_t hash(std::uint32_t key) { return (key * 2654435761u) >> (32 - bits); }

    template <class Found>
    void look(std::string_view rest, std::uint32_t key, std::size_t at, Found& found) const {
        const auto slot = hash(key);
        if ((begins_[slot / 64] >> (slot % 64) & 1) == 0) {
            return;
        }
        for (auto i = first_[slot]; i < first_[slot + 1]; ++i) {
            const auto& e = entries_[i];
            if (e.key == key && rest.starts_with(e.text)) {
                found(e.number, at + e.text.size());
            }
        }
    }

    std::array<std::uint64_t, (1u << bits) / 64> begins_{};  // by hash: whether there is any
    std::array<std::uint32_t, (1u << bits) + 1> first_{};    // by hash: where its entries begin
    std::vector<entry> entries_;
};

}  // namespace estafette::verdict
