#include "problem.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>

namespace estafette::api {
namespace {

namespace json = boost::json;

constexpr std::size_t max_errors = 100;

// The words of docs/api.md for the codes that a field can have.
constexpr std::array<std::pair<errc, std::string_view>, 22> words{{
    {errc::address_invalid, "address_invalid"},
    {errc::address_too_long, "address_too_long"},
    {errc::domain_invalid, "domain_invalid"},
    {errc::header_invalid, "header_invalid"},
    {errc::control_character, "control_character"},
    {errc::utf8_invalid, "utf8_invalid"},
    {errc::base64_invalid, "base64_invalid"},
    {errc::json_invalid, "json_invalid"},
    {errc::id_invalid, "id_invalid"},
    {errc::duration_invalid, "duration_invalid"},
    {errc::size_invalid, "size_invalid"},
    {errc::time_invalid, "time_invalid"},
    {errc::cursor_invalid, "cursor_invalid"},
    {errc::too_large, "too_large"},
    {errc::too_many_recipients, "too_many_recipients"},
    {errc::too_many_items, "too_many_items"},
    {errc::field_missing, "field_missing"},
    {errc::field_unknown, "field_unknown"},
    {errc::field_type, "field_type"},
    {errc::field_conflict, "field_conflict"},
    {errc::conflict, "conflict"},
    {errc::not_found, "not_found"},
}};

std::string_view word(const error_code& e) {
    const auto found = std::ranges::find_if(words, [&](const auto& w) { return e == w.first; });
    return found == words.end() ? std::string_view{"invalid"} : found->second;
}

// "/to/0" → "to[0]", for people.
std::string readable(std::string_view pointer) {
    if (pointer.empty())
        return "the request";
    std::string out;
    while (!pointer.empty()) {
        const auto end = std::min(pointer.find('/', 1), pointer.size());
        const auto part = pointer.substr(1, end - 1);
        const bool is_index =
            !part.empty() && std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
        if (is_index)
            out.append("[").append(part).append("]");
        else
            out.append(out.empty() ? "" : ".").append(part);
        pointer.remove_prefix(end);
    }
    return out;
}

problem make(unsigned status, std::string code, std::string title, std::string detail) {
    problem p;
    p.status = status;
    p.code = std::move(code);
    p.title = std::move(title);
    p.detail = std::move(detail);
    return p;
}

problem unavailable(std::string code, const error_code& e, seconds retry_after) {
    auto p = make(503, std::move(code), "Try again later", e.message());
    p.retry_after = retry_after;
    return p;
}

}  // namespace

json::object to_json(const problem& p) {
    json::object out{
        {"type", "about:blank"},
        {"title", p.title},
        {"status", p.status},
        {"code", p.code},
        {"detail", p.detail},
    };
    if (p.offset)
        out["offset"] = *p.offset;
    if (!p.errors.empty()) {
        json::array errors;
        for (const auto& e : p.errors)
            errors.push_back(
                json::object{{"pointer", e.pointer}, {"code", word(e.code)}, {"detail", e.detail}}
            );
        out["errors"] = std::move(errors);
    }
    return out;
}

response to_response(const problem& p) {
    response r;
    r.status = p.status;
    r.content_type = "application/problem+json";
    r.body = json::serialize(to_json(p)) + "\n";
    r.headers = p.headers;
    if (p.retry_after)
        r.headers.emplace_back("Retry-After", std::to_string(p.retry_after->count()));
    return r;
}

problem invalid(std::vector<mail::field_error> errors) {
    auto p = make(422, "validation", "The request does not validate", {});
    p.detail = readable(errors.front().pointer) + ": " + errors.front().detail;
    if (errors.size() > 1)
        p.detail += " (and " + std::to_string(errors.size() - 1) + " more)";
    if (errors.size() > max_errors)
        errors.resize(max_errors);
    p.errors = std::move(errors);
    return p;
}

problem invalid(std::string pointer, error_code why, std::string detail) {
    std::vector<mail::field_error> errors;
    errors.push_back({std::move(pointer), why, detail.empty() ? why.message() : std::move(detail)});
    return invalid(std::move(errors));
}

problem broken_json(std::size_t offset, const std::string& detail) {
    auto p = make(400, "json_invalid", "The body is not valid JSON", {});
    p.detail = "at byte " + std::to_string(offset) + ": " + detail;
    p.offset = offset;
    return p;
}

problem bad_request(std::string detail) {
    return make(400, "bad_request", "The request is not valid HTTP", std::move(detail));
}

problem forbidden(std::string detail) {
    return make(403, "forbidden", "Not allowed", std::move(detail));
}

problem not_found() {
    return make(404, "not_found", "Not found", "there is nothing here, or nothing that you may see");
}

problem not_allowed(const std::string& allow) {
    auto p = make(405, "method_not_allowed", "Method not allowed", "this resource takes " + allow);
    p.headers.emplace_back("Allow", allow);
    return p;
}

problem conflict(std::string code, std::string detail) {
    return make(409, std::move(code), "In conflict with the present state", std::move(detail));
}

problem too_large(std::string detail) {
    return make(413, "too_large", "Too large", std::move(detail));
}

problem media_type(std::string detail) {
    return make(415, "media_type", "Media type not supported", std::move(detail));
}

problem queue_full() {
    auto p = make(429, "queue_full", "The queue is full", "more recipients wait than the limit allows");
    p.retry_after = seconds{10};
    return p;
}

problem busy(std::string code, std::string detail) {
    auto p = make(503, std::move(code), "Try again later", std::move(detail));
    p.retry_after = seconds{1};
    return p;
}

problem of_error(const error_code& e) {
    if (e == errc::not_found)
        return not_found();
    if (e == errc::store_full)
        return unavailable("store_full", e, seconds{60});
    if (e == errc::store_failed)
        return unavailable("store_failed", e, seconds{30});
    if (e == errc::store_busy)
        return unavailable("store_busy", e, seconds{1});
    if (e == errc::interrupted)
        return unavailable("stopping", e, seconds{5});
    return make(500, "internal", "An internal error", e.message());
}

}  // namespace estafette::api
