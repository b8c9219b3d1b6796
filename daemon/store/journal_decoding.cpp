// The payload of a record as it is read, also what earlier releases wrote.
#include "codec.hpp"
#include "journal_changes.hpp"
#include "journal_tags.hpp"
#include "journal_words.hpp"

#include <algorithm>

namespace estafette::store {

namespace {

class change_decoder {
public:
    change_decoder(std::string_view payload, std::uint64_t base)
        : d_{payload}
        , base_{base} {}

    [[nodiscard]] bool is_at_end() const noexcept { return d_.is_at_end(); }

    [[nodiscard]] logged_change next() {
        switch (static_cast<change_tag>(d_.u8())) {
        case change_tag::enqueued: return read_enqueued();
        case change_tag::attempted: return {read_attempted(), std::nullopt};
        case change_tag::cancelled: return {read_cancelled(), std::nullopt};
        case change_tag::held: return {read_held(), std::nullopt};
        case change_tag::released: return {read_released(), std::nullopt};
        case change_tag::expired: return {read_expired(), std::nullopt};
        case change_tag::corrected_0_1: return {read_corrected_0_1(), std::nullopt};
        case change_tag::corrected: return {read_corrected(), std::nullopt};
        case change_tag::delayed: return {read_delayed(), std::nullopt};
        case change_tag::withheld: return {read_withheld(), std::nullopt};
        case change_tag::suppressed: return {read_suppressed(), std::nullopt};
        case change_tag::unsuppressed: return {read_unsuppressed(), std::nullopt};
        case change_tag::route_paused: return {read_paused(route_target()), std::nullopt};
        case change_tag::route_resumed: return {read_resumed(route_target()), std::nullopt};
        case change_tag::paused: return {read_paused(target()), std::nullopt};
        case change_tag::resumed: return {read_resumed(target()), std::nullopt};
        case change_tag::acted: return {read_acted(), std::nullopt};
        case change_tag::category_off: return {read_category_off(), std::nullopt};
        case change_tag::category_on: return {read_category_on(), std::nullopt};
        case change_tag::erased: return {read_erased(), std::nullopt};
        case change_tag::answered: return {answered{id(), d_.string(), d_.string()}, std::nullopt};
        }
        throw bad_encoding{};
    }

private:
    // Members are read in the order of the encoder, one statement each.
    [[nodiscard]] logged_change read_enqueued() {
        auto m = std::make_shared<mail::message>();
        enqueued c;
        const std::uint16_t flags = d_.u16();
        c.claimed = (flags & is_claimed) != 0;
        m->precedence = (flags & is_bulk) != 0 ? mail::priority::bulk : mail::priority::transactional;
        m->require_tls = (flags & wants_tls) != 0;
        m->ignore_suppression = (flags & ignores_suppression) != 0;
        m->facts.eight_bit = (flags & is_eight_bit) != 0;
        m->facts.utf8_header = (flags & has_utf8_header) != 0;
        m->facts.leading_dot = (flags & has_leading_dot) != 0;
        m->id = id();
        m->tenant = tenant_id{d_.string()};
        const std::string_view sender = d_.text();
        if ((flags & has_sender) != 0) {
            m->from = address_of(sender);
        }
        for (std::uint32_t n = d_.u32(); n > 0; --n) {
            m->to.push_back(address_of(d_.text()));
        }
        m->facts.size = d_.u64();
        m->facts.longest_line = d_.u32();
        m->subject = d_.string();
        m->header_message_id = d_.string();
        m->accepted_at = d_.time();
        m->due_at = d_.time();
        m->expires_at = d_.time();
        m->category = d_.string();
        m->group = d_.string();
        m->key = d_.string();
        for (std::uint32_t n = d_.u32(); n > 0; --n) {
            m->tags.push_back(d_.string());
        }
        m->metadata = d_.string();
        c.idempotency_key = d_.string();
        c.idempotency_digest = d_.string();
        m->reports = (flags & wants_reports) != 0 ? read_reports(d_) : mail::dsn_request{};
        c.message = std::move(m);
        std::optional<std::uint64_t> body;
        if ((flags & has_body) != 0) {
            body = base_ + d_.offset();
            const std::uint32_t length = d_.u32();
            (void)d_.u32();  // its checksum: the record's covers it
            (void)d_.raw(length);
        }
        return {std::move(c), body};
    }

    [[nodiscard]] attempted read_attempted() {
        attempted c;
        c.who = recipient();
        c.next = known(parse_state(d_.text()));
        c.next_attempt_at = d_.maybe_time();
        attempt& a = c.what;
        a.number = d_.u32();
        a.started_at = d_.time();
        a.duration = milliseconds{static_cast<std::int64_t>(d_.u64())};
        a.route = route_id{d_.string()};
        a.server = d_.string();
        a.tls = d_.string();
        a.at = phase_of(d_.text());
        a.judged = verdict_();
        a.code = static_cast<int>(d_.u32());
        const std::string_view enhanced = d_.text();
        a.enhanced = smtp::enhanced_code::parse(enhanced);
        a.text = d_.string();
        return c;
    }

    [[nodiscard]] cancelled read_cancelled() {
        cancelled c;
        c.who = recipient();
        c.at = d_.time();
        c.by = d_.string();
        c.why = d_.string();
        return c;
    }

    [[nodiscard]] held read_held() {
        held c;
        c.who = recipient();
        c.at = d_.time();
        c.why = known(verdict::parse_reason(d_.text()));
        c.by = d_.string();
        c.text = d_.string();
        return c;
    }

    [[nodiscard]] released read_released() {
        released c;
        c.who = recipient();
        c.at = d_.time();
        c.by = d_.string();
        return c;
    }

    [[nodiscard]] expired read_expired() {
        expired c;
        c.who = recipient();
        c.at = d_.time();
        return c;
    }

    [[nodiscard]] delayed read_delayed() {
        delayed c;
        c.who = recipient();
        c.at = d_.time();
        return c;
    }

    // As 0.1 wrote it: without the reporter and the report.
    [[nodiscard]] corrected read_corrected_0_1() {
        corrected c;
        c.who = recipient();
        c.at = d_.time();
        c.what = known(parse_finding(d_.text()));
        c.judged = verdict_();
        c.text = d_.string();
        return c;
    }

    [[nodiscard]] corrected read_corrected() {
        corrected c;
        c.who = recipient();
        c.at = d_.time();
        c.what = known(parse_finding(d_.text()));
        c.judged = verdict_();
        c.by = d_.string();
        c.text = d_.string();
        c.evidence = d_.string();
        return c;
    }

    [[nodiscard]] pause_target route_target() { return {pause_kind::route, d_.string(), {}}; }

    [[nodiscard]] pause_target target() {
        pause_target what;
        what.kind = known(parse_pause_kind(d_.text()));
        what.name = d_.string();
        what.sender = d_.string();
        return what;
    }

    [[nodiscard]] paused read_paused(pause_target what) {
        paused c;
        c.what = std::move(what);
        c.at = d_.time();
        c.until = d_.maybe_time();
        c.why = known(verdict::parse_reason(d_.text()));
        c.text = d_.string();
        c.by = d_.string();
        return c;
    }

    [[nodiscard]] resumed read_resumed(pause_target what) {
        resumed c;
        c.what = std::move(what);
        c.at = d_.time();
        c.by = d_.string();
        return c;
    }

    [[nodiscard]] withheld read_withheld() {
        withheld c;
        c.who = recipient();
        c.at = d_.time();
        c.text = d_.string();
        return c;
    }

    [[nodiscard]] suppressed read_suppressed() {
        suppressed c;
        c.tenant = tenant_id{d_.string()};
        c.address = d_.string();
        c.at = d_.time();
        c.until = d_.maybe_time();
        c.why = known(parse_suppression_cause(d_.text()));
        c.by = d_.string();
        c.text = d_.string();
        return c;
    }

    [[nodiscard]] unsuppressed read_unsuppressed() {
        unsuppressed c;
        c.tenant = tenant_id{d_.string()};
        c.address = d_.string();
        c.at = d_.time();
        c.by = d_.string();
        return c;
    }

    [[nodiscard]] acted read_acted() {
        acted c;
        action& a = c.what;
        a.id = d_.u64();
        a.at = d_.time();
        a.by = d_.string();
        a.verb = known(parse_action_verb(d_.text()));
        a.whom = known(parse_selector(d_.text()));
        a.reason = d_.string();
        a.expires_at = d_.maybe_time();
        a.done_at = d_.maybe_time();
        a.count = d_.u64();
        a.undone_at = d_.maybe_time();
        a.undone_by = d_.string();
        return c;
    }

    // A list in braces is evaluated in its order.
    [[nodiscard]] category_off read_category_off() {
        return {tenant_id{d_.string()}, d_.string(), d_.time(), d_.maybe_time(), d_.string(), d_.string()};
    }

    [[nodiscard]] category_on read_category_on() {
        return {tenant_id{d_.string()}, d_.string(), d_.time(), d_.string()};
    }

    [[nodiscard]] erased read_erased() {
        return {recipient(), d_.time(), d_.string(), d_.string(), d_.string()};
    }

    [[nodiscard]] message_id id() {
        message_id::bytes_type bytes{};
        const std::string_view raw = d_.raw(bytes.size());
        std::copy(raw.begin(), raw.end(), bytes.begin());
        return message_id{bytes};
    }

    [[nodiscard]] recipient_id recipient() {
        const message_id message = id();
        return {message, d_.u32()};
    }

    [[nodiscard]] verdict::verdict verdict_() {
        verdict::verdict v;
        v.what = known(verdict::parse_disposition(d_.text()));
        v.fault = known(verdict::parse_scope(d_.text()));
        v.why = known(verdict::parse_reason(d_.text()));
        const bool has_hint = d_.u8() != 0;
        const seconds hint{static_cast<std::int64_t>(d_.u64())};
        v.retry_hint = has_hint ? std::optional{hint} : std::nullopt;
        v.certain = d_.u8() != 0;
        v.rule = d_.string();
        return v;
    }

    decoder d_;
    std::uint64_t base_;
};

}  // namespace

std::vector<change> decode_readable(std::string_view payload) {
    std::vector<change> changes;
    try {
        change_decoder d{payload, 0};
        while (!d.is_at_end()) {
            changes.push_back(d.next().what);
        }
    } catch (const bad_encoding&) {
        // The rest cannot be told.
    }
    return changes;
}

result<std::vector<logged_change>> decode_record(const segment_record& r) {
    try {
        std::vector<logged_change> changes;
        change_decoder d{r.payload, r.offset + record_header_size};
        while (!d.is_at_end()) {
            changes.push_back(d.next());
        }
        if (changes.size() != r.changes) {
            return errc::store_damaged;
        }
        return changes;
    } catch (const bad_encoding&) {
        return errc::store_damaged;
    }
}

}  // namespace estafette::store
