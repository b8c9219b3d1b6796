// What is wrong with a request, as RFC 9457 problem+json. Private to the api floor.
#pragma once

#include "exchange.hpp"

#include "estafette/mail/compose.hpp"

#include <boost/json/object.hpp>

namespace estafette::api {

struct problem {
    unsigned status = 500;
    std::string code;
    std::string title;
    std::string detail;
    std::vector<mail::field_error> errors;
    std::optional<std::size_t> offset;
    std::optional<seconds> retry_after;
    std::vector<std::pair<std::string, std::string>> headers;
};

[[nodiscard]] boost::json::object to_json(const problem& p);
[[nodiscard]] response to_response(const problem& p);

[[nodiscard]] problem invalid(std::vector<mail::field_error> errors);  // 422
[[nodiscard]] problem invalid(std::string pointer, error_code why, std::string detail = {});
[[nodiscard]] problem broken_json(std::size_t offset, const std::string& detail);  // 400
[[nodiscard]] problem bad_request(std::string detail);
[[nodiscard]] problem forbidden(std::string detail);
[[nodiscard]] problem not_found();
[[nodiscard]] problem not_allowed(const std::string& allow);  // 405
[[nodiscard]] problem conflict(std::string code, std::string detail);
[[nodiscard]] problem too_large(std::string detail);
[[nodiscard]] problem media_type(std::string detail);
[[nodiscard]] problem queue_full();
[[nodiscard]] problem busy(std::string code, std::string detail);  // 503, come back in a second

// Of a failed call into the floors below: not_found, the store's and the shutdown's 503s, else 500.
[[nodiscard]] problem of_error(const error_code& e);

}  // namespace estafette::api
