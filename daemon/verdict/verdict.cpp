#include "estafette/verdict/verdict.hpp"

#include <array>

namespace estafette::verdict {
namespace {

constexpr std::array all_dispositions{
    disposition::accepted,
    disposition::retry,
    disposition::fail,
    disposition::uncertain,
};
constexpr std::array all_scopes{scope::recipient, scope::message, scope::sender, scope::route};

// What may be said of each reason, beside "accepted": the letters are scopes (r, m, s, t for route).
// A scope of sender or route stands under retry only, which is what keeps their faults from failing
// or suppressing anybody.
struct meaning {
    std::string_view retry;
    std::string_view fail;
};

constexpr meaning meaning_of(reason r) noexcept {
    switch (r) {
    case reason::accepted: return {"", ""};
    case reason::unknown_user: return {"r", "r"};
    case reason::bad_domain: return {"r", "r"};
    case reason::inactive_user: return {"r", "r"};
    case reason::mailbox_full: return {"r", "r"};
    case reason::greylisted: return {"rm", ""};
    case reason::rate_limited: return {"rmst", ""};
    case reason::blocked_reputation: return {"rmst", "rm"};
    case reason::blocked_content: return {"rm", "rm"};
    case reason::blocked_policy: return {"rmst", "rm"};
    case reason::sender_rejected: return {"s", ""};
    case reason::auth_failed: return {"st", ""};
    case reason::relay_denied: return {"st", ""};
    case reason::message_too_large: return {"rm", "rm"};
    case reason::too_many_recipients: return {"rm", ""};
    case reason::tls_failed: return {"rt", "r"};
    case reason::dns_failed: return {"rst", "r"};
    case reason::connection_failed: return {"rt", "r"};
    case reason::timeout: return {"rt", "r"};
    case reason::protocol_error: return {"rmst", "rm"};
    case reason::smtputf8_unsupported: return {"rm", "rm"};
    case reason::server_busy: return {"rmt", ""};
    case reason::server_error: return {"rmt", "rm"};
    case reason::expired: return {"", "r"};
    case reason::suppressed: return {"", "r"};
    case reason::uncertain: return {"", ""};
    case reason::other: return {"rmst", "rm"};
    }
    return {"", ""};
}

constexpr char letter(scope s) noexcept {
    switch (s) {
    case scope::recipient: return 'r';
    case scope::message: return 'm';
    case scope::sender: return 's';
    case scope::route: return 't';
    }
    return '?';
}

}  // namespace

std::string_view to_text(disposition d) noexcept {
    switch (d) {
    case disposition::accepted: return "accepted";
    case disposition::retry: return "retry";
    case disposition::fail: return "fail";
    case disposition::uncertain: return "uncertain";
    }
    return "?";
}

std::string_view to_text(scope s) noexcept {
    switch (s) {
    case scope::recipient: return "recipient";
    case scope::message: return "message";
    case scope::sender: return "sender";
    case scope::route: return "route";
    }
    return "?";
}

std::string_view to_text(reason r) noexcept {
    switch (r) {
    case reason::accepted: return "accepted";
    case reason::unknown_user: return "unknown_user";
    case reason::bad_domain: return "bad_domain";
    case reason::inactive_user: return "inactive_user";
    case reason::mailbox_full: return "mailbox_full";
    case reason::greylisted: return "greylisted";
    case reason::rate_limited: return "rate_limited";
    case reason::blocked_reputation: return "blocked_reputation";
    case reason::blocked_content: return "blocked_content";
    case reason::blocked_policy: return "blocked_policy";
    case reason::sender_rejected: return "sender_rejected";
    case reason::auth_failed: return "auth_failed";
    case reason::relay_denied: return "relay_denied";
    case reason::message_too_large: return "message_too_large";
    case reason::too_many_recipients: return "too_many_recipients";
    case reason::tls_failed: return "tls_failed";
    case reason::dns_failed: return "dns_failed";
    case reason::connection_failed: return "connection_failed";
    case reason::timeout: return "timeout";
    case reason::protocol_error: return "protocol_error";
    case reason::smtputf8_unsupported: return "smtputf8_unsupported";
    case reason::server_busy: return "server_busy";
    case reason::server_error: return "server_error";
    case reason::expired: return "expired";
    case reason::suppressed: return "suppressed";
    case reason::uncertain: return "uncertain";
    case reason::other: return "other";
    }
    return "?";
}

std::optional<disposition> parse_disposition(std::string_view text) noexcept {
    for (const auto d : all_dispositions) {
        if (to_text(d) == text) {
            return d;
        }
    }
    return std::nullopt;
}

std::optional<scope> parse_scope(std::string_view text) noexcept {
    for (const auto s : all_scopes) {
        if (to_text(s) == text) {
            return s;
        }
    }
    return std::nullopt;
}

std::optional<reason> parse_reason(std::string_view text) noexcept {
    for (std::size_t i = 0; i < reason_count; ++i) {
        if (const auto r = static_cast<reason>(i); to_text(r) == text) {
            return r;
        }
    }
    return std::nullopt;
}

bool is_meaningful(reason why, scope fault, disposition what) noexcept {
    switch (what) {
    case disposition::accepted: return why == reason::accepted;
    case disposition::retry: return meaning_of(why).retry.find(letter(fault)) != std::string_view::npos;
    case disposition::fail: return meaning_of(why).fail.find(letter(fault)) != std::string_view::npos;
    case disposition::uncertain: return why == reason::uncertain;
    }
    return false;
}

}  // namespace estafette::verdict
