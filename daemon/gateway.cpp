#include "gateway.hpp"

namespace estafette {

asio::awaitable<result<void>> scheduler_gateway::enqueue(std::vector<store::enqueued> mail) {
    if (is_stopping_) {
        co_return errc::interrupted;
    }
    co_return co_await scheduler_.enqueue(std::move(mail));
}

asio::awaitable<result<api::cancel_result>> scheduler_gateway::cancel(
    message_id id, std::vector<std::uint32_t> recipients, std::string by, std::string why
) {
    auto done = co_await scheduler_.cancel(id, std::move(recipients), std::move(by), std::move(why));
    if (!done) {
        co_return done.error();
    }
    co_return api::cancel_result{done->cancelled, done->in_hand};
}

std::vector<route::route_status> scheduler_gateway::routes() const {
    std::vector<route::route_status> lines;
    for (const auto* r : routes_.all()) {
        lines.push_back(r->status());
    }
    return lines;
}

std::optional<wall_time>
scheduler_gateway::limited_until(const tenant_id& tenant, std::string_view address) const {
    const auto* r = routes_.find(tenant);
    return r != nullptr ? r->limited_until(tenant, address.substr(address.rfind('@') + 1)) : std::nullopt;
}

std::optional<api::hold> scheduler_gateway::hold_of(const tenant_id& tenant) const {
    const auto* r = routes_.find(tenant);
    if (r == nullptr) {
        return api::hold{verdict::reason::other, "the tenant has no route", "daemon", {}, {}};
    }
    const auto s = r->status();
    if (s.state == route::route_state::active) {
        return std::nullopt;
    }
    return api::hold{s.why.value_or(verdict::reason::other), s.text, s.by, s.since, s.until};
}

verdict::domain_fact scheduler_gateway::domain_of(const tenant_id& tenant, std::string_view domain) const {
    const auto* r = routes_.find(tenant);
    return r == nullptr ? verdict::domain_fact{} : scheduler_.domain_of(r->id(), domain);
}

asio::awaitable<result<void>>
scheduler_gateway::pause(route_id which, std::optional<wall_time> until, std::string text, std::string by) {
    return scheduler_.pause(std::move(which), until, std::move(text), std::move(by));
}

asio::awaitable<result<void>> scheduler_gateway::resume(route_id which, std::string by) {
    return scheduler_.resume(std::move(which), std::move(by));
}

api::unmatched_replies scheduler_gateway::unmatched() const {
    return {rules_.unmatched_count(), rules_.unmatched()};
}

asio::awaitable<result<bounce::taken>> scheduler_gateway::take_bounce(bounce::mail_in in) {
    return bounces_.take(std::move(in));
}

asio::awaitable<result<bounce::webhook_taken>> scheduler_gateway::take_webhook(bounce::webhook_in in) {
    return bounces_.take(std::move(in));
}

asio::awaitable<result<std::size_t>> scheduler_gateway::suppress(std::vector<store::suppressed> lines) {
    return lists_.add(std::move(lines));
}

asio::awaitable<result<std::size_t>>
scheduler_gateway::unsuppress(tenant_id tenant, std::string address, std::string by) {
    return lists_.remove(std::move(tenant), std::move(address), std::move(by));
}

api::readiness scheduler_gateway::ready() const {
    api::readiness r;
    const auto health = queue_.health();
    r.checks.emplace_back("store", health ? health.message() : "ok");
    r.checks.emplace_back("space", queue_.is_full() ? "no space for new mail" : "ok");
    r.checks.emplace_back("accepting", is_stopping_ ? "stopping" : "ok");
    r.is_ready = !health && !queue_.is_full() && !is_stopping_;
    return r;
}

std::string scheduler_gateway::metrics_text() {
    sample_process(meters_);
    return meters_.render();
}

}  // namespace estafette
