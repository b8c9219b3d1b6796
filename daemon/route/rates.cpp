#include "estafette/route/rates.hpp"

#include <algorithm>
#include <charconv>

namespace estafette::route {

namespace {

constexpr std::chrono::hours farthest_turn{1};
constexpr seconds far_ahead{10};  // turns given out that far: the rest need not come yet

steady_time::duration period_of(std::string_view unit) {
    if (unit == "/s") {
        return seconds{1};
    }
    if (unit == "/m") {
        return std::chrono::minutes{1};
    }
    if (unit == "/h") {
        return std::chrono::hours{1};
    }
    return unit == "/d" ? steady_time::duration{std::chrono::hours{24}} : steady_time::duration{0};
}

}  // namespace

result<rate_limit> rate_limit::parse(std::string_view text) {
    std::uint32_t count = 0;
    const auto [rest, ec] = std::from_chars(text.data(), text.data() + text.size(), count);
    const std::string_view unit{rest, static_cast<std::size_t>(text.data() + text.size() - rest)};
    const auto period = period_of(unit);
    if (ec != std::errc{} || count == 0 || period == steady_time::duration{0}) {
        return errc::duration_invalid;
    }
    return rate_limit{count, period};
}

std::int64_t rate_limit::slot_of(steady_time t) const {
    return t.time_since_epoch() / (period_ / (slots - 1));
}

steady_time rate_limit::ready_at(steady_time now) const {
    const auto current = slot_of(now);
    const auto oldest = std::max(current, newest_) - slots + 1;
    std::uint64_t sum = 0;
    for (auto slot = oldest; slot <= newest_; ++slot) {
        sum += taken_[place_of(slot)];
    }
    auto slot = oldest;
    for (; sum >= count_; ++slot) {
        sum -= taken_[place_of(slot)];
    }
    // Everything before `slot` must have left the period.
    return slot == oldest ? now : steady_time{(period_ / (slots - 1)) * (slot - 1 + slots)};
}

void rate_limit::take(steady_time now) {
    const auto current = std::max(slot_of(now), newest_);
    for (auto slot = std::max(newest_ + 1, current - slots + 1); slot <= current; ++slot) {
        taken_[place_of(slot)] = 0;
    }
    newest_ = current;
    ++taken_[place_of(current)];
}

quota::quota(const std::vector<std::string>& rates) {
    for (const auto& text : rates) {
        if (auto limit = rate_limit::parse(text)) {
            limits_.push_back(*limit);
        }
    }
}

steady_time quota::ready_at(steady_time now) const {
    auto at = now;
    for (const auto& l : limits_) {
        at = std::max(at, l.ready_at(now));
    }
    return at;
}

void quota::take(steady_time now) {
    for (auto& l : limits_) {
        l.take(now);
    }
}

steady_time quota::queue_up(steady_time now) {
    auto interval = steady_time::duration{0};
    for (const auto& l : limits_) {
        interval = std::max(interval, l.interval());
    }
    const auto turn = std::min(std::max(ready_at(now), booked_until_), now + farthest_turn);
    booked_until_ = std::max(booked_until_, turn + interval);
    return turn;
}

bool quota::is_unused(steady_time now) const {
    return booked_until_ <= now &&
           std::ranges::all_of(limits_, [&](const rate_limit& l) { return l.is_unused(now); });
}

quota_book::quota_book(const by_name& domains) {
    for (const auto& [domain, rates] : domains) {
        if (domain == "*") {
            has_others_ = true;
            other_rates_ = rates;
            overflow_ = quota{rates};
        } else {
            named_.emplace(domain, quota{rates});
        }
    }
}

void quota_book::set_tenants(by_name tenants) {
    std::unordered_map<std::string, quota> kept;
    for (const auto& [tenant, rates] : tenants) {
        const auto before = tenant_rates_.find(tenant);
        const bool is_same = before != tenant_rates_.end() && before->second == rates;
        kept.emplace(tenant, is_same ? std::move(tenants_.at(tenant)) : quota{rates});
    }
    tenants_ = std::move(kept);
    tenant_rates_ = std::move(tenants);
}

quota* quota_book::of_tenant(const tenant_id& tenant) {
    if (tenants_.empty()) {
        return nullptr;
    }
    const auto found = tenants_.find(tenant.text());
    return found == tenants_.end() ? nullptr : &found->second;
}

quota* quota_book::of_domain(std::string_view domain, steady_time now) {
    if (named_.empty() && !has_others_) {
        return nullptr;
    }
    const std::string name{domain};
    if (const auto found = named_.find(name); found != named_.end()) {
        return &found->second;
    }
    if (!has_others_) {
        return nullptr;
    }
    if (const auto found = others_.find(name); found != others_.end()) {
        return &found->second;
    }
    if (others_.size() >= most_domains) {
        std::erase_if(others_, [&](const auto& other) { return other.second.is_unused(now); });
    }
    if (others_.size() >= most_domains) {
        return &overflow_;
    }
    return &others_.emplace(name, quota{other_rates_}).first->second;
}

steady_time
quota_book::ready_at(const tenant_id& tenant, const std::vector<std::string_view>& domains, steady_time now) {
    const auto* own = of_tenant(tenant);
    auto at = own != nullptr ? own->ready_at(now) : now;
    for (const auto domain : domains) {
        if (const auto* q = of_domain(domain, now)) {
            at = std::max(at, q->ready_at(now));
        }
    }
    return at;
}

void quota_book::take(
    const tenant_id& tenant, const std::vector<std::string_view>& domains, steady_time now
) {
    if (auto* own = of_tenant(tenant)) {
        own->take(now);
    }
    for (const auto domain : domains) {
        if (auto* q = of_domain(domain, now)) {
            q->take(now);
        }
    }
}

steady_time
quota_book::queue_up(const tenant_id& tenant, const std::vector<std::string_view>& domains, steady_time now) {
    auto* own = of_tenant(tenant);
    auto at = own != nullptr && own->ready_at(now) > now ? own->queue_up(now) : now;
    for (const auto domain : domains) {
        auto* q = of_domain(domain, now);
        if (q != nullptr && q->ready_at(now) > now) {
            at = std::max(at, q->queue_up(now));
        }
    }
    return at;
}

steady_time quota_book::turn_at(const tenant_id& tenant, std::string_view domain, steady_time now) const {
    auto at = now;
    const auto look = [&](const auto& quotas, const std::string& name) {
        const auto found = quotas.find(name);
        if (found != quotas.end() && found->second.ready_at(now) > now) {
            at = std::max({at, found->second.ready_at(now), found->second.booked_until()});
        }
    };
    const std::string name{domain};
    look(tenants_, tenant.text());
    look(named_, name);
    look(others_, name);
    return at;
}

steady_time quota_book::full_until(const tenant_id& tenant, steady_time now) const {
    const auto found = tenants_.find(tenant.text());
    if (found == tenants_.end() || found->second.booked_until() < now + far_ahead) {
        return now;
    }
    return found->second.booked_until() - far_ahead;
}

}  // namespace estafette::route
