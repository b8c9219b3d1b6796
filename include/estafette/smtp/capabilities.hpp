// What a server offers, read from its answer to EHLO (RFC 5321 4.1.1.1). Unknown keywords are passed
// over, a malformed argument is as good as none, and nothing here grows with what the server sends.
#pragma once

#include "estafette/smtp/auth.hpp"
#include "estafette/smtp/reply.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace estafette::smtp {

struct capabilities {
    bool esmtp = false;                            // EHLO was understood
    bool pipelining = false;                       // RFC 2920
    bool starttls = false;                         // RFC 3207
    bool eightbitmime = false;                     // RFC 6152
    bool smtputf8 = false;                         // RFC 6531
    bool chunking = false;                         // RFC 3030
    bool dsn = false;                              // RFC 3461
    bool requiretls = false;                       // RFC 8689
    bool enhanced = false;                         // RFC 2034
    bool size = false;                             // RFC 1870: the SIZE parameter may be sent
    std::optional<std::uint64_t> size_limit;       // absent: none was named
    std::optional<std::uint32_t> mail_max;         // RFC 9422: transactions on one connection
    std::optional<std::uint32_t> rcpt_max;         // recipients of one transaction
    std::optional<std::uint32_t> rcpt_domain_max;  // recipient domains of one connection
    mechanism_set auth;                            // RFC 4954, also the old form "AUTH=PLAIN"

    bool operator==(const capabilities&) const = default;
};

// From the positive reply to EHLO: the first line is the greeting, each further one a keyword.
[[nodiscard]] capabilities parse_capabilities(const reply& ehlo);

}  // namespace estafette::smtp
