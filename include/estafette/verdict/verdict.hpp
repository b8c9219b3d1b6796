// What an outcome means: what happened, whose fault, who acts. Closed sets; their words are the words
// of the API, the CLI, the metrics and the documentation.
#pragma once

#include "estafette/base/time.hpp"
#include "estafette/smtp/outcome.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace estafette::verdict {

enum class disposition : std::uint8_t { accepted, retry, fail, uncertain };

// Whose fault: it decides what is stopped.
enum class scope : std::uint8_t {
    recipient,  // this recipient only
    message,    // all recipients of the message
    sender,     // the tenant's sender is held
    route,      // the route is paused once; its mail is kept
};

enum class reason : std::uint8_t {
    accepted,
    unknown_user,
    bad_domain,
    inactive_user,
    mailbox_full,
    greylisted,
    rate_limited,
    blocked_reputation,
    blocked_content,
    blocked_policy,
    sender_rejected,
    auth_failed,
    relay_denied,
    message_too_large,
    too_many_recipients,
    tls_failed,
    dns_failed,
    connection_failed,
    timeout,
    protocol_error,
    smtputf8_unsupported,
    server_busy,
    server_error,
    expired,
    suppressed,
    uncertain,
    other,
};

inline constexpr std::size_t reason_count = 27;

[[nodiscard]] std::string_view to_text(disposition d) noexcept;
[[nodiscard]] std::string_view to_text(scope s) noexcept;
[[nodiscard]] std::string_view to_text(reason r) noexcept;
[[nodiscard]] std::optional<disposition> parse_disposition(std::string_view text) noexcept;
[[nodiscard]] std::optional<scope> parse_scope(std::string_view text) noexcept;
[[nodiscard]] std::optional<reason> parse_reason(std::string_view text) noexcept;

// Whether the three can be said together. A fault of the sender or the route goes with retry only: it
// never fails or suppresses a recipient. Rules and texts are checked against this.
[[nodiscard]] bool is_meaningful(reason why, scope fault, disposition what) noexcept;

// The facts a verdict is given on. References live for the call only.
struct evidence {
    const smtp::outcome& what;
    std::string_view server;         // the host we spoke to
    std::string_view profile;        // the route's provider profile, or empty
    std::optional<wall_time> now{};  // to read "try again after 08:30 UTC"; without it dates are not read
    std::string_view banner{};       // what the server greeted us with, or empty
};

struct verdict {
    disposition what = disposition::retry;
    scope fault = scope::recipient;
    reason why = reason::other;
    std::optional<seconds> retry_hint;  // "try again in 300 seconds"
    bool certain = true;                // false: a guess from the code alone
    std::string rule;  // the rule that decided, "generic/unknown-user"; empty for built-in decisions
};

}  // namespace estafette::verdict
