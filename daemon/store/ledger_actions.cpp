// Administrators' actions as rows of the ledger, and the walk over those whom they concern.
#include "ledger.hpp"

#include <algorithm>

namespace estafette::store {

namespace {

constexpr std::int64_t place_mask = (std::int64_t{1} << place_bits) - 1;

constexpr const char* action_columns =
    "SELECT id, at, \"by\", verb, selector, reason, expires_at, done_at, count, undone_at, undone_by,"
    " first_event, last_event FROM action";

template <class T> T known(std::optional<T> parsed) {
    if (!parsed) {
        throw ledger_error{errc::store_damaged, "an action cannot be read"};
    }
    return std::move(*parsed);
}

action read_action(const statement& s) {
    action a;
    a.id = static_cast<std::uint64_t>(s.integer(0));
    a.at = from_unix_ms(s.integer(1));
    a.by = s.text(2);
    a.verb = known(parse_action_verb(s.text(3)));
    a.whom = known(parse_selector(s.text(4)));
    a.reason = s.text(5);
    a.expires_at = s.maybe_time(6);
    a.done_at = s.maybe_time(7);
    a.count = static_cast<std::uint64_t>(s.integer(8));
    a.undone_at = s.maybe_time(9);
    a.undone_by = s.text(10);
    a.first_event = static_cast<std::uint64_t>(s.integer(11));
    a.last_event = static_cast<std::uint64_t>(s.integer(12));
    return a;
}

message_id id_of(std::string_view blob) {
    message_id::bytes_type bytes{};
    if (blob.size() != bytes.size()) {
        throw ledger_error{errc::store_damaged, "a message id is not 16 bytes"};
    }
    std::copy(blob.begin(), blob.end(), bytes.begin());
    return message_id{bytes};
}

}  // namespace

void ledger::write(const action& row) {
    sql("INSERT OR REPLACE INTO action(id, at, \"by\", verb, selector, reason, expires_at, done_at, count,"
        " undone_at, undone_by, first_event, last_event) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)")
        .run(
            row.id,
            row.at,
            row.by,
            to_text(row.verb),
            to_json(row.whom, selector_form::whole),
            row.reason,
            row.expires_at,
            row.done_at,
            row.count,
            row.undone_at,
            row.undone_by,
            row.first_event,
            row.last_event
        );
}

// The newest stays: the next one is numbered after it.
void ledger::erase_actions(wall_time before) {
    sql("DELETE FROM action WHERE done_at < ?1 AND (undone_at IS NOT NULL OR expires_at IS NULL OR"
        " expires_at < ?1) AND id < (SELECT max(id) FROM action)")
        .run(before);
}

std::optional<action> ledger::find_action(std::uint64_t id) {
    statement& s = sql(std::string{action_columns} + " WHERE id = ?");
    s.start(id);
    auto found = s.step() ? std::optional{read_action(s)} : std::nullopt;
    s.reset();
    return found;
}

std::vector<action> ledger::actions(std::uint64_t below, std::size_t limit) {
    std::vector<action> found;
    statement& s = sql(std::string{action_columns} + " WHERE id < ? ORDER BY id DESC LIMIT ?");
    const auto newest = std::uint64_t{INT64_MAX};
    for (s.start(below == 0 ? newest : below, std::uint64_t{limit}); s.step();) {
        found.push_back(read_action(s));
    }
    return found;
}

selection ledger::select(const selector& whom, state now, std::uint64_t after, std::size_t looked_at) {
    selection part;
    statement& s = sql("SELECT m.id, r.no, r.tenant, r.address, m.sender, r.reason, m.accepted_at, r.note"
                       " FROM recipient r INDEXED BY recipient_state JOIN message m ON m.no = r.no >> 16"
                       " WHERE r.state = ? AND r.state <> 4 AND r.no > ? ORDER BY r.no LIMIT ?");
    std::size_t seen = 0;
    for (s.start(static_cast<int>(now), after, std::uint64_t{looked_at}); s.step(); ++seen) {
        candidate c;
        c.id = {id_of(s.text(0)), static_cast<std::uint32_t>(s.integer(1) & place_mask)};
        c.tenant = tenant_of(s.integer(2));
        c.now = now;
        c.address = s.text(3);
        c.sender = s.text(4);
        c.why = s.is_null(5) ? std::nullopt : verdict::parse_reason(s.text(5));
        c.accepted_at = from_unix_ms(s.integer(6));
        c.note = s.text(7);
        part.next = static_cast<std::uint64_t>(s.integer(1));
        if (matches(whom, c)) {
            part.found.push_back(std::move(c));
        }
    }
    if (seen < looked_at) {
        part.next.reset();
    }
    return part;
}

}  // namespace estafette::store
