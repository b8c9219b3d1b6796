// Administrators' actions: POST /v1/actions and what became of them.
#include "handlers.hpp"
#include "present.hpp"
#include "selector_reader.hpp"

#include "estafette/base/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <charconv>

namespace estafette::api {
namespace {

namespace json = boost::json;
using store::action_verb;

json::value time_or_null(const std::optional<wall_time>& t) {
    return t ? json::value(to_rfc3339(*t)) : json::value(nullptr);
}

json::object present(const store::action& a) {
    const char* state = a.undone_at ? "undone" : a.done_at ? "done" : "running";
    return {
        {"id", a.id},
        {"verb", store::to_text(a.verb)},
        {"selector", json::parse(store::to_json(a.whom, store::selector_form::for_people))},
        {"reason", a.reason},
        {"by", a.by},
        {"at", to_rfc3339(a.at)},
        {"expires_at", time_or_null(a.expires_at)},
        {"state", state},
        {"count", a.count},
        {"done_at", time_or_null(a.done_at)},
        {"undone_at", time_or_null(a.undone_at)},
        {"undone_by", a.undone_by.empty() ? json::value(nullptr) : json::value(a.undone_by)},
        {"can_be_undone", a.done_at && !a.undone_at && store::can_be_undone(a.verb)},
    };
}

// Whether the caller is an administrator of all that the action concerned.
bool may_see(const access& allowed, const store::action& a) {
    if (!a.whom.tenants)
        return allowed.may_for_all(permission::administer);
    return std::ranges::all_of(*a.whom.tenants, [&](const tenant_id& t) {
        return allowed.may(permission::administer, t);
    });
}

route_id route_of(const config::tenant_options& t) {
    return route_id{t.route == config::tenant_route::own ? "tenant:" + t.id.text() : "relay"};
}

std::optional<problem> check_tenant(const request& r, const access& allowed, const tenant_id& tenant) {
    const bool is_seen = allowed.may(permission::read, tenant) || allowed.may(permission::administer, tenant);
    if (r.config->find_tenant(tenant) == nullptr || !is_seen)
        return not_found();
    if (!allowed.may(permission::administer, tenant))
        return forbidden("only an administrator of the tenant may do this");
    return std::nullopt;
}

// The tenants that the caller may touch with this selector; a problem where there are none.
std::optional<problem>
limit_to_caller(const services& s, const request& r, action_verb verb, store::selector& whom) {
    const access allowed{r.who, r.config->grants};
    auto tenants = allowed.tenants(permission::administer);
    if (tenants && tenants->empty())
        return forbidden("only an administrator may do this");
    if (whom.tenant) {
        const tenant_id tenant{*whom.tenant};
        if (auto refused = check_tenant(r, allowed, tenant))
            return refused;
        tenants = std::vector{tenant};
    }
    if (whom.route) {
        const route_id route{*whom.route};
        const auto lines = s.below.routes();
        if (std::ranges::find(lines, route, &route::route_status::id) == lines.end())
            return not_found();
        std::vector<tenant_id> users;
        for (const auto& [name, t] : r.config->tenants)
            if (route_of(t) == route && (!tenants || std::ranges::find(*tenants, t.id) != tenants->end()))
                users.push_back(t.id);
        const bool is_pause = verb == action_verb::pause || verb == action_verb::resume;
        if (users.empty() || (is_pause && route.text() == "relay" && tenants))
            return not_found();
        if (!is_pause || route.text() != "relay")
            tenants = std::move(users);
    }
    whom.tenants = std::move(tenants);
    return std::nullopt;
}

asio::awaitable<response> answer_count(services& s, action_verb verb, store::selector whom) {
    const auto counted = co_await s.below.count_for(verb, std::move(whom));
    if (!counted)
        co_return to_response(of_error(counted.error()));
    co_return json_response({{"dry_run", true}, {"verb", store::to_text(verb)}, {"count", *counted}});
}

response line_of(const store::action& a) {
    auto out = json_response(present(a));
    out.status = a.done_at ? 200 : 202;
    return out;
}

}  // namespace

asio::awaitable<response> post_action(services& s, request r) {
    auto asked =
        read_action_request(r.body, std::chrono::floor<milliseconds>(std::chrono::system_clock::now()));
    if (asked.has_error())
        co_return to_response(asked.error());
    if (auto refused = limit_to_caller(s, r, asked->verb, asked->whom))
        co_return to_response(*refused);
    if (asked->dry_run)
        co_return co_await answer_count(s, asked->verb, std::move(asked->whom));
    action_order order{
        asked->verb, std::move(asked->whom), std::move(asked->reason), r.who.text(), asked->expires_at
    };
    const auto done = co_await s.below.act(std::move(order));
    if (!done && done.error() == errc::not_found)
        co_return to_response(conflict("not_paused", "it is not paused"));
    co_return done ? line_of(*done) : to_response(of_error(done.error()));
}

asio::awaitable<response> get_actions(services& s, request r) {
    const access allowed{r.who, r.config->grants};
    std::uint64_t below = 0;
    std::size_t limit = 100;
    for (const auto& [name, value] : r.where.query) {
        const auto* end = value.data() + value.size();
        const auto parsed = name == "cursor" ? std::from_chars(value.data(), end, below)
                                             : std::from_chars(value.data(), end, limit);
        if ((name != "cursor" && name != "limit") || parsed.ptr != end || parsed.ec != std::errc{} ||
            limit < 1 || limit > 500)
            co_return to_response(invalid("/" + printable(name, 64), errc::field_unknown));
    }
    const auto found = co_await s.below.actions(below, limit);
    if (!found)
        co_return to_response(of_error(found.error()));
    json::array lines;
    for (const auto& a : *found)
        if (may_see(allowed, a))
            lines.push_back(present(a));
    const bool has_more = found->size() == limit && found->back().id > 1;
    co_return json_response(
        {{"actions", std::move(lines)},
         {"next", has_more ? json::value(std::to_string(found->back().id)) : json::value(nullptr)}}
    );
}

asio::awaitable<response> undo_action(services& s, request r, std::string id) {
    const access allowed{r.who, r.config->grants};
    std::uint64_t number = 0;
    const auto parsed = std::from_chars(id.data(), id.data() + id.size(), number);
    if (parsed.ec != std::errc{} || parsed.ptr != id.data() + id.size() || number == 0)
        co_return to_response(not_found());
    const auto before = co_await s.below.find_action(number);
    if (!before || !may_see(allowed, *before))
        co_return to_response(not_found());
    if (!store::can_be_undone(before->verb))
        co_return to_response(conflict(
            "not_undoable", "what a " + std::string{store::to_text(before->verb)} + " did cannot be undone"
        ));
    const auto done = co_await s.below.undo(number, r.who.text());
    if (!done && done.error() == errc::conflict)
        co_return to_response(conflict(
            before->undone_at ? "already_undone" : "still_running",
            before->undone_at ? "it is undone already" : "it is still at work; undo it when it is done"
        ));
    co_return done ? line_of(*done) : to_response(of_error(done.error()));
}

}  // namespace estafette::api
