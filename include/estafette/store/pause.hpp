// What can be kept back as a whole, with one row instead of a change of every recipient: a route's mail, a
// tenant's, or a tenant's mail of one sender. Its recipients stay as they are and are shown as held.
//
// A pause by "daemon" ends when a probe goes through; a person's ends at its time or by a person.
// Values only; any thread.
#pragma once

#include "estafette/base/ids.hpp"
#include "estafette/base/time.hpp"
#include "estafette/verdict/verdict.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace estafette::store {

enum class pause_kind : std::uint8_t { route, tenant, sender };

[[nodiscard]] std::string_view to_text(pause_kind k) noexcept;
[[nodiscard]] std::optional<pause_kind> parse_pause_kind(std::string_view text) noexcept;

struct pause_target {
    pause_kind kind = pause_kind::route;
    std::string name;    // of the route or the tenant
    std::string sender;  // of a sender: the address, empty for the null sender

    [[nodiscard]] static pause_target of(const route_id& id) { return {pause_kind::route, id.text(), {}}; }

    [[nodiscard]] static pause_target of(const tenant_id& id) { return {pause_kind::tenant, id.text(), {}}; }

    [[nodiscard]] static pause_target of(const tenant_id& id, std::string sender) {
        return {pause_kind::sender, id.text(), std::move(sender)};
    }

    // Empty for one of another kind.
    [[nodiscard]] route_id route() const { return kind == pause_kind::route ? route_id{name} : route_id{}; }

    [[nodiscard]] tenant_id tenant() const {
        return kind == pause_kind::route ? tenant_id{} : tenant_id{name};
    }

    auto operator<=>(const pause_target&) const = default;
};

struct pause {
    pause_target what;
    wall_time since;
    std::optional<wall_time> until;  // the next probe, or the end; none: until a person resumes it
    verdict::reason why = verdict::reason::other;
    std::string text;  // the server's words, the error's sentence, or a person's reason
    std::string by;    // "daemon", "uid 0"
};

}  // namespace estafette::store
