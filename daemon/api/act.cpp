#include "action_body.hpp"
#include "handlers.hpp"
#include "hold_cache.hpp"
#include "present.hpp"

#include "estafette/base/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <set>

namespace estafette::api {
namespace {

namespace json = boost::json;

std::optional<route::route_status> find_route(const gateway& below, const route_id& id) {
    for (auto& line : below.routes())
        if (line.id == id)
            return line;
    return std::nullopt;
}

// The tenant whose own server the route is; none: the relay, which all share.
std::optional<tenant_id> owner_of(const route_id& id) {
    constexpr std::string_view prefix = "tenant:";
    if (!id.text().starts_with(prefix))
        return std::nullopt;
    return tenant_id{id.text().substr(prefix.size())};
}

bool may_on_route(const access& allowed, permission what, const route_id& id) {
    const auto owner = owner_of(id);
    return owner ? allowed.may(what, *owner) : allowed.may_for_all(what);
}

// The problem, if this caller may not change this route.
std::optional<problem> refuse_route(const services& s, const access& allowed, const route_id& id) {
    if (!find_route(s.below, id) ||
        !(may_on_route(allowed, permission::read, id) || may_on_route(allowed, permission::administer, id)))
        return not_found();
    if (!may_on_route(allowed, permission::administer, id))
        return forbidden("only an administrator of all the route's tenants may do this");
    return std::nullopt;
}

response route_line(const services& s, const route_id& id) {
    const auto line = find_route(s.below, id);
    return line ? json_response(present(*line)) : to_response(not_found());
}

// Tenants of which some mail may be kept back: all of it, or that of a sender.
std::set<tenant_id> tenants_kept_back(const services& s, const config::config& c) {
    std::set<tenant_id> found;
    for (const auto& [name, tenant] : c.tenants)
        if (s.below.hold_of(tenant.id, {}))
            found.insert(tenant.id);
    for (const auto& row : s.below.pauses())
        if (row.what.kind == store::pause_kind::sender)
            found.insert(tenant_id{row.what.name});
    return found;
}

// What waits for a route, tenant or sender that does not move, found page by page: of at most 10,000 a
// tenant and state.
asio::awaitable<std::uint64_t> count_held(services& s, tenant_id tenant, store::state now) {
    constexpr std::size_t max_pages = 20;
    hold_cache holds{s.below};
    std::uint64_t sum = 0;
    std::string cursor;
    for (std::size_t i = 0; i < max_pages; ++i) {
        store::query q;
        q.tenants = {tenant};
        q.now = now;
        q.limit = 500;
        q.cursor = cursor;
        const auto page = co_await s.queue.find(std::move(q));  // the store answers within its own limit
        if (!page)
            break;
        for (const auto& r : page->recipients)
            sum += holds.of(r) ? 1 : 0;
        cursor = page->next_cursor;
        if (cursor.empty())
            break;
    }
    co_return sum;
}

asio::awaitable<store::counts>
with_derived_holds(services& s, const config::config_ptr config, store::counts c) {
    const auto at = [&](store::state now) -> std::uint64_t& {
        return c.by_state[static_cast<std::size_t>(now)];
    };
    for (const auto& tenant : tenants_kept_back(s, *config)) {
        for (const auto now : {store::state::queued, store::state::deferred}) {
            if (at(now) == 0)
                continue;
            const auto found = co_await count_held(s, tenant, now);
            const auto moved = std::min(found, at(now));
            at(now) -= moved;
            at(store::state::held) += moved;
        }
    }
    co_return c;
}

}  // namespace

asio::awaitable<response> cancel_message(services& s, request r, std::string id) {
    const auto parsed = message_id::parse(id);
    if (!parsed)
        co_return to_response(not_found());
    const access allowed{r.who, r.config->grants};
    const auto before = co_await s.queue.view(*parsed);  // the store answers within its own limit
    if (!before)
        co_return to_response(of_error(before.error()));
    const auto tenant = before->message.tenant;
    if (!allowed.may(permission::read, tenant))
        co_return to_response(not_found());
    if (!allowed.may(permission::cancel, tenant))
        co_return to_response(forbidden("your role does not allow cancelling"));
    auto body = read_action(r.body, {});
    if (body.has_error())
        co_return to_response(body.error());
    std::vector<std::uint32_t> all;
    const auto done = co_await s.below.cancel(*parsed, std::move(all), r.who.text(), std::move(body->reason));
    if (!done)
        co_return to_response(of_error(done.error()));
    if (done->cancelled == 0)
        co_return to_response(conflict("already_left", "nothing is left that could be cancelled"));
    const auto after = co_await s.queue.view(*parsed);
    if (!after)
        co_return to_response(of_error(after.error()));
    json::array recipients;
    const auto& from = after->message.from;
    const auto why_held = s.below.hold_of(tenant, from ? from->text() : std::string{});
    for (const auto& recipient : after->recipients)
        recipients.push_back(present(recipient, why_held, wording{}));
    co_return json_response({
        {"id", parsed->text()},
        {"cancelled", done->cancelled},
        {"in_hand", done->in_hand},
        {"recipients", std::move(recipients)},
    });
}

asio::awaitable<response> get_queue(services& s, request r) {
    const access allowed{r.who, r.config->grants};
    json::array routes;
    for (const auto& line : s.below.routes())
        if (may_on_route(allowed, permission::read, line.id) || !owner_of(line.id))
            routes.push_back(present(line));
    json::object out{{"states", nullptr}, {"oldest_due", nullptr}, {"routes", std::move(routes)}};
    // The sums are over all tenants: who may not see them all does not see the sums.
    if (allowed.may_for_all(permission::read)) {
        const auto counted = co_await s.queue.count();  // the store answers within its own limit
        if (!counted)
            co_return to_response(of_error(counted.error()));
        const auto shown = co_await with_derived_holds(s, r.config, *counted);
        json::object states;
        for (std::size_t i = 0; i < store::state_count; ++i)
            states[store::to_text(static_cast<store::state>(i))] = shown.by_state[i];
        out["states"] = std::move(states);
        if (shown.oldest_due)
            out["oldest_due"] = to_rfc3339(*shown.oldest_due);
    }
    co_return json_response(std::move(out));
}

asio::awaitable<response> pause_route(services& s, request r, std::string id) {
    const route_id which{std::move(id)};
    const access allowed{r.who, r.config->grants};
    if (const auto refused = refuse_route(s, allowed, which))
        co_return to_response(*refused);
    auto body = read_action(r.body, {.until = true});
    if (body.has_error())
        co_return to_response(body.error());
    const auto done = co_await s.below.pause(
        store::pause_target::of(which), body->until, std::move(body->reason), r.who.text()
    );
    co_return done ? route_line(s, which) : to_response(of_error(done.error()));
}

asio::awaitable<response> resume_route(services& s, request r, std::string id) {
    const route_id which{std::move(id)};
    const access allowed{r.who, r.config->grants};
    if (const auto refused = refuse_route(s, allowed, which))
        co_return to_response(*refused);
    const auto body = read_action(r.body, {});
    if (body.has_error())
        co_return to_response(body.error());
    const auto done = co_await s.below.resume(store::pause_target::of(which), r.who.text());
    co_return done ? route_line(s, which) : to_response(of_error(done.error()));
}

}  // namespace estafette::api
