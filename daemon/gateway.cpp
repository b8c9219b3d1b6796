#include "gateway.hpp"

namespace estafette {

namespace {

constexpr milliseconds answer_within = seconds{5};  // a longer action is answered while it works

}  // namespace

asio::awaitable<result<std::vector<sched::placed>>>
scheduler_gateway::enqueue(std::vector<sched::arrival> mail, std::optional<sched::group_claim> instead_of) {
    if (is_stopping_) {
        co_return errc::interrupted;
    }
    co_return co_await scheduler_.enqueue(std::move(mail), std::move(instead_of));
}

asio::awaitable<result<void>> scheduler_gateway::switch_off(store::switched_off what) {
    return scheduler_.switch_off(std::move(what));
}

asio::awaitable<result<std::size_t>>
scheduler_gateway::switch_on(tenant_id tenant, std::string category, std::string by) {
    return scheduler_.switch_on(std::move(tenant), std::move(category), std::move(by));
}

asio::awaitable<result<api::cancel_result>> scheduler_gateway::cancel(
    message_id id, std::vector<std::uint32_t> recipients, std::string by, std::string why
) {
    auto done = co_await scheduler_.cancel(id, std::move(recipients), std::move(by), std::move(why));
    if (!done) {
        co_return done.error();
    }
    co_return api::cancel_result{done->messages, done->cancelled, done->in_hand};
}

asio::awaitable<result<api::cancel_result>>
scheduler_gateway::cancel_labelled(store::label_query which, std::string by, std::string why) {
    auto done = co_await scheduler_.cancel_labelled(std::move(which), std::move(by), std::move(why));
    if (!done) {
        co_return done.error();
    }
    co_return api::cancel_result{done->messages, done->cancelled, done->in_hand};
}

asio::awaitable<result<sched::erase_result>> scheduler_gateway::erase(sched::erase_request what) {
    return scheduler_.erase(std::move(what));
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

std::optional<api::hold>
scheduler_gateway::hold_of(const tenant_id& tenant, const std::string& sender) const {
    const auto* kept = scheduler_.kept_back().find(tenant, sender);
    const auto of_row = [](const store::pause& p) {
        return api::hold{p.why, p.text, p.by, p.since, p.until, p.what};
    };
    if (kept != nullptr && kept->what.kind == store::pause_kind::tenant) {
        return of_row(*kept);
    }
    const auto* r = routes_.find(tenant);
    if (r == nullptr) {
        return api::hold{
            verdict::reason::other,
            "the tenant has no route",
            "daemon",
            {},
            {},
            store::pause_target::of(tenant)
        };
    }
    const auto s = r->status();
    if (s.state != route::route_state::active) {
        const auto why = s.why.value_or(verdict::reason::other);
        return api::hold{why, s.text, s.by, s.since, s.until, store::pause_target::of(s.id)};
    }
    return kept != nullptr ? std::optional{of_row(*kept)} : std::nullopt;
}

verdict::domain_fact scheduler_gateway::domain_of(const tenant_id& tenant, std::string_view domain) const {
    const auto* r = routes_.find(tenant);
    return r == nullptr ? verdict::domain_fact{} : scheduler_.domain_of(r->id(), domain);
}

std::vector<store::pause> scheduler_gateway::pauses() const {
    auto rows = scheduler_.kept_back().all();
    std::erase_if(rows, [](const auto& row) { return row.what.kind == store::pause_kind::route; });
    return rows;
}

asio::awaitable<result<void>> scheduler_gateway::pause(
    store::pause_target what, std::optional<wall_time> until, std::string text, std::string by
) {
    return scheduler_.pause(std::move(what), until, std::move(text), std::move(by));
}

asio::awaitable<result<void>> scheduler_gateway::resume(store::pause_target what, std::string by) {
    return scheduler_.resume(std::move(what), std::move(by));
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

asio::awaitable<result<std::uint64_t>>
scheduler_gateway::count_for(store::action_verb verb, store::selector whom) {
    return admin_.count(verb, std::move(whom));
}

asio::awaitable<result<store::action>> scheduler_gateway::act(api::action_order what) {
    const auto begun = co_await admin_.begin(
        {what.verb, std::move(what.whom), std::move(what.reason), std::move(what.by), what.expires_at}
    );
    if (!begun) {
        co_return begun.error();
    }
    co_await admin_.settled(begun->id, answer_within);
    co_return co_await admin_.find(begun->id);
}

asio::awaitable<result<store::action>> scheduler_gateway::undo(std::uint64_t id, std::string by) {
    return admin_.undo(id, std::move(by));
}

asio::awaitable<result<store::action>> scheduler_gateway::find_action(std::uint64_t id) {
    return admin_.find(id);
}

asio::awaitable<result<std::vector<store::action>>>
scheduler_gateway::actions(std::uint64_t below, std::size_t limit) {
    return admin_.list(below, limit);
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
