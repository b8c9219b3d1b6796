// What a pattern cannot do without: its branches ("a|b" has two), and for each the strings of which one
// must occur wherever it matches. Read from RE2's syntax as far as rules use it; what is not understood is
// a branch of which nothing is known, so that it is always tried. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace estafette::verdict {

struct pattern_branch {
    std::string pattern;  // for RE2
    // Of each list at least one string occurs in every text that the branch matches. At most two lists,
    // the most telling ones; none where nothing is known. In lower case, ≤ longest_needed bytes each.
    std::vector<std::vector<std::string>> needed;
    std::string literal;  // not empty: the branch is this string and nothing else, and needs no RE2
};

inline constexpr std::size_t longest_needed = 12;

[[nodiscard]] std::vector<pattern_branch> branches_of(std::string_view pattern);

}  // namespace estafette::verdict
