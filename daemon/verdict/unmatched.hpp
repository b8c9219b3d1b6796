// The replies that no rule matched, counted in groups: replies that differ only in numbers and
// addresses are one. Bounded: the group not seen for the longest time goes first.
// Thread: one.
#pragma once

#include "estafette/smtp/reply.hpp"
#include "estafette/verdict/classifier.hpp"

#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

namespace estafette::verdict {

class unmatched_list {
public:
    void count(const evidence& e);

    // The most frequent first.
    [[nodiscard]] std::vector<classifier::unmatched_reply> list() const;

    [[nodiscard]] std::uint64_t total() const noexcept { return total_; }

    // Forgets the replies that `is_known` knows; the total stays.
    void forget(const std::function<bool(const evidence&)>& is_known);

private:
    struct group {
        std::string key;
        smtp::outcome what;  // the first of them
        classifier::unmatched_reply shown;
    };

    std::list<group> groups_;  // the most recently seen first
    std::unordered_map<std::string, std::list<group>::iterator> by_key_;
    std::uint64_t total_ = 0;
};

}  // namespace estafette::verdict
