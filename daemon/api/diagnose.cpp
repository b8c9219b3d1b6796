// GET /v1/diagnosis: what is most likely the matter with mail to an address.
#include "handlers.hpp"
#include "present.hpp"

#include "estafette/base/text.hpp"
#include "estafette/verdict/diagnosis.hpp"

#include <boost/json/array.hpp>

#include <array>

namespace estafette::api {
namespace {

namespace json = boost::json;

constexpr std::uint32_t mails_looked_at = 20;

verdict::standing standing_of(store::state s) {
    switch (s) {
    case store::state::scheduled: return verdict::standing::scheduled;
    case store::state::queued:
    case store::state::deferred: return verdict::standing::waiting;
    case store::state::held: return verdict::standing::held;
    case store::state::relayed: return verdict::standing::relayed;
    case store::state::delivered: return verdict::standing::delivered;
    case store::state::failed: return verdict::standing::failed;
    case store::state::cancelled: return verdict::standing::cancelled;
    }
    return verdict::standing::waiting;
}

constexpr std::chrono::minutes soon{1};

// `r` with the sending hours of its tenant.
verdict::mail_fact fact_of(const store::recipient_view& r, wall_time now) {
    verdict::mail_fact m;
    m.now = standing_of(r.now);
    if (r.now == store::state::queued && !r.why && r.next_attempt_at > now + soon)
        m.now = verdict::standing::scheduled;
    m.why = r.why;
    m.fault =
        r.last && r.why && r.last->judged.why == *r.why ? r.last->judged.fault : verdict::scope::recipient;
    m.at = r.changed_at;
    return m;
}

std::optional<verdict::route_fact> fact_of(const std::optional<hold>& h) {
    // A held sender is no fault of the route: its mails say so themselves.
    const bool is_of_route = h && h->what.kind != store::pause_kind::sender;
    return is_of_route ? std::optional{verdict::route_fact{h->why, h->is_by_a_person()}} : std::nullopt;
}

struct question {
    std::optional<mail::address> address;
    store::query what;
    std::optional<tenant_id> tenant;
    std::vector<mail::field_error> errors;
};

question read_question(const target& where) {
    question q;
    for (const auto& [name, value] : where.query) {
        if (name == "address") {
            const auto parsed = mail::address::parse(value);
            if (parsed)
                q.address = *parsed;
            else
                q.errors.push_back({"/address", parsed.error(), parsed.error().message()});
        } else if (name == "tenant") {
            q.tenant = tenant_id{value};
        } else if (name != "lang") {
            q.errors.push_back({"/" + printable(name, 64), errc::field_unknown, "there is no such parameter"}
            );
        }
    }
    if (!q.address && q.errors.empty())
        q.errors.push_back({"/address", errc::field_missing, std::string{sentence(errc::field_missing)}});
    if (q.address)
        q.what.address = q.address->text();
    q.what.limit = mails_looked_at;
    return q;
}

}  // namespace

asio::awaitable<response> get_diagnosis(services& s, request r) {
    const access allowed{r.who, r.config->grants};
    auto q = read_question(r.where);
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
    if (!page)
        co_return to_response(of_error(page.error()));
    std::vector<verdict::mail_fact> mails;
    const auto now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
    for (const auto& recipient : page->recipients)
        mails.push_back(fact_of(within_hours(recipient, *r.config, now), now));
    std::optional<hold> held;
    verdict::domain_fact domain;
    tenant_id tenant;
    if (!page->recipients.empty()) {
        tenant = page->recipients.front().tenant;
        held = s.below.hold_of(tenant, page->recipients.front().sender);
        domain = s.below.domain_of(tenant, q.address->domain());
    }
    const auto found = verdict::diagnose(mails, fact_of(held), domain);
    const auto words = wording_of(r);
    const auto said = verdict::describe(found, q.address->text(), words.in, zone_of(r.config, tenant));
    json::array because;
    for (const auto& line : said.because)
        because.emplace_back(line);
    json::array recipients;
    for (const auto& recipient : page->recipients)
        recipients.push_back(present(
            recipient, s.below.hold_of(recipient.tenant, recipient.sender), {words.in, true, r.config}
        ));
    co_return json_response({
        {"address", q.address->text()},
        {"finding", verdict::to_text(found.what)},
        {"likelihood", verdict::to_text(found.how_sure)},
        {"sure", said.sure},
        {"headline", said.headline},
        {"because", std::move(because)},
        {"acts", said.acts},
        {"advice", said.advice},
        {"recipients", std::move(recipients)},
    });
}

}  // namespace estafette::api
