// A caller's submission → the final RFC 5322 bytes, once: what is queued is what every attempt sends.
//
// compose() collects every fault, each with the RFC 6901 pointer of its field; nothing is repaired that
// the caller should know of. Structured mail comes out 7-bit clean (but for SMTPUTF8 addresses), with no
// line that begins with '.'. Raw mail keeps its content: line ends become CRLF (so that nothing can be
// smuggled), Bcc goes, Date, From and Message-ID are added where missing. The same parameters give the
// same bytes. What it does not do: look anything up, sign, unpack attachments.
// Sources: RFC 5322, 2045-2047, 2231, 2387, 6532.
#pragma once

#include "estafette/mail/message.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace estafette::mail {

// One string or an array of them: errors point at the field or at its entry.
struct address_list {
    std::vector<std::string> items;
    bool is_array = true;
};

struct attachment {
    std::string filename;
    std::string content_type;  // empty: application/octet-stream
    std::string content;       // base64
    std::string content_id;    // without <>; with it and an html text: shown inside the text
};

struct envelope_fields {
    std::optional<std::string> from;  // "" is the null sender
    std::optional<std::vector<std::string>> to;
};

// Which reports other servers shall send (RFC 3461).
struct dsn_fields {
    std::optional<address_list> notify;  // never, or some of success, failure, delay
    std::optional<std::string> content;  // headers, full
    std::optional<std::string> envelope_id;
};

// The fields of POST /v1/messages as they came (docs/api.md); nothing is checked yet.
struct submission {
    tenant_id tenant;  // decided by who calls, not checked here
    std::optional<std::string> from;
    address_list to, cc, bcc, reply_to;
    std::optional<std::string> subject, text, html;
    std::vector<std::pair<std::string, std::string>> headers;
    std::vector<attachment> attachments;
    std::optional<std::string> raw;        // base64, in JSON
    std::optional<std::string> raw_bytes;  // Content-Type: message/rfc822
    std::optional<envelope_fields> envelope;
    std::optional<std::string> send_at, expires_at, priority;
    std::string category, group, key;
    std::vector<std::string> tags;
    std::string metadata;  // a compact JSON object, or empty
    bool require_tls = false;
    bool ignore_suppression = false;  // transactional mail only
    std::optional<dsn_fields> dsn;
};

struct compose_options {
    message_id id;
    wall_time now;
    std::array<std::uint8_t, 16> random{};  // for boundaries and the Message-ID
    std::string message_id_domain;
    milliseconds expire_after = std::chrono::hours{24 * 5};
    std::uint32_t max_recipients = 100;
    std::uint32_t max_attachments = 50;
};

struct field_error {
    std::string pointer;  // RFC 6901, into the JSON form; "" is the whole
    error_code code;
    std::string detail;  // a sentence without the field's name
};

[[nodiscard]] boost::system::result<message, std::vector<field_error>>
compose(const submission& s, const compose_options& options);

// Of bytes with CRLF line ends.
[[nodiscard]] body_facts facts_of(std::string_view bytes);

// For sendmail -t: the addresses of To, Cc and Bcc (of Resent-To, -Cc and -Bcc where there are any) in
// the header of a raw message with any line ends: no names, comments or groups. Bare local names are left
// as they are, for the caller to complete. errc::address_invalid where a list cannot be read,
// too_many_recipients above 10,000.
[[nodiscard]] result<std::vector<std::string>> header_recipients(std::string_view raw);

}  // namespace estafette::mail
