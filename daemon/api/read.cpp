#include "action_body.hpp"
#include "handlers.hpp"
#include "hold_cache.hpp"
#include "present.hpp"

#include "estafette/base/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>

namespace estafette::api {
namespace {

namespace json = boost::json;

wall_time wall_now() {
    return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

struct recipients_query {
    store::query what;
    std::optional<tenant_id> tenant;
    std::vector<mail::field_error> errors;

    void refuse(const char* pointer, error_code why, std::string detail = {}) {
        errors.push_back({pointer, why, detail.empty() ? why.message() : std::move(detail)});
    }
};

void read_filter(recipients_query& q, const std::string& value) {
    auto parsed = mail::address::parse(value);
    if (parsed)
        q.what.address = parsed->text();
    else
        q.refuse("/address", parsed.error());
}

void read_limit(recipients_query& q, const std::string& value) {
    std::uint32_t limit = 0;
    const auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), limit);
    if (ec != std::errc{} || end != value.data() + value.size() || limit < 1 || limit > 500)
        q.refuse("/limit", errc::field_type, "must be a number from 1 to 500");
    else
        q.what.limit = limit;
}

recipients_query read_query(const target& where) {
    recipients_query q;
    for (const auto& [name, value] : where.query) {
        if (name == "address") {
            read_filter(q, value);
        } else if (name == "state") {
            q.what.now = store::parse_state(value);
            if (!q.what.now)
                q.refuse("/state", errc::field_type, "there is no such state");
        } else if (name == "reason") {
            q.what.why = verdict::parse_reason(value);
            if (!q.what.why)
                q.refuse("/reason", errc::field_type, "there is no such reason");
        } else if (name == "tenant") {
            q.tenant = tenant_id{value};
        } else if (name == "uncertain") {
            q.what.uncertain_only = value == "true";
            if (value != "true" && value != "false")
                q.refuse("/uncertain", errc::field_type, "must be true or false");
        } else if (name == "limit") {
            read_limit(q, value);
        } else if (name == "cursor") {
            q.what.cursor = value;
        } else if (name != "lang") {
            q.errors.push_back({"/" + printable(name, 64), errc::field_unknown, "there is no such parameter"}
            );
        }
    }
    return q;
}

// The mailbox that reports about the message go to, which is not ours to read; empty: they come to us.
std::string bounces_to(const config::config& c, const mail::message& m) {
    const auto* tenant = c.find_tenant(m.tenant);
    const auto* route = tenant == nullptr ? nullptr : c.route_of(*tenant);
    if (route == nullptr || !m.from)
        return {};
    switch (route->return_path) {
    case config::return_path_mode::verp: return {};
    case config::return_path_mode::fixed: return route->return_path_address;
    case config::return_path_mode::sender: return m.from->text();
    }
    return {};
}

// The same query with the next cursor.
std::string next_link(const target& where, const std::string& cursor) {
    std::string out = "</v1/recipients?";
    for (const auto& [name, value] : where.query)
        if (name != "cursor")
            out.append(percent_encode(name)).append("=").append(percent_encode(value)).append("&");
    return out.append("cursor=").append(percent_encode(cursor)).append(">; rel=\"next\"");
}

}  // namespace

asio::awaitable<response> get_message(services& s, request r, std::string id) {
    const auto parsed = message_id::parse(id);
    if (!parsed)
        co_return to_response(not_found());
    auto seen = co_await s.queue.view(*parsed);  // the store answers within its own limit
    if (!seen)
        co_return to_response(of_error(seen.error()));
    const access allowed{r.who, r.config->grants};
    if (!allowed.may(permission::read, seen->message.tenant))
        co_return to_response(not_found());
    for (auto& recipient : seen->recipients)
        recipient = within_hours(std::move(recipient), *r.config, wall_now());
    const auto words = wording_of(r);
    const auto& from = seen->message.from;
    const auto held = s.below.hold_of(seen->message.tenant, from ? from->text() : std::string{});
    auto out = present(*seen, held, words);
    auto& recipients = out.at("recipients").as_array();
    for (std::size_t i = 0; i < recipients.size(); ++i) {
        const auto& one = seen->recipients[i];
        show_turn(recipients[i].as_object(), one, s.below.limited_until(one.tenant, one.address), words);
    }
    const auto mailbox = bounces_to(*r.config, seen->message);
    out["bounces_to"] = mailbox.empty() ? json::value(nullptr) : json::value(mailbox);
    co_return json_response(std::move(out));
}

asio::awaitable<response> get_recipients(services& s, request r) {
    const access allowed{r.who, r.config->grants};
    auto q = read_query(r.where);
    const auto granted = allowed.tenants(permission::read);
    if (q.tenant) {
        if (!allowed.may(permission::read, *q.tenant) || r.config->find_tenant(*q.tenant) == nullptr)
            co_return to_response(not_found());
        q.what.tenants = {*q.tenant};
    } else if (granted) {
        if (granted->empty())  // which would mean all of them to the store
            co_return to_response(forbidden("your role does not allow reading"));
        q.what.tenants = *granted;
    }
    if (!q.errors.empty())
        co_return to_response(invalid(std::move(q.errors)));
    const auto page = co_await s.queue.find(std::move(q.what));  // the store answers within its own limit
    if (!page && page.error() == errc::cursor_invalid)
        co_return to_response(invalid("/cursor", page.error()));
    if (!page)
        co_return to_response(of_error(page.error()));
    json::array recipients;
    hold_cache holds{s.below};
    const auto words = wording_of(r);
    for (const auto& found : page->recipients) {
        const auto recipient = within_hours(found, *r.config, wall_now());
        auto one = present(recipient, holds.of(recipient), words);
        show_turn(one, recipient, s.below.limited_until(recipient.tenant, recipient.address), words);
        recipients.push_back(std::move(one));
    }
    const auto& next = page->next_cursor;
    auto out = json_response({
        {"recipients", std::move(recipients)},
        {"next", next.empty() ? json::value(nullptr) : json::value(next)},
    });
    if (!next.empty())
        out.headers.emplace_back("Link", next_link(r.where, next));
    co_return out;
}

// Replies of every tenant's mail: for those who may read all of it.
response get_unmatched(const services& s, const request& r) {
    if (!access{r.who, r.config->grants}.may_for_all(permission::read))
        return to_response(forbidden("this needs the role read or admin for all tenants"));
    const auto found = s.below.unmatched();
    json::array replies;
    for (const auto& reply : found.kept)
        replies.push_back(json::object{
            {"count", reply.count},
            {"code", reply.code},
            {"text", reply.text},
            {"server", reply.server.empty() ? json::value(nullptr) : json::value(reply.server)},
            {"seen_at", reply.seen_at ? json::value(to_rfc3339(*reply.seen_at)) : json::value(nullptr)},
        });
    return json_response({{"total", found.total}, {"replies", std::move(replies)}});
}

response get_livez() {
    response r;
    r.body = "{\"live\":true}\n";
    return r;
}

response get_readyz(const services& s) {
    const auto state = s.below.ready();
    json::object checks;
    for (const auto& [name, word] : state.checks)
        checks[name] = word;
    auto r = json_response({{"ready", state.is_ready}, {"checks", std::move(checks)}});
    r.status = state.is_ready ? 200 : 503;
    return r;
}

response get_metrics(services& s) {
    response r;
    r.content_type = "text/plain; version=0.0.4; charset=utf-8";
    r.body = s.below.metrics_text();
    return r;
}

response get_version(const services& s) {
    return json_response({{"version", s.meters.version}});
}

}  // namespace estafette::api
