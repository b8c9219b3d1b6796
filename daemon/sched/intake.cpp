// Mail that comes in and mail that is taken back before it left.
#include "sender.hpp"

#include "estafette/base/log.hpp"
#include "estafette/sched/scheduler.hpp"

#include <algorithm>
#include <unordered_set>

namespace estafette::sched {

namespace {

constexpr std::uint32_t page_size = 500;  // messages cancelled in one durable step

// The keys of the arrivals, each once.
std::vector<store::label_query> keys_of(const std::vector<arrival>& arrivals) {
    std::vector<store::label_query> keys;
    std::set<std::pair<tenant_id, std::string>> known;
    for (const auto& a : arrivals) {
        const auto& m = *a.mail.message;
        if (!m.key.empty() && known.emplace(m.tenant, m.key).second) {
            keys.push_back({m.tenant, store::label::key, m.key, 0, page_size});
        }
    }
    return keys;
}

std::vector<turns::name> names_of(const std::vector<store::label_query>& keys) {
    std::vector<turns::name> names;
    for (const auto& k : keys) {
        names.emplace_back(k.tenant, static_cast<int>(k.by), k.value);
    }
    return names;
}

auto is_of(const message_id& id) {
    return [id](const mail::message_ptr& one) { return one->id == id; };
}

}  // namespace

void scheduler::hand_over(std::vector<route::job> at_once) {
    std::vector<route::job> refused;
    for (auto& j : at_once) {
        auto* r = routes_.find(j.message->tenant);
        if (r != nullptr && r->accepts(j.message->tenant, j.message->precedence) &&
            !holds_.keeps_back(j.message->tenant)) {
            r->offer(std::move(j));
        } else {
            refused.push_back(std::move(j));
        }
    }
    give_back(std::move(refused));
}

// What waits under the names of the arrivals.
asio::awaitable<result<surroundings>>
scheduler::look_around(std::vector<store::label_query> keys, std::optional<group_claim> claim) {
    surroundings around;
    if (!keys.empty()) {
        auto found = co_await queue_.labelled_mail(keys);
        if (!found) {
            co_return found.error();
        }
        for (std::size_t i = 0; i < keys.size(); ++i) {
            around.keys[{keys[i].tenant, keys[i].value}] = std::move((*found)[i]);
        }
    }
    around.on_group = claim ? claim->rule : key_rule::keep;
    for (bool more = claim.has_value(); more;) {
        claim->group.limit = page_size;
        claim->group.after = around.group.empty() ? 0 : around.group.back().order;
        std::vector<store::label_query> question;
        question.push_back(claim->group);
        auto found = co_await queue_.labelled_mail(std::move(question));
        if (!found) {
            co_return found.error();
        }
        more = found->front().size() == page_size;
        std::ranges::move(found->front(), std::back_inserter(around.group));
    }
    around.is_in_hand = [this](const tenant_id& t, const message_id& id) {
        return !in_hand_of(t, id).empty();
    };
    around.is_switched_off = [this](const mail::message& m) { return is_switched_off(m); };
    around.now = wall_now();
    co_return around;
}

// Of new mail, what its route takes now.
std::vector<route::job>
scheduler::for_now(const std::vector<mail::message_ptr>& mail, const stopped_mail& stops, wall_time now) {
    std::vector<route::job> at_once;
    for (const auto& m : mail) {
        const auto* r = routes_.find(m->tenant);
        if (m->due_at > now || r == nullptr || is_stopping_ || !r->accepts(m->tenant, m->precedence) ||
            opens_at(m->tenant, m->precedence, now) > now) {
            continue;
        }
        const auto stop = stops.find(m->id);
        route::job j{m, {}};
        for (std::uint32_t i = 0; i < m->to.size(); ++i) {
            if (stop == stops.end() || !stop->second.contains(i)) {
                j.targets.push_back({i, 0});
            }
        }
        if (!j.targets.empty() && (holds_.empty() || holds_.admit(m->tenant, sender_of(*m), now))) {
            at_once.push_back(std::move(j));
        }
    }
    return at_once;
}

// The changes of a placement: who is claimed, and who fails at once.
std::vector<store::change> scheduler::complete(
    placement& p, const std::vector<route::job>& at_once, const stopped_mail& stops, wall_time now
) {
    std::vector<store::change> changes;
    for (auto& c : p.changes) {
        auto* e = std::get_if<store::enqueued>(&c);
        if (e == nullptr) {
            changes.push_back(std::move(c));
            continue;
        }
        const message_id id = e->message->id;
        e->claimed = std::ranges::any_of(at_once, [&](const route::job& j) { return j.message->id == id; });
        changes.push_back(std::move(c));
        const auto stop = stops.find(id);
        if (stop == stops.end() || std::ranges::none_of(p.new_mail, is_of(id))) {
            continue;
        }
        for (const auto& [place, text] : stop->second) {
            changes.emplace_back(store::withheld{{id, place}, now, text});
            meters_.recipients_completed[labels::completion::failed].add();
        }
    }
    return changes;
}

asio::awaitable<result<std::vector<placed>>>
scheduler::enqueue(std::vector<arrival> mail, std::optional<group_claim> instead_of) {
    const auto keys = keys_of(mail);
    auto names = names_of(keys);
    if (instead_of) {
        const auto& g = instead_of->group;
        names.emplace_back(g.tenant, static_cast<int>(g.by), g.value);
    }
    const auto names_taken = co_await turns_.take(std::move(names));
    stopped_mail stops;
    for (const auto& a : mail) {
        const auto message = a.mail.message;
        if (!may_be_stopped(*message)) {
            continue;
        }
        auto found = co_await stopped(message);
        if (!found) {
            co_return found.error();
        }
        stops.emplace(message->id, std::move(*found));
    }
    std::unique_ptr<turn> mine;
    if (!keys.empty() || instead_of) {  // what is replaced must not be on its way from the store to a route
        mine = co_await take_turn();
    }
    auto around = co_await look_around(keys, std::move(instead_of));
    if (!around) {
        co_return around.error();
    }
    const auto now = around->now;
    std::map<std::size_t, message_id> stopped_arrivals;
    for (std::size_t i = 0; i < mail.size() && !stops.empty(); ++i) {
        if (stops.contains(mail[i].mail.message->id)) {
            stopped_arrivals.emplace(i, mail[i].mail.message->id);
        }
    }
    auto p = place(std::move(mail), std::move(*around));
    for (const auto& [i, id] : stopped_arrivals) {
        if (std::ranges::any_of(p.new_mail, is_of(id))) {
            p.fates[i].stopped = stops.at(id);
        }
    }
    co_return co_await store_placement(std::move(p), std::move(stops), now);
}

asio::awaitable<result<std::vector<placed>>>
scheduler::store_placement(placement p, stopped_mail stops, wall_time now) {
    auto at_once = for_now(p.new_mail, stops, now);
    const auto accepted = static_cast<std::size_t>(std::ranges::count_if(p.changes, [](const auto& c) {
        return std::holds_alternative<store::enqueued>(c);
    }));
    const bool some_wait = at_once.size() != accepted;
    auto changes = complete(p, at_once, stops, now);
    std::vector<recipient_id> replaced;
    for (const auto& [tenant, ids] : p.replaced) {
        take_back({ids.begin(), ids.end()});
        replaced.insert(replaced.end(), ids.begin(), ids.end());
    }
    auto done = co_await queue_.commit(std::move(changes));
    if (!done) {
        for (const auto& j : at_once) {
            holds_.release_probe(j.message->tenant, sender_of(*j.message));
        }
        if (done.error() == errc::store_failed) {
            on_store_failure();
        } else if (!replaced.empty()) {
            tasks_.spawn("unclaim", unclaim(std::move(replaced)));
        }
        co_return done.error();
    }
    meters_.messages_accepted.add(accepted);
    meters_.recipients_completed[labels::completion::cancelled].add(replaced.size());
    hand_over(std::move(at_once));
    if (some_wait) {
        poke();
    }
    co_return std::move(p.fates);
}

asio::awaitable<result<scheduler::cancel_result>>
scheduler::cancel(message_id id, std::vector<std::uint32_t> recipients, std::string by, std::string why) {
    auto view = co_await queue_.view(id);
    if (!view) {
        co_return view.error();
    }
    store::labelled waiting{id, 0, {}};
    for (std::uint32_t i = 0; i < view->recipients.size(); ++i) {
        const bool is_wanted = recipients.empty() || std::ranges::find(recipients, i) != recipients.end();
        if (is_wanted && !store::is_final(view->recipients[i].now)) {
            waiting.waiting.push_back(i);
        }
    }
    std::vector<store::labelled> one;
    one.push_back(std::move(waiting));
    co_return co_await cancel_waiting(view->message.tenant, std::move(one), std::move(by), std::move(why));
}

asio::awaitable<result<scheduler::cancel_result>>
scheduler::cancel_labelled(store::label_query which, std::string by, std::string why) {
    which.limit = page_size;
    cancel_result sum;
    for (;;) {
        std::vector<store::label_query> question;
        question.push_back(which);
        auto found = co_await queue_.labelled_mail(std::move(question));
        if (!found) {
            co_return found.error();
        }
        auto& page = found->front();
        if (page.empty()) {
            co_return sum;
        }
        which.after = page.back().order;
        auto done = co_await cancel_waiting(which.tenant, std::move(page), by, why);
        if (!done) {
            co_return done.error();
        }
        sum.messages += done->messages;
        sum.cancelled += done->cancelled;
        sum.in_hand += done->in_hand;
    }
}

// One durable step for all of them; what a connection has begun with is counted and left alone.
asio::awaitable<result<scheduler::cancel_result>> scheduler::cancel_waiting(
    tenant_id tenant, std::vector<store::labelled> waiting, std::string by, std::string why
) {
    const auto mine = co_await take_turn();  // nothing is on its way from the store to a route
    cancel_result answer;
    std::vector<store::change> changes;
    std::vector<recipient_id> ids;
    const auto now = wall_now();
    for (const auto& m : waiting) {
        const auto busy = in_hand_of(tenant, m.id);
        const auto before = ids.size();
        for (const std::uint32_t i : m.waiting) {
            if (std::ranges::find(busy, i) != busy.end()) {
                ++answer.in_hand;
                continue;
            }
            ids.push_back({m.id, i});
            changes.push_back(store::cancelled{{m.id, i}, now, by, why});
        }
        answer.messages += ids.size() != before ? 1 : 0;
    }
    if (changes.empty()) {
        co_return answer;
    }
    take_back({ids.begin(), ids.end()});
    auto done = co_await queue_.commit(std::move(changes));
    if (!done) {
        co_return done.error();
    }
    answer.cancelled = *done;
    meters_.recipients_completed[labels::completion::cancelled].add(*done);
    co_return answer;
}

}  // namespace estafette::sched
