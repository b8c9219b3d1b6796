// The replies that no rule matched, counted in groups: replies that differ only in numbers and
// addresses are one. Bounded: the group not seen for the longest time goes first.
#pragma once

#include "estafette/smtp/reply.hpp"
#include "estafette/verdict/classifier.hpp"

#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

namespace estafette::verdict {

class unmatched_list {
public:
    void count(const smtp::reply& answer);

    // The most frequent first.
    [[nodiscard]] std::vector<classifier::unmatched_reply> list() const;

private:
    struct group {
        std::string key;
        classifier::unmatched_reply shown;
    };

    std::list<group> groups_;  // the most recently seen first
    std::unordered_map<std::string, std::list<group>::iterator> by_key_;
};

}  // namespace estafette::verdict
