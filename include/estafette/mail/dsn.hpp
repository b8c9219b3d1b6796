// What a mail that came back says: delivery reports (RFC 3464, RFC 6533), complaints (RFC 5965), and the
// many forms that are neither and still tell of a failure (qmail, Exim, Sendmail, Exchange, Domino, …).
//
// Promises: any bytes cost bounded time and memory and end in a report, at worst one of kind `other`;
// nothing is thrown. It does not say whether the report is genuine, nor what its words mean: who sent
// the mail is matched by the caller (VERP, ENVID, Message-ID), reasons by the verdict floor.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace estafette::mail {

enum class report_kind : std::uint8_t {
    other,       // no report: an ordinary mail
    delivery,    // recipients failed, were delayed or reached
    complaint,   // a recipient called the mail spam
    auto_reply,  // out of office and the like: says nothing about delivery
};

enum class report_action : std::uint8_t { failed, delayed, delivered, relayed, expanded };

struct reported_recipient {
    std::string address;   // the address that failed, as the report writes it; may be of another server
    std::string original;  // the address we gave (RFC 3461 ORCPT), or empty
    report_action action = report_action::failed;
    std::string status;      // "5.1.1", or empty
    std::string diagnostic;  // the words of the server, without "smtp;"; ≤ 2 KiB
    std::string remote_mta;  // the server that said them, or empty
};

struct report {
    report_kind kind = report_kind::other;
    std::string reporting_mta;
    std::string envelope_id;    // RFC 3461 ENVID
    std::string message_id;     // of the mail reported on, without < >
    std::string feedback_type;  // of a complaint: "abuse"
    std::vector<reported_recipient> recipients;
};

struct report_limits {
    std::size_t bytes = 1u << 20;  // of the mail; the rest is not looked at
    std::size_t parts = 64;
    std::size_t depth = 6;
    std::size_t recipients = 500;
};

// A whole mail with its header; line ends CRLF or LF.
[[nodiscard]] report read_report(std::string_view mail, const report_limits& limits = {});

[[nodiscard]] std::string_view to_text(report_kind k) noexcept;
[[nodiscard]] std::string_view to_text(report_action a) noexcept;

}  // namespace estafette::mail
