#include "estafette/store/action.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>

namespace estafette::store {

namespace json = boost::json;

namespace {

constexpr std::array verbs{
    action_verb::hold,
    action_verb::release,
    action_verb::requeue,
    action_verb::remove,
    action_verb::expire,
    action_verb::pause,
    action_verb::resume
};

std::optional<std::string> string_of(const json::value& v) {
    return v.is_string() ? std::optional{std::string{v.get_string()}} : std::nullopt;
}

std::optional<wall_time> time_of(const json::value& v) {
    const auto text = string_of(v);
    const auto parsed = text ? parse_rfc3339(*text) : result<wall_time>{errc::time_invalid};
    return parsed ? std::optional{*parsed} : std::nullopt;
}

std::optional<std::vector<std::string>> strings_of(const json::value& v) {
    if (!v.is_array()) {
        return std::nullopt;
    }
    std::vector<std::string> all;
    for (const auto& one : v.get_array()) {
        auto text = string_of(one);
        if (!text) {
            return std::nullopt;
        }
        all.push_back(std::move(*text));
    }
    return all;
}

// True: it was there and could be read.
template <class T> bool put(std::optional<T>& member, std::optional<T> read) {
    member = std::move(read);
    return member.has_value();
}

bool read_member(selector& s, std::string_view name, const json::value& v) {
    if (name == "ids") {
        auto ids = strings_of(v);
        s.ids = ids.value_or(s.ids);
        return ids.has_value();
    }
    if (name == "tenants") {
        const auto names = strings_of(v);
        s.tenants.emplace();
        for (const auto& one : names.value_or(std::vector<std::string>{})) {
            s.tenants->emplace_back(one);
        }
        return names.has_value();
    }
    const auto text = string_of(v);
    if (name == "tenant") {
        return put(s.tenant, text);
    }
    if (name == "route") {
        return put(s.route, text);
    }
    if (name == "domain") {
        return put(s.domain, text);
    }
    if (name == "sender") {
        return put(s.sender, text);
    }
    if (name == "reason") {
        return put(s.why, text ? verdict::parse_reason(*text) : std::nullopt);
    }
    if (name == "state") {
        return put(s.now, text ? parse_state(*text) : std::nullopt);
    }
    if (name == "before") {
        return put(s.before, time_of(v));
    }
    return name == "after" && put(s.after, time_of(v));
}

// "uid 0, action 17: why", and not "uid 0, action 170".
bool is_held_by(std::string_view name, const candidate& c) {
    const std::string_view note{c.note};
    return note == name || note.starts_with(std::string{name} + ":");
}

bool has_id(const std::vector<std::string>& ids, const recipient_id& id) {
    return std::ranges::find(ids, id.text()) != ids.end() ||
           std::ranges::find(ids, id.message.text()) != ids.end();
}

}  // namespace

std::string_view to_text(action_verb v) noexcept {
    switch (v) {
    case action_verb::hold: return "hold";
    case action_verb::release: return "release";
    case action_verb::requeue: return "requeue";
    case action_verb::remove: return "delete";
    case action_verb::expire: return "expire";
    case action_verb::pause: return "pause";
    case action_verb::resume: return "resume";
    }
    return "unknown";
}

std::optional<action_verb> parse_action_verb(std::string_view text) noexcept {
    for (const auto v : verbs) {
        if (to_text(v) == text) {
            return v;
        }
    }
    return std::nullopt;
}

bool can_be_undone(action_verb v) noexcept {
    switch (v) {
    case action_verb::hold:
    case action_verb::release:
    case action_verb::pause:
    case action_verb::resume: return true;
    case action_verb::requeue:
    case action_verb::remove:
    case action_verb::expire: return false;
    }
    return false;
}

std::set<state> states_of(action_verb v) {
    switch (v) {
    case action_verb::hold: return {state::scheduled, state::queued, state::deferred};
    case action_verb::release: return {state::held};
    case action_verb::requeue: return {state::scheduled, state::deferred};
    case action_verb::remove:
    case action_verb::expire: return {state::scheduled, state::queued, state::deferred, state::held};
    case action_verb::pause:
    case action_verb::resume: return {state::queued, state::deferred};
    }
    return {};
}

std::string to_json(const selector& s, selector_form how) {
    json::object out;
    if (!s.ids.empty()) {
        out["ids"] = json::array(s.ids.begin(), s.ids.end());
    }
    const auto put_text = [&](const char* name, const std::optional<std::string>& value) {
        if (value) {
            out[name] = *value;
        }
    };
    put_text("tenant", s.tenant);
    put_text("route", s.route);
    put_text("domain", s.domain);
    put_text("sender", s.sender);
    if (s.why) {
        out["reason"] = verdict::to_text(*s.why);
    }
    if (s.now) {
        out["state"] = to_text(*s.now);
    }
    if (s.before) {
        out["before"] = to_rfc3339(*s.before);
    }
    if (s.after) {
        out["after"] = to_rfc3339(*s.after);
    }
    if (s.tenants && how == selector_form::whole) {
        json::array names;
        for (const auto& one : *s.tenants) {
            names.emplace_back(one.text());
        }
        out["tenants"] = std::move(names);
    }
    return json::serialize(out);
}

std::optional<selector> parse_selector(std::string_view text) {
    json::error_code failure;
    const auto value = json::parse({text.data(), text.size()}, failure);
    if (failure || !value.is_object()) {
        return std::nullopt;
    }
    selector s;
    for (const auto& [name, member] : value.get_object()) {
        if (!read_member(s, std::string_view{name}, member)) {
            return std::nullopt;
        }
    }
    return s;
}

bool matches(const selector& s, const candidate& c) {
    const auto domain = [&] { return std::string_view{c.address}.substr(c.address.rfind('@') + 1); };
    return !s.is_empty() && (s.ids.empty() || has_id(s.ids, c.id)) &&
           (!s.tenant || *s.tenant == c.tenant.text()) &&
           (!s.tenants || std::ranges::find(*s.tenants, c.tenant) != s.tenants->end()) &&
           (!s.domain || *s.domain == domain()) && (!s.sender || *s.sender == c.sender) &&
           (!s.why || s.why == c.why) && (!s.now || *s.now == c.now) &&
           (!s.held_by || is_held_by(*s.held_by, c)) && (!s.before || c.accepted_at <= *s.before) &&
           (!s.after || c.accepted_at >= *s.after);
}

}  // namespace estafette::store
