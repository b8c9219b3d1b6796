#include "estafette/route/ready.hpp"

#include <algorithm>
#include <iterator>

namespace estafette::route {

namespace {

constexpr std::size_t good_part = 128;  // recipients

std::int64_t cost(const job& j) {
    // A message without a body costs something too: its commands and its answer.
    return static_cast<std::int64_t>(j.message->facts.size) + 1024;
}

}  // namespace

ready_queue::ready_queue(std::size_t limit, std::size_t floor_per_tenant)
    : limit_{limit}
    , floor_{floor_per_tenant} {}

std::size_t ready_queue::room(const tenant_id& tenant, mail::priority precedence) const {
    const auto& k = of(precedence);
    if (k.bytes >= most_bytes) {
        return 0;
    }
    if (k.recipients < limit_) {
        return limit_ - k.recipients;
    }
    const auto found = k.lines.find(tenant);
    const auto has = found == k.lines.end() ? 0 : found->second.recipients;
    return has < floor_ ? floor_ - has : 0;
}

bool ready_queue::wants(const tenant_id& tenant, mail::priority precedence) const {
    const auto& k = of(precedence);
    const auto free = room(tenant, precedence);
    const bool is_good_part =
        free >= std::min<std::size_t>(good_part, limit_ / 2) && k.bytes < most_bytes / 2;
    return is_good_part || (free != 0 && !k.lines.contains(tenant));
}

std::uint64_t ready_queue::free_bytes(mail::priority precedence) const {
    const auto& k = of(precedence);
    return k.bytes < most_bytes ? most_bytes - k.bytes : 0;
}

// Much less than wants() asks for, so that it is not said again and again.
unsigned ready_queue::low_classes() const {
    return static_cast<unsigned>(std::ranges::count_if(classes_, [this](const klass& k) {
        return k.recipients < limit_ / 2 && k.bytes < most_bytes / 4;
    }));
}

bool ready_queue::is_starved(const tenant_id& tenant, mail::priority precedence) const {
    const auto& k = of(precedence);
    return (k.recipients >= limit_ / 2 || k.bytes >= most_bytes / 4) && !k.lines.contains(tenant);
}

void ready_queue::push(job j) {
    put(std::move(j), false);
}

void ready_queue::push_front(job j) {
    put(std::move(j), true);
}

void ready_queue::put(job j, bool at_front) {
    auto& k = of(j.message->precedence);
    const auto& tenant = j.message->tenant;
    auto& l = k.lines[tenant];
    if (!l.in_turn) {
        l.in_turn = true;
        k.turns.push_back(tenant);
    }
    const auto count = j.targets.size();
    l.recipients += count;
    k.recipients += count;
    k.bytes += j.message->facts.size;
    recipients_ += count;
    if (at_front) {
        l.jobs.push_front(std::move(j));
    } else {
        l.jobs.push_back(std::move(j));
    }
}

std::optional<job> ready_queue::pull() {
    auto& urgent = of(mail::priority::transactional);
    auto& bulk = of(mail::priority::bulk);
    const bool bulk_waits = bulk.recipients != 0;
    const bool bulk_is_due = bulk_waits && pulls_since_bulk_ + 1 >= bulk_share;
    if (urgent.recipients != 0 && !bulk_is_due) {
        if (bulk_waits) {
            ++pulls_since_bulk_;
        }
        return take(urgent);
    }
    if (bulk_waits) {
        pulls_since_bulk_ = 0;
        return take(bulk);
    }
    return std::nullopt;
}

job ready_queue::take(klass& k) {
    for (;;) {
        const tenant_id tenant = k.turns.front();
        auto& l = k.lines.at(tenant);
        if (!l.topped_up) {
            l.deficit += quantum;
            l.topped_up = true;
        }
        const bool is_alone = k.turns.size() == 1;
        if (!is_alone && cost(l.jobs.front()) > l.deficit) {
            l.topped_up = false;  // its turn is over; what is left is kept for the next one
            k.turns.pop_front();
            k.turns.push_back(tenant);
            continue;
        }
        job j = std::move(l.jobs.front());
        l.jobs.pop_front();
        l.deficit = is_alone ? 0 : l.deficit - cost(j);
        const auto count = j.targets.size();
        l.recipients -= count;
        k.recipients -= count;
        k.bytes -= j.message->facts.size;
        recipients_ -= count;
        if (l.jobs.empty()) {
            k.turns.pop_front();
            k.lines.erase(tenant);
        }
        return j;
    }
}

std::vector<job> ready_queue::remove(const std::function<bool(const job&)>& which) {
    std::vector<job> kept, removed;
    for (auto& j : drain()) {
        (which(j) ? removed : kept).push_back(std::move(j));
    }
    for (auto& j : kept) {
        push(std::move(j));
    }
    return removed;
}

std::vector<recipient_id> ready_queue::ids() const {
    std::vector<recipient_id> all;
    for (const auto& k : classes_) {
        for (const auto& [tenant, l] : k.lines) {
            for (const auto& j : l.jobs) {
                for (const auto& t : j.targets) {
                    all.push_back(j.id(t));
                }
            }
        }
    }
    return all;
}

std::vector<job> ready_queue::drain() {
    std::vector<job> all;
    for (auto& k : classes_) {
        for (const auto& tenant : k.turns) {
            auto& l = k.lines.at(tenant);
            std::move(l.jobs.begin(), l.jobs.end(), std::back_inserter(all));
        }
        k = klass{};
    }
    recipients_ = 0;
    return all;
}

}  // namespace estafette::route
