// Handing a message to the daemon, so that a lost answer does not become a second mail.
#pragma once

#include "client.hpp"
#include "failure.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <vector>

namespace estafette::cli {

// A finished message with its envelope.
struct raw_submission {
    std::string bytes;
    std::string from;  // empty: the null sender
    std::vector<std::string> to;
    boost::json::object fields;  // tenant, send_at, …: as in docs/api.md
};

// message/rfc822 with the envelope in the query where that is short enough, else JSON with base64.
[[nodiscard]] request request_of(const raw_submission& what);
[[nodiscard]] request request_of(const boost::json::object& message);

// 36 characters, of 128 random bits.
[[nodiscard]] std::string random_key();

// Sends it with the key as Idempotency-Key (a new one if empty). When the connection breaks before the
// answer, the daemon may have accepted the message; the key makes asking again safe, so it is asked
// again, up to `patience` later.
[[nodiscard]] boost::system::result<boost::json::value, failure>
submit(const client& api, request what, std::string key, milliseconds patience = seconds{5});

}  // namespace estafette::cli
