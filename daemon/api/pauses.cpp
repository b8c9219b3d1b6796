// Pauses of tenants and of their senders.
#include "action_body.hpp"
#include "handlers.hpp"
#include "present.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace estafette::api {
namespace {

namespace json = boost::json;

// The problem, if this caller may not act on this tenant; one that nobody knows is a 404.
std::optional<problem> refuse_tenant(const request& r, const tenant_id& tenant) {
    const access allowed{r.who, r.config->grants};
    const bool is_seen = allowed.may(permission::read, tenant) || allowed.may(permission::administer, tenant);
    if (r.config->find_tenant(tenant) == nullptr || !is_seen)
        return not_found();
    if (!allowed.may(permission::administer, tenant))
        return forbidden("only an administrator of the tenant may do this");
    return std::nullopt;
}

store::pause_target target_of(const tenant_id& tenant, const action_body& body) {
    return body.sender ? store::pause_target::of(tenant, *body.sender) : store::pause_target::of(tenant);
}

response line_of(const services& s, const store::pause_target& what) {
    for (const auto& row : s.below.pauses())
        if (row.what == what)
            return json_response(present(row));
    return json_response(
        {{"kind", store::to_text(what.kind)},
         {"id", what.name},
         {"sender", what.kind == store::pause_kind::sender ? json::value(what.sender) : json::value(nullptr)}}
    );
}

}  // namespace

asio::awaitable<response> get_pauses(services& s, request r) {
    const access allowed{r.who, r.config->grants};
    json::array rows;
    for (const auto& row : s.below.pauses())
        if (allowed.may(permission::read, row.what.tenant()))
            rows.push_back(present(row));
    co_return json_response({{"pauses", std::move(rows)}});
}

asio::awaitable<response> pause_tenant(services& s, request r, std::string name) {
    const tenant_id tenant{std::move(name)};
    if (const auto refused = refuse_tenant(r, tenant))
        co_return to_response(*refused);
    auto body = read_action(r.body, {.until = true, .sender = true});
    if (body.has_error())
        co_return to_response(body.error());
    const auto what = target_of(tenant, *body);
    const auto done = co_await s.below.pause(what, body->until, std::move(body->reason), r.who.text());
    co_return done ? line_of(s, what) : to_response(of_error(done.error()));
}

asio::awaitable<response> resume_tenant(services& s, request r, std::string name) {
    const tenant_id tenant{std::move(name)};
    if (const auto refused = refuse_tenant(r, tenant))
        co_return to_response(*refused);
    auto body = read_action(r.body, {.until = false, .sender = true});
    if (body.has_error())
        co_return to_response(body.error());
    const auto what = target_of(tenant, *body);
    const auto done = co_await s.below.resume(what, r.who.text());
    if (!done && done.error() == errc::not_found)
        co_return to_response(conflict("not_paused", "it is not paused"));
    co_return done ? line_of(s, what) : to_response(of_error(done.error()));
}

}  // namespace estafette::api
