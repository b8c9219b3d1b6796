// What the store answers: read-only pictures of messages, recipients, events.
#pragma once

#include "estafette/store/change.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace estafette::store {

struct event {
    std::uint64_t sequence = 0;  // grows by one per event of the store
    wall_time at;
    std::string type;  // accepted, deferred, relayed, failed, cancelled, held, released, expired, delivered,
                       // delayed, complained; and of pauses: route_paused, tenant_resumed, sender_paused, …;
                       // category_off, category_on, erased
    recipient_id who;  // null message for events of a pause and of a category
    tenant_id tenant;
    route_id route;
    std::string sender;  // of a sender's pause
    state now = state::queued;
    std::optional<attempt> what;  // for the events of attempts
    std::string by, text;
    std::optional<verdict::verdict> judged;  // of what a report said
    std::string evidence;                    // of the report; lines
};

struct recipient_view {
    recipient_id id;
    tenant_id tenant;
    std::string address;
    std::string sender;  // of the message; empty for the null sender
    state now = state::queued;
    std::uint32_t attempts = 0;
    wall_time accepted_at, changed_at;
    std::optional<wall_time> next_attempt_at;  // scheduled, queued, deferred
    std::optional<attempt> last;               // the last attempt: a recipient never loses its last reason
    std::optional<verdict::reason> why;        // of the state, where it has one
    std::string note;                          // by whom and why it was held or cancelled
    mail::priority precedence = mail::priority::transactional;
};

struct message_view {
    mail::message message;                   // body null; `to` complete
    std::vector<recipient_view> recipients;  // in envelope order
    std::vector<event> timeline;             // oldest first, ≤ 1,000
};

struct due_entry {
    recipient_id id;
    tenant_id tenant;
    mail::priority precedence = mail::priority::transactional;
    wall_time due_at;
    wall_time expires_at;
    std::uint32_t attempts = 0;
    std::string sender;      // empty: the null sender
    std::uint64_t size = 0;  // of the message's content, bytes
};

// The scheduler claims tenant by tenant, so that one with a broken route or a large backlog delays nobody.
struct waiting_tenant {
    tenant_id tenant;
    mail::priority precedence = mail::priority::transactional;
    wall_time earliest_due;
};

struct query {
    std::optional<std::string> address;  // exact, as mail::address::text()
    std::optional<state> now;
    std::vector<tenant_id> tenants;  // empty: all
    std::optional<verdict::reason> why;
    bool uncertain_only = false;
    std::string cursor;         // empty: from the newest
    std::uint32_t limit = 100;  // 1 to 500
};

struct page {
    std::vector<recipient_view> recipients;  // newest first
    std::string next_cursor;                 // empty: the end
};

struct counts {
    std::array<std::uint64_t, state_count> by_state{};
    std::optional<wall_time> oldest_due;  // of the recipients that wait
};

struct suppression {
    tenant_id tenant;
    std::string address;  // in lower case
    wall_time since;
    std::optional<wall_time> until;
    suppression_cause why = suppression_cause::manual;
    std::string by, text;

    bool operator==(const suppression&) const = default;
};

struct suppression_query {
    std::vector<tenant_id> tenants;  // empty: all
    std::string cursor;              // empty: from the beginning
    std::uint32_t limit = 100;       // 1 to 1,000
};

struct suppression_page {
    std::vector<suppression> lines;  // by tenant and address; those whose time is over too, until they go
    std::string next_cursor;         // empty: the end
};

// What callers name their mail by: a key for one message, a group for several.
enum class label : std::uint8_t { key, group };

struct label_query {
    tenant_id tenant;
    label by = label::key;
    std::string value;        // never empty
    std::uint64_t after = 0;  // `order` of the last one seen
    std::uint32_t limit = 500;
};

// A message with the label that has not left whole.
struct labelled {
    message_id id;
    std::uint64_t order = 0;             // grows with acceptance
    std::vector<std::uint32_t> waiting;  // the places of its recipients that are not final
};

struct switched_off {
    tenant_id tenant;
    std::string category;
    wall_time since;
    std::optional<wall_time> until;
    std::string by, why;
};

// An earlier request with the same key.
struct idempotent_answer {
    message_id message;
    std::string digest;
    bool was_there = false;  // the message waited already when the request came
};

}  // namespace estafette::store
