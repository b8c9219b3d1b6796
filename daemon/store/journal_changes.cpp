// The payload of a record: its changes one after the other, each with a tag.
#include "journal_changes.hpp"

#include "codec.hpp"
#include "crc32c.hpp"
#include "journal_words.hpp"

#include <algorithm>

namespace estafette::store {

namespace {

enum class tag : std::uint8_t {
    enqueued = 1,
    attempted = 2,
    cancelled = 3,
    held = 4,
    released = 5,
    expired = 6,
    corrected_0_1 = 7,  // read only
    route_paused = 8,
    route_resumed = 9,
    delayed = 10,
    corrected = 11,
    withheld = 12,
    suppressed = 13,
    unsuppressed = 14,
    category_off = 16,
    category_on = 17,
    erased = 18,
    paused = 20,
    resumed = 21,
    acted = 22,
};

enum message_flag : std::uint16_t {
    is_claimed = 1,
    has_sender = 2,
    is_bulk = 4,
    wants_tls = 8,
    is_eight_bit = 16,
    has_utf8_header = 32,
    has_leading_dot = 64,
    has_body = 128,
    ignores_suppression = 256,
};

class change_encoder {
public:
    explicit change_encoder(std::string& out)
        : e_{out} {}

    std::optional<std::uint64_t> operator()(const enqueued& c) {
        const mail::message& m = *c.message;
        begin(tag::enqueued);
        std::uint16_t flags = 0;
        flags |= c.claimed ? is_claimed : 0;
        flags |= m.from ? has_sender : 0;
        flags |= m.precedence == mail::priority::bulk ? is_bulk : 0;
        flags |= m.require_tls ? wants_tls : 0;
        flags |= m.facts.eight_bit ? is_eight_bit : 0;
        flags |= m.facts.utf8_header ? has_utf8_header : 0;
        flags |= m.facts.leading_dot ? has_leading_dot : 0;
        flags |= m.body ? has_body : 0;
        flags |= m.ignore_suppression ? ignores_suppression : 0;
        e_.put(flags);
        put(m.id);
        e_.put(std::string_view{m.tenant.text()});
        e_.put(m.from ? std::string_view{m.from->text()} : std::string_view{});
        e_.put(static_cast<std::uint32_t>(m.to.size()));
        for (const mail::address& to : m.to) {
            e_.put(std::string_view{to.text()});
        }
        e_.put(m.facts.size);
        e_.put(m.facts.longest_line);
        e_.put(std::string_view{m.subject});
        e_.put(std::string_view{m.header_message_id});
        e_.put(m.accepted_at);
        e_.put(m.due_at);
        e_.put(m.expires_at);
        e_.put(std::string_view{m.category});
        e_.put(std::string_view{m.group});
        e_.put(std::string_view{m.key});
        e_.put(static_cast<std::uint32_t>(m.tags.size()));
        for (const std::string& one : m.tags) {
            e_.put(std::string_view{one});
        }
        e_.put(std::string_view{m.metadata});
        e_.put(std::string_view{c.idempotency_key});
        e_.put(std::string_view{c.idempotency_digest});
        if (!m.body) {
            return std::nullopt;
        }
        const std::uint64_t place = e_.size();
        e_.put(static_cast<std::uint32_t>(m.body->size()));
        e_.put(crc32c(*m.body));
        e_.put_raw(*m.body);
        return place;
    }

    std::optional<std::uint64_t> operator()(const attempted& c) {
        begin(tag::attempted);
        put(c.who);
        e_.put(to_text(c.next));
        e_.put(c.next_attempt_at);
        const attempt& a = c.what;
        e_.put(a.number);
        e_.put(a.started_at);
        e_.put(static_cast<std::uint64_t>(a.duration.count()));
        e_.put(std::string_view{a.route.text()});
        e_.put(std::string_view{a.server});
        e_.put(std::string_view{a.tls});
        e_.put(smtp::label(a.at));
        put(a.judged);
        e_.put(static_cast<std::uint32_t>(a.code));
        e_.put(std::string_view{a.enhanced ? a.enhanced->text() : std::string{}});
        e_.put(std::string_view{a.text});
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const cancelled& c) {
        begin(tag::cancelled);
        put(c.who);
        e_.put(c.at);
        e_.put(std::string_view{c.by});
        e_.put(std::string_view{c.why});
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const held& c) {
        begin(tag::held);
        put(c.who);
        e_.put(c.at);
        e_.put(verdict::to_text(c.why));
        e_.put(std::string_view{c.by});
        e_.put(std::string_view{c.text});
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const released& c) {
        begin(tag::released);
        put(c.who);
        e_.put(c.at);
        e_.put(std::string_view{c.by});
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const expired& c) {
        begin(tag::expired);
        put(c.who);
        e_.put(c.at);
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const corrected& c) {
        begin(tag::corrected);
        put(c.who);
        e_.put(c.at);
        e_.put(to_text(c.what));
        put(c.judged);
        e_.put(std::string_view{c.by});
        e_.put(std::string_view{c.text});
        e_.put(std::string_view{c.evidence});
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const paused& c) {
        begin(c.what.kind == pause_kind::route ? tag::route_paused : tag::paused);
        put(c.what);
        e_.put(c.at);
        e_.put(c.until);
        e_.put(verdict::to_text(c.why));
        e_.put(std::string_view{c.text});
        e_.put(std::string_view{c.by});
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const resumed& c) {
        begin(c.what.kind == pause_kind::route ? tag::route_resumed : tag::resumed);
        put(c.what);
        e_.put(c.at);
        e_.put(std::string_view{c.by});
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const delayed& c) {
        begin(tag::delayed);
        put(c.who);
        e_.put(c.at);
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const withheld& c) {
        begin(tag::withheld);
        put(c.who);
        e_.put(c.at);
        e_.put(std::string_view{c.text});
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const suppressed& c) {
        begin(tag::suppressed);
        e_.put(std::string_view{c.tenant.text()});
        e_.put(std::string_view{c.address});
        e_.put(c.at);
        e_.put(c.until);
        e_.put(to_text(c.why));
        e_.put(std::string_view{c.by});
        e_.put(std::string_view{c.text});
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const unsuppressed& c) {
        begin(tag::unsuppressed);
        e_.put(std::string_view{c.tenant.text()});
        e_.put(std::string_view{c.address});
        e_.put(c.at);
        e_.put(std::string_view{c.by});
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const acted& c) {
        begin(tag::acted);
        const action& a = c.what;
        e_.put(a.id);
        e_.put(a.at);
        e_.put(std::string_view{a.by});
        e_.put(to_text(a.verb));
        e_.put(std::string_view{to_json(a.whom, selector_form::whole)});
        e_.put(std::string_view{a.reason});
        e_.put(a.expires_at);
        e_.put(a.done_at);
        e_.put(a.count);
        e_.put(a.undone_at);
        e_.put(std::string_view{a.undone_by});
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const category_off& c) {
        begin(tag::category_off);
        e_.put(std::string_view{c.tenant.text()});
        e_.put(std::string_view{c.category});
        e_.put(c.at);
        e_.put(c.until);
        e_.put(std::string_view{c.by});
        e_.put(std::string_view{c.why});
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const category_on& c) {
        begin(tag::category_on);
        e_.put(std::string_view{c.tenant.text()});
        e_.put(std::string_view{c.category});
        e_.put(c.at);
        e_.put(std::string_view{c.by});
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const erased& c) {
        begin(tag::erased);
        put(c.who);
        e_.put(c.at);
        e_.put(std::string_view{c.pseudonym});
        e_.put(std::string_view{c.by});
        e_.put(std::string_view{c.why});
        return std::nullopt;
    }

private:
    void begin(tag t) { e_.put(static_cast<std::uint8_t>(t)); }

    void put(const message_id& id) {
        e_.put_raw({reinterpret_cast<const char*>(id.bytes().data()), id.bytes().size()});
    }

    void put(const recipient_id& id) {
        put(id.message);
        e_.put(id.index);
    }

    void put(const pause_target& what) {
        if (what.kind != pause_kind::route) {
            e_.put(to_text(what.kind));
        }
        e_.put(std::string_view{what.name});
        if (what.kind != pause_kind::route) {
            e_.put(std::string_view{what.sender});
        }
    }

    void put(const verdict::verdict& v) {
        e_.put(verdict::to_text(v.what));
        e_.put(verdict::to_text(v.fault));
        e_.put(verdict::to_text(v.why));
        e_.put(static_cast<std::uint8_t>(v.retry_hint ? 1 : 0));
        e_.put(static_cast<std::uint64_t>(v.retry_hint.value_or(seconds{0}).count()));
        e_.put(static_cast<std::uint8_t>(v.certain ? 1 : 0));
        e_.put(std::string_view{v.rule});
    }

    encoder e_;
};

class change_decoder {
public:
    change_decoder(std::string_view payload, std::uint64_t base)
        : d_{payload}
        , base_{base} {}

    [[nodiscard]] bool is_at_end() const noexcept { return d_.is_at_end(); }

    [[nodiscard]] logged_change next() {
        switch (static_cast<tag>(d_.u8())) {
        case tag::enqueued: return read_enqueued();
        case tag::attempted: return {read_attempted(), std::nullopt};
        case tag::cancelled: return {read_cancelled(), std::nullopt};
        case tag::held: return {read_held(), std::nullopt};
        case tag::released: return {read_released(), std::nullopt};
        case tag::expired: return {read_expired(), std::nullopt};
        case tag::corrected_0_1: return {read_corrected_0_1(), std::nullopt};
        case tag::corrected: return {read_corrected(), std::nullopt};
        case tag::delayed: return {read_delayed(), std::nullopt};
        case tag::withheld: return {read_withheld(), std::nullopt};
        case tag::suppressed: return {read_suppressed(), std::nullopt};
        case tag::unsuppressed: return {read_unsuppressed(), std::nullopt};
        case tag::route_paused: return {read_paused(route_target()), std::nullopt};
        case tag::route_resumed: return {read_resumed(route_target()), std::nullopt};
        case tag::paused: return {read_paused(target()), std::nullopt};
        case tag::resumed: return {read_resumed(target()), std::nullopt};
        case tag::acted: return {read_acted(), std::nullopt};
        case tag::category_off: return {read_category_off(), std::nullopt};
        case tag::category_on: return {read_category_on(), std::nullopt};
        case tag::erased: return {read_erased(), std::nullopt};
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

std::vector<std::optional<std::uint64_t>> encode_changes(std::string& out, std::span<const change> batch) {
    change_encoder e{out};
    std::vector<std::optional<std::uint64_t>> bodies;
    bodies.reserve(batch.size());
    for (const change& c : batch) {
        bodies.push_back(std::visit(e, c));
    }
    return bodies;
}

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
