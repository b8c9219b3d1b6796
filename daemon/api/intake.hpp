// From a POST body to a message that is ready to be committed: shared by single messages and batches.
// Private to the api floor.
#pragma once

#include "services.hpp"
#include "submission_reader.hpp"

#include "estafette/mail/message.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace estafette::api {

// The named tenant, else the caller's only one, else the default one; a foreign or unknown one is not found.
[[nodiscard]] result<const config::tenant_options*> find_tenant(
    const config::config& c, const access& allowed, permission what, const std::optional<std::string>& named
);

enum class body_form : std::uint8_t { json, raw, batch };

// By Content-Type and, for what curl sends by default, by the body's first byte; none: a 415.
[[nodiscard]] std::optional<body_form> form_of(const request& r);

struct prepared {
    store::enqueued mail;
    std::string answer;  // the 202's JSON
};

[[nodiscard]] boost::system::result<mail::message_ptr, problem>
compose_for(const request& r, const access& allowed, reading given);

// SHA-256, of what makes two requests equal.
[[nodiscard]] std::string digest(std::string_view kind, std::string_view query, std::string_view body);

// Header value → key: 1 to 256 printable characters, quotes of an sf-string taken off.
[[nodiscard]] std::optional<std::string> idempotency_key(std::string_view header);

// What a key means for this request.
struct fresh {
    std::unique_ptr<keys_in_use::claim> claim;
};

struct repeated {
    message_id message;
    bool was_there = false;  // before the first request: it was kept
};

using key_state = std::variant<fresh, repeated, problem>;

[[nodiscard]] asio::awaitable<key_state>
look_up_key(services& s, tenant_id tenant, std::string key, std::string digest);

}  // namespace estafette::api
