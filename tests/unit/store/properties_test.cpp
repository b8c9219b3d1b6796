// Random changes: what the journal's codec writes it reads, and what the rules of a recipient's life
// promise holds whatever comes in whatever order. RC_PARAMS="max_success=100000" is the long form.
#include "estafette/store/engine.hpp"
#include "estafette/store/journal_format.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace estafette::store {
namespace {

constexpr std::uint64_t salt = 0xA5A5A5A5DEADBEEF;

std::string any_text() {
    return *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
}

std::string any_word() {
    return *rc::gen::element<std::string>(
        "", "relay", "tenant:acme", "uid 0", "daemon", "é", std::string(300, 'x')
    );
}

wall_time any_time() {
    return from_unix_ms(*rc::gen::inRange<std::int64_t>(-1'000'000, 4'000'000'000'000));
}

template <class T> T any_of(std::size_t count) {
    return static_cast<T>(*rc::gen::inRange<std::size_t>(0, count));
}

mail::address any_address() {
    const auto text = *rc::gen::element<std::string>(
        "ann@customer.example", "\"quoted @ local\"@x.example", "é@x.example", "a+b@xn--bcher-kva.example"
    );
    return mail::address::parse(text).value();
}

message_id any_id() {
    message_id::bytes_type bytes{};
    for (auto& b : bytes) {
        b = *rc::gen::arbitrary<std::uint8_t>();
    }
    return message_id{bytes};
}

verdict::verdict any_verdict() {
    verdict::verdict v;
    v.what = any_of<verdict::disposition>(4);
    v.fault = any_of<verdict::scope>(4);
    v.why = any_of<verdict::reason>(verdict::reason_count);
    if (*rc::gen::arbitrary<bool>()) {
        v.retry_hint = seconds{*rc::gen::inRange<std::int64_t>(0, 1'000'000)};
    }
    v.certain = *rc::gen::arbitrary<bool>();
    v.rule = any_word();
    return v;
}

attempt any_attempt() {
    attempt a;
    a.number = *rc::gen::inRange<std::uint32_t>(0, 100);
    a.started_at = any_time();
    a.duration = milliseconds{*rc::gen::inRange<std::int64_t>(0, 1'000'000)};
    a.route = route_id{any_word()};
    a.server = any_text();
    a.tls = any_text();
    a.at = any_of<smtp::phase>(smtp::phase_count);
    a.judged = any_verdict();
    a.code = *rc::gen::inRange(0, 600);
    if (*rc::gen::arbitrary<bool>()) {
        const auto detail = *rc::gen::inRange<std::uint16_t>(0, 1000);
        a.enhanced = smtp::enhanced_code{*rc::gen::element<std::uint16_t>(2, 4, 5), detail, detail};
    }
    a.text = any_text();
    return a;
}

change any_mail(message_id id) {
    auto m = std::make_shared<mail::message>();
    m->id = id;
    m->tenant = tenant_id{any_word()};
    if (*rc::gen::arbitrary<bool>()) {
        m->from = any_address();
    }
    for (int n = *rc::gen::inRange(1, 4); n > 0; --n) {
        m->to.push_back(any_address());
    }
    m->facts.size = *rc::gen::arbitrary<std::uint64_t>();
    m->facts.longest_line = *rc::gen::arbitrary<std::uint32_t>();
    m->facts.eight_bit = *rc::gen::arbitrary<bool>();
    m->facts.utf8_header = *rc::gen::arbitrary<bool>();
    m->facts.leading_dot = *rc::gen::arbitrary<bool>();
    if (*rc::gen::arbitrary<bool>()) {
        m->body = std::make_shared<const std::string>(any_text());
    }
    m->subject = any_text();
    m->header_message_id = any_word();
    m->accepted_at = any_time();
    m->due_at = any_time();
    m->expires_at = any_time();
    m->precedence = any_of<mail::priority>(2);
    m->category = any_word();
    m->group = any_word();
    m->key = any_word();
    m->tags =
        *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>("", "one", "\"two\""));
    m->metadata = any_text();
    m->require_tls = *rc::gen::arbitrary<bool>();
    using content = mail::dsn_request::content;
    m->reports.ret = *rc::gen::element(content::unspecified, content::full, content::headers);
    m->reports.envid = *rc::gen::arbitrary<std::string>();
    m->reports.notify = *rc::gen::inRange<std::uint8_t>(0, 9);
    return enqueued{std::move(m), any_word(), any_text(), *rc::gen::arbitrary<bool>()};
}

std::optional<wall_time> perhaps_a_time() {
    return *rc::gen::arbitrary<bool>() ? std::optional{any_time()} : std::nullopt;
}

change any_change(recipient_id who) {
    const auto at = any_time();
    const auto why = any_of<verdict::reason>(verdict::reason_count);
    switch (*rc::gen::inRange(0, 9)) {
    case 0: return any_mail(who.message);
    case 1: return attempted{who, any_of<state>(state_count), perhaps_a_time(), any_attempt()};
    case 2: return cancelled{who, at, any_word(), any_text()};
    case 3: return held{who, at, why, any_word(), any_text()};
    case 4: return released{who, at, any_word()};
    case 5: return expired{who, at};
    case 6: return corrected{who, at, any_of<finding>(4), any_verdict(), any_word(), any_text(), any_text()};
    case 7:
        return paused{
            pause_target::of(route_id{any_word()}), at, perhaps_a_time(), why, any_text(), any_word()
        };
    default: return resumed{pause_target::of(route_id{any_word()}), at, any_word()};
    }
}

recipient_id any_recipient() {
    return {any_id(), *rc::gen::arbitrary<std::uint32_t>()};
}

// Equal as the journal writes them: every field is in the bytes.
RC_GTEST_PROP(the_journals_codec, reads_what_it_wrote_whatever_the_changes, ()) {
    std::vector<change> batch;
    for (int n = *rc::gen::inRange(1, 5); n > 0; --n) {
        batch.push_back(any_change(any_recipient()));
    }
    std::string segment = encode_header({1, 9, salt});
    const auto bodies = encode_record(segment, 9, salt, batch);
    segment_reader reader{segment, {1, 9, salt}};
    const auto record = reader.next();
    RC_ASSERT(record.has_value());
    const auto read = decode_record(*record);
    RC_ASSERT(read.has_value());
    RC_ASSERT(read->size() == batch.size());
    std::vector<change> again;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const logged_change& c = (*read)[i];
        RC_ASSERT(c.body == bodies[i]);
        again.push_back(c.what);
        if (!c.body) {
            continue;
        }
        const std::string_view rest = std::string_view{segment}.substr(*c.body);
        const auto head = decode_body_header(rest).value();
        const std::string body{rest.substr(body_header::size, head.length)};
        RC_ASSERT(fits(head, body));
        const auto& first = std::get<enqueued>(batch[i]);
        RC_ASSERT(body == *first.message->body);
        auto& mail = std::get<enqueued>(again.back());
        auto whole = std::make_shared<mail::message>(*mail.message);
        whole->body = first.message->body;
        mail.message = std::move(whole);
    }
    std::string second = encode_header({1, 9, salt});
    (void)encode_record(second, 9, salt, again);
    RC_ASSERT(second == segment);
}

bool has_a_next_try(state s) {
    return s == state::scheduled || s == state::queued || s == state::deferred;
}

// Only a later report or the server's own 250 moves what is final.
bool may_follow(state was, state is, const change& why) {
    if (!is_final(was) || was == is) {
        return true;
    }
    if (std::holds_alternative<corrected>(why)) {
        return was == state::relayed && (is == state::delivered || is == state::failed);
    }
    return std::holds_alternative<attempted>(why) && is == state::relayed && was != state::delivered;
}

RC_GTEST_PROP(a_recipients_life, follows_its_rules_whatever_comes, ()) {
    config::store_options options;
    options.engine = "memory";
    const auto store = *open_engine(options);
    const message_id id = any_id();
    const std::vector<change> birth{any_mail(id)};
    RC_ASSERT(store->commit(birth).value() == effects{true});
    auto before = store->view(id).value();
    for (int n = *rc::gen::inRange(1, 12); n > 0; --n) {
        const std::vector<change> one{any_change({id, 0})};
        const bool took_effect = store->commit(one).value().front();
        const auto after = store->view(id).value();
        const recipient_view &was = before.recipients[0], &is = after.recipients[0];
        const bool is_of_recipient =
            !std::holds_alternative<paused>(one[0]) && !std::holds_alternative<resumed>(one[0]);
        RC_ASSERT(!std::holds_alternative<enqueued>(one[0]) || !took_effect);
        RC_ASSERT(may_follow(was.now, is.now, one[0]));
        RC_ASSERT(has_a_next_try(is.now) == is.next_attempt_at.has_value());
        RC_ASSERT(is.last.has_value() || !was.last.has_value());
        const std::size_t events = after.timeline.size() - before.timeline.size();
        RC_ASSERT(events == (took_effect && is_of_recipient ? 1u : 0u));
        if (!took_effect) {
            RC_ASSERT(was.now == is.now && was.attempts == is.attempts && was.note == is.note);
        }
        std::uint64_t sum = 0;
        const counts now = store->count().value();
        for (const std::uint64_t count : now.by_state) {
            sum += count;
        }
        RC_ASSERT(sum == after.recipients.size());
        before = after;
    }
}

}  // namespace
}  // namespace estafette::store
