// The scheduler and the suppression lists: who gets nothing, and which failures put an address there.
#include "estafette/base/text.hpp"
#include "estafette/sched/scheduler.hpp"
#include "estafette/verdict/suppression.hpp"

#include <algorithm>

namespace estafette::sched {

namespace {

asio::awaitable<void>
consider(store::suppressions& lists, tenant_id tenant, std::string address, store::attempt a) {
    // Lost with a failing store: the next failure of the address is weighed again.
    std::string server{host_of(a.server)};
    (void)co_await lists.consider(std::move(tenant), std::move(address), a.judged, std::move(server), a.text);
}

}  // namespace

asio::awaitable<result<scheduler::stopped_places>> scheduler::stopped(mail::message_ptr m) {
    std::vector<std::string> addresses;
    for (const auto& to : m->to) {
        addresses.push_back(to.text());
    }
    const auto found = co_await lists_.find(m->tenant, std::move(addresses), wall_now());
    if (!found) {
        co_return found.error();
    }
    stopped_places places;
    for (std::uint32_t i = 0; i < m->to.size(); ++i) {
        const auto address = ascii_lower(m->to[i].text());
        const auto line = std::ranges::find(*found, address, &store::suppression::address);
        if (line != found->end()) {
            places.emplace(i, store::words_of(*line));
        }
    }
    co_return places;
}

asio::awaitable<scheduler::stopped_mail> scheduler::stopped_of(std::vector<result<mail::message_ptr>> loaded
) {
    stopped_mail all;
    for (const auto& one : loaded) {
        if (!one || !may_be_stopped(**one)) {
            continue;
        }
        auto found = co_await stopped(*one);
        if (found) {
            all.emplace((*one)->id, std::move(*found));
        }
    }
    co_return all;
}

void scheduler::withhold(message_id id, std::vector<route::target>& targets, const stopped_places& places) {
    if (places.empty()) {
        return;
    }
    std::erase_if(targets, [&](const route::target& t) {
        const auto stop = places.find(t.index);
        if (stop == places.end()) {
            return false;
        }
        write_later(store::withheld{{id, t.index}, wall_now(), stop->second});
        meters_.recipients_completed[labels::completion::failed].add();
        return true;
    });
}

void scheduler::weigh(const route::attempt_report& report, std::span<const store::attempt> attempts) {
    for (std::size_t i = 0; i < attempts.size(); ++i) {
        if (verdict::weigh(attempts[i].judged) == verdict::suppresses::no) {
            continue;
        }
        const auto& message = *report.what.message;
        const auto place = report.what.targets[i].index;
        tasks_.spawn("suppress", consider(lists_, message.tenant, message.to[place].text(), attempts[i]));
    }
}

}  // namespace estafette::sched
