// The phases of a connection, and three tables by phase: time limit, words for people, metric label.
#pragma once

#include "estafette/base/time.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace estafette::smtp {

// In the order in which a connection passes through them; within a transaction it never goes back.
enum class phase : std::uint8_t {
    resolve,    // looking the server's name up
    connect,    // TCP
    handshake,  // TLS, at once or after STARTTLS
    banner,
    ehlo,
    helo,
    starttls,
    auth,
    ready,  // between transactions
    mail,
    rcpt,
    data,  // until 354
    body,  // sending the content
    dot,   // waiting for the answer to the final dot: the message may be sent twice
    rset,
    quit,
};

inline constexpr std::size_t phase_count = 16;

// RFC 5321 4.5.3.2, with Postfix's values where it names none.
[[nodiscard]] milliseconds default_timeout(phase p) noexcept;

// "connecting", "sending end of data; the message may be sent twice".
[[nodiscard]] std::string_view words(phase p) noexcept;

// The lower-case name: metric label, API and log value ("dot").
[[nodiscard]] std::string_view label(phase p) noexcept;

// Time limits by phase; the table of a route starts from the defaults.
class phase_timeouts {
public:
    phase_timeouts();

    [[nodiscard]] milliseconds operator[](phase p) const noexcept {
        return limits_[static_cast<std::size_t>(p)];
    }

    void set(phase p, milliseconds limit) noexcept { limits_[static_cast<std::size_t>(p)] = limit; }

    bool operator==(const phase_timeouts&) const = default;

private:
    std::array<milliseconds, phase_count> limits_;
};

}  // namespace estafette::smtp
