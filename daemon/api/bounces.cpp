#include "handlers.hpp"

#include "estafette/base/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace estafette::api {
namespace {

namespace json = boost::json;

response outcome_response(const bounce::taken& t) {
    json::array recipients;
    for (const auto& id : t.recipients)
        recipients.emplace_back(id.text());
    response r;
    r.body = json::serialize(json::object{
                 {"outcome", labels::bounces.values[static_cast<std::size_t>(t.outcome)]},
                 {"recipients", std::move(recipients)},
             }) +
             "\n";
    return r;
}

}  // namespace

// A whole mail as it came back. What it cannot be matched to is an outcome, not an error: whoever hands it
// over could do nothing about it.
asio::awaitable<response> post_bounce(services& s, request r) {
    const access allowed{r.who, r.config->grants};
    bounce::mail_in in;
    in.tenants = allowed.tenants(permission::enqueue);
    if (in.tenants && in.tenants->empty())
        co_return to_response(forbidden("your role does not allow handing in bounces"));
    for (const auto& [name, value] : r.where.query) {
        if (name != "recipient")
            co_return to_response(
                invalid("/" + printable(name, 64), errc::field_unknown, "there is no such parameter")
            );
        in.to.push_back(value);
    }
    if (trim(r.body).empty())
        co_return to_response(bad_request("the body is empty: it must be the mail that came back"));
    in.raw = std::move(r.body);
    const auto done = co_await s.below.take_bounce(std::move(in));  // durable, however long the disk takes
    co_return done ? outcome_response(*done) : to_response(of_error(done.error()));
}

}  // namespace estafette::api
