#include "estafette/sched/scheduler_state.hpp"

#include "estafette/base/time.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace estafette::sched {

scheduler_state::scheduler_state(
    asio::any_io_executor loop,
    store::queue& queue,
    store::suppressions& lists,
    route::table& routes,
    const verdict::classifier& classifier,
    metrics& meters
)
    : loop_{loop}
    , queue_{queue}
    , lists_{lists}
    , routes_{routes}
    , classifier_{classifier}
    , meters_{meters}
    , tasks_{loop}
    , turns_{loop}
    , wake_{loop}
    , domains_{wall_now()} {}

verdict::domain_fact scheduler_state::domain_of(const route_id& route, std::string_view domain) const {
    return domains_.of(route, domain, wall_now());
}

wall_time scheduler_state::wall_now() const {
    return clock_ ? clock_() : std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

const config::tenant_options& scheduler_state::options_of(const tenant_id& tenant) const {
    static const config::tenant_options standard{};
    const auto* found = config_->find_tenant(tenant);
    return found != nullptr ? *found : standard;
}

bool scheduler_state::is_switched_off(const mail::message& m) const {
    if (m.category.empty()) {
        return false;
    }
    const auto& always = options_of(m.tenant).categories_off;
    if (std::ranges::find(always, m.category) != always.end()) {
        return true;
    }
    const auto found = off_.find({m.tenant, m.category});
    return found != off_.end() && (!found->second.until || *found->second.until > wall_now());
}

wall_time scheduler_state::opens_at(const tenant_id& tenant, mail::priority p, wall_time t) const {
    const auto& window = options_of(tenant).send_window;
    return window && window->applies_to(p) ? config::next_open(*window, t) : t;
}

bool scheduler_state::may_be_stopped(const mail::message& m) const {
    return !m.ignore_suppression && std::ranges::any_of(m.to, [&](const mail::address& to) {
        return lists_.may_have(m.tenant, to.text());
    });
}

std::vector<std::uint32_t> scheduler_state::in_hand_of(const tenant_id& tenant, const message_id& id) const {
    const auto* r = routes_.find(tenant);
    return r != nullptr ? r->in_hand(id) : std::vector<std::uint32_t>{};
}

// When mail of a held sender is due again; none: it is not held.
std::optional<wall_time>
scheduler_state::parked_until(const tenant_id& tenant, const std::string& sender, wall_time now) const {
    const auto* row = holds_.find(tenant, sender);
    return row != nullptr && row->what.kind == store::pause_kind::sender
               ? std::optional{holds::parked_until(*row, now)}
               : std::nullopt;
}

std::optional<verdict::reason>
scheduler_state::kept_back_for(const tenant_id& tenant, const std::string& sender) const {
    if (const auto* row = holds_.find(tenant, sender)) {
        return row->why;
    }
    const auto* r = routes_.find(tenant);
    if (r == nullptr) {
        return verdict::reason::other;
    }
    const auto s = r->status();
    return s.state == route::route_state::active ? std::nullopt
                                                 : std::optional{s.why.value_or(verdict::reason::other)};
}

// Claims and changes take turns: what is on its way from the store to a route is nowhere to be found.
scheduler_state::turn::turn(scheduler_state& of)
    : of_{of} {
    of_.is_taken_ = true;
}

scheduler_state::turn::~turn() {
    of_.is_taken_ = false;
}

asio::awaitable<std::unique_ptr<scheduler_state::turn>> scheduler_state::take_turn() {
    while (is_taken_) {  // each turn is a few calls of the store
        asio::steady_timer pause{loop_, milliseconds{1}};
        boost::system::error_code ec;
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    }
    co_return std::make_unique<turn>(*this);
}

}  // namespace estafette::sched
