#include "estafette/route/servers.hpp"

#include <algorithm>

namespace estafette::route {

server_list::server_list(std::vector<config::endpoint> servers) {
    for (auto& s : servers) {
        entries_.push_back({std::move(s), 0, {}});
    }
    std::sort(entries_.begin(), entries_.end(), [](const entry& a, const entry& b) {
        return a.server.priority < b.server.priority;
    });
}

const config::endpoint& server_list::pick(steady_time now, std::uint32_t random) const {
    std::uint32_t total = 0;
    std::uint16_t priority = 0;
    for (const auto& e : entries_) {
        if (e.rests_until > now || (total != 0 && e.server.priority != priority)) {
            continue;
        }
        priority = e.server.priority;
        total += std::max<std::uint32_t>(1, e.server.weight);
    }
    if (total == 0) {
        return std::ranges::min_element(entries_, {}, &entry::rests_until)->server;
    }
    std::uint32_t left = random % total;
    for (const auto& e : entries_) {
        if (e.rests_until > now || e.server.priority != priority) {
            continue;
        }
        const auto weight = std::max<std::uint32_t>(1, e.server.weight);
        if (left < weight) {
            return e.server;
        }
        left -= weight;
    }
    return entries_.front().server;
}

void server_list::on_success(const config::endpoint& server) {
    if (auto* e = find(server)) {
        e->failures = 0;
        e->rests_until = {};
    }
}

bool server_list::on_failure(const config::endpoint& server, steady_time now) {
    if (auto* e = find(server)) {
        const auto doublings = std::min<std::uint32_t>(e->failures++, 5);
        e->rests_until = now + std::min<seconds>(seconds{600}, seconds{30} * (1u << doublings));
    }
    return std::ranges::none_of(entries_, [&](const entry& e) { return e.rests_until <= now; });
}

server_list::entry* server_list::find(const config::endpoint& server) {
    const auto found = std::ranges::find_if(entries_, [&](const entry& e) {
        return e.server.host == server.host && e.server.port == server.port;
    });
    return found == entries_.end() ? nullptr : &*found;
}

}  // namespace estafette::route
