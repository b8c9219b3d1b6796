#include "estafette/sched/holds.hpp"

#include <algorithm>

namespace estafette::sched {

namespace {

constexpr std::string_view daemon_name = "daemon";

// A probe whose outcome never came does not keep its sender for ever.
constexpr milliseconds probe_limit = std::chrono::minutes{45};

// A sender that got through is known to work; single recipients may refuse it all the same.
constexpr milliseconds vouched_for = std::chrono::hours{1};

bool passes_by_itself(verdict::reason why) {
    return why == verdict::reason::rate_limited || why == verdict::reason::server_busy ||
           why == verdict::reason::server_error || why == verdict::reason::greylisted ||
           why == verdict::reason::dns_failed || why == verdict::reason::timeout;
}

bool is_probed(const store::pause& row) {
    return row.what.kind == store::pause_kind::sender && row.by == daemon_name;
}

}  // namespace

milliseconds sender_pause(const verdict::verdict& judged, std::uint32_t refusals) {
    const bool is_passing = passes_by_itself(judged.why);
    const milliseconds first = is_passing ? std::chrono::minutes{1} : std::chrono::minutes{10};
    const milliseconds longest = is_passing ? std::chrono::minutes{30} : std::chrono::hours{4};
    const auto doublings = std::min<std::uint32_t>(refusals > 0 ? refusals - 1 : 0, 10);
    const milliseconds planned = std::min<milliseconds>(longest, first * (1u << doublings));
    if (!judged.retry_hint) {
        return planned;
    }
    return std::clamp<milliseconds>(*judged.retry_hint, seconds{10}, longest);
}

void holds::put(store::pause row) {
    const auto what = row.what;
    rows_[what] = {std::move(row), 1, place::at_all, std::nullopt};
}

bool holds::erase(const store::pause_target& what) {
    return rows_.erase(what) != 0;
}

std::vector<store::pause> holds::all() const {
    std::vector<store::pause> rows;
    for (const auto& [what, e] : rows_) {
        rows.push_back(e.row);
    }
    return rows;
}

const store::pause* holds::row_of(const store::pause_target& what) const {
    const auto it = rows_.find(what);
    return it == rows_.end() ? nullptr : &it->second.row;
}

bool holds::keeps_back(const tenant_id& tenant) const {
    return !rows_.empty() && rows_.contains(store::pause_target::of(tenant));
}

holds::entry* holds::find_sender(const tenant_id& tenant, const std::string& sender) {
    const auto it = rows_.find(store::pause_target::of(tenant, sender));
    return it == rows_.end() ? nullptr : &it->second;
}

const store::pause* holds::find(const tenant_id& tenant, const std::string& sender) const {
    if (rows_.empty()) {
        return nullptr;
    }
    auto it = rows_.find(store::pause_target::of(tenant));
    if (it == rows_.end()) {
        it = rows_.find(store::pause_target::of(tenant, sender));
    }
    return it == rows_.end() ? nullptr : &it->second.row;
}

bool holds::admit(const tenant_id& tenant, const std::string& sender, wall_time now) {
    if (rows_.empty()) {
        return true;
    }
    if (keeps_back(tenant)) {
        return false;
    }
    entry* held = find_sender(tenant, sender);
    if (held == nullptr) {
        return true;
    }
    const bool has_probe = held->probe_until && now < *held->probe_until;
    if (!is_probed(held->row) || has_probe || (held->row.until && now < *held->row.until)) {
        return false;
    }
    held->probe_until = now + probe_limit;
    return true;
}

std::optional<store::paused> holds::blame(
    const tenant_id& tenant,
    const std::string& sender,
    const verdict::verdict& judged,
    const std::string& text,
    place where,
    wall_time now
) {
    entry* held = find_sender(tenant, sender);
    if (held != nullptr && !is_probed(held->row)) {
        return std::nullopt;
    }
    if (held != nullptr && held->row.until && now < *held->row.until) {
        return std::nullopt;  // it was under way when the sender was held
    }
    const auto what = store::pause_target::of(tenant, sender);
    const auto vouched = vouched_.find(what);
    if (where == place::at_a_recipient && vouched != vouched_.end() && now < vouched->second) {
        return std::nullopt;
    }
    entry next;
    next.where = where;
    next.refusals = held != nullptr ? held->refusals + 1 : 1;
    next.row = {
        what,
        held != nullptr ? held->row.since : now,
        now + sender_pause(judged, next.refusals),
        judged.why,
        text,
        std::string{daemon_name}
    };
    const store::pause& row = next.row;
    store::paused change{what, now, row.until, row.why, row.text, row.by};
    rows_[what] = std::move(next);
    return change;
}

std::optional<store::resumed>
holds::praise(const tenant_id& tenant, const std::string& sender, wall_time now) {
    if (rows_.empty()) {
        return std::nullopt;
    }
    entry* held = find_sender(tenant, sender);
    if (held == nullptr || !is_probed(held->row)) {
        return std::nullopt;
    }
    const bool still_rests = held->row.until && now < *held->row.until;
    if (still_rests && held->where == place::at_all) {
        return std::nullopt;  // it was under way when the sender was held
    }
    const auto what = held->row.what;
    std::erase_if(vouched_, [now](const auto& v) { return v.second <= now; });
    vouched_[what] = now + vouched_for;
    rows_.erase(what);
    return store::resumed{what, now, std::string{daemon_name}};
}

void holds::release_probe(const tenant_id& tenant, const std::string& sender) {
    if (rows_.empty()) {
        return;
    }
    if (entry* held = find_sender(tenant, sender)) {
        held->probe_until.reset();
    }
}

wall_time holds::parked_until(const store::pause& row, wall_time now) {
    const auto steps = now < row.since ? 0 : (now - row.since) / parking_step;
    return row.since + (steps + 1) * parking_step;
}

std::vector<store::pause_target> holds::over(wall_time now) const {
    std::vector<store::pause_target> found;
    for (const auto& [what, e] : rows_) {
        if (!is_probed(e.row) && e.row.until && *e.row.until <= now) {
            found.push_back(what);
        }
    }
    return found;
}

std::vector<store::pause> holds::to_probe(wall_time now) const {
    std::vector<store::pause> found;
    for (const auto& [what, e] : rows_) {
        const bool has_probe = e.probe_until && now < *e.probe_until;
        if (is_probed(e.row) && !has_probe && e.row.until && *e.row.until <= now) {
            found.push_back(e.row);
        }
    }
    return found;
}

std::optional<wall_time> holds::next(wall_time now) const {
    std::optional<wall_time> earliest;
    for (const auto& [what, e] : rows_) {
        const auto at = e.probe_until && now < *e.probe_until ? e.probe_until : e.row.until;
        if (at && *at > now && (!earliest || *at < *earliest)) {
            earliest = at;
        }
    }
    return earliest;
}

}  // namespace estafette::sched
