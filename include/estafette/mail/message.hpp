// A message as the house carries it: immutable once accepted, shared by pointer, its bytes fixed.
#pragma once

#include "estafette/base/ids.hpp"
#include "estafette/base/time.hpp"
#include "estafette/mail/address.hpp"
#include "estafette/mail/dsn_request.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace estafette::mail {

// What the send path must know of the bytes, computed once by compose.
struct body_facts {
    std::uint64_t size = 0;          // bytes, CRLF line ends, before dot stuffing (RFC 1870 counts so)
    std::uint32_t longest_line = 0;  // bytes without CRLF
    bool eight_bit = false;          // a byte above 127 after the header: needs 8BITMIME
    bool utf8_header = false;        // a byte above 127 in the header: needs SMTPUTF8
    bool leading_dot = false;        // some line begins with '.': needs dot stuffing

    bool operator==(const body_facts&) const = default;
};

// RFC 5322 bytes: CRLF line ends only, ending in CRLF, no NUL.
using body_blob = std::shared_ptr<const std::string>;

enum class priority : std::uint8_t { transactional, bulk };

struct message {
    message_id id;
    tenant_id tenant;
    std::optional<address> from;  // the envelope sender; none is the null sender <>
    std::vector<address> to;      // the envelope recipients; their index is recipient_id::index
    body_blob body;               // null where only the facts were loaded
    body_facts facts;
    std::string subject;            // decoded, for people; ≤ 255 bytes
    std::string header_message_id;  // "<…@…>", fixed at enqueue, equal on every retry
    wall_time accepted_at;
    wall_time due_at;  // ≤ accepted_at means now
    wall_time expires_at;
    priority precedence = priority::transactional;
    std::string category;  // the caller's kind of mail (invitation, reminder, …); may be empty
    std::string group;     // the caller's group and key, for cancel and replace; may be empty
    std::string key;
    std::vector<std::string> tags;
    std::string metadata;             // a compact JSON object of the caller, or empty
    bool require_tls = false;         // RFC 8689
    bool ignore_suppression = false;  // sent to addresses on the suppression list too
    dsn_request reports;              // as the caller wishes; what it leaves open is the daemon's
};

using message_ptr = std::shared_ptr<const message>;

[[nodiscard]] std::string_view to_text(priority p) noexcept;

}  // namespace estafette::mail
