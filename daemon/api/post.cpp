#include "handlers.hpp"
#include "intake.hpp"
#include "present.hpp"

#include "estafette/api/json.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>

namespace estafette::api {
namespace {

namespace json = boost::json;

response accepted(const mail::message& m, const beginning& first) {
    response r;
    r.status = 202;
    r.body = json::serialize(present_accepted(m, first)) + "\n";
    r.headers.emplace_back("Location", "/v1/messages/" + m.id.text());
    return r;
}

boost::system::result<reading, problem> read_one(request& r, body_form form) {
    if (form == body_form::raw)
        return read_raw_submission(r.where, std::move(r.body));
    auto parsed = parse_json(r.body);
    if (parsed.has_error())
        return broken_json(parsed.error().offset, parsed.error().detail);
    return read_submission(*parsed);
}

// The parameters as one text, for the digest.
std::string query_text(const target& where) {
    std::string out;
    for (const auto& [name, value] : where.query)
        out.append(percent_encode(name)).append("=").append(percent_encode(value)).append("&");
    return out;
}

constexpr unsigned accepted_now = 202, kept_earlier = 200;

unsigned status_of(const repeated& first) noexcept {
    return first.was_there ? kept_earlier : accepted_now;
}

asio::awaitable<response> answer_again(services& s, message_id id, unsigned status) {
    const auto seen = co_await s.queue.view(id);  // the store answers within its own limit
    if (!seen)
        co_return to_response(of_error(seen.error()));
    auto again = accepted(seen->message, beginning_of(*seen));
    again.status = status;
    co_return again;
}

// Why mail was not taken: another message has its key.
problem refused_for(const sched::placed& p) {
    if (p.what == sched::fate::refused)
        return conflict("key_in_use", "message " + p.other.text() + " has this key and has not left");
    auto busy = conflict("under_way", "message " + p.other.text() + " has this key and is just being sent");
    busy.retry_after = seconds{1};
    return busy;
}

asio::awaitable<response> post_one(services& s, request r, access allowed, body_form form) {
    std::optional<std::string> key;
    if (r.idempotency_key) {
        key = idempotency_key(*r.idempotency_key);
        if (!key)
            co_return to_response(
                invalid("", errc::header_invalid, "the Idempotency-Key must be 1 to 256 printable characters")
            );
    }
    const auto print =
        key ? digest(form == body_form::raw ? "raw" : "json", query_text(r.where), r.body) : std::string{};
    auto given = read_one(r, form);
    if (given.has_error())
        co_return to_response(given.error());
    const auto rule = given->on_key;
    auto made = compose_for(r, allowed, std::move(*given));
    if (made.has_error())
        co_return to_response(made.error());
    const mail::message_ptr message = *made;

    std::unique_ptr<keys_in_use::claim> claim;
    if (key) {
        auto state = co_await look_up_key(s, message->tenant, *key, print);
        if (const auto* wrong = std::get_if<problem>(&state))
            co_return to_response(*wrong);
        if (const auto* again = std::get_if<repeated>(&state))
            co_return co_await answer_again(s, again->message, status_of(*again));
        claim = std::move(std::get<fresh>(state).claim);
    }
    const auto refused =
        co_await s.intake.check(s.queue, message->to.size(), r.config->limits.queue_recipients);
    if (refused)
        co_return to_response(*refused);
    std::vector<sched::arrival> mail(1);
    mail.front().mail.message = message;
    mail.front().mail.idempotency_key = key.value_or("");
    mail.front().mail.idempotency_digest = print;
    mail.front().rule = rule;
    const auto done = co_await s.below.enqueue(std::move(mail));  // durable, however long the disk takes
    if (!done)
        co_return to_response(of_error(done.error()));
    const auto& became = done->front();
    switch (became.what) {
    case sched::fate::accepted: break;
    case sched::fate::kept: co_return co_await answer_again(s, became.other, kept_earlier);
    case sched::fate::refused:
    case sched::fate::under_way: co_return to_response(refused_for(became));
    }
    s.intake.admitted(message->to.size());
    co_return accepted(*message, beginning_of(*message, became));
}

// One line of a batch: what is answered, and what must be committed before.
struct line_result {
    json::object answer;
    mail::message_ptr message;  // null: nothing to commit
    std::string key, digest;
    sched::key_rule rule = sched::key_rule::replace;
    std::unique_ptr<keys_in_use::claim> claim;
};

json::object accepted_line(const mail::message& m, const beginning& first, unsigned status = accepted_now) {
    json::object out{{"status", status}};
    for (auto& [name, value] : present_accepted(m, first))
        out[name] = std::move(value);
    return out;
}

asio::awaitable<line_result>
take_line(services& s, const request& r, const access& allowed, std::string_view line, std::string key) {
    line_result out;
    auto parsed = parse_json(line);
    if (parsed.has_error()) {
        out.answer = to_json(broken_json(parsed.error().offset, parsed.error().detail));
        co_return out;
    }
    auto given = read_submission(*parsed);
    out.rule = given.on_key;
    auto made = compose_for(r, allowed, std::move(given));
    if (made.has_error()) {
        out.answer = to_json(made.error());
        co_return out;
    }
    out.message = std::move(*made);
    if (!key.empty()) {
        out.digest = digest("json", "", line);
        auto state = co_await look_up_key(s, out.message->tenant, key, out.digest);
        out.key = std::move(key);
        if (auto* first = std::get_if<fresh>(&state)) {
            out.claim = std::move(first->claim);
        } else if (const auto* wrong = std::get_if<problem>(&state)) {
            out.message = nullptr;
            out.answer = to_json(*wrong);
        } else {
            out.message = nullptr;
            const auto& again = std::get<repeated>(state);
            const auto seen = co_await s.queue.view(again.message);
            out.answer = seen ? accepted_line(seen->message, beginning_of(*seen), status_of(again))
                              : to_json(of_error(seen.error()));
        }
    }
    co_return out;
}

std::vector<std::string_view> lines_of(std::string_view body) {
    std::vector<std::string_view> out;
    while (!body.empty()) {
        const auto end = body.find('\n');
        out.push_back(body.substr(0, end));
        body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
    }
    return out;
}

// What became of the lines that were handed over.
asio::awaitable<void>
finish_lines(services& s, std::vector<line_result>& results, const std::vector<sched::placed>& became) {
    auto next = became.begin();
    for (auto& line : results) {
        if (!line.message)
            continue;
        const sched::placed& p = *next++;
        if (p.what == sched::fate::accepted) {
            line.answer = accepted_line(*line.message, beginning_of(*line.message, p));
            continue;
        }
        if (p.what != sched::fate::kept) {
            line.answer = to_json(refused_for(p));
            continue;
        }
        const auto seen = co_await s.queue.view(p.other);  // the store answers within its own limit
        line.answer = seen ? accepted_line(seen->message, beginning_of(*seen), kept_earlier)
                           : to_json(of_error(seen.error()));
    }
}

asio::awaitable<response> post_batch(services& s, request r, access allowed) {
    constexpr std::size_t lines_a_turn = 16;  // then others have theirs
    const auto lines = lines_of(r.body);
    if (lines.size() > r.config->limits.batch_lines)
        co_return to_response(
            too_large("more lines than the limit of " + std::to_string(r.config->limits.batch_lines))
        );
    std::optional<std::string> key;
    if (r.idempotency_key) {
        key = idempotency_key(*r.idempotency_key);
        if (!key || key->size() > 250)
            co_return to_response(invalid(
                "",
                errc::header_invalid,
                "the Idempotency-Key of a batch must be 1 to 250 printable characters"
            ));
    }
    const auto loop = co_await asio::this_coro::executor;
    std::vector<line_result> results;
    std::vector<sched::arrival> mail;
    std::size_t recipients = 0;
    for (const auto line : lines) {
        auto line_key = key ? *key + "#" + std::to_string(results.size()) : std::string{};
        auto taken = co_await take_line(s, r, allowed, line, std::move(line_key));
        if (taken.message) {
            recipients += taken.message->to.size();
            auto& a = mail.emplace_back();
            a.mail.message = taken.message;
            a.mail.idempotency_key = taken.key;
            a.mail.idempotency_digest = taken.digest;
            a.rule = taken.rule;
        }
        results.push_back(std::move(taken));
        if (results.size() % lines_a_turn == 0)
            co_await asio::post(loop, asio::use_awaitable);
    }
    if (!mail.empty()) {
        const auto refused = co_await s.intake.check(s.queue, recipients, r.config->limits.queue_recipients);
        if (refused)
            co_return to_response(*refused);
        const auto done = co_await s.below.enqueue(std::move(mail));  // one durable step for all of them
        if (!done)
            co_return to_response(of_error(done.error()));
        s.intake.admitted(recipients);
        co_await finish_lines(s, results, *done);
    }
    response out;
    out.content_type = "application/x-ndjson";
    for (const auto& result : results)
        out.body.append(json::serialize(result.answer)).append("\n");
    co_return out;
}

}  // namespace

asio::awaitable<response> post_messages(services& s, request r) {
    const access allowed{r.who, r.config->grants};
    const auto granted = allowed.tenants(permission::enqueue);
    if (granted && granted->empty())
        co_return to_response(forbidden("your role does not allow sending"));
    if (!r.content_encoding.empty() && r.content_encoding != "identity")
        co_return to_response(media_type("the body must not be compressed"));
    const auto form = form_of(r);
    if (!form)
        co_return to_response(media_type("use application/json, message/rfc822 or application/x-ndjson"));
    if (*form == body_form::batch)
        co_return co_await post_batch(s, std::move(r), allowed);
    co_return co_await post_one(s, std::move(r), allowed, *form);
}

}  // namespace estafette::api
