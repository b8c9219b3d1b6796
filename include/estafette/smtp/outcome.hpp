// What a session knows of one recipient (or of the connection itself) when it is over: facts only. The
// verdict floor says what they mean.
#pragma once

#include "estafette/base/error.hpp"
#include "estafette/smtp/phase.hpp"
#include "estafette/smtp/reply.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace estafette::smtp {

struct outcome {
    phase at = phase::connect;    // the phase whose answer (or failure) decided
    std::optional<reply> answer;  // the server's reply, if one came
    error_code error;             // why there is no usable answer; clear where `answer` decided
    bool dot_sent = false;  // the final dot left us: without an answer the message may have been accepted

    // The 250 to the final dot: the server took responsibility.
    [[nodiscard]] bool is_accepted() const noexcept {
        return at == phase::dot && answer && answer->is_positive() && !error;
    }
};

struct recipient_outcome {
    std::uint32_t index = 0;  // in message.to
    bool tried = false;  // false: the connection ended before this recipient's turn; nothing is said about it
    outcome what;
};

}  // namespace estafette::smtp
