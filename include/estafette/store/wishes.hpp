// Changes that tenants and persons wish for: kinds of mail that are not sent, addresses that are forgotten.
// Values, like those of change.hpp, which has them among its own.
#pragma once

#include "estafette/base/ids.hpp"
#include "estafette/base/time.hpp"

#include <optional>
#include <string>

namespace estafette::store {

// A tenant wants no mail of a kind: it is accepted and cancelled, until `until` or until it is switched on.
struct category_off {
    tenant_id tenant;
    std::string category;
    wall_time at;
    std::optional<wall_time> until;
    std::string by;
    std::string why;
};

struct category_on {
    tenant_id tenant;
    std::string category;
    wall_time at;
    std::string by;
};

// Pseudonyms are addresses of this domain (RFC 2606), and no others are.
inline constexpr std::string_view erased_domain = "erased.invalid";

[[nodiscard]] inline bool is_pseudonym(std::string_view address) noexcept {
    return address.ends_with(erased_domain) && address.size() > erased_domain.size() &&
           address[address.size() - erased_domain.size() - 1] == '@';
}

// Who a recipient was is forgotten: the pseudonym takes the place of the address, what servers and people
// wrote about it goes, and so does the message's content once nobody waits for it. Fits mail that is over.
struct erased {
    recipient_id who;
    wall_time at;
    std::string pseudonym;  // an address; the same for all mail of one person
    std::string by;
    std::string why;
};

}  // namespace estafette::store
