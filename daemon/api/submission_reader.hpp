// POST bodies and queries → mail::submission: types and field names are checked here, values by compose.
// Private to the api floor.
#pragma once

#include "exchange.hpp"

#include "estafette/mail/compose.hpp"
#include "estafette/sched/placement.hpp"

#include <boost/json/value.hpp>

namespace estafette::api {

struct reading {
    mail::submission what;
    std::optional<std::string> tenant;
    sched::key_rule on_key = sched::key_rule::replace;
    std::vector<mail::field_error> errors;
};

[[nodiscard]] reading read_submission(const boost::json::value& v);

// message/rfc822: the envelope of the query; the body is the message.
[[nodiscard]] reading read_raw_submission(const target& where, std::string body);

// Errors of `more` about a field that has an error already are left out.
void merge_errors(std::vector<mail::field_error>& into, std::vector<mail::field_error> more);

}  // namespace estafette::api
