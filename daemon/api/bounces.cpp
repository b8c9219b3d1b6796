#include "handlers.hpp"

#include "estafette/base/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace estafette::api {
namespace {

namespace json = boost::json;

json::object outcome_of(const bounce::taken& t) {
    json::array recipients;
    for (const auto& id : t.recipients)
        recipients.emplace_back(id.text());
    return {
        {"outcome", labels::bounces.values[static_cast<std::size_t>(t.outcome)]},
        {"recipients", std::move(recipients)},
    };
}

response json_response(json::object body) {
    response r;
    r.body = json::serialize(body) + "\n";
    return r;
}

problem refusal(bounce::webhook_fault why, bounce::provider from) {
    const std::string name{bounce::to_text(from)};
    switch (why) {
    case bounce::webhook_fault::not_configured:
        return forbidden("no secret is configured that proves events of " + name + " (bounces)");
    case bounce::webhook_fault::not_proven:
        return forbidden("the request is not proven to be " + name + "'s");
    case bounce::webhook_fault::unreadable: return bad_request("the body is not an event of " + name);
    }
    return bad_request("the body cannot be read");
}

asio::awaitable<response> post_events(services& s, request r, bounce::provider from, bounce::tenants whose) {
    bounce::webhook_in in;
    in.from = from;
    in.what.body = std::move(r.body);
    in.what.fields = std::move(r.fields);
    in.tenants = std::move(whose);
    const auto done = co_await s.below.take_webhook(std::move(in));  // durable, however long the disk takes
    if (!done)
        co_return to_response(of_error(done.error()));
    if (done->refused)
        co_return to_response(refusal(*done->refused, from));
    json::array events;
    for (const auto& one : done->events)
        events.push_back(outcome_of(one));
    json::object out{{"events", std::move(events)}};
    if (!done->confirm_url.empty())
        out["confirm"] = done->confirm_url;
    co_return json_response(std::move(out));
}

struct bounce_query {
    std::vector<std::string> to;
    std::optional<bounce::provider> from;
    std::optional<problem> wrong;
};

bounce_query read_query(const target& where) {
    bounce_query q;
    for (const auto& [name, value] : where.query) {
        if (name == "recipient") {
            q.to.push_back(value);
        } else if (name == "format") {
            q.from = bounce::parse_provider(value);
            if (!q.from)
                q.wrong = invalid(
                    "/format", errc::field_type, "not one of ses, mailgun, postmark, sendgrid, brevo"
                );
        } else {
            q.wrong = invalid("/" + printable(name, 64), errc::field_unknown, "there is no such parameter");
        }
    }
    return q;
}

}  // namespace

// A whole mail as it came back, or a provider's events. What cannot be matched is an outcome, not an error:
// whoever hands it over could do nothing about it.
asio::awaitable<response> post_bounce(services& s, request r) {
    const access allowed{r.who, r.config->grants};
    auto whose = allowed.tenants(permission::enqueue);
    if (whose && whose->empty())
        co_return to_response(forbidden("your role does not allow handing in bounces"));
    auto q = read_query(r.where);
    if (q.wrong)
        co_return to_response(*q.wrong);
    if (trim(r.body).empty())
        co_return to_response(bad_request("the body is empty: it must be the mail that came back"));
    if (q.from)
        co_return co_await post_events(s, std::move(r), *q.from, std::move(whose));
    bounce::mail_in in{std::move(r.body), std::move(q.to), std::move(whose)};
    const auto done = co_await s.below.take_bounce(std::move(in));  // durable, however long the disk takes
    co_return done ? json_response(outcome_of(*done)) : to_response(of_error(done.error()));
}

}  // namespace estafette::api
