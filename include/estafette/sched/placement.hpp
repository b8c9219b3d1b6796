// What becomes of new mail that bears a key: pure. A key names at most one message of its tenant that has
// not left; new mail with the same key takes its place, gives way to it, or is refused.
//
// Promise: what is replaced and what replaces it stand in one list of changes, so that they become durable
// together. Mail that a connection has begun with is never replaced: the new one is refused then, and
// never are both sent.
#pragma once

#include "estafette/store/views.hpp"

#include <functional>
#include <map>
#include <utility>
#include <vector>

namespace estafette::sched {

enum class key_rule : std::uint8_t { replace, keep, reject };

struct arrival {
    store::enqueued mail;
    key_rule rule = key_rule::replace;
};

enum class fate : std::uint8_t {
    accepted,
    kept,       // an earlier message has the key and stays; nothing was stored
    refused,    // the same, and the caller wanted to know
    under_way,  // the earlier message is just being sent; nothing was stored
};

struct placed {
    fate what = fate::accepted;
    message_id other;           // the earlier message, where it decided
    bool switched_off = false;  // accepted and cancelled: its tenant wants no mail of its category
    // Recipients that failed at once, by their place: the line of the suppression list in words.
    std::map<std::uint32_t, std::string> stopped;
};

// All mail of a group gives way to the arrivals, or refuses them.
struct group_claim {
    store::label_query group;
    key_rule rule = key_rule::replace;  // replace or reject
};

// What waits under the names of the arrivals, by tenant and key.
using keyed_mail = std::map<std::pair<tenant_id, std::string>, std::vector<store::labelled>>;

struct placement {
    std::vector<placed> fates;                // one an arrival
    std::vector<store::change> changes;       // in the order in which they are true
    std::vector<mail::message_ptr> new_mail;  // of the accepted, what no later arrival replaced
    std::map<tenant_id, std::vector<recipient_id>> replaced;  // stored mail: routes must give it back
};

// What is true at the moment.
struct surroundings {
    keyed_mail keys;
    std::vector<store::labelled> group;  // what waits in the group that is claimed
    key_rule on_group = key_rule::keep;  // keep: no group is claimed
    std::function<bool(const tenant_id&, const message_id&)> is_in_hand;  // a connection has begun with it
    std::function<bool(const mail::message&)> is_switched_off;            // nobody wants mail of its category
    wall_time now;
};

// How mail of a category that is switched off ends.
[[nodiscard]] store::cancelled unwanted(recipient_id who, const mail::message& m, wall_time at);

[[nodiscard]] placement place(std::vector<arrival> arrivals, surroundings around);

}  // namespace estafette::sched
