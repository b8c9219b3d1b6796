// What was decided lately: servers say the same thing to thousands of mails. Bounded, by two
// generations: what was not asked for while the younger one filled up is forgotten. Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace estafette::verdict {

class recent_decisions {
public:
    // The decision that no rule fits.
    static constexpr auto nothing = std::numeric_limits<std::uint32_t>::max();

    [[nodiscard]] std::optional<std::uint32_t> find(const std::string& key) {
        if (const auto found = young_.find(key); found != young_.end()) {
            return found->second;
        }
        const auto found = old_.find(key);
        if (found == old_.end()) {
            return std::nullopt;
        }
        const auto decision = found->second;
        remember(key, decision);
        return decision;
    }

    void remember(const std::string& key, std::uint32_t decision) {
        if (key.size() > longest_key) {
            return;
        }
        if (young_.size() >= generation) {
            old_ = std::exchange(young_, {});
        }
        young_.insert_or_assign(key, decision);
    }

private:
    static constexpr std::size_t generation = 2048;
    static constexpr std::size_t longest_key = 1024;

    std::unordered_map<std::string, std::uint32_t> young_, old_;
};

}  // namespace estafette::verdict
