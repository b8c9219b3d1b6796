// Strict JSON from callers: UTF-8 checked, depth ≤ 32, duplicate keys refused, and no more values than
// an honest request has (a megabyte of "[0,0,0…" must not become a hundred).
// Pure. Source: RFC 8259.
#pragma once

#include "estafette/base/error.hpp"

#include <boost/json/value.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace estafette::api {

struct json_error {
    std::size_t offset = 0;  // in bytes: where reading stopped
    std::string detail;
};

[[nodiscard]] boost::system::result<boost::json::value, json_error> parse_json(std::string_view text);

}  // namespace estafette::api
