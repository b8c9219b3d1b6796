// The envelope sender of a route's mail: where its bounces go (docs/configuration.md, return_path).
#pragma once

#include "estafette/config/config.hpp"
#include "estafette/mail/message.hpp"
#include "estafette/mail/verp.hpp"

#include <optional>

namespace estafette::route {

// For one transaction; with verp it is made from the recipient, who must be alone in it. The null
// sender stays null: a bounce of a bounce goes nowhere (RFC 5321 4.5.5).
[[nodiscard]] std::optional<mail::address> return_path(
    const config::route_options& route,
    const mail::verp_keys& keys,
    const mail::message& m,
    std::uint32_t recipient
);

// How many recipients may share a transaction of this route.
[[nodiscard]] std::size_t recipients_per_transaction(const config::route_options& route);

}  // namespace estafette::route
