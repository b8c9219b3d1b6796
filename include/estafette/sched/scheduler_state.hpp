// What the scheduler has at hand (the store, the routes, the lists) and what it knows by itself: the clock,
// holds, sending hours, kinds of mail that are not wanted; and what can be said from that alone, without
// asking the store. The scheduler acts on it.
// Thread: the loop.
#pragma once

#include "estafette/base/metrics.hpp"
#include "estafette/route/table.hpp"
#include "estafette/sched/agenda.hpp"
#include "estafette/sched/denials.hpp"
#include "estafette/sched/domain_record.hpp"
#include "estafette/sched/holds.hpp"
#include "estafette/sched/turns.hpp"
#include "estafette/sched/watchdog.hpp"
#include "estafette/store/suppressions.hpp"
#include "estafette/verdict/classifier.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace estafette::sched {

namespace asio = boost::asio;

class scheduler_state {
public:
    // All references outlive it.
    scheduler_state(
        asio::any_io_executor loop,
        store::queue& queue,
        store::suppressions& lists,
        route::table& routes,
        const verdict::classifier& classifier,
        metrics& meters
    );
    scheduler_state(const scheduler_state&) = delete;
    scheduler_state& operator=(const scheduler_state&) = delete;

    // Tests bring their own clock, which may jump.
    void set_clock(std::function<wall_time()> clock) { clock_ = std::move(clock); }

    // Tenants and senders that are kept back.
    [[nodiscard]] const holds& kept_back() const noexcept { return holds_; }

    // What became lately of mail through this route to a domain.
    [[nodiscard]] verdict::domain_fact domain_of(const route_id& route, std::string_view domain) const;

protected:
    ~scheduler_state() = default;

    // Held while recipients move between the store and the routes.
    class turn {
    public:
        explicit turn(scheduler_state& of);
        ~turn();
        turn(const turn&) = delete;
        turn& operator=(const turn&) = delete;

    private:
        scheduler_state& of_;
    };

    [[nodiscard]] asio::awaitable<std::unique_ptr<turn>> take_turn();

    [[nodiscard]] std::vector<std::uint32_t> in_hand_of(const tenant_id& tenant, const message_id& id) const;
    [[nodiscard]] wall_time wall_now() const;
    [[nodiscard]] bool is_switched_off(const mail::message& m) const;
    [[nodiscard]] wall_time opens_at(const tenant_id& tenant, mail::priority p, wall_time t) const;
    [[nodiscard]] std::optional<wall_time>
    parked_until(const tenant_id& tenant, const std::string& sender, wall_time now) const;
    [[nodiscard]] std::optional<verdict::reason>
    kept_back_for(const tenant_id& tenant, const std::string& sender) const;
    [[nodiscard]] const config::tenant_options& options_of(const tenant_id& tenant) const;
    [[nodiscard]] bool may_be_stopped(const mail::message& m) const;

    asio::any_io_executor loop_;
    store::queue& queue_;
    store::suppressions& lists_;
    route::table& routes_;
    const verdict::classifier& classifier_;
    metrics& meters_;
    config::config_ptr config_;
    net::task_group tasks_;  // small writes that nobody waits for
    turns turns_;
    asio::steady_timer wake_;
    wall_time look_again_{};  // when run() claims next, unless poked
    clock_watch watch_;
    std::function<wall_time()> clock_;
    std::map<std::pair<tenant_id, std::string>, store::switched_off> off_;
    wall_time hours_change_at_{};  // when some tenant's window opens or closes next
    bool is_scrubbing_ = false;
    bool scrubs_again_ = false;
    domain_record domains_;
    holds holds_;
    denials denials_;
    claim_watch claims_;
    wall_time watched_since_{};
    std::map<route_id, wall_time> moved_at_;  // its last outcome
    wall_time tend_at_{};                     // when a hold ends or is probed
    bool is_taken_ = false;                   // a turn is
    bool poked_ = false;
    bool is_stopping_ = false;
    bool has_failed_ = false;
    std::map<wall_time, std::vector<recipient_id>> postponed_;  // on their way to the store
};

}  // namespace estafette::sched
