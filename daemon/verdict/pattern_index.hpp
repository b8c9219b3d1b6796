// All texts of all rules, and which of them a reply can match at all: strings that a pattern's branch
// cannot do without (literals.hpp) are looked for in one pass, and only branches that have theirs are run,
// when a rule asks. A branch that is nothing but a string is decided by that pass.
//
// One RE2::Set over them would hold thousands of threads in each state of its automaton, and a reply
// never seen before would cost a millisecond; whole patterns cost 20 microseconds (docs/decisions/003).
// RE2 itself never backtracks, and out of memory for its automaton it falls back to a slower one: no
// answer is ever guessed. A branch is compiled when it is first run.
// Thread: one; the answers for the present text are kept between calls.
#pragma once

#include "atoms.hpp"
#include "literals.hpp"

#include <re2/re2.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace estafette::verdict {

class pattern_index {
public:
    // Adds a pattern; an empty answer, or what is wrong with it. Its number counts from 0.
    [[nodiscard]] std::string add(const std::string& pattern);

    void finish();

    // Takes the text, which must outlive the questions, and says which patterns may match it.
    [[nodiscard]] const std::vector<std::uint32_t>& begin(std::string_view text);

    [[nodiscard]] bool matches(std::uint32_t pattern);

private:
    enum class answer : std::uint8_t { no, maybe, yes };

    static constexpr auto none = static_cast<std::uint32_t>(-1);

    struct branch {
        std::uint32_t pattern = 0;
        std::string text;              // for RE2
        std::string literal;           // not empty: it is this string
        std::unique_ptr<RE2> machine;  // once it was run
        std::uint8_t needs = 0;        // a bit for each of its lists
        std::uint8_t has = 0;          // those found in the present text
        std::uint32_t next = none;     // of the same pattern, in the present text
    };

    // A string of a list of a branch.
    struct use {
        std::uint32_t branch = 0;
        std::uint8_t bit = 0;
    };

    void found(std::uint32_t atom, std::size_t end);
    void is_possible(std::uint32_t branch);
    [[nodiscard]] bool run(branch& b);

    std::vector<branch> branches_;
    std::vector<std::uint32_t> always_;                     // branches of which nothing is known
    std::vector<std::vector<pattern_branch>> branches_of_;  // by pattern, until finish()
    atom_finder finder_;
    std::vector<std::uint32_t> first_use_;  // by atom, where its uses begin
    std::vector<use> uses_;
    std::vector<std::size_t> atom_size_;

    std::string_view text_;
    std::vector<std::uint32_t> touched_;    // branches with something found
    std::vector<std::uint32_t> possible_;   // patterns
    std::vector<std::uint32_t> branch_of_;  // by pattern: the first possible branch
    std::vector<answer> answers_;           // by pattern
};

}  // namespace estafette::verdict
