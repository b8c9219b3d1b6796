// Who calls and what that caller may do. The kernel says who (SO_PEERCRED, SO_PEERGROUPS: uid, gid and
// supplementary groups at the time of connect()); the configuration's grants say what, per tenant.
//
// submit: enqueue, read, cancel. read: read. admin: all. A uid or gid that is the kernel's overflow id
// (65534: a caller from a user namespace whose ids mean nothing here) matches no grant but `anybody`.
#pragma once

#include "estafette/config/config.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace estafette::api {

struct caller {
    std::uint32_t uid = 65534;
    std::uint32_t gid = 65534;
    std::vector<std::uint32_t> groups;
    std::int32_t pid = 0;

    [[nodiscard]] std::string text() const { return "uid " + std::to_string(uid); }
};

// Of a connected Unix socket; errc::io where the kernel does not say.
[[nodiscard]] result<caller> caller_of(int socket);

enum class permission : std::uint8_t { enqueue, read, cancel, administer };

class access {
public:
    access(const caller& who, const std::vector<config::grant>& grants);

    [[nodiscard]] bool has_any_role() const noexcept { return !grants_.empty(); }

    [[nodiscard]] bool may(permission what, const tenant_id& tenant) const;
    [[nodiscard]] bool may_for_all(permission what) const;

    // The tenants it holds for; none: every one. May be empty: for no tenant.
    [[nodiscard]] std::optional<std::vector<tenant_id>> tenants(permission what) const;

private:
    std::vector<config::grant> grants_;  // those that name the caller
};

}  // namespace estafette::api
