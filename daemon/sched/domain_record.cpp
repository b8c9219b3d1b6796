#include "estafette/sched/domain_record.hpp"

#include <algorithm>

namespace estafette::sched {

namespace {

constexpr milliseconds window = std::chrono::hours{24};

std::int64_t hour_of(wall_time t) {
    return std::chrono::floor<std::chrono::hours>(t.time_since_epoch()).count();
}

}  // namespace

domain_record::entry& domain_record::entry_of(const key& k) {
    if (const auto found = index_.find(k); found != index_.end()) {
        entries_.splice(entries_.begin(), entries_, found->second);
        return entries_.front();
    }
    if (entries_.size() >= most_domains) {
        index_.erase({entries_.back().route, entries_.back().domain});
        entries_.pop_back();
    }
    entry& made = entries_.emplace_front();
    made.route = k.route;
    made.domain = k.domain;
    index_.emplace(key{made.route, made.domain}, entries_.begin());
    return made;
}

void domain_record::note(
    const route_id& route, std::string_view domain, const verdict::verdict& judged, wall_time now
) {
    entry& e = entry_of({route.text(), domain});
    const auto number = hour_of(now);
    hour& h = e.by_hour[static_cast<std::size_t>(number) % hours];
    if (h.number != number) {
        h = hour{number, 0, 0, 0, 0};
    }
    using verdict::reason;
    if (judged.what == verdict::disposition::accepted) {
        ++h.accepted;
        e.last_accepted_at = now;
        return;
    }
    switch (judged.why) {
    case reason::unknown_user:
    case reason::inactive_user: ++h.unknown; break;
    case reason::blocked_reputation:
    case reason::blocked_policy:
    case reason::blocked_content: ++h.blocked; break;
    case reason::tls_failed:
    case reason::dns_failed:
    case reason::connection_failed:
    case reason::timeout:
    case reason::server_busy:
    case reason::server_error: ++h.unreachable; break;
    case reason::accepted:
    case reason::bad_domain:
    case reason::mailbox_full:
    case reason::greylisted:
    case reason::rate_limited:
    case reason::sender_rejected:
    case reason::auth_failed:
    case reason::relay_denied:
    case reason::message_too_large:
    case reason::too_many_recipients:
    case reason::protocol_error:
    case reason::smtputf8_unsupported:
    case reason::expired:
    case reason::suppressed:
    case reason::uncertain:
    case reason::other: break;
    }
}

verdict::domain_fact domain_record::of(const route_id& route, std::string_view domain, wall_time now) const {
    verdict::domain_fact sum;
    sum.since = std::max(started_, now - window);
    const auto found = index_.find({route.text(), domain});
    if (found == index_.end()) {
        return sum;
    }
    const entry& e = *found->second;
    const auto oldest = hour_of(now) - static_cast<std::int64_t>(hours) + 1;
    for (const hour& h : e.by_hour) {
        if (h.number >= oldest) {
            sum.accepted += h.accepted;
            sum.unknown += h.unknown;
            sum.blocked += h.blocked;
            sum.unreachable += h.unreachable;
        }
    }
    if (e.last_accepted_at && *e.last_accepted_at >= sum.since) {
        sum.last_accepted_at = e.last_accepted_at;
    }
    return sum;
}

}  // namespace estafette::sched
