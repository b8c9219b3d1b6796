// Mail by the caller's own names: its key and its group.
#include "body_fields.hpp"
#include "handlers.hpp"
#include "intake.hpp"

#include <boost/json/serialize.hpp>

namespace estafette::api {

namespace json = boost::json;

asio::awaitable<response> cancel_labelled(services& s, request r, store::label by, std::string value) {
    const access allowed{r.who, r.config->grants};
    std::optional<std::string> named, reason;
    if (const auto* parameter = r.where.find("tenant"))
        named = *parameter;
    if (auto wrong = read_body_fields(r.body, {{"tenant", &named}, {"reason", &reason}}))
        co_return to_response(*wrong);
    const auto tenant = find_tenant(*r.config, allowed, permission::cancel, named);
    if (!tenant)
        co_return to_response(of_error(tenant.error()));
    if (value.empty())
        co_return to_response(not_found());
    const store::label_query which{(*tenant)->id, by, value};
    const auto done = co_await s.below.cancel_labelled(which, r.who.text(), reason_of(reason));
    if (!done)
        co_return to_response(of_error(done.error()));
    response out;
    out.body = json::serialize(json::object{
                   {"tenant", which.tenant.text()},
                   {by == store::label::key ? "key" : "group", value},
                   {"messages", done->messages},
                   {"cancelled", done->cancelled},
                   {"in_hand", done->in_hand},
               }) +
               "\n";
    co_return out;
}

}  // namespace estafette::api
