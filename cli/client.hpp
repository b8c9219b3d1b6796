// A small blocking HTTP client over a Unix socket: one connection, one request, one answer.
//
// Promises: `call` returns within the limit given; an answer that the server sent before it closed on a
// request it would not read to the end (413) is still seen. It does not retry a request that was sent.
// Thread: the caller's; no state is shared between calls.
#pragma once

#include "estafette/base/error.hpp"
#include "estafette/base/time.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace estafette::cli {

struct request {
    std::string method = "GET";
    std::string target = "/";
    std::string content_type;  // of the body; empty: no body
    std::string body;
    std::vector<std::pair<std::string, std::string>> fields;
};

struct answer {
    unsigned status = 0;
    std::string content_type;
    std::string body;
    std::optional<seconds> retry_after;
};

class client {
public:
    client(std::string socket, milliseconds limit)
        : socket_{std::move(socket)}
        , limit_{limit} {}

    // errc::timeout, errc::reply_malformed where the peer does not speak HTTP, or the system's error.
    [[nodiscard]] result<answer> call(const request& what) const;

    [[nodiscard]] const std::string& socket() const noexcept { return socket_; }

private:
    std::string socket_;
    milliseconds limit_;
};

// A value made fit for a path segment or a query value (RFC 3986 2.1).
[[nodiscard]] std::string percent_encode(std::string_view text);

// "?a=1&b=2", or nothing where no pair has a value.
[[nodiscard]] std::string query_of(const std::vector<std::pair<std::string, std::string>>& pairs);

}  // namespace estafette::cli
