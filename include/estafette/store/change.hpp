// The queue's verbs as values. Each is a fact that happened; an engine makes it durable and derives the
// states, the timeline and the events from it.
#pragma once

#include "estafette/base/ids.hpp"
#include "estafette/base/time.hpp"
#include "estafette/mail/message.hpp"
#include "estafette/store/action.hpp"
#include "estafette/store/pause.hpp"
#include "estafette/store/state.hpp"
#include "estafette/store/wishes.hpp"
#include "estafette/verdict/verdict.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace estafette::store {

// One attempt for one recipient, as its timeline keeps it.
struct attempt {
    std::uint32_t number = 0;  // 1 for the first
    wall_time started_at;
    milliseconds duration{0};
    route_id route;
    std::string server;  // "smtp.example.org:587"; empty if none was reached
    std::string tls;     // "TLSv1.3 TLS_AES_256_GCM_SHA384, verified"; empty for none
    smtp::phase at = smtp::phase::connect;
    verdict::verdict judged;
    int code = 0;  // 0: no reply
    std::optional<smtp::enhanced_code> enhanced;
    std::string text;  // the server's reply, or the error's sentence; printable, ≤ 1 KiB
};

// A new message with all its recipients: scheduled if due later, else queued. It comes claimed if the
// caller hands it to its route at once.
struct enqueued {
    mail::message_ptr message;
    std::string idempotency_key;     // empty: none
    std::string idempotency_digest;  // of the request, 32 bytes
    bool claimed = false;
};

// A request was answered with a message that waited already: its key names that message from now on.
struct answered {
    message_id with;
    std::string idempotency_key;
    std::string idempotency_digest;  // of the request, 32 bytes
};

// The result of an attempt: the recipient's next state and, if it is deferred, when.
struct attempted {
    recipient_id who;
    state next = state::deferred;
    std::optional<wall_time> next_attempt_at;
    attempt what;
};

// An attempt that will be made but has no result yet was lost with the process or the connection after
// the final dot: see attempted with reason uncertain.

struct cancelled {
    recipient_id who;
    wall_time at;
    std::string by;  // "uid 1000", "expiry"
    std::string why;
};

struct held {
    recipient_id who;
    wall_time at;
    verdict::reason why = verdict::reason::other;
    std::string by;
    std::string text;
};

// Back to the queue, due now.
struct released {
    recipient_id who;
    wall_time at;
    std::string by;
};

// The time is over: failed with reason expired; the last attempt's reason stays in the timeline.
struct expired {
    recipient_id who;
    wall_time at;
};

// It has waited for so long that somebody should know: an event, once for each recipient; its state, its
// claim and its next attempt stay.
struct delayed {
    recipient_id who;
    wall_time at;
};

// What a later report says: it moves relayed to delivered or failed, once, and nothing else goes backwards.
// `delayed` (of relayed mail) and `complained` (of mail that left) are noted once each and move nothing.
enum class finding : std::uint8_t { delivered, failed, delayed, complained };

[[nodiscard]] std::string_view to_text(finding f) noexcept;
[[nodiscard]] std::optional<finding> parse_finding(std::string_view text) noexcept;

struct corrected {
    recipient_id who;
    wall_time at;
    finding what = finding::failed;
    verdict::verdict judged;
    std::string by;        // who said so: "mx.customer.example", "ses"
    std::string text;      // in one line; printable
    std::string evidence;  // of the report itself; printable lines, ≤ 16 KiB
};

// Never tried: the address is on its tenant's suppression list.
struct withheld {
    recipient_id who;
    wall_time at;
    std::string text;  // since when, why, by whom
};

// Why an address is on a suppression list.
enum class suppression_cause : std::uint8_t { unknown_user, complaint, unsubscribed, manual };

[[nodiscard]] std::string_view to_text(suppression_cause c) noexcept;
[[nodiscard]] std::optional<suppression_cause> parse_suppression_cause(std::string_view text) noexcept;

// A line of a tenant's suppression list; a later one for the same address takes its place.
struct suppressed {
    tenant_id tenant;
    std::string address;  // in lower case
    wall_time at;
    std::optional<wall_time> until;  // none: until it is taken off
    suppression_cause why = suppression_cause::manual;
    std::string by;    // "uid 0", "mx.customer.example", "ses"
    std::string text;  // their words, or the operator's
};

struct unsuppressed {
    tenant_id tenant;
    std::string address;
    wall_time at;
    std::string by;
};

// One row per pause, one event; a later one for the same target moves its row.
struct paused {
    pause_target what;
    wall_time at;
    std::optional<wall_time> until;
    verdict::reason why = verdict::reason::other;
    std::string text, by;
};

struct resumed {
    pause_target what;
    wall_time at;
    std::string by;
};

using change = std::variant<
    enqueued,
    attempted,
    cancelled,
    held,
    released,
    expired,
    corrected,
    paused,
    resumed,
    delayed,
    withheld,
    suppressed,
    unsuppressed,
    acted,
    category_off,
    category_on,
    erased,
    answered>;

}  // namespace estafette::store
