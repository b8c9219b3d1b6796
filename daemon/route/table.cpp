#include "estafette/route/table.hpp"

#include <stdexcept>

namespace estafette::route {

namespace {

// The limits of the tenants whose mail takes each route.
std::map<route_id, quota_book::by_name>
rates_of(const std::map<tenant_id, route_id>& tenants, const config::config& c) {
    std::map<route_id, quota_book::by_name> rates;
    for (const auto& [tenant, id] : tenants) {
        const auto* options = c.find_tenant(tenant);
        if (options != nullptr && !options->rates.empty()) {
            rates[id][tenant.text()] = options->rates;
        }
    }
    return rates;
}

}  // namespace

table::table(asio::any_io_executor loop, services uses)
    : loop_{std::move(loop)}
    , uses_{uses} {}

boost::system::result<void, std::string> table::load(const config::config& c) {
    std::vector<config::route_options> wanted;
    std::map<tenant_id, route_id> tenants;
    if (c.relay) {
        wanted.push_back(*c.relay);
    }
    for (const auto& [name, tenant] : c.tenants) {
        if (tenant.route == config::tenant_route::own) {
            if (tenant.server) {
                wanted.push_back(*tenant.server);
                tenants[tenant.id] = tenant.server->id;
            }
        } else if (c.relay) {
            tenants[tenant.id] = c.relay->id;
        }
    }
    std::map<route_id, std::unique_ptr<route>> next;
    std::vector<route_id> kept;
    for (auto& options : wanted) {
        std::string password;
        if (!options.username.empty()) {
            auto secret = config::read_secret(options.password_file);
            if (!secret) {
                return "route " + options.id.text() + ": cannot read the password file " +
                       options.password_file;
            }
            password = std::move(*secret);
        }
        const auto existing = routes_.find(options.id);
        if (existing != routes_.end() && existing->second->options() == options &&
            existing->second->has_password(password)) {
            kept.push_back(options.id);
            continue;
        }
        const auto id = options.id;
        try {
            next[id] =
                std::make_unique<route>(loop_, std::move(options), c.hostname, std::move(password), uses_);
        } catch (const std::runtime_error& unusable) {  // its trust or certificate files
            return "route " + id.text() + ": " + unusable.what();
        }
    }
    for (const auto& id : kept) {
        next[id] = std::move(routes_.at(id));
        routes_.erase(id);
    }
    std::erase_if(leaving_, [](const auto& r) { return r->has_ended(); });
    auto old = std::exchange(routes_, std::move(next));
    by_tenant_.clear();
    for (const auto& [tenant, id] : tenants) {
        by_tenant_[tenant] = routes_.at(id).get();
    }
    auto rates = rates_of(tenants, c);
    for (const auto& [id, r] : routes_) {
        r->limit_tenants(std::move(rates[id]));
    }
    for (auto& [id, r] : old) {
        r->stop(asio::cancellation_type::total);
        leaving_.push_back(std::move(r));
    }
    return {};
}

route* table::find(const tenant_id& tenant) const {
    const auto found = by_tenant_.find(tenant);
    return found == by_tenant_.end() ? nullptr : found->second;
}

route* table::find(const route_id& id) const {
    const auto found = routes_.find(id);
    return found == routes_.end() ? nullptr : found->second.get();
}

std::vector<route*> table::all() const {
    std::vector<route*> routes;
    for (const auto& [id, r] : routes_) {
        routes.push_back(r.get());
    }
    return routes;
}

std::vector<recipient_id> table::in_hand() const {
    std::vector<recipient_id> found;
    const auto add = [&](const route& r) {
        const auto ids = r.in_hand();
        found.insert(found.end(), ids.begin(), ids.end());
    };
    for (const auto& [id, r] : routes_) {
        add(*r);
    }
    for (const auto& r : leaving_) {
        add(*r);
    }
    return found;
}

std::vector<recipient_id> table::known() const {
    auto found = in_hand();
    for (const auto& [id, r] : routes_) {
        const auto ids = r->ready();
        found.insert(found.end(), ids.begin(), ids.end());
    }
    return found;
}

void table::stop(asio::cancellation_type how) {
    for (const auto& [id, r] : routes_) {
        r->stop(how);
    }
    for (const auto& r : leaving_) {
        r->stop(how);
    }
}

asio::awaitable<bool> table::wait(milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    bool all_ended = true;
    for (const auto& [id, r] : routes_) {
        const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
        const bool ended = co_await r->wait(std::max(left, milliseconds{0}));
        all_ended = all_ended && ended;
    }
    for (const auto& r : leaving_) {
        const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
        const bool ended = co_await r->wait(std::max(left, milliseconds{0}));
        all_ended = all_ended && ended;
    }
    co_return all_ended;
}

}  // namespace estafette::route
