#include "estafette/api/peer.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace estafette::api {
namespace {

constexpr std::uint32_t overflow_id = 65534;

bool names(const config::grant& g, const caller& who) {
    if (g.anybody)
        return true;
    const auto is_known = [](std::uint32_t id) { return id != overflow_id; };
    if (g.uid)
        return is_known(who.uid) && *g.uid == who.uid;
    return g.gid && is_known(*g.gid) &&
           (*g.gid == who.gid || std::ranges::find(who.groups, *g.gid) != who.groups.end());
}

bool allows(config::role as, permission what) {
    switch (as) {
    case config::role::admin: return true;
    case config::role::read: return what == permission::read;
    case config::role::submit: return what != permission::administer;
    }
    return false;
}

}  // namespace

result<caller> caller_of(int socket) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return errc::io;
    caller out;
    out.uid = credentials.uid;
    out.gid = credentials.gid;
    out.pid = credentials.pid;
    std::vector<gid_t> groups(64);
    for (;;) {
        size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
        if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0)
            break;
        if (errno != ERANGE)
            return errc::io;
        groups.resize(size / sizeof(gid_t) + 1);
    }
    groups.resize(size / sizeof(gid_t));
    out.groups.assign(groups.begin(), groups.end());
    return out;
}

access::access(const caller& who, const std::vector<config::grant>& grants) {
    std::ranges::copy_if(grants, std::back_inserter(grants_), [&](const auto& g) { return names(g, who); });
}

bool access::may(permission what, const tenant_id& tenant) const {
    return std::ranges::any_of(grants_, [&](const config::grant& g) {
        return allows(g.as, what) &&
               (g.all_tenants || std::ranges::find(g.tenants, tenant) != g.tenants.end());
    });
}

bool access::may_for_all(permission what) const {
    return std::ranges::any_of(grants_, [&](const auto& g) { return g.all_tenants && allows(g.as, what); });
}

std::optional<std::vector<tenant_id>> access::tenants(permission what) const {
    if (may_for_all(what))
        return std::nullopt;
    std::vector<tenant_id> out;
    for (const auto& g : grants_)
        if (allows(g.as, what))
            out.insert(out.end(), g.tenants.begin(), g.tenants.end());
    std::ranges::sort(out);
    const auto [first, last] = std::ranges::unique(out);
    out.erase(first, last);
    return out;
}

}  // namespace estafette::api
