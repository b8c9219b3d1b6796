#include "estafette/route/return_path.hpp"

#include <algorithm>

namespace estafette::route {

namespace {

std::optional<mail::address>
verp(const std::string& domain, const mail::verp_keys& keys, const recipient_id& who) {
    const auto local = keys.local_part(who);
    if (!local) {
        return std::nullopt;
    }
    auto made = mail::address::parse(*local + "@" + domain);
    return made ? std::optional{*made} : std::nullopt;
}

}  // namespace

std::optional<mail::address> return_path(
    const config::route_options& route,
    const mail::verp_keys& keys,
    const mail::message& m,
    std::uint32_t recipient
) {
    if (!m.from) {
        return std::nullopt;
    }
    switch (route.return_path) {
    case config::return_path_mode::sender: break;
    case config::return_path_mode::fixed:
        if (auto fixed = mail::address::parse(route.return_path_address)) {
            return *fixed;
        }
        break;
    case config::return_path_mode::verp:
        if (auto made = verp(route.return_path_address, keys, {m.id, recipient})) {
            return made;
        }
        break;
    }
    return m.from;
}

std::size_t recipients_per_transaction(const config::route_options& route) {
    if (route.return_path == config::return_path_mode::verp) {
        return 1;
    }
    return std::max<std::size_t>(1, route.recipients_per_message);
}

}  // namespace estafette::route
