#include "estafette/sched/outcome.hpp"

#include "estafette/verdict/retry.hpp"

namespace estafette::sched {

namespace {

// Of the route or the sender: it takes nothing of the recipient's time.
bool is_ours(const verdict::verdict& v) {
    return v.fault == verdict::scope::route || v.fault == verdict::scope::sender;
}

void defer(
    outcome_changes& out,
    recipient_id who,
    store::attempt what,
    const config::tenant_options& tenant,
    wall_time now,
    wall_time expires_at,
    std::optional<wall_time> held_until
) {
    const auto seed = std::hash<recipient_id>{}(who) + what.number;
    // All mail of a held sender is due at one time, by which it is found when the hold ends: also what is
    // over by then, which expires when it is looked at.
    auto next = held_until
                    ? held_until
                    : verdict::next_attempt(what.judged, what.number, now, expires_at, tenant.retry, seed);
    if (!next && is_ours(what.judged)) {
        next = expires_at;
    }
    if (next && *next <= now) {
        next.reset();
    }
    out.push_back(store::attempted{who, store::state::deferred, next, std::move(what)});
    if (!next) {
        out.push_back(store::expired{who, now});
    }
}

}  // namespace

outcome_changes settle(
    recipient_id who,
    store::attempt what,
    const config::tenant_options& tenant,
    wall_time now,
    wall_time expires_at,
    std::optional<wall_time> held_until
) {
    outcome_changes out;
    switch (what.judged.what) {
    case verdict::disposition::accepted:
        out.push_back(store::attempted{who, store::state::relayed, std::nullopt, std::move(what)});
        break;
    case verdict::disposition::fail:
        if (is_ours(what.judged)) {
            what.judged.what = verdict::disposition::retry;
            defer(out, who, std::move(what), tenant, now, expires_at, held_until);
        } else {
            out.push_back(store::attempted{who, store::state::failed, std::nullopt, std::move(what)});
        }
        break;
    case verdict::disposition::retry:
        defer(out, who, std::move(what), tenant, now, expires_at, held_until);
        break;
    case verdict::disposition::uncertain:
        if (tenant.hold_uncertain) {
            out.push_back(store::attempted{who, store::state::held, std::nullopt, std::move(what)});
        } else {
            defer(out, who, std::move(what), tenant, now, expires_at, held_until);
        }
        break;
    }
    return out;
}

}  // namespace estafette::sched
