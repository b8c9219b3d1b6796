// All texts of all rules, and which of them a reply can match at all: strings that a pattern cannot do
// without are looked for in one pass, and only patterns that have theirs are run, when a rule asks.
//
// One RE2::Set over them would hold thousands of threads in each state of its automaton, and a reply
// never seen before would cost a millisecond (docs/decisions/). RE2 itself never backtracks, and out of
// memory for its automaton it falls back to a slower one: no answer is ever guessed.
// Thread: one; the answers for the present text are kept between calls.
#pragma once

#include "atoms.hpp"

#include <re2/filtered_re2.h>

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
    [[nodiscard]] const std::vector<int>& begin(std::string_view text);

    [[nodiscard]] bool matches(std::uint32_t pattern);

private:
    enum class answer : std::uint8_t { no, maybe, yes };

    std::unique_ptr<re2::FilteredRE2> filter_ = std::make_unique<re2::FilteredRE2>(3);
    atom_finder finder_;
    std::size_t size_ = 0;

    std::string_view text_;
    std::vector<int> atoms_, possible_;
    std::vector<bool> seen_;
    std::vector<answer> answers_;
};

}  // namespace estafette::verdict
