// The machine-readable parts: message/delivery-status (RFC 3464) and message/feedback-report (RFC 5965).
// Private to the reader of reports.
#pragma once

#include "dsn_parts.hpp"

#include <string>
#include <string_view>

namespace estafette::mail::dsn {

// Adds the recipients of a delivery-status part to the report.
void read_delivery_status(const part& p, report& into, const report_limits& limits);

void read_feedback(const part& p, report& into, const report_limits& limits);

// "rfc822; <ann@x.example>" → "ann@x.example"; X.400 and other forms as far as an address stands in them.
[[nodiscard]] std::string address_of_field(std::string_view value);

// "smtp; 550 5.1.1 no" → "550 5.1.1 no"
[[nodiscard]] std::string words_of_diagnostic(std::string_view value);

}  // namespace estafette::mail::dsn
