#include "estafette/store/export_format.hpp"

#include "codec.hpp"
#include "journal_changes.hpp"

#include "estafette/base/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace estafette::store {

namespace json = boost::json;

namespace {

constexpr std::size_t deepest = 16;

json::value time_of(const std::optional<wall_time>& t) {
    return t ? json::value(to_rfc3339(*t)) : json::value{};
}

json::object attempt_of(const attempt& a) {
    return {
        {"number", a.number},
        {"at", to_rfc3339(a.started_at)},
        {"duration_ms", a.duration.count()},
        {"route", a.route.text()},
        {"server", a.server},
        {"tls", a.tls},
        {"phase", smtp::label(a.at)},
        {"disposition", verdict::to_text(a.judged.what)},
        {"scope", verdict::to_text(a.judged.fault)},
        {"reason", verdict::to_text(a.judged.why)},
        {"code", a.code},
        {"text", a.text},
    };
}

json::array recipients_of(const message_view& v) {
    json::array out;
    for (const recipient_view& r : v.recipients) {
        out.push_back(json::object{
            {"address", r.address},
            {"state", to_text(r.now)},
            {"reason", r.why ? json::value(verdict::to_text(*r.why)) : json::value{}},
            {"attempts", r.attempts},
            {"changed_at", to_rfc3339(r.changed_at)},
            {"next_attempt_at", time_of(r.next_attempt_at)},
            {"note", r.note},
        });
    }
    return out;
}

json::array timeline_of(const message_view& v) {
    json::array out;
    for (const event& e : v.timeline) {
        json::object line{
            {"at", to_rfc3339(e.at)},
            {"type", e.type},
            {"place", e.who.index},
            {"state", to_text(e.now)},
            {"by", e.by},
            {"text", e.text},
        };
        if (e.what) {
            line["attempt"] = attempt_of(*e.what);
        }
        out.push_back(std::move(line));
    }
    return out;
}

// The change that made the event; none: a kind of event that changes nothing, or that came with the mail.
std::optional<change> change_of(const event& e, const recipient_view& r, bool is_last) {
    if (e.what) {
        return attempted{e.who, e.now, is_last ? r.next_attempt_at : std::optional{e.at}, *e.what};
    }
    if (e.judged) {
        const auto what = parse_finding(e.type);
        return what
                   ? std::optional<change>{corrected{e.who, e.at, *what, *e.judged, e.by, e.text, e.evidence}}
                   : std::nullopt;
    }
    if (e.type == "failed" && r.why == verdict::reason::suppressed) {
        return withheld{e.who, e.at, e.text};
    }
    if (e.type == "cancelled") {
        return cancelled{e.who, e.at, e.by, e.text};
    }
    if (e.type == "held") {
        return held{e.who, e.at, r.why.value_or(verdict::reason::other), e.by, e.text};
    }
    if (e.type == "released") {
        return released{e.who, e.at, e.by};
    }
    if (e.type == "expired") {
        return expired{e.who, e.at};
    }
    if (e.type == "delayed") {
        return delayed{e.who, e.at};
    }
    if (e.type == "delivered" || e.type == "failed") {  // of a report, as version 0.1 kept it
        corrected c{
            e.who,
            e.at,
            e.now == state::delivered ? finding::delivered : finding::failed,
            {},
            e.by,
            e.text,
            {}
        };
        c.judged.why = r.why.value_or(verdict::reason::other);
        return c;
    }
    return std::nullopt;
}

std::vector<change> changes_of(const message_view& v, const std::string& key, const std::string& digest) {
    std::vector<change> changes;
    changes.emplace_back(enqueued{std::make_shared<const mail::message>(v.message), key, digest, false});
    std::vector<std::size_t> last(v.recipients.size());
    for (std::size_t i = 0; i < v.timeline.size(); ++i) {
        if (v.timeline[i].who.index < last.size() && v.timeline[i].type != "delayed") {
            last[v.timeline[i].who.index] = i;
        }
    }
    for (std::size_t i = 0; i < v.timeline.size(); ++i) {
        const std::uint32_t place = v.timeline[i].who.index;
        if (place >= v.recipients.size()) {
            continue;
        }
        if (auto c = change_of(v.timeline[i], v.recipients[place], last[place] == i)) {
            changes.push_back(std::move(*c));
        }
    }
    return changes;
}

bool waits(const recipient_view& r) {
    return !is_final(r.now);
}

}  // namespace

std::string to_line(
    const message_view& of, const std::string& content, const std::string& key, const std::string& digest
) {
    const mail::message& m = of.message;
    const auto changes = changes_of(of, key, digest);
    std::string restore;
    encoder{restore}.put(static_cast<std::uint32_t>(changes.size()));
    (void)encode_changes(restore, changes);
    const json::object line{
        {"id", m.id.text()},
        {"tenant", m.tenant.text()},
        {"from", m.from ? json::value(m.from->text()) : json::value{}},
        {"subject", m.subject},
        {"header_message_id", m.header_message_id},
        {"size", m.facts.size},
        {"accepted_at", to_rfc3339(m.accepted_at)},
        {"due_at", to_rfc3339(m.due_at)},
        {"expires_at", to_rfc3339(m.expires_at)},
        {"category", m.category},
        {"group", m.group},
        {"key", m.key},
        {"metadata", m.metadata},
        {"idempotency_key", key},
        {"waits", std::any_of(of.recipients.begin(), of.recipients.end(), waits)},
        {"content", content},
        {"recipients", recipients_of(of)},
        {"timeline", timeline_of(of)},
        {"restore", base64_encode(restore)},
    };
    return json::serialize(line) + "\n";
}

result<exported> parse_line(std::string_view line) {
    if (line.size() > longest_export_line) {
        return errc::too_large;
    }
    json::parse_options limits;
    limits.max_depth = deepest;
    boost::json::error_code failure;
    const json::value parsed = json::parse({line.data(), line.size()}, failure, {}, limits);
    const json::object* fields = failure ? nullptr : parsed.if_object();
    const json::value* restore = fields ? fields->if_contains("restore") : nullptr;
    const json::value* content = fields ? fields->if_contains("content") : nullptr;
    const json::value* waiting = fields ? fields->if_contains("waits") : nullptr;
    if (!restore || !restore->is_string() || !content || !content->is_string() || !waiting ||
        !waiting->is_bool()) {
        return errc::json_invalid;
    }
    const auto bytes = base64_decode(std::string_view{restore->get_string()});
    if (!bytes || bytes->size() < 4) {
        return errc::json_invalid;
    }
    const std::string_view payload = std::string_view{*bytes}.substr(4);
    const auto changes = decode_record({1, 0, payload, decoder{*bytes}.u32()});
    if (!changes) {
        return changes.error();
    }
    exported out;
    out.waits = waiting->get_bool();
    out.content = std::string{std::string_view{content->get_string()}};
    for (const logged_change& c : *changes) {
        out.changes.push_back(c.what);
    }
    const auto* mail = out.changes.empty() ? nullptr : std::get_if<enqueued>(&out.changes.front());
    const auto is_mail = [](const change& c) { return std::holds_alternative<enqueued>(c); };
    if (!mail || std::count_if(out.changes.begin(), out.changes.end(), is_mail) != 1) {
        return errc::store_damaged;
    }
    out.id = mail->message->id;
    return out;
}

}  // namespace estafette::store
