// Sentences with holes: {name} is replaced by a fact, {name|words} by the words where the fact is not
// known, and a part in [brackets] is left out where one of its facts is not known. Pure.
#pragma once

#include "estafette/verdict/catalogue.hpp"

#include <string>
#include <string_view>

namespace estafette::verdict {

// Empty if the template is well formed, else what is wrong with it.
[[nodiscard]] std::string check_template(std::string_view text);

// The text with the facts filled in; spaces at both ends are dropped.
[[nodiscard]] std::string fill(std::string_view text, const explanation_facts& facts);

}  // namespace estafette::verdict
