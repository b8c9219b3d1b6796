#include "selector_reader.hpp"

#include "estafette/api/json.hpp"
#include "estafette/base/text.hpp"
#include "estafette/mail/address.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <functional>
#include <map>

namespace estafette::api {
namespace {

namespace json = boost::json;
using store::action_verb;

constexpr std::size_t max_ids = 1000;
constexpr std::size_t max_reason = 255;

class reader {
public:
    explicit reader(wall_time now)
        : now_{now} {}

    action_request out;
    std::vector<mail::field_error> errors;

    void read(const json::object& body) {
        for (const auto& [key, value] : body)
            if (!value.is_null())
                read_field(std::string_view{key}, value);
        if (!has_verb_)
            refuse("/verb", errc::field_missing, "a verb is needed");
        else
            check();
    }

private:
    void refuse(std::string pointer, error_code why, std::string detail) {
        errors.push_back({std::move(pointer), why, std::move(detail)});
    }

    std::string text(const std::string& pointer, const json::value& v) {
        if (v.is_string())
            return std::string{v.get_string()};
        refuse(pointer, errc::field_type, "must be a string");
        return {};
    }

    void read_field(std::string_view key, const json::value& v) {
        if (key == "verb") {
            has_verb_ = true;
            const auto verb = store::parse_action_verb(text("/verb", v));
            out.verb = verb.value_or(action_verb::hold);
            if (!verb)
                refuse(
                    "/verb",
                    errc::field_type,
                    "must be hold, release, requeue, delete, expire, pause or resume"
                );
        } else if (key == "reason") {
            out.reason = printable(text("/reason", v), max_reason);
        } else if (key == "expires_at") {
            const auto at = parse_rfc3339(text("/expires_at", v));
            if (at && *at > now_)
                out.expires_at = *at;
            else
                refuse(
                    "/expires_at", errc::time_invalid, at ? "must be in the future" : at.error().message()
                );
        } else if (key == "dry_run") {
            out.dry_run = v.is_bool() && v.get_bool();
            if (!v.is_bool())
                refuse("/dry_run", errc::field_type, "must be true or false");
        } else if (key == "selector" && v.is_object()) {
            for (const auto& [name, member] : v.get_object())
                if (!member.is_null())
                    read_condition(std::string_view{name}, member);
        } else if (key == "selector") {
            refuse("/selector", errc::field_type, "must be an object");
        } else {
            refuse("/" + printable(key, 64), errc::field_unknown, "there is no such field");
        }
    }

    void read_condition(std::string_view name, const json::value& v) {
        const auto pointer = "/selector/" + printable(name, 64);
        if (name == "ids") {
            read_ids(v);
            return;
        }
        const std::map<std::string_view, std::function<void(const std::string&)>> known{
            {"tenant", [&](const std::string& t) { out.whom.tenant = t; }},
            {"route", [&](const std::string& t) { out.whom.route = t; }},
            {"domain", [&](const std::string& t) { read_domain(pointer, t); }},
            {"sender", [&](const std::string& t) { read_sender(pointer, t); }},
            {"reason",
             [&](const std::string& t) {
                 out.whom.why = verdict::parse_reason(t);
                 if (!out.whom.why)
                     refuse(pointer, errc::field_type, "there is no such reason");
             }},
            {"state",
             [&](const std::string& t) {
                 out.whom.now = store::parse_state(t);
                 if (!out.whom.now)
                     refuse(pointer, errc::field_type, "there is no such state");
             }},
            {"older_than", [&](const std::string& t) { out.whom.before = age(pointer, t); }},
            {"younger_than", [&](const std::string& t) { out.whom.after = age(pointer, t); }},
        };
        const auto found = known.find(name);
        if (found == known.end()) {
            refuse(pointer, errc::field_unknown, "there is no such condition");
            return;
        }
        const auto before = errors.size();
        const auto value = text(pointer, v);
        if (errors.size() == before)
            found->second(value);
    }

    void read_ids(const json::value& v) {
        if (!v.is_array() || v.get_array().empty() || v.get_array().size() > max_ids) {
            refuse("/selector/ids", errc::field_type, "must be a list of 1 to 1,000 ids");
            return;
        }
        std::size_t place = 0;
        for (const auto& one : v.get_array()) {
            const auto pointer = "/selector/ids/" + std::to_string(place++);
            const auto id = text(pointer, one);
            if (const auto message = message_id::parse(id))
                out.whom.ids.push_back(message->text());
            else if (const auto recipient = recipient_id::parse(id))
                out.whom.ids.push_back(recipient->text());
            else
                refuse(pointer, errc::id_invalid, "must be the id of a message or a recipient");
        }
    }

    void read_domain(const std::string& pointer, const std::string& value) {
        const auto domain = mail::parse_domain(value);
        if (domain)
            out.whom.domain = *domain;
        else
            refuse(pointer, domain.error(), domain.error().message());
    }

    void read_sender(const std::string& pointer, const std::string& value) {
        const auto address =
            value.empty() ? result<mail::address>{errc::not_found} : mail::address::parse(value);
        if (address || value.empty())
            out.whom.sender = address ? address->text() : std::string{};
        else
            refuse(pointer, address.error(), address.error().message());
    }

    std::optional<wall_time> age(const std::string& pointer, const std::string& value) {
        const auto parsed = parse_duration(value);
        if (parsed)
            return now_ - *parsed;
        refuse(pointer, parsed.error(), parsed.error().message());
        return std::nullopt;
    }

    void check() {
        const auto& whom = out.whom;
        const bool is_pause = out.verb == action_verb::pause || out.verb == action_verb::resume;
        const bool has_way_back = out.verb == action_verb::hold || out.verb == action_verb::pause;
        const bool needs_reason = out.verb != action_verb::release && out.verb != action_verb::requeue &&
                                  out.verb != action_verb::resume;
        if (errors.empty() && whom.is_empty())
            refuse(
                "/selector",
                errc::field_missing,
                "an action names whom it concerns; nothing is not everything"
            );
        const bool names_more =
            !whom.ids.empty() || whom.domain || whom.why || whom.now || whom.before || whom.after;
        const bool names_one = whom.route ? !whom.tenant && !whom.sender : whom.tenant.has_value();
        if (errors.empty() && is_pause && (names_more || !names_one))
            refuse(
                "/selector", errc::field_conflict, "a pause is of a route, a tenant, or a sender of a tenant"
            );
        if (out.expires_at && !has_way_back)
            refuse("/expires_at", errc::field_conflict, "only a hold or a pause ends by itself");
        if (needs_reason && out.reason.empty() && !out.dry_run)
            refuse("/reason", errc::field_missing, "a reason is needed");
    }

    wall_time now_;
    bool has_verb_ = false;
};

}  // namespace

boost::system::result<action_request, problem> read_action_request(const std::string& body, wall_time now) {
    const auto parsed = parse_json(body);
    if (parsed.has_error())
        return broken_json(parsed.error().offset, parsed.error().detail);
    if (!parsed->is_object())
        return invalid("", errc::field_type, "must be an object");
    reader r{now};
    r.read(parsed->get_object());
    if (!r.errors.empty())
        return invalid(std::move(r.errors));
    return std::move(r.out);
}

}  // namespace estafette::api
