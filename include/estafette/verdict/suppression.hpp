// Which failures put an address on its tenant's suppression list: only that there is no such mailbox, said
// with certainty once or by anybody twice. A fault of the route, the sender or the message never does, nor
// does anything that may pass. Complaints do too; they are no verdicts.
// Pure; any thread.
#pragma once

#include "estafette/verdict/verdict.hpp"

namespace estafette::verdict {

enum class suppresses : std::uint8_t { no, if_repeated, at_once };

[[nodiscard]] suppresses weigh(const verdict& v) noexcept;

}  // namespace estafette::verdict
