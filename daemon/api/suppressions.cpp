#include "handlers.hpp"

#include "estafette/api/json.hpp"
#include "estafette/base/text.hpp"
#include "estafette/mail/address.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>

namespace estafette::api {
namespace {

namespace json = boost::json;

constexpr std::size_t max_text = 255;
constexpr std::size_t max_lines = 10'000;  // of an import

wall_time wall_now() {
    return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

json::object present(const store::suppression& s) {
    return {
        {"tenant", s.tenant.text()},
        {"address", s.address},
        {"cause", store::to_text(s.why)},
        {"since", to_rfc3339(s.since)},
        {"until", s.until ? json::value(to_rfc3339(*s.until)) : json::value(nullptr)},
        {"by", s.by},
        {"text", s.text},
    };
}

response json_response(json::object body) {
    response r;
    r.body = json::serialize(body) + "\n";
    return r;
}

// The tenant that a change is for: the one named, else the caller's only one, else `default`.
std::optional<tenant_id> tenant_for(const request& r, const access& allowed, const std::string* named) {
    const auto granted = allowed.tenants(permission::administer);
    tenant_id wanted = default_tenant();
    if (named != nullptr)
        wanted = tenant_id{*named};
    else if (granted && granted->size() == 1)
        wanted = granted->front();
    const bool may = r.config->find_tenant(wanted) != nullptr && allowed.may(permission::administer, wanted);
    return may ? std::optional{wanted} : std::nullopt;
}

struct line_in {
    std::optional<std::string> tenant;
    store::suppressed what;
    std::vector<mail::field_error> errors;

    void refuse(std::string pointer, error_code why, std::string detail = {}) {
        errors.push_back({std::move(pointer), why, detail.empty() ? why.message() : std::move(detail)});
    }
};

void read_member(line_in& line, std::string_view key, std::string text) {
    if (key == "tenant") {
        line.tenant = std::move(text);
    } else if (key == "address") {
        const auto parsed = mail::address::parse(text);
        if (parsed)
            line.what.address = parsed->text();
        else
            line.refuse("/address", parsed.error());
    } else if (key == "text") {
        line.what.text = printable(text, max_text);
    } else if (key == "cause") {
        const auto cause = store::parse_suppression_cause(text);
        if (cause)
            line.what.why = *cause;
        else
            line.refuse(
                "/cause", errc::field_type, "not one of unknown_user, complaint, unsubscribed, manual"
            );
    } else if (key == "until" || key == "since") {
        const auto at = parse_rfc3339(text);
        if (!at)
            line.refuse("/" + std::string{key}, errc::time_invalid);
        else if (key == "until")
            line.what.until = *at;
        else
            line.what.at = *at;
    } else if (key != "by") {
        line.refuse("/" + printable(key, 64), errc::field_unknown, "there is no such field");
    }
}

// An object as GET shows it; `address` is all that it needs.
line_in read_line(const json::value& v, wall_time now) {
    line_in line;
    line.what.at = now;
    if (!v.is_object()) {
        line.refuse("", errc::field_type, "must be an object");
        return line;
    }
    for (const auto& [key, value] : v.get_object()) {
        if (value.is_null())
            continue;
        if (value.is_string())
            read_member(line, key, std::string{std::string_view{value.get_string()}});
        else
            line.refuse("/" + printable(std::string_view{key}, 64), errc::field_type, "must be a string");
    }
    if (line.what.address.empty() && line.errors.empty())
        line.refuse("/address", errc::field_missing);
    return line;
}

boost::system::result<store::suppressed, problem>
line_of(const request& r, const access& allowed, std::string_view text) {
    const auto parsed = parse_json(text);
    if (parsed.has_error())
        return broken_json(parsed.error().offset, parsed.error().detail);
    auto line = read_line(*parsed, wall_now());
    const auto tenant = tenant_for(r, allowed, line.tenant ? &*line.tenant : nullptr);
    if (!tenant)
        return not_found();
    if (!line.errors.empty())
        return invalid(std::move(line.errors));
    line.what.tenant = *tenant;
    line.what.by = r.who.text();
    return std::move(line.what);
}

bool is_batch(const request& r) {
    return r.content_type.starts_with("application/x-ndjson") ||
           r.content_type.starts_with("application/ndjson");
}

// All lines or none.
boost::system::result<std::vector<store::suppressed>, problem>
lines_of(const request& r, const access& allowed) {
    std::vector<store::suppressed> lines;
    std::string_view rest = r.body;
    for (std::size_t number = 1; !rest.empty(); ++number) {
        const auto end = is_batch(r) ? rest.find('\n') : std::string_view::npos;
        const auto text = trim(rest.substr(0, end));
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        if (text.empty())
            continue;
        if (lines.size() == max_lines)
            return too_large("more lines than the limit of " + std::to_string(max_lines));
        auto line = line_of(r, allowed, text);
        if (line.has_error()) {
            auto wrong = line.error();
            if (is_batch(r))
                wrong.detail = "line " + std::to_string(number) + ": " + wrong.detail;
            return wrong;
        }
        lines.push_back(std::move(*line));
    }
    if (lines.empty())
        return bad_request("the body is empty");
    return lines;
}

struct list_query {
    store::suppression_query what;
    std::optional<std::string> address;
    std::optional<tenant_id> tenant;
    std::vector<mail::field_error> errors;
};

list_query read_list_query(const target& where) {
    list_query q;
    const auto refuse = [&](std::string pointer, error_code why, std::string detail) {
        q.errors.push_back({std::move(pointer), why, std::move(detail)});
    };
    for (const auto& [name, value] : where.query) {
        if (name == "tenant") {
            q.tenant = tenant_id{value};
        } else if (name == "cursor") {
            q.what.cursor = value;
        } else if (name == "address") {
            const auto parsed = mail::address::parse(value);
            if (parsed)
                q.address = ascii_lower(parsed->text());
            else
                refuse("/address", parsed.error(), parsed.error().message());
        } else if (name == "limit") {
            std::uint32_t limit = 0;
            const auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), limit);
            if (ec != std::errc{} || end != value.data() + value.size() || limit < 1 || limit > 500)
                refuse("/limit", errc::field_type, "must be a number from 1 to 500");
            q.what.limit = limit;
        } else {
            refuse("/" + printable(name, 64), errc::field_unknown, "there is no such parameter");
        }
    }
    return q;
}

asio::awaitable<response> get_one(services& s, list_query q, const config::config_ptr config) {
    std::vector<tenant_id> tenants = q.what.tenants;
    if (tenants.empty())
        for (const auto& [name, tenant] : config->tenants)
            tenants.push_back(tenant.id);
    json::array lines;
    for (const auto& tenant : tenants) {
        std::vector<std::string> one{*q.address};
        const auto found = co_await s.queue.find_suppressed(tenant, std::move(one));
        if (!found)
            co_return to_response(of_error(found.error()));
        for (const auto& line : *found)
            lines.push_back(present(line));
    }
    co_return json_response({{"suppressions", std::move(lines)}, {"next", nullptr}});
}

}  // namespace

asio::awaitable<response> get_suppressions(services& s, request r) {
    const access allowed{r.who, r.config->grants};
    auto q = read_list_query(r.where);
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
    if (q.address)
        co_return co_await get_one(s, std::move(q), r.config);
    const auto page =
        co_await s.queue.suppressions(std::move(q.what));  // the store answers within its own limit
    if (!page && page.error() == errc::cursor_invalid)
        co_return to_response(invalid("/cursor", page.error()));
    if (!page)
        co_return to_response(of_error(page.error()));
    json::array lines;
    for (const auto& line : page->lines)
        lines.push_back(present(line));
    const auto& next = page->next_cursor;
    co_return json_response({
        {"suppressions", std::move(lines)},
        {"next", next.empty() ? json::value(nullptr) : json::value(next)},
    });
}

asio::awaitable<response> post_suppressions(services& s, request r) {
    const access allowed{r.who, r.config->grants};
    if (const auto granted = allowed.tenants(permission::administer); granted && granted->empty())
        co_return to_response(forbidden("only an administrator may change a suppression list"));
    auto lines = lines_of(r, allowed);
    if (lines.has_error())
        co_return to_response(lines.error());
    const auto count = lines->size();
    const auto done = co_await s.below.suppress(std::move(*lines));  // durable, however long the disk takes
    if (!done)
        co_return to_response(of_error(done.error()));
    co_return json_response({{"lines", count}, {"changed", *done}});
}

asio::awaitable<response> delete_suppression(services& s, request r) {
    const access allowed{r.who, r.config->grants};
    if (const auto granted = allowed.tenants(permission::administer); granted && granted->empty())
        co_return to_response(forbidden("only an administrator may change a suppression list"));
    const auto q = read_list_query(r.where);
    if (!q.errors.empty())
        co_return to_response(invalid(q.errors));
    if (!q.address)
        co_return to_response(invalid("/address", errc::field_missing));
    const auto tenant = tenant_for(r, allowed, r.where.find("tenant"));
    if (!tenant)
        co_return to_response(not_found());
    const auto done = co_await s.below.unsuppress(*tenant, *q.address, r.who.text());
    if (!done)
        co_return to_response(of_error(done.error()));
    if (*done == 0)
        co_return to_response(not_found());
    co_return json_response({{"tenant", tenant->text()}, {"address", *q.address}, {"removed", true}});
}

}  // namespace estafette::api
