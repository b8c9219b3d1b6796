// What waits for a connection: one message and those of its recipients that are due, for one transaction.
#pragma once

#include "estafette/mail/message.hpp"

#include <cstdint>
#include <vector>

namespace estafette::route {

struct target {
    std::uint32_t index = 0;     // in message->to
    std::uint32_t attempts = 0;  // made so far
};

struct job {
    mail::message_ptr message;
    std::vector<target> targets;  // never empty

    [[nodiscard]] recipient_id id(const target& t) const { return {message->id, t.index}; }
};

}  // namespace estafette::route
