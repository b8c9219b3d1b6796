#include "memory_rows.hpp"

#include <algorithm>
#include <memory>

namespace estafette::store::memory {

std::optional<wall_time> completed_at(const message_row& m) {
    wall_time latest;
    for (const recipient_row& r : m.recipients) {
        if (!is_final(r.at.now)) {
            return std::nullopt;
        }
        latest = std::max(latest, r.at.changed_at);
    }
    return latest;
}

void drop_body(message_row& m) {
    mail::message bare = *m.message;
    bare.body.reset();
    m.message = std::make_shared<const mail::message>(std::move(bare));
}

std::string sender_of(const message_row& m) {
    return m.message->from ? m.message->from->text() : std::string{};
}

recipient_view view_of(const message_row& m, std::uint32_t place) {
    const recipient_row& r = m.recipients[place];
    return {
        {m.message->id, place},
        m.message->tenant,
        m.message->to[place].text(),
        sender_of(m),
        r.at.now,
        r.at.attempts,
        m.message->accepted_at,
        r.at.changed_at,
        r.at.due_at,
        r.last,
        r.at.why,
        r.at.note,
        m.message->precedence
    };
}

bool matches(const query& q, const message_row& m, std::uint32_t place) {
    const recipient_row& r = m.recipients[place];
    const bool tenant_fits =
        q.tenants.empty() ||
        std::find(q.tenants.begin(), q.tenants.end(), m.message->tenant) != q.tenants.end();
    return tenant_fits && (!q.address || *q.address == m.message->to[place].text()) &&
           (!q.now || *q.now == r.at.now) && (!q.why || r.at.why == *q.why) &&
           (!q.uncertain_only || r.at.doubted);
}

due_entry due_entry_of(const message_row& m, std::uint32_t place) {
    const standing& s = m.recipients[place].at;
    return {
        {m.message->id, place},
        m.message->tenant,
        m.message->precedence,
        *s.due_at,
        m.message->expires_at,
        s.attempts,
        sender_of(m),
        m.message->facts.size
    };
}

bool was_over(const action& a, wall_time then) {
    const bool will_end = !a.undone_at && a.expires_at && *a.expires_at >= then;
    return a.done_at && *a.done_at < then && !will_end;
}

}  // namespace estafette::store::memory
