#include "present.hpp"

#include "estafette/base/text.hpp"
#include "estafette/store/suppressions.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>

namespace estafette::api {
namespace {

namespace json = boost::json;
using store::state;

json::value time_or_null(const std::optional<wall_time>& t) {
    return t ? json::value(to_rfc3339(*t)) : json::value(nullptr);
}

json::value text_or_null(std::string_view text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}

verdict::shown_state shown(state s) {
    switch (s) {
    case state::scheduled:
    case state::queued:
    case state::deferred:
    case state::held: return verdict::shown_state::pending;
    case state::relayed: return verdict::shown_state::sent;
    case state::delivered: return verdict::shown_state::delivered;
    case state::failed: return verdict::shown_state::failed;
    case state::cancelled: return verdict::shown_state::cancelled;
    }
    return verdict::shown_state::pending;
}

verdict::disposition usual_disposition(state s) {
    switch (s) {
    case state::scheduled:
    case state::queued:
    case state::deferred:
    case state::held: return verdict::disposition::retry;
    case state::relayed:
    case state::delivered: return verdict::disposition::accepted;
    case state::failed:
    case state::cancelled: return verdict::disposition::fail;
    }
    return verdict::disposition::retry;
}

// Null is what the caller left open.
json::object present(const mail::dsn_request& r) {
    using enum mail::dsn_request::notify_bits;
    json::array notify;
    for (const auto bit : {success, failure, delay, never})
        if ((r.notify & bit) != 0)
            notify.emplace_back(mail::notify_text(bit));
    return {
        {"notify", notify.empty() ? json::value(nullptr) : json::value(std::move(notify))},
        {"return", text_or_null(mail::to_text(r.ret))},
        {"envelope_id", text_or_null(r.envid)},
    };
}

json::object present(const store::attempt& a) {
    json::object out{
        {"number", a.number},
        {"at", to_rfc3339(a.started_at)},
        {"duration_ms", a.duration.count()},
        {"route", a.route.text()},
        {"server", a.server},
        {"tls", a.tls},
        {"phase", smtp::label(a.at)},
        {"disposition", verdict::to_text(a.judged.what)},
        {"reason", verdict::to_text(a.judged.why)},
        {"scope", verdict::to_text(a.judged.fault)},
        {"code", a.code != 0 ? json::value(a.code) : json::value(nullptr)},
        {"enhanced", a.enhanced ? json::value(a.enhanced->text()) : json::value(nullptr)},
        {"text", a.text},
        {"rule", a.judged.rule},
    };
    const auto& hint = a.judged.retry_hint;
    out["retry_hint_seconds"] = hint ? json::value(hint->count()) : json::value(nullptr);
    return out;
}

json::object present(const store::event& e) {
    json::object out{{"sequence", e.sequence}, {"at", to_rfc3339(e.at)}, {"type", e.type}};
    if (!e.who.message.is_null()) {
        out["recipient"] = e.who.text();
        out["state"] = store::to_text(e.now);
    }
    if (!e.route.empty())
        out["route"] = e.route.text();
    if (!e.sender.empty())
        out["sender"] = e.sender;
    if (e.what)
        out["attempt"] = present(*e.what);
    if (!e.by.empty())
        out["by"] = e.by;
    if (!e.text.empty())
        out["text"] = e.text;
    if (e.judged)
        out["report"] = json::object{
            {"reason", verdict::to_text(e.judged->why)},
            {"scope", verdict::to_text(e.judged->fault)},
            {"certain", e.judged->certain},
            {"rule", e.judged->rule},
            {"evidence", e.evidence},
        };
    return out;
}

void put(json::object& out, const store::pause_target& what) {
    out["kind"] = store::to_text(what.kind);
    out["id"] = what.name;
    out["sender"] = what.kind == store::pause_kind::sender ? json::value(what.sender) : json::value(nullptr);
}

json::object present(const hold& h) {
    json::object out;
    put(out, h.what);
    out["by"] = text_or_null(h.by);
    out["since"] = time_or_null(h.since);
    out["until"] = time_or_null(h.until);
    return out;
}

// Why a recipient is where it is, in the words of the verdict floor.
struct cause {
    verdict::reason why;
    verdict::scope fault;
    verdict::disposition what;
};

std::optional<cause> cause_of(const store::recipient_view& r, const hold* by_route) {
    if (by_route != nullptr)
        return cause{by_route->why, by_route->fault(), verdict::disposition::retry};
    if (!r.why)
        return std::nullopt;
    if (r.last && r.last->judged.why == *r.why)
        return cause{*r.why, r.last->judged.fault, r.last->judged.what};
    // What a report says later is not in the last attempt; relayed with a reason: delayed further on.
    const auto what = r.now == state::relayed ? verdict::disposition::retry : usual_disposition(r.now);
    const bool is_theirs = verdict::is_meaningful(*r.why, verdict::scope::recipient, what);
    return cause{*r.why, is_theirs ? verdict::scope::recipient : verdict::scope::message, what};
}

// What a route is held for begins with the code of the server's reply, or else is what we noticed ourselves.
bool is_reply(std::string_view text) {
    return text.size() > 3 && text[3] == ' ' &&
           std::all_of(text.begin(), text.begin() + 3, [](char c) { return c >= '0' && c <= '9'; });
}

// A person's doing, not a fault.
bool is_held_by_somebody(const store::recipient_view& r, const hold* by_route) {
    if (by_route != nullptr)
        return by_route->is_by_a_person();
    return r.now == state::held && r.why != verdict::reason::uncertain;
}

// Of the last attempt, or of what is paused since.
void add_answer(
    verdict::explanation_facts& facts, const store::recipient_view& r, const cause& why, const hold* by_route
) {
    if (by_route != nullptr) {
        // Without a route there is nobody who said it.
        if (by_route->what.kind != store::pause_kind::tenant)
            (is_reply(by_route->text) ? facts.reply : facts.problem) = by_route->text;
        return;
    }
    const bool is_last = r.last && (r.last->judged.why == why.why || why.why == verdict::reason::expired);
    if (is_last && r.last->code != 0) {
        facts.reply = r.last->text;
        facts.code = std::to_string(r.last->code);
        if (r.last->enhanced && !r.last->text.starts_with(r.last->enhanced->text()))
            facts.code += " " + r.last->enhanced->text();
    } else if (is_last) {
        facts.problem = r.last->text;
    } else if (!is_last && r.last && why.why != verdict::reason::suppressed) {
        facts.reply = r.note;  // what a report said later, of a server that we do not know
        facts.server.clear();
    }
}

// Of the route that the tenant's mail takes.
void add_route(verdict::explanation_facts& facts, const tenant_id& id, const config::config_ptr& c) {
    const auto* tenant = c ? c->find_tenant(id) : nullptr;
    const auto* route = tenant == nullptr ? nullptr : c->route_of(*tenant);
    if (route == nullptr)
        return;
    if (facts.relay.empty() && !route->servers.empty())
        facts.relay = route->servers.front().host;
    for (const auto& from : route->sends_from)
        facts.sends_from.append(facts.sends_from.empty() ? "" : ", ").append(from);
}

verdict::explanation explain_to_reader(
    const store::recipient_view& r,
    const cause& why,
    const hold* by_route,
    const mail::message* message,
    const wording& words
) {
    const auto where = zone_of(words.config, r.tenant);
    const auto written = [&](const std::optional<wall_time>& t) {
        return t ? verdict::format_time(*t, words.in, where) : std::string{};
    };
    verdict::explanation_facts facts;
    facts.recipient = r.address;
    facts.sender = r.sender;
    facts.tenant = r.tenant.text();
    facts.next_attempt = written(by_route != nullptr ? by_route->until : r.next_attempt_at);
    if (message != nullptr)
        facts.expires = written(message->expires_at);
    if (is_held_by_somebody(r, by_route)) {
        facts.note = by_route == nullptr      ? r.note
                     : by_route->text.empty() ? by_route->by
                                              : by_route->by + ": " + by_route->text;
        return verdict::explain_hold(words.in, facts);
    }
    if (by_route == nullptr && r.last) {
        facts.server = facts.relay = host_of(r.last->server);
        facts.attempted = written(r.last->started_at);
    }
    if (const auto line = store::read_words(r.note); line && why.why == verdict::reason::suppressed) {
        facts.since = verdict::format_date(line->since, words.in, zone{});
        facts.cause = store::to_text(line->why);
    }
    add_route(facts, r.tenant, words.config);
    if (by_route != nullptr)
        facts.server = facts.relay;
    add_answer(facts, r, why, by_route);
    return verdict::explain(why.why, why.fault, why.what, words.in, facts);
}

json::object present(const verdict::explanation& e) {
    return {
        {"headline", e.headline},
        {"happened", e.happened},
        {"acts", e.acts},
        {"advice", e.advice},
        {"forward", text_or_null(e.forward)},
    };
}

}  // namespace

wording wording_of(const request& r) {
    if (const auto* asked = r.where.find("lang"))
        return {verdict::choose_language(*asked), true, r.config};
    if (!r.accept_language.empty())
        return {verdict::choose_language(r.accept_language), true, r.config};
    return {verdict::language::en, false, r.config};
}

response json_response(json::object body) {
    response r;
    r.body = json::serialize(body) + "\n";
    return r;
}

zone zone_of(const config::config_ptr& c, const tenant_id& tenant) {
    const auto* found = c ? c->find_tenant(tenant) : nullptr;
    return found == nullptr ? zone{} : found->time_zone;
}

bool is_held_by_pause(state s) noexcept {
    return s == state::queued || s == state::deferred;
}

namespace {

// `message` where it is known.
json::object present_recipient(
    const store::recipient_view& r,
    const std::optional<hold>& why_held,
    const wording& words,
    const mail::message* message
) {
    const auto* by_route = why_held && is_held_by_pause(r.now) ? &*why_held : nullptr;
    const auto now = by_route != nullptr ? state::held : r.now;
    const auto why = cause_of(r, by_route);
    json::object out{
        {"id", r.id.text()},
        {"message", r.id.message.text()},
        {"tenant", r.tenant.text()},
        {"address", r.address},
        {"state", store::to_text(now)},
        {"shown", verdict::words(shown(now), words.in)},
        {"reason", why ? json::value(verdict::to_text(why->why)) : json::value(nullptr)},
        {"scope", why ? json::value(verdict::to_text(why->fault)) : json::value(nullptr)},
    };
    if (why) {
        const auto text = explain_to_reader(r, *why, by_route, message, words);
        out["headline"] = text.headline;
        if (words.explain)
            out["explanation"] = present(text);
    } else {
        out["headline"] = nullptr;
        if (words.explain)
            out["explanation"] = nullptr;
    }
    out["time_zone"] = zone_of(words.config, r.tenant).name();
    out["attempts"] = r.attempts;
    out["accepted_at"] = to_rfc3339(r.accepted_at);
    out["changed_at"] = to_rfc3339(r.changed_at);
    out["next_attempt_at"] = time_or_null(by_route != nullptr ? by_route->until : r.next_attempt_at);
    out["note"] = by_route != nullptr ? by_route->text : r.note;
    out["held_by"] = by_route != nullptr ? json::value(present(*by_route)) : json::value(nullptr);
    out["last_attempt"] = r.last ? json::value(present(*r.last)) : json::value(nullptr);
    return out;
}

}  // namespace

void show_turn(
    json::object& out, const store::recipient_view& r, std::optional<wall_time> until, const wording& words
) {
    // A limit is not what mail waits for that was refused, or whose route rests.
    if (!until || r.now != state::queued || out.at("state").as_string() != "queued")
        return;
    const auto turn = r.next_attempt_at ? std::max(*until, *r.next_attempt_at) : *until;
    verdict::explanation_facts facts;
    facts.recipient = r.address;
    facts.tenant = r.tenant.text();
    facts.next_attempt = verdict::format_time(turn, words.in, zone_of(words.config, r.tenant));
    const auto why = verdict::reason::rate_limited;
    const auto text =
        verdict::explain(why, verdict::scope::route, verdict::disposition::retry, words.in, facts);
    out["reason"] = verdict::to_text(why);
    out["scope"] = verdict::to_text(verdict::scope::route);
    out["headline"] = text.headline;
    if (words.explain)
        out["explanation"] = present(text);
    out["next_attempt_at"] = to_rfc3339(turn);
}

json::object
present(const store::recipient_view& r, const std::optional<hold>& why_held, const wording& words) {
    return present_recipient(r, why_held, words, nullptr);
}

json::object
present(const store::message_view& m, const std::optional<hold>& why_held, const wording& words) {
    const auto& message = m.message;
    json::array tags;
    for (const auto& tag : message.tags)
        tags.emplace_back(tag);
    json::array recipients;
    for (const auto& r : m.recipients)
        recipients.push_back(present_recipient(r, why_held, words, &message));
    json::array timeline;
    for (const auto& e : m.timeline)
        timeline.push_back(present(e));
    // Our own compact JSON of an object; what cannot be read again is not shown.
    error_code ec;
    auto metadata = json::parse(message.metadata.empty() ? "{}" : message.metadata, ec);
    return {
        {"id", message.id.text()},
        {"tenant", message.tenant.text()},
        {"from", message.from ? message.from->text() : std::string{}},
        {"subject", message.subject},
        {"header_message_id", message.header_message_id},
        {"size", message.facts.size},
        {"priority", mail::to_text(message.precedence)},
        {"category", message.category},
        {"group", message.group},
        {"key", message.key},
        {"tags", std::move(tags)},
        {"metadata", ec ? json::value(json::object{}) : std::move(metadata)},
        {"require_tls", message.require_tls},
        {"ignore_suppression", message.ignore_suppression},
        {"dsn", present(message.reports)},
        {"accepted_at", to_rfc3339(message.accepted_at)},
        {"due_at", to_rfc3339(message.due_at)},
        {"expires_at", to_rfc3339(message.expires_at)},
        {"recipients", std::move(recipients)},
        {"timeline", std::move(timeline)},
    };
}

json::object present(const route::route_status& r) {
    const auto word = [](route::route_state s) {
        switch (s) {
        case route::route_state::active: return "active";
        case route::route_state::resting:  // `by` says that the daemon paused it
        case route::route_state::paused: return "paused";
        }
        return "active";
    };
    json::array servers;
    for (const auto& s : r.servers)
        servers.emplace_back(s);
    json::array fallbacks;
    for (const auto& f : r.fallbacks)
        fallbacks.emplace_back(f);
    return {
        {"id", r.id.text()},
        {"state", word(r.state)},
        {"reason", r.why ? json::value(verdict::to_text(*r.why)) : json::value(nullptr)},
        {"text", r.text},
        {"by", text_or_null(r.by)},
        {"since", time_or_null(r.since)},
        {"until", time_or_null(r.until)},
        {"connections", r.connections},
        {"connections_allowed", r.allowed},
        {"ready", r.ready},
        {"servers", std::move(servers)},
        {"fallbacks", std::move(fallbacks)},
    };
}

json::object present(const store::pause& p) {
    json::object out;
    put(out, p.what);
    out["reason"] = verdict::to_text(p.why);
    out["text"] = p.text;
    out["by"] = text_or_null(p.by);
    out["since"] = to_rfc3339(p.since);
    out["until"] = time_or_null(p.until);
    return out;
}

beginning beginning_of(const mail::message& m, const sched::placed& p) {
    if (p.switched_off)
        return {state::cancelled, {}};
    return {m.due_at > m.accepted_at ? state::scheduled : state::queued, p.stopped};
}

// What was switched off was cancelled in the moment in which it was accepted; what was suppressed failed
// before it was due.
beginning beginning_of(const store::message_view& m) {
    sched::placed p;
    p.switched_off = std::ranges::all_of(m.recipients, [&](const store::recipient_view& r) {
        return r.now == state::cancelled && r.changed_at == m.message.accepted_at &&
               r.note.starts_with("category ");
    });
    const bool was_due = m.message.due_at <= m.message.accepted_at;
    for (std::uint32_t i = 0; i < m.recipients.size(); ++i) {
        const auto& r = m.recipients[i];
        if (r.now == state::failed && r.why == verdict::reason::suppressed && r.attempts == 0 &&
            (was_due || r.changed_at < m.message.due_at))
            p.stopped.emplace(i, r.note);
    }
    return beginning_of(m.message, p);
}

store::recipient_view within_hours(store::recipient_view r, const config::config& c, wall_time now) {
    const auto* tenant = c.find_tenant(r.tenant);
    if (tenant == nullptr || !tenant->send_window || !r.next_attempt_at ||
        !tenant->send_window->applies_to(r.precedence))
        return r;
    const auto earliest = std::max(*r.next_attempt_at, now);
    const auto opens = config::next_open(*tenant->send_window, earliest);
    if (opens > earliest) {
        r.next_attempt_at = opens;
        r.note = "waits for the sending hours: " + config::to_text(*tenant->send_window);
    }
    return r;
}

json::object present_accepted(const mail::message& m, const beginning& first) {
    json::array recipients;
    for (std::uint32_t i = 0; i < m.to.size(); ++i) {
        const auto stop = first.stopped.find(i);
        const bool is_stopped = stop != first.stopped.end();
        json::object one{
            {"id", recipient_id{m.id, i}.text()},
            {"address", m.to[i].text()},
            {"state", store::to_text(is_stopped ? state::failed : first.now)},
        };
        if (is_stopped) {
            one["reason"] = verdict::to_text(verdict::reason::suppressed);
            one["note"] = stop->second;
        }
        recipients.push_back(std::move(one));
    }
    return {{"id", m.id.text()}, {"recipients", std::move(recipients)}};
}

}  // namespace estafette::api
