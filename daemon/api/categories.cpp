// Kinds of mail that a tenant does not want: listed, switched off and on.
#include "body_fields.hpp"
#include "handlers.hpp"
#include "intake.hpp"

#include "estafette/base/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace estafette::api {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_category = 255;

response json_response(json::object body) {
    response r;
    r.body = json::serialize(body) + "\n";
    return r;
}

json::value time_or_null(const std::optional<wall_time>& t) {
    return t ? json::value(to_rfc3339(*t)) : json::value(nullptr);
}

json::object line_of(const store::switched_off& row) {
    return {
        {"tenant", row.tenant.text()},
        {"category", row.category},
        {"from", "switch"},
        {"since", to_rfc3339(row.since)},
        {"until", time_or_null(row.until)},
        {"by", row.by},
        {"reason", row.why},
    };
}

json::object line_of(const tenant_id& tenant, const std::string& category) {
    return {
        {"tenant", tenant.text()},
        {"category", category},
        {"from", "configuration"},
        {"since", nullptr},
        {"until", nullptr},
        {"by", nullptr},
        {"reason", ""},
    };
}

bool is_category(const std::string& text) {
    return !text.empty() && text.size() <= longest_category && printable(text, longest_category) == text;
}

// The tenant, or what is wrong with the call.
boost::system::result<tenant_id, problem>
tenant_to_switch(const request& r, const std::string& category, const std::optional<std::string>& named) {
    const access allowed{r.who, r.config->grants};
    const auto readable = find_tenant(*r.config, allowed, permission::read, named);
    if (!readable || !is_category(category))
        return not_found();
    if (!allowed.may(permission::administer, (*readable)->id))
        return forbidden("only an administrator of the tenant switches categories");
    return (*readable)->id;
}

}  // namespace

asio::awaitable<response> get_categories(services& s, request r) {
    const access allowed{r.who, r.config->grants};
    const auto* named = r.where.find("tenant");
    if (named != nullptr && (!allowed.may(permission::read, tenant_id{*named}) ||
                             r.config->find_tenant(tenant_id{*named}) == nullptr))
        co_return to_response(not_found());
    const auto is_asked_for = [&](const tenant_id& t) {
        return named != nullptr ? t.text() == *named : allowed.may(permission::read, t);
    };
    const auto rows = co_await s.queue.categories_off();  // the store answers within its own limit
    if (!rows)
        co_return to_response(of_error(rows.error()));
    json::array lines;
    for (const auto& row : *rows)
        if (is_asked_for(row.tenant))
            lines.push_back(line_of(row));
    for (const auto& [name, tenant] : r.config->tenants)
        if (is_asked_for(tenant.id))
            for (const auto& category : tenant.categories_off)
                lines.push_back(line_of(tenant.id, category));
    co_return json_response({{"categories", std::move(lines)}});
}

asio::awaitable<response> switch_category_off(services& s, request r, std::string category) {
    std::optional<std::string> named, reason, until;
    if (auto wrong = read_body_fields(r.body, {{"tenant", &named}, {"reason", &reason}, {"until", &until}}))
        co_return to_response(*wrong);
    const auto tenant = tenant_to_switch(r, category, named);
    if (tenant.has_error())
        co_return to_response(tenant.error());
    store::switched_off what{*tenant, category, {}, {}, r.who.text(), reason_of(reason)};
    what.since = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
    if (until) {
        const auto at = parse_rfc3339(*until);
        if (!at)
            co_return to_response(invalid("/until", at.error()));
        what.until = *at;
    }
    const auto done = co_await s.below.switch_off(what);
    co_return done ? json_response(line_of(what)) : to_response(of_error(done.error()));
}

asio::awaitable<response> switch_category_on(services& s, request r, std::string category) {
    std::optional<std::string> named, reason;
    if (auto wrong = read_body_fields(r.body, {{"tenant", &named}, {"reason", &reason}}))
        co_return to_response(*wrong);
    const auto tenant = tenant_to_switch(r, category, named);
    if (tenant.has_error())
        co_return to_response(tenant.error());
    const auto done = co_await s.below.switch_on(*tenant, category, r.who.text());
    if (!done)
        co_return to_response(of_error(done.error()));
    const auto& always = r.config->find_tenant(*tenant)->categories_off;
    if (std::ranges::find(always, category) != always.end())
        co_return to_response(conflict("conflict", "the configuration switches it off (categories_off)"));
    co_return json_response({{"tenant", tenant->text()}, {"category", category}, {"was_off", *done != 0}});
}

}  // namespace estafette::api
