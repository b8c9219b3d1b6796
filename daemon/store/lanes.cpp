#include "lanes.hpp"

#include <algorithm>

namespace estafette::store {

lanes::lanes(ledger& l, hides is_hidden)
    : ledger_{l}
    , is_hidden_{std::move(is_hidden)} {
    for (const waiting_tenant& found : ledger_.waiting()) {
        (void)of(found.tenant, found.precedence);
    }
}

lane& lanes::of(const tenant_id& tenant, mail::priority precedence) {
    const auto [it, is_new] = lanes_.try_emplace({tenant, precedence});
    if (is_new) {
        it->second.tenant = tenant;
        it->second.precedence = precedence;
    }
    return it->second;
}

void lanes::add_written(lane& in, due_key who) {
    in.mark = std::min(in.mark, who);
    if (in.next_is_known && (!in.next || who < *in.next)) {
        in.next = who;
    }
}

void lanes::remove_written(lane& in, due_key who) {
    if (in.next == who) {
        in.next_is_known = false;
    }
}

std::vector<due_key> lanes::take(lane& from, wall_time until, std::size_t limit) {
    std::vector<due_key> written;
    if (!from.next_is_known || (from.next && from.next->due_at <= until)) {
        ledger_.due(from.tenant, from.precedence, from.mark, until, [&](due_key who) {
            if (!is_hidden_(who.recipient)) {
                written.push_back(who);
            }
            return written.size() < limit;
        });
    }
    std::vector<due_key> taken;
    auto next = written.begin();
    while (taken.size() < limit) {
        const bool has_fresh = !from.fresh.empty() && from.fresh.begin()->due_at <= until;
        if (next != written.end() && (!has_fresh || *next < *from.fresh.begin())) {
            taken.push_back(*next++);
        } else if (has_fresh) {
            taken.push_back(from.fresh.extract(from.fresh.begin()).value());
        } else {
            break;
        }
    }
    if (next != written.begin()) {
        from.mark = {std::prev(next)->due_at, std::prev(next)->recipient + 1};
        from.next_is_known = next != written.end();
        from.next = from.next_is_known ? std::optional{*next} : std::nullopt;
    }
    return taken;
}

std::vector<waiting_tenant> lanes::waiting() {
    std::vector<waiting_tenant> found;
    for (auto& [id, one] : lanes_) {
        if (!one.next_is_known) {
            look(one);
        }
        std::optional<due_key> first = one.next;
        if (!one.fresh.empty() && (!first || *one.fresh.begin() < *first)) {
            first = *one.fresh.begin();
        }
        if (first) {
            found.push_back({one.tenant, one.precedence, first->due_at});
        }
    }
    return found;
}

void lanes::look(lane& in) {
    in.next.reset();
    ledger_.due(in.tenant, in.precedence, in.mark, wall_time::max(), [&](due_key who) {
        if (!is_hidden_(who.recipient)) {
            in.next = who;
            in.mark = who;
        }
        return !in.next;
    });
    in.next_is_known = true;
}

}  // namespace estafette::store
