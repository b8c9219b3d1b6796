#include "estafette/sched/placement.hpp"

#include <algorithm>

namespace estafette::sched {

namespace {

constexpr std::string_view replaced_by = "replaced by ";

class placing {
public:
    explicit placing(surroundings around)
        : around_{std::move(around)}
        , known_{std::move(around_.keys)} {}

    // Before the arrivals; false where they are not wanted for the group's sake.
    bool claim_group(const std::vector<arrival>& arrivals) {
        const auto refuse_all = [&](fate why, const message_id& other) {
            out_.fates.assign(arrivals.size(), placed{why, other, false, {}});
            return false;
        };
        if (around_.on_group == key_rule::keep || around_.group.empty() || arrivals.empty()) {
            return true;
        }
        if (around_.on_group == key_rule::reject) {
            return refuse_all(fate::refused, around_.group.front().id);
        }
        const tenant_id& tenant = arrivals.front().mail.message->tenant;
        for (const auto& e : around_.group) {
            if (around_.is_in_hand(tenant, e.id)) {
                return refuse_all(fate::under_way, e.id);
            }
        }
        for (const auto& e : around_.group) {
            cancel(e, tenant, "group", "replaced by a new sequence");
            for (auto& [name, line] : known_) {
                std::erase_if(line, [&](const store::labelled& k) { return k.id == e.id; });
            }
        }
        return true;
    }

    void add(arrival a) {
        const auto& m = *a.mail.message;
        if (!m.category.empty() && around_.is_switched_off(m)) {
            accept_unwanted(std::move(a));
            return;
        }
        if (m.key.empty()) {
            accept(std::move(a));
            return;
        }
        auto& earlier = known_[{m.tenant, m.key}];
        if (earlier.empty()) {
            accept(std::move(a));
            return;
        }
        const message_id other = earlier.back().id;
        switch (a.rule) {
        case key_rule::keep: keep(std::move(a), other); return;
        case key_rule::reject: out_.fates.push_back({fate::refused, other, false, {}}); return;
        case key_rule::replace: break;
        }
        const auto busy = std::ranges::find_if(earlier, [&](const store::labelled& e) {
            return around_.is_in_hand(m.tenant, e.id);
        });
        if (busy != earlier.end()) {
            out_.fates.push_back({fate::under_way, busy->id, false, {}});
            return;
        }
        for (const auto& e : earlier) {
            replace(e, m);
        }
        earlier.clear();
        accept(std::move(a));
    }

    [[nodiscard]] placement take() { return std::move(out_); }

private:
    void accept(arrival a) {
        const mail::message_ptr m = a.mail.message;
        if (!m->key.empty()) {
            store::labelled line{m->id, 0, {}};
            for (std::uint32_t i = 0; i < m->to.size(); ++i) {
                line.waiting.push_back(i);
            }
            known_[{m->tenant, m->key}].push_back(std::move(line));
        }
        out_.fates.push_back({fate::accepted, {}, false, {}});
        out_.new_mail.push_back(m);
        out_.changes.emplace_back(std::move(a.mail));
    }

    // The earlier mail is the answer, also when the request comes again after that mail has left.
    void keep(arrival a, const message_id& earlier) {
        out_.fates.push_back({fate::kept, earlier, false, {}});
        if (!a.mail.idempotency_key.empty()) {
            out_.changes.emplace_back(store::answered{
                earlier, std::move(a.mail.idempotency_key), std::move(a.mail.idempotency_digest)
            });
        }
    }

    // It is cancelled in the moment in which it came, so that the answer can say so and be repeated.
    void accept_unwanted(arrival a) {
        const mail::message_ptr m = a.mail.message;
        out_.fates.push_back({fate::accepted, {}, true, {}});
        out_.changes.emplace_back(std::move(a.mail));
        for (std::uint32_t i = 0; i < m->to.size(); ++i) {
            out_.changes.emplace_back(unwanted({m->id, i}, *m, m->accepted_at));
        }
    }

    void replace(const store::labelled& earlier, const mail::message& by) {
        cancel(earlier, by.tenant, "key", std::string{replaced_by} + by.id.text());
    }

    void
    cancel(const store::labelled& earlier, const tenant_id& tenant, const char* by, const std::string& why) {
        const auto of_this_call = [&](const mail::message_ptr& m) { return m->id == earlier.id; };
        const bool was_stored = std::erase_if(out_.new_mail, of_this_call) == 0;
        for (const std::uint32_t index : earlier.waiting) {
            const recipient_id who{earlier.id, index};
            out_.changes.emplace_back(store::cancelled{who, around_.now, by, why});
            if (was_stored) {
                out_.replaced[tenant].push_back(who);
            }
        }
    }

    surroundings around_;
    keyed_mail known_;
    placement out_;
};

}  // namespace

store::cancelled unwanted(recipient_id who, const mail::message& m, wall_time at) {
    return {who, at, "category " + m.category, "switched off"};
}

placement place(std::vector<arrival> arrivals, surroundings around) {
    placing p{std::move(around)};
    if (!p.claim_group(arrivals)) {
        return p.take();
    }
    for (auto& a : arrivals) {
        p.add(std::move(a));
    }
    return p.take();
}

}  // namespace estafette::sched
