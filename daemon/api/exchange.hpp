// One request and its response as values, free of the HTTP library. Private to the api floor.
#pragma once

#include "estafette/api/peer.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace estafette::api {

enum class verb : std::uint8_t { get, head, post, erase, options, other };

// The target of a request: "/v1/messages?to=a%40x" → {"v1", "messages"}, {{"to", "a@x"}}.
struct target {
    std::vector<std::string> path;                           // decoded segments
    std::vector<std::pair<std::string, std::string>> query;  // decoded, in order

    // None: a '%' that is none, a control character, a path that does not begin with '/'.
    [[nodiscard]] static std::optional<target> parse(std::string_view text);

    // The first of that name.
    [[nodiscard]] const std::string* find(std::string_view name) const;
};

[[nodiscard]] std::string percent_encode(std::string_view text);

struct request {
    verb method = verb::get;
    target where;
    std::string content_type;
    std::string content_encoding;
    std::string accept_language;
    std::optional<std::string> idempotency_key;
    std::map<std::string, std::string> fields;  // of the header, names in lower case; the last of each
    std::string body;
    caller who;
    config::config_ptr config;
};

struct response {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
};

}  // namespace estafette::api
