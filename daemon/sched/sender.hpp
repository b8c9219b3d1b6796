// The sender of a message, as holds name it.
#pragma once

#include "estafette/mail/message.hpp"

#include <string>

namespace estafette::sched {

// Empty: the null sender.
[[nodiscard]] inline std::string sender_of(const mail::message& m) {
    return m.from ? m.from->text() : std::string{};
}

}  // namespace estafette::sched
