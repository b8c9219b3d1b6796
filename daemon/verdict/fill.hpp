// Sentences with holes: {name} is replaced by a fact, {name|words} by the words where the fact is not
// known, and a part in [brackets] is left out where one of its facts is not known. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace estafette::verdict {

struct fact {
    std::string_view name;
    std::string value;  // empty: not known
};

using facts = std::span<const fact>;

// Empty if the template is well formed and names only known facts (whatever their values), else what is
// wrong with it.
[[nodiscard]] std::string check_template(std::string_view text, std::span<const std::string_view> known);

// The text with the facts filled in, each made printable; spaces at both ends are dropped.
[[nodiscard]] std::string fill(std::string_view text, facts values);

}  // namespace estafette::verdict
