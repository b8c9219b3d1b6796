// How many messages may go in a time, as servers publish it: a limit, and the limits of a route's tenants
// and of its recipients' domains. Pure: `now` is a parameter.
//
// Promise: no more than the limit in any period of that length, wherever it begins (rolling), within a
// sixteenth of the period. Memory is bounded: domains beyond what is kept share one limit.
// Source: the limits that providers publish (conf/profiles).
#pragma once

#include "estafette/base/error.hpp"
#include "estafette/base/ids.hpp"
#include "estafette/base/time.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace estafette::route {

// "30/m", "5/s", "2000/h", "10000/d".
class rate_limit {
public:
    // errc::duration_invalid for another form.
    [[nodiscard]] static result<rate_limit> parse(std::string_view text);

    // When the next one may go: ≤ now means at once.
    [[nodiscard]] steady_time ready_at(steady_time now) const;
    void take(steady_time now);

    // Between two messages, if they were spread evenly.
    [[nodiscard]] steady_time::duration interval() const { return period_ / count_; }

    [[nodiscard]] bool is_unused(steady_time now) const { return slot_of(now) - newest_ >= slots; }

private:
    static constexpr std::int64_t slots = 17;  // a sixteenth of the period each; the oldest is leaving

    rate_limit(std::uint32_t count, steady_time::duration period)
        : count_{count}
        , period_{period} {}

    [[nodiscard]] std::int64_t slot_of(steady_time t) const;

    [[nodiscard]] static std::size_t place_of(std::int64_t slot) {
        return static_cast<std::size_t>((slot % slots + slots) % slots);
    }

    std::uint32_t count_;
    steady_time::duration period_;
    std::int64_t newest_ = INT64_MIN / 2;       // the slot of the last message
    std::array<std::uint32_t, slots> taken_{};  // by slot modulo `slots`; those up to newest_ count
};

// Several limits that all hold.
class quota {
public:
    quota() = default;
    explicit quota(const std::vector<std::string>& rates);  // what is no rate is left out

    [[nodiscard]] steady_time ready_at(steady_time now) const;
    void take(steady_time now);

    // A turn for a message that may not go now: each gets another one, at most an hour away.
    [[nodiscard]] steady_time queue_up(steady_time now);

    // Until when turns were given out.
    [[nodiscard]] steady_time booked_until() const noexcept { return booked_until_; }

    [[nodiscard]] bool is_unused(steady_time now) const;

private:
    std::vector<rate_limit> limits_;
    steady_time booked_until_{};
};

// The quotas of one route besides its own: by tenant, and by recipient's domain.
class quota_book {
public:
    using by_name = std::map<std::string, std::vector<std::string>>;

    explicit quota_book(const by_name& domains = {});

    // Quotas of tenants that stay the same keep their count.
    void set_tenants(by_name tenants);

    // When a message of this tenant for these domains (each once) may go: ≤ now means at once.
    [[nodiscard]] steady_time
    ready_at(const tenant_id& tenant, const std::vector<std::string_view>& domains, steady_time now);
    void take(const tenant_id& tenant, const std::vector<std::string_view>& domains, steady_time now);

    // Its turn, where it may not go now.
    [[nodiscard]] steady_time
    queue_up(const tenant_id& tenant, const std::vector<std::string_view>& domains, steady_time now);

    // When a message would have its turn, without giving it one.
    [[nodiscard]] steady_time
    turn_at(const tenant_id& tenant, std::string_view domain, steady_time now) const;

    // So many turns of this tenant are given out that more of its mail should stay where it is, until then.
    [[nodiscard]] steady_time full_until(const tenant_id& tenant, steady_time now) const;

    [[nodiscard]] bool empty() const noexcept { return named_.empty() && !has_others_ && tenants_.empty(); }

    static constexpr std::size_t most_domains = 4096;  // that no option names

private:
    [[nodiscard]] quota* of_tenant(const tenant_id& tenant);
    [[nodiscard]] quota* of_domain(std::string_view domain, steady_time now);

    by_name tenant_rates_;
    std::unordered_map<std::string, quota> tenants_;
    std::unordered_map<std::string, quota> named_;
    std::vector<std::string> other_rates_;  // of each domain that is not named
    bool has_others_ = false;
    std::unordered_map<std::string, quota> others_;
    quota overflow_;  // shared by the domains beyond most_domains
};

}  // namespace estafette::route
