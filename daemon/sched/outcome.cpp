#include "estafette/sched/outcome.hpp"

#include "estafette/verdict/retry.hpp"

namespace estafette::sched {

namespace {

void defer(
    std::vector<store::change>& out,
    recipient_id who,
    store::attempt what,
    const config::tenant_options& tenant,
    wall_time now,
    wall_time expires_at
) {
    const auto seed = std::hash<recipient_id>{}(who) + what.number;
    const auto next = verdict::next_attempt(what.judged, what.number, now, expires_at, tenant.retry, seed);
    out.push_back(store::attempted{who, store::state::deferred, next, std::move(what)});
    if (!next) {
        out.push_back(store::expired{who, now});
    }
}

}  // namespace

std::vector<store::change> settle(
    recipient_id who,
    store::attempt what,
    const config::tenant_options& tenant,
    wall_time now,
    wall_time expires_at
) {
    std::vector<store::change> out;
    const bool is_ours =
        what.judged.fault == verdict::scope::route || what.judged.fault == verdict::scope::sender;
    switch (what.judged.what) {
    case verdict::disposition::accepted:
        out.push_back(store::attempted{who, store::state::relayed, std::nullopt, std::move(what)});
        break;
    case verdict::disposition::fail:
        if (is_ours) {
            what.judged.what = verdict::disposition::retry;
            defer(out, who, std::move(what), tenant, now, expires_at);
        } else {
            out.push_back(store::attempted{who, store::state::failed, std::nullopt, std::move(what)});
        }
        break;
    case verdict::disposition::retry: defer(out, who, std::move(what), tenant, now, expires_at); break;
    case verdict::disposition::uncertain:
        if (tenant.hold_uncertain) {
            out.push_back(store::attempted{who, store::state::held, std::nullopt, std::move(what)});
        } else {
            defer(out, who, std::move(what), tenant, now, expires_at);
        }
        break;
    }
    return out;
}

}  // namespace estafette::sched
