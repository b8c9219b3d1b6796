// What a mail that came back means, before anything is looked up: which message and recipients it speaks of,
// what it says of each, and how well that is proven. Then, beside the message itself: whom it fits.
//
// Promises: any bytes cost bounded time and end in a reading, at worst one that says nothing. A return path
// with our tag names its recipient; without one a report counts only where message and address both fit.
// Source: RFC 3461 (ENVID, ORCPT), RFC 3464, RFC 5965; the readers are mail/dsn.hpp and mail/verp.hpp.
// Pure; any thread.
#pragma once

#include "estafette/mail/dsn.hpp"
#include "estafette/mail/verp.hpp"
#include "estafette/store/views.hpp"
#include "estafette/verdict/classifier.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace estafette::bounce {

// Said of one recipient.
struct statement {
    store::finding what = store::finding::failed;
    verdict::verdict judged;
    std::string address, original;  // as the report names it, and as we did; either may be empty
    std::string by;                 // the server that said so
    std::string text;               // its words; printable
    bool only_stops = false;        // it wants no more mail; nothing is said of this one
};

struct reading {
    mail::report_kind kind = mail::report_kind::other;
    std::vector<statement> statements;  // what is not final (relayed, expanded) is left out
    std::optional<recipient_id> named;  // by the tag of its return path
    bool is_forged = false;             // a return path of our form that we did not sign
    std::optional<message_id> message;  // by ENVID or a Message-ID of our own
    std::string header_message_id;      // "<…>", else: not ours
    std::string provider_id;            // the provider's, as its answer to the mail named it
    std::string proven_by;              // the provider that signed it; empty: a mail, which anybody can write
    std::string evidence;               // the report's first lines; printable, ≤ 16 KiB
};

// `to`: the envelope recipients of the report, where they are known. Their tag counts first.
[[nodiscard]] reading read(
    std::string_view raw,
    const std::vector<std::string>& to,
    const mail::verp_keys& keys,
    const verdict::classifier& rules
);

// A change for each recipient of the message that the reading fits.
[[nodiscard]] std::vector<store::corrected>
changes_of(const reading& r, const store::message_view& m, wall_time now);

// The message's id at the beginning of our own Message-IDs, without < >, and of our ENVIDs.
[[nodiscard]] std::optional<message_id> own_id(std::string_view text);

// The report as lines that a terminal may show.
[[nodiscard]] std::string evidence_of(std::string_view raw);

}  // namespace estafette::bounce
