// From a reason to a full verdict: whose fault where the rule does not say, and the bounds that no
// rule can cross. A fault before MAIL is the route's; a fault of the sender or the route is retried;
// only a 5yz in its place fails.
#pragma once

#include "estafette/smtp/phase.hpp"
#include "estafette/verdict/verdict.hpp"

#include <optional>

namespace estafette::verdict {

struct meaning {
    reason why = reason::other;
    scope fault = scope::recipient;
    disposition what = disposition::retry;
};

// `code` is the reply's.
[[nodiscard]] meaning settle(
    reason why, std::optional<scope> fault, std::optional<disposition> what, int code, smtp::phase at
) noexcept;

// What an outcome without a usable reply means.
[[nodiscard]] meaning without_reply(const smtp::outcome& what) noexcept;

}  // namespace estafette::verdict
