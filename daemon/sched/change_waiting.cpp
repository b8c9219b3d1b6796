// A change of recipients that wait, wherever they wait: in the store or ready in a route.
#include "estafette/sched/scheduler.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace estafette::sched {

// Out of the routes' ready queues. They stay claimed until their change.
void scheduler::take_back(const std::unordered_set<recipient_id>& who) {
    const auto is_meant = [&](const route::job& j) {
        return std::ranges::any_of(j.targets, [&](const auto& t) { return who.contains(j.id(t)); });
    };
    for (auto* r : routes_.all()) {
        std::vector<route::job> others;
        for (auto& j : r->withdraw(is_meant)) {
            std::erase_if(j.targets, [&](const auto& t) { return who.contains(j.id(t)); });
            if (!j.targets.empty()) {
                others.push_back(std::move(j));
            }
        }
        give_back(std::move(others));
    }
}

asio::awaitable<result<std::size_t>> scheduler::change_waiting(
    std::vector<recipient_id> who,
    std::function<store::change(const recipient_id&)> to,
    in_hand what_is_in_hand
) {
    const auto mine = co_await take_turn();
    const auto in_hands = routes_.in_hand();
    const std::unordered_set<recipient_id> under_way{in_hands.begin(), in_hands.end()};
    std::unordered_set<recipient_id> meant;
    std::vector<store::change> changes;
    for (const auto& id : who) {
        const bool is_under_way = under_way.contains(id);
        if (is_under_way && what_is_in_hand == in_hand::not_those) {
            continue;
        }
        changes.push_back(to(id));
        if (!is_under_way) {
            meant.insert(id);
        }
    }
    if (changes.empty()) {
        co_return 0;
    }
    take_back(meant);
    auto done = co_await queue_.commit(std::move(changes));
    if (!done) {
        co_return done.error();
    }
    if (what_is_in_hand == in_hand::too) {
        take_back(std::unordered_set<recipient_id>{who.begin(), who.end()});  // given back untried meanwhile
    }
    poke();
    co_return *done;
}

}  // namespace estafette::sched
