// POST /v1/sequences: mail at several distances from one time, accepted in one durable step.
#include "handlers.hpp"
#include "intake.hpp"
#include "present.hpp"
#include "sequence_reader.hpp"

#include "estafette/api/json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <set>

namespace estafette::api {
namespace {

namespace json = boost::json;

// What became of one step.
struct step_result {
    mail::message_ptr message;      // null: nothing to commit
    std::optional<repeated> known;  // of an earlier, equal request
    std::string key, digest;
    std::unique_ptr<keys_in_use::claim> claim;
};

json::object heading(const sequence_step& step, std::string_view status) {
    return {{"offset", step.offset}, {"send_at", to_rfc3339(step.send_at)}, {"status", status}};
}

void add_all(json::object& to, json::object more) {
    for (auto& [name, value] : more)
        to[name] = std::move(value);
}

bool is_skipped(const sequence& q, const sequence_step& step) {
    return step.is_past && q.past == past_rule::skip;
}

// Composes what is not skipped; all faults at once, those of shared fields once.
std::optional<problem>
compose_steps(const request& r, const access& allowed, const sequence& q, std::vector<step_result>& into) {
    std::vector<mail::field_error> errors;
    std::set<std::string> known;
    for (std::size_t i = 0; i < q.steps.size(); ++i) {
        if (is_skipped(q, q.steps[i]))
            continue;
        auto mail = q.steps[i].mail;
        mail.tenant = q.tenant;
        auto made = compose_for(r, allowed, std::move(mail));
        if (made) {
            into[i].message = std::move(*made);
            continue;
        }
        if (made.error().status != 422)
            return made.error();
        for (auto& e : errors_of_step(q.steps[i], i, std::move(made.error().errors)))
            if (known.insert(e.pointer).second)
                errors.push_back(std::move(e));
    }
    if (!errors.empty())
        return invalid(std::move(errors));
    return std::nullopt;
}

// Looks up the key of every step, also of those that are skipped today; a problem where it is another's.
asio::awaitable<std::optional<problem>> look_up_steps(
    services& s, tenant_id tenant, std::string key, std::string print, std::vector<step_result>& steps
) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const auto step_key = key + "#" + std::to_string(i);
        auto state = co_await look_up_key(s, tenant, step_key, print);
        if (auto* wrong = std::get_if<problem>(&state))
            co_return std::move(*wrong);
        if (const auto* again = std::get_if<repeated>(&state))
            steps[i].known = *again;
        else
            steps[i].claim = std::move(std::get<fresh>(state).claim);
        steps[i].key = step_key;
        steps[i].digest = print;
    }
    co_return std::nullopt;
}

response answer(const tenant_id& tenant, const sequence& q, json::array steps) {
    response out;
    out.status = 202;
    out.body = json::serialize(json::object{
                   {"tenant", tenant.text()},
                   {"group", q.group},
                   {"steps", std::move(steps)},
               }) +
               "\n";
    return out;
}

// Mail that waits already is the answer, or in the way.
json::object line_of_other(const sequence_step& step, std::string_view status, const message_id& other) {
    auto line = heading(step, status);
    line["id"] = other.text();
    return line;
}

// The first answer again: what was stored then, and what was not.
asio::awaitable<response>
answer_again(services& s, tenant_id tenant, const sequence& q, const std::vector<step_result>& steps) {
    json::array lines;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (!steps[i].known) {
            lines.push_back(heading(q.steps[i], "skipped"));
            continue;
        }
        if (steps[i].known->was_there) {
            lines.push_back(line_of_other(q.steps[i], "kept", steps[i].known->message));
            continue;
        }
        const auto seen =
            co_await s.queue.view(steps[i].known->message);  // the store answers within its limit
        if (!seen)
            co_return to_response(of_error(seen.error()));
        auto line = heading(q.steps[i], "accepted");
        add_all(line, present_accepted(seen->message, beginning_of(*seen)));
        lines.push_back(std::move(line));
    }
    co_return answer(tenant, q, std::move(lines));
}

// One line a step; `became` has an entry for each message.
json::array
lines_of(const sequence& q, const std::vector<step_result>& steps, const std::vector<sched::placed>& became) {
    json::array lines;
    auto next = became.begin();
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (!steps[i].message) {
            lines.push_back(heading(q.steps[i], "skipped"));
            continue;
        }
        const sched::placed& p = *next++;
        if (p.what == sched::fate::accepted) {
            auto line = heading(q.steps[i], "accepted");
            add_all(line, present_accepted(*steps[i].message, beginning_of(*steps[i].message, p)));
            lines.push_back(std::move(line));
            continue;
        }
        lines.push_back(line_of_other(q.steps[i], p.what == sched::fate::kept ? "kept" : "refused", p.other));
    }
    return lines;
}

asio::awaitable<response>
store_sequence(services& s, request r, tenant_id tenant, sequence q, std::vector<step_result> steps) {
    std::vector<sched::arrival> mail;
    std::size_t recipients = 0;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (!steps[i].message)
            continue;
        auto& a = mail.emplace_back();
        a.mail.message = steps[i].message;
        a.mail.idempotency_key = steps[i].key;
        a.mail.idempotency_digest = steps[i].digest;
        a.rule = q.steps[i].mail.on_key;
        recipients += steps[i].message->to.size();
    }
    const auto refused = co_await s.intake.check(s.queue, recipients, r.config->limits.queue_recipients);
    if (refused)
        co_return to_response(*refused);
    std::optional<sched::group_claim> instead_of;
    if (q.on_group)
        instead_of = sched::group_claim{{tenant, store::label::group, q.group}, *q.on_group};
    const auto became = co_await s.below.enqueue(std::move(mail), std::move(instead_of));
    if (!became)
        co_return to_response(of_error(became.error()));
    const auto of_kind = [&](sched::fate what) {
        return !became->empty() &&
               std::ranges::all_of(*became, [&](const auto& p) { return p.what == what; });
    };
    if (of_kind(sched::fate::under_way)) {
        auto busy = conflict("under_way", "mail of this group is just being sent");
        busy.retry_after = seconds{1};
        co_return to_response(busy);
    }
    if (of_kind(sched::fate::refused))
        co_return to_response(conflict("group_in_use", "mail with these names waits already"));
    s.intake.admitted(recipients);
    co_return answer(tenant, q, lines_of(q, steps, *became));
}

}  // namespace

asio::awaitable<response> post_sequence(services& s, request r) {
    const access allowed{r.who, r.config->grants};
    const auto granted = allowed.tenants(permission::enqueue);
    if (granted && granted->empty())
        co_return to_response(forbidden("your role does not allow sending"));
    if (form_of(r) != body_form::json)
        co_return to_response(media_type("use application/json"));
    std::optional<std::string> key;
    if (r.idempotency_key) {
        key = idempotency_key(*r.idempotency_key);
        if (!key || key->size() > 250)
            co_return to_response(invalid(
                "", errc::header_invalid, "the Idempotency-Key must be 1 to 250 printable characters here"
            ));
    }
    const auto parsed = parse_json(r.body);
    if (parsed.has_error())
        co_return to_response(broken_json(parsed.error().offset, parsed.error().detail));
    const auto tenant = find_tenant(*r.config, allowed, permission::enqueue, tenant_of_sequence(*parsed));
    if (!tenant)
        co_return to_response(not_found());
    const auto& window = (*tenant)->send_window;
    const auto now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
    auto q = read_sequence(*parsed, window ? window->where : (*tenant)->time_zone, now);
    if (q.has_error())
        co_return to_response(q.error());
    q->tenant = (*tenant)->id.text();
    std::vector<step_result> steps(q->steps.size());
    if (auto wrong = compose_steps(r, allowed, *q, steps))
        co_return to_response(*wrong);
    if (key) {
        if (auto wrong =
                co_await look_up_steps(s, (*tenant)->id, *key, digest("sequence", "", r.body), steps))
            co_return to_response(*wrong);
        if (std::ranges::any_of(steps, [](const step_result& one) { return one.known.has_value(); }))
            co_return co_await answer_again(s, (*tenant)->id, *q, steps);
    }
    const auto id = (*tenant)->id;
    co_return co_await store_sequence(s, std::move(r), id, std::move(*q), std::move(steps));
}

}  // namespace estafette::api
