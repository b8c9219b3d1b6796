#include "sequence_reader.hpp"

#include "estafette/base/calendar.hpp"
#include "estafette/base/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <array>

namespace estafette::api {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 9> fields{
    "tenant", "group", "anchor", "time_zone", "at", "past", "on_group", "message", "steps"
};
constexpr std::array<std::string_view, 3> set_by_us{"tenant", "group", "send_at"};

class reader {
public:
    reader(const zone& standard, wall_time now)
        : where_{standard}
        , now_{now} {}

    boost::system::result<sequence, problem> read(const json::object& o) {
        for (const auto& [key, value] : o)
            if (std::ranges::find(fields, std::string_view{key}) == fields.end())
                refuse(
                    "/" + printable(std::string_view{key}, 64), errc::field_unknown, "there is no such field"
                );
        read_frame(o);
        const json::object* shared = nullptr;
        if (const auto* m = o.if_contains("message"); m != nullptr && !m->is_null()) {
            shared = m->if_object();
            if (shared == nullptr)
                refuse("/message", errc::field_type, "must be an object");
            else
                refuse_ours(*shared, "/message");
        }
        const auto* steps = o.if_contains("steps");
        const auto* list = steps != nullptr ? steps->if_array() : nullptr;
        if (list == nullptr || list->empty() || list->size() > most_steps)
            refuse(
                "/steps",
                errc::field_type,
                "must be an array of 1 to " + std::to_string(most_steps) + " steps"
            );
        else if (errors_.empty())
            for (std::size_t i = 0; i < list->size(); ++i)
                read_step((*list)[i], i, shared);
        if (!errors_.empty())
            return invalid(std::move(errors_));
        return std::move(out_);
    }

private:
    void refuse(std::string pointer, errc why, std::string detail) {
        const error_code code = why;
        errors_.push_back({std::move(pointer), code, detail.empty() ? code.message() : std::move(detail)});
    }

    void refuse_ours(const json::object& o, const std::string& at) {
        for (const auto name : set_by_us)
            if (o.contains(name))
                refuse(at + "/" + std::string{name}, errc::field_conflict, "is set by the sequence");
    }

    std::optional<std::string> text(const json::object& o, std::string_view name, const std::string& at) {
        const auto* v = o.if_contains(name);
        if (v == nullptr || v->is_null())
            return std::nullopt;
        if (!v->is_string()) {
            refuse(at + "/" + std::string{name}, errc::field_type, "must be a string");
            return std::nullopt;
        }
        return std::string{v->get_string()};
    }

    void read_frame(const json::object& o) {
        out_.tenant = text(o, "tenant", "");
        if (const auto group = text(o, "group", ""); group && !group->empty())
            out_.group = *group;
        else
            refuse("/group", errc::field_missing, "is missing: it names the sequence");
        if (const auto name = text(o, "time_zone", "")) {
            if (const auto found = zone::find(*name))
                where_ = *found;
            else
                refuse("/time_zone", errc::field_type, "is not a time zone such as Europe/Paris");
        }
        at_ = time_of_day(o, "");
        read_rules(o);
        const auto anchor = text(o, "anchor", "");
        const auto moment = parse_rfc3339(anchor.value_or(""));
        const auto day = parse_day(anchor.value_or(""));
        if (moment)
            anchor_ = *moment;
        else if (day)
            anchor_ = where_.to_wall(*day);
        else
            refuse("/anchor", errc::time_invalid, "must be a time or a day, such as 2026-05-01");
    }

    void read_rules(const json::object& o) {
        if (const auto word = text(o, "past", "")) {
            if (*word == "skip")
                out_.past = past_rule::skip;
            else if (*word == "send")
                out_.past = past_rule::send;
            else if (*word == "reject")
                out_.past = past_rule::reject;
            else
                refuse("/past", errc::field_type, "must be skip, send or reject");
        }
        if (const auto word = text(o, "on_group", "")) {
            if (*word == "replace")
                out_.on_group = sched::key_rule::replace;
            else if (*word == "reject")
                out_.on_group = sched::key_rule::reject;
            else if (*word == "add")
                out_.on_group.reset();
            else
                refuse("/on_group", errc::field_type, "must be replace, add or reject");
        }
    }

    std::optional<std::chrono::minutes> time_of_day(const json::object& o, const std::string& at) {
        const auto given = text(o, "at", at);
        if (!given)
            return std::nullopt;
        const auto parsed = parse_time_of_day(*given);
        if (!parsed) {
            refuse(at + "/at", errc::time_invalid, "must be a time of day such as 09:00");
            return std::nullopt;
        }
        return *parsed;
    }

    void read_step(const json::value& v, std::size_t place, const json::object* shared) {
        const std::string at = "/steps/" + std::to_string(place);
        const auto* o = v.if_object();
        if (o == nullptr) {
            refuse(at, errc::field_type, "must be an object");
            return;
        }
        refuse_ours(*o, at);
        sequence_step step;
        step.offset = text(*o, "offset", at).value_or("");
        const auto distance = calendar_distance::parse(step.offset);
        if (!distance) {
            refuse(at + "/offset", errc::duration_invalid, "must be such as +7d, -15d or P7D");
            return;
        }
        const auto own_time = time_of_day(*o, at);
        step.send_at = move_by(anchor_, *distance, own_time ? own_time : at_, where_);
        step.is_past = step.send_at <= now_;
        if (step.is_past && out_.past == past_rule::reject)
            refuse(at + "/offset", errc::time_invalid, "lies in the past: " + to_rfc3339(step.send_at));
        json::object message = shared != nullptr ? *shared : json::object{};
        for (const auto& [key, value] : *o) {
            if (key == "offset" || key == "at")
                continue;
            message[key] = value;
            step.own.emplace_back(key);
        }
        step.mail = read_submission(message);
        step.mail.what.group = out_.group;
        if (!step.is_past)
            step.mail.what.send_at = to_rfc3339(step.send_at);
        out_.steps.push_back(std::move(step));
    }

    zone where_;
    wall_time now_;
    wall_time anchor_;
    std::optional<std::chrono::minutes> at_;
    sequence out_;
    std::vector<mail::field_error> errors_;
};

}  // namespace

std::optional<std::string> tenant_of_sequence(const json::value& v) {
    const auto* o = v.if_object();
    const auto* tenant = o != nullptr ? o->if_contains("tenant") : nullptr;
    return tenant != nullptr && tenant->is_string() ? std::optional{std::string{tenant->get_string()}}
                                                    : std::nullopt;
}

boost::system::result<sequence, problem>
read_sequence(const json::value& v, const zone& standard, wall_time now) {
    const auto* o = v.if_object();
    if (o == nullptr)
        return invalid("", errc::field_type, "must be an object");
    return reader{standard, now}.read(*o);
}

std::vector<mail::field_error>
errors_of_step(const sequence_step& step, std::size_t place, std::vector<mail::field_error> errors) {
    for (auto& e : errors) {
        const auto name = e.pointer.substr(0, e.pointer.find('/', 1));
        const bool is_own = !name.empty() && std::ranges::find(step.own, name.substr(1)) != step.own.end();
        if (e.pointer == "/group")
            continue;
        e.pointer = (is_own ? "/steps/" + std::to_string(place) : std::string{"/message"}) + e.pointer;
    }
    return errors;
}

}  // namespace estafette::api
