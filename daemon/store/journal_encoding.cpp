// The payload of a record as it is written: its changes one after the other, each with a tag.
#include "codec.hpp"
#include "crc32c.hpp"
#include "journal_changes.hpp"
#include "journal_tags.hpp"
#include "journal_words.hpp"

namespace estafette::store {

namespace {

class change_encoder {
public:
    explicit change_encoder(std::string& out)
        : e_{out} {}

    std::optional<std::uint64_t> operator()(const enqueued& c) {
        const mail::message& m = *c.message;
        begin(change_tag::enqueued);
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
        flags |= m.reports != mail::dsn_request{} ? wants_reports : 0;
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
        if ((flags & wants_reports) != 0) {
            put_reports(e_, m.reports);
        }
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
        begin(change_tag::attempted);
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
        begin(change_tag::cancelled);
        put(c.who);
        e_.put(c.at);
        e_.put(std::string_view{c.by});
        e_.put(std::string_view{c.why});
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const held& c) {
        begin(change_tag::held);
        put(c.who);
        e_.put(c.at);
        e_.put(verdict::to_text(c.why));
        e_.put(std::string_view{c.by});
        e_.put(std::string_view{c.text});
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const released& c) {
        begin(change_tag::released);
        put(c.who);
        e_.put(c.at);
        e_.put(std::string_view{c.by});
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const expired& c) {
        begin(change_tag::expired);
        put(c.who);
        e_.put(c.at);
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const corrected& c) {
        begin(change_tag::corrected);
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
        begin(c.what.kind == pause_kind::route ? change_tag::route_paused : change_tag::paused);
        put(c.what);
        e_.put(c.at);
        e_.put(c.until);
        e_.put(verdict::to_text(c.why));
        e_.put(std::string_view{c.text});
        e_.put(std::string_view{c.by});
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const resumed& c) {
        begin(c.what.kind == pause_kind::route ? change_tag::route_resumed : change_tag::resumed);
        put(c.what);
        e_.put(c.at);
        e_.put(std::string_view{c.by});
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const delayed& c) {
        begin(change_tag::delayed);
        put(c.who);
        e_.put(c.at);
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const withheld& c) {
        begin(change_tag::withheld);
        put(c.who);
        e_.put(c.at);
        e_.put(std::string_view{c.text});
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const suppressed& c) {
        begin(change_tag::suppressed);
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
        begin(change_tag::unsuppressed);
        e_.put(std::string_view{c.tenant.text()});
        e_.put(std::string_view{c.address});
        e_.put(c.at);
        e_.put(std::string_view{c.by});
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const acted& c) {
        begin(change_tag::acted);
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
        begin(change_tag::category_off);
        e_.put(std::string_view{c.tenant.text()});
        e_.put(std::string_view{c.category});
        e_.put(c.at);
        e_.put(c.until);
        e_.put(std::string_view{c.by});
        e_.put(std::string_view{c.why});
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const category_on& c) {
        begin(change_tag::category_on);
        e_.put(std::string_view{c.tenant.text()});
        e_.put(std::string_view{c.category});
        e_.put(c.at);
        e_.put(std::string_view{c.by});
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const erased& c) {
        begin(change_tag::erased);
        put(c.who);
        e_.put(c.at);
        e_.put(std::string_view{c.pseudonym});
        e_.put(std::string_view{c.by});
        e_.put(std::string_view{c.why});
        return std::nullopt;
    }

    std::optional<std::uint64_t> operator()(const answered& c) {
        begin(change_tag::answered);
        put(c.with);
        e_.put(std::string_view{c.idempotency_key});
        e_.put(std::string_view{c.idempotency_digest});
        return std::nullopt;
    }

private:
    void begin(change_tag t) { e_.put(static_cast<std::uint8_t>(t)); }

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

}  // namespace estafette::store
