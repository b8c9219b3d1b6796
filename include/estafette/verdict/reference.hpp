// docs/reasons.md as text: what each reason means, whose fault it is and what follows, by the place and
// class of the reply, from the same tables that decide; its words in three languages; its rules.
#pragma once

#include <string>

namespace estafette::verdict {

[[nodiscard]] std::string reasons_reference();

}  // namespace estafette::verdict
