#include "settle.hpp"

#include <array>

namespace estafette::verdict {
namespace {

using smtp::phase;

scope by_place(phase at) noexcept {
    return at == phase::rcpt ? scope::recipient : scope::message;
}

scope default_scope(reason why, phase at, int code) noexcept {
    const bool at_mail = at == phase::mail;
    switch (why) {
    case reason::accepted:
    case reason::unknown_user:
    case reason::bad_domain:
    case reason::inactive_user:
    case reason::mailbox_full:
    case reason::expired:
    case reason::suppressed:
    case reason::uncertain: return scope::recipient;
    case reason::greylisted:
    case reason::blocked_content:
    case reason::message_too_large:
    case reason::too_many_recipients:
    case reason::smtputf8_unsupported: return by_place(at);
    case reason::rate_limited:
    case reason::server_busy:
    case reason::server_error: return at_mail || code == 421 ? scope::route : by_place(at);
    case reason::blocked_reputation: return at_mail ? scope::route : by_place(at);
    case reason::blocked_policy: return at_mail ? scope::sender : by_place(at);
    case reason::sender_rejected: return scope::sender;
    case reason::auth_failed:
    case reason::relay_denied: return scope::route;
    case reason::dns_failed: return at_mail ? scope::sender : scope::recipient;
    case reason::tls_failed:
    case reason::connection_failed:
    case reason::timeout: return at_mail ? scope::route : scope::recipient;
    case reason::protocol_error:
        // 503 to MAIL: the server is out of step with us. 5yz else: it cannot read the sender's address.
        return !at_mail ? by_place(at) : code == 503 ? scope::route : scope::sender;
    case reason::other: return at_mail && code >= 500 ? scope::sender : by_place(at);
    }
    return scope::recipient;
}

// Before MAIL nothing has been said of any sender, message or recipient.
reason before_mail(reason why) noexcept {
    if (is_meaningful(why, scope::route, disposition::retry)) {
        return why;
    }
    if (why == reason::greylisted || why == reason::mailbox_full) {
        return reason::server_busy;
    }
    return why == reason::sender_rejected || why == reason::blocked_content ? reason::blocked_policy
                                                                            : reason::other;
}

bool is_about_recipient(reason why) noexcept {
    return why == reason::unknown_user || why == reason::inactive_user || why == reason::bad_domain ||
           why == reason::mailbox_full;
}

// The nearest thing that can be said.
meaning nearest_meaning(meaning m) noexcept {
    if (is_meaningful(m.why, m.fault, m.what)) {
        return m;
    }
    if (m.what == disposition::fail && is_meaningful(m.why, m.fault, disposition::retry)) {
        return {m.why, m.fault, disposition::retry};
    }
    for (const auto fault : {scope::recipient, scope::message, scope::sender, scope::route}) {
        if (is_meaningful(m.why, fault, m.what)) {
            return {m.why, fault, m.what};
        }
    }
    for (const auto fault : {scope::recipient, scope::message, scope::sender, scope::route}) {
        if (is_meaningful(m.why, fault, disposition::retry)) {
            return {m.why, fault, disposition::retry};
        }
    }
    return {reason::other, scope::recipient, disposition::retry};
}

}  // namespace

meaning
settle(reason why, std::optional<scope> fault, std::optional<disposition> what, int code, phase at) noexcept {
    if (at < phase::mail) {
        return {before_mail(why), scope::route, disposition::retry};
    }
    if (at == phase::mail && is_about_recipient(why)) {
        return {reason::sender_rejected, scope::sender, disposition::retry};
    }
    meaning m{why, fault.value_or(default_scope(why, at, code)), disposition::retry};
    const bool may_fail = code >= 500 && code != 503;
    if (may_fail && m.fault != scope::sender && m.fault != scope::route) {
        m.what = what.value_or(disposition::fail);
    }
    m = nearest_meaning(m);
    // The last word: whatever was looked for above, these two hold.
    if (!may_fail || m.fault == scope::sender || m.fault == scope::route) {
        m.what = disposition::retry;
    }
    return m;
}

namespace {

constexpr meaning of_route(reason why) noexcept {
    return {why, scope::route, disposition::retry};
}

struct error_meaning {
    errc error;
    reason why;
};

// The errors in which the peer or the network has a part; the others are our own and mean `other`.
constexpr std::array error_meanings{
    error_meaning{errc::timeout, reason::timeout},
    error_meaning{errc::connection_closed, reason::connection_failed},
    error_meaning{errc::connection_refused, reason::connection_failed},
    error_meaning{errc::network_unreachable, reason::connection_failed},
    error_meaning{errc::interrupted, reason::connection_failed},
    error_meaning{errc::io, reason::connection_failed},
    error_meaning{errc::dns_no_such_name, reason::dns_failed},
    error_meaning{errc::dns_no_address, reason::dns_failed},
    error_meaning{errc::dns_failure, reason::dns_failed},
    error_meaning{errc::tls_handshake, reason::tls_failed},
    error_meaning{errc::tls_untrusted, reason::tls_failed},
    error_meaning{errc::tls_self_signed, reason::tls_failed},
    error_meaning{errc::tls_expired, reason::tls_failed},
    error_meaning{errc::tls_not_yet_valid, reason::tls_failed},
    error_meaning{errc::tls_name_mismatch, reason::tls_failed},
    error_meaning{errc::tls_pin_mismatch, reason::tls_failed},
    error_meaning{errc::starttls_missing, reason::tls_failed},
    error_meaning{errc::starttls_refused, reason::tls_failed},
    error_meaning{errc::requiretls_missing, reason::tls_failed},
    error_meaning{errc::auth_missing, reason::auth_failed},
    error_meaning{errc::auth_refused, reason::auth_failed},
    error_meaning{errc::reply_malformed, reason::protocol_error},
    error_meaning{errc::reply_too_long, reason::protocol_error},
    error_meaning{errc::reply_unexpected, reason::protocol_error},
    error_meaning{errc::bytes_unsolicited, reason::protocol_error},
    error_meaning{errc::eightbitmime_missing, reason::protocol_error},
    error_meaning{errc::smtputf8_missing, reason::smtputf8_unsupported},
    error_meaning{errc::size_exceeded, reason::message_too_large},
    error_meaning{errc::too_many_recipients, reason::too_many_recipients},
};

reason reason_of(errc e) noexcept {
    for (const auto& [error, why] : error_meanings) {
        if (error == e) {
            return why;
        }
    }
    return reason::other;
}

// What we know before sending: this server can never take this message.
bool is_beyond_the_server(errc e) noexcept {
    return e == errc::eightbitmime_missing || e == errc::smtputf8_missing || e == errc::size_exceeded;
}

}  // namespace

meaning without_reply(const smtp::outcome& what) noexcept {
    // RFC 5321 6.1: without an answer to the final dot the message may have been accepted.
    if (what.dot_sent) {
        return {reason::uncertain, scope::recipient, disposition::uncertain};
    }
    const bool is_ours = what.error.category() == category();
    const auto e = is_ours ? static_cast<errc>(what.error.value()) : errc::io;
    const auto why = what.error ? reason_of(e) : reason::protocol_error;
    if (what.error && is_ours) {
        if (is_beyond_the_server(e)) {
            return {why, scope::message, disposition::fail};
        }
        if (e == errc::requiretls_missing) {
            return {why, scope::recipient, disposition::fail};  // RFC 8689 4.2.1: then it bounces
        }
        if (e == errc::address_forbidden) {
            return of_route(why);  // our own settings forbid it, whatever the server does
        }
        // We ended the connection ourselves, or failed at home: nobody else is to blame.
        if (e == errc::interrupted || why == reason::other) {
            return {why, scope::recipient, disposition::retry};
        }
    }
    if (what.at < phase::mail) {
        return of_route(before_mail(why));
    }
    const auto fault =
        is_meaningful(why, scope::recipient, disposition::retry) ? scope::recipient : scope::route;
    return nearest_meaning({why, fault, disposition::retry});
}

}  // namespace estafette::verdict
