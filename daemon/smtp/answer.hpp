// Does an answer belong to the command? Only what fits counts; anything else means that the two sides
// are out of step, and then no further answer can be trusted.
#pragma once

#include "estafette/smtp/phase.hpp"
#include "estafette/smtp/reply.hpp"

#include <cstdint>

namespace estafette::smtp {

enum class fit : std::uint8_t {
    yes,
    more,     // 334: the server waits for the next step of AUTH
    no,       // a 4yz or 5yz in its place
    closing,  // 421
    astray,
};

[[nodiscard]] fit judge(phase at, const reply& answer) noexcept;

// Does this refusal look like trouble with commands that were sent ahead, rather than with the message?
// `across`: they were sent together with the message before, which few servers ever see.
[[nodiscard]] bool is_sync_complaint(const reply& answer, bool across);

}  // namespace estafette::smtp
