// What was decided lately: servers say the same thing to thousands of mails. Bounded: a key has one of a
// few places, and a new one takes over the place that was taken over the longest time ago. Keys are
// compared whole, never by their hash alone. Thread: one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace estafette::verdict {

class recent_decisions {
public:
    // The decision that no rule fits.
    static constexpr auto nothing = std::numeric_limits<std::uint32_t>::max();

    [[nodiscard]] std::optional<std::uint32_t> find(std::string_view key) {
        hash_ = std::hash<std::string_view>{}(key);
        for (const auto& known : shelves_[hash_ % shelf_count].places) {
            if (known.hash == hash_ && known.key == key) {
                return known.decision;
            }
        }
        return std::nullopt;
    }

    // Of the key that find() was last asked for.
    void remember(std::string_view key, std::uint32_t decision) {
        if (key.size() > longest_key) {
            return;
        }
        auto& shelf = shelves_[hash_ % shelf_count];
        auto& place = shelf.places[shelf.next];
        place.hash = hash_;
        place.key = key;
        place.decision = decision;
        shelf.next = (shelf.next + 1) % shelf.places.size();
    }

private:
    static constexpr std::size_t shelf_count = 1024;
    static constexpr std::size_t longest_key = 1024;

    struct known {
        std::size_t hash = 0;
        std::uint32_t decision = nothing;
        std::string key;  // never empty once it was used
    };

    struct shelf {
        std::array<known, 4> places;
        std::size_t next = 0;
    };

    std::vector<shelf> shelves_{shelf_count};
    std::size_t hash_ = 0;
};

}  // namespace estafette::verdict
