#include "ledger_events.hpp"

namespace estafette::store {

namespace {

smtp::phase parse_phase(std::string_view text) {
    for (std::size_t i = 0; i < smtp::phase_count; ++i) {
        if (smtp::label(static_cast<smtp::phase>(i)) == text) {
            return static_cast<smtp::phase>(i);
        }
    }
    throw ledger_error{errc::store_damaged, "an event has an unknown phase"};
}

template <class T> T known(std::optional<T> parsed, const char* what) {
    if (!parsed) {
        throw ledger_error{errc::store_damaged, std::string{"an event has an unknown "} + what};
    }
    return *parsed;
}

verdict::verdict verdict_at(const statement& s, int first) {
    verdict::verdict v;
    v.what = known(verdict::parse_disposition(s.text(first)), "disposition");
    v.fault = known(verdict::parse_scope(s.text(first + 1)), "scope");
    v.why = known(verdict::parse_reason(s.text(first + 2)), "reason");
    if (const auto hint = s.maybe_integer(first + 3)) {
        v.retry_hint = seconds{*hint};
    }
    v.certain = s.integer(first + 4) != 0;
    v.rule = s.text(first + 5);
    return v;
}

}  // namespace

std::optional<verdict::verdict> read_judged(const statement& s, int first) {
    return s.is_null(first + 7) ? std::nullopt : std::optional{verdict_at(s, first + 7)};
}

std::optional<attempt> read_attempt(const statement& s, int first) {
    if (s.is_null(first)) {
        return std::nullopt;
    }
    attempt a;
    a.number = static_cast<std::uint32_t>(s.integer(first));
    a.started_at = from_unix_ms(s.integer(first + 1));
    a.duration = milliseconds{s.integer(first + 2)};
    a.route = route_id{std::string{s.text(first + 3)}};
    a.server = s.text(first + 4);
    a.tls = s.text(first + 5);
    a.at = parse_phase(s.text(first + 6));
    a.judged = verdict_at(s, first + 7);
    a.code = static_cast<int>(s.integer(first + 13));
    if (!s.is_null(first + 14)) {
        a.enhanced = smtp::enhanced_code::parse(s.text(first + 14));
    }
    a.text = s.text(first + 15);
    return a;
}

namespace {

// An event that is no attempt: the attempt's columns stay empty, but for what a report said.
void insert_plain_event(
    statement& s, const event& e, std::optional<std::int64_t> recipient, std::optional<std::int64_t> tenant
) {
    const auto none = std::nullopt;
    const auto now = static_cast<int>(e.now);
    if (!e.judged) {
        // clang-format off
        s.run(e.sequence, e.at, e.type, recipient, tenant, e.route.text(), now, e.by, e.text,
              none, none, none, none, none, none, none, none, none, none, none, none, none, none, none, none);
        // clang-format on
        return;
    }
    const verdict::verdict& v = *e.judged;
    // clang-format off
    s.run(e.sequence, e.at, e.type, recipient, tenant, e.route.text(), now, e.by, e.text,
          none, none, none, none, none, none, verdict::to_text(v.what), verdict::to_text(v.fault),
          verdict::to_text(v.why), none, v.certain, v.rule, none, none, none, e.evidence);
    // clang-format on
}

}  // namespace

void insert_event(
    statement& s, const event& e, std::optional<std::int64_t> recipient, std::optional<std::int64_t> tenant
) {
    if (!e.what) {
        insert_plain_event(s, e, recipient, tenant);
        return;
    }
    const attempt& a = *e.what;
    const verdict::verdict& v = a.judged;
    const auto hint =
        v.retry_hint ? std::optional{static_cast<std::int64_t>(v.retry_hint->count())} : std::nullopt;
    const auto enhanced = a.enhanced ? std::optional{a.enhanced->text()} : std::nullopt;
    s.run(
        e.sequence,
        e.at,
        e.type,
        recipient,
        tenant,
        a.route.text(),
        static_cast<int>(e.now),
        e.by,
        e.text,
        a.number,
        a.started_at,
        static_cast<std::int64_t>(a.duration.count()),
        a.server,
        a.tls,
        smtp::label(a.at),
        verdict::to_text(v.what),
        verdict::to_text(v.fault),
        verdict::to_text(v.why),
        hint,
        v.certain,
        v.rule,
        a.code,
        enhanced,
        a.text,
        std::nullopt
    );
}

}  // namespace estafette::store
