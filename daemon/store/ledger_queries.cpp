#include "cursor.hpp"
#include "ledger.hpp"
#include "ledger_events.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>

namespace estafette::store {

namespace {

constexpr std::int64_t place_mask = (std::int64_t{1} << place_bits) - 1;
constexpr std::size_t longest_timeline = 1000;

std::span<const std::uint8_t> bytes_of(const message_id& id) {
    return id.bytes();
}

message_id id_of(std::string_view blob) {
    message_id::bytes_type bytes{};
    if (blob.size() != bytes.size()) {
        throw ledger_error{errc::store_damaged, "a message id is not 16 bytes"};
    }
    std::copy(blob.begin(), blob.end(), bytes.begin());
    return message_id{bytes};
}

state state_of(std::int64_t value) {
    if (value < 0 || value >= static_cast<std::int64_t>(state_count)) {
        throw ledger_error{errc::store_damaged, "an unknown state"};
    }
    return static_cast<state>(value);
}

std::optional<verdict::reason> reason_of(const statement& s, int column) {
    return s.is_null(column) ? std::nullopt : verdict::parse_reason(s.text(column));
}

mail::address address_of(std::string_view text) {
    auto parsed = mail::address::parse(text);
    if (!parsed) {
        throw ledger_error{errc::store_damaged, "an address does not parse"};
    }
    return std::move(*parsed);
}

std::vector<std::string> tags_of(std::string_view json) {
    std::vector<std::string> tags;
    if (json.empty()) {
        return tags;
    }
    boost::json::error_code failure;
    const auto value = boost::json::parse({json.data(), json.size()}, failure);
    if (failure || !value.is_array()) {
        throw ledger_error{errc::store_damaged, "a message's tags are not a list"};
    }
    for (const auto& tag : value.get_array()) {
        tags.emplace_back(tag.is_string() ? std::string{tag.get_string()} : std::string{});
    }
    return tags;
}

constexpr const char* message_columns =
    "no, id, tenant, sender, subject, header_message_id, size, longest_line, eight_bit, utf8_header,"
    " leading_dot, accepted_at, due_at, expires_at, bulk, category, \"group\", key, tags, metadata, "
    "require_tls, ignore_suppression, dsn_notify, dsn_return, dsn_envelope_id, body_in, body_offset, erased";

const std::string recipient_columns =
    std::string{"m.id, r.no, r.tenant, r.address, r.state, r.attempts, m.accepted_at, r.changed_at, r.due_at,"
                " r.reason, r.note, m.sender, r.bulk, "} +
    attempt_columns;

constexpr int first_attempt_column = 13;

const std::string recipient_tables =
    " JOIN message m ON m.no = r.no >> 16 LEFT JOIN event e ON e.no = r.last_attempt ";

}  // namespace

std::unique_ptr<message_row> ledger::find_row(message_id id) {
    static const std::string text = std::string{"SELECT "} + message_columns + " FROM message WHERE id = ?";
    statement& s = sql(text.c_str());
    s.start(bytes_of(id));
    return read_row(s, reading_of::row);
}

std::unique_ptr<message_row> ledger::find_row(std::int64_t message) {
    static const std::string text = std::string{"SELECT "} + message_columns + " FROM message WHERE no = ?";
    statement& s = sql(text.c_str());
    s.start(message);
    return read_row(s, reading_of::row_and_message);
}

std::unique_ptr<message_row> ledger::read_row(statement& s, reading_of what) {
    if (!s.step()) {
        return nullptr;
    }
    auto row = std::make_unique<message_row>();
    row->is_inserted = true;
    row->no = s.integer(0);
    row->id = id_of(s.text(1));
    row->tenant = tenant_of(s.integer(2));
    row->sender = s.text(3);
    row->size = static_cast<std::uint64_t>(s.integer(6));
    row->expires_at = from_unix_ms(s.integer(13));
    row->precedence = s.integer(14) != 0 ? mail::priority::bulk : mail::priority::transactional;
    row->body = {s.maybe_integer(25), s.integer(26)};
    row->body_was_in_ledger = row->body.where == body_place::in_ledger;
    row->is_erased = !s.is_null(27);
    if (what == reading_of::row_and_message) {
        row->stored = std::make_unique<mail::message>(read_message(s));
    }
    s.reset();
    read_recipients(*row);
    return row;
}

void ledger::read_recipients(message_row& row) {
    statement& r = sql("SELECT state, attempts, changed_at, due_at, doubted, reason, note, last_attempt,"
                       " late, reported, address FROM recipient WHERE no BETWEEN ? AND ? ORDER BY no");
    const std::int64_t first = recipient_number(row.no, 0);
    for (r.start(first, first | place_mask); r.step();) {
        recipient_row& one = row.recipients.emplace_back();
        one.at.now = state_of(r.integer(0));
        one.at.attempts = static_cast<std::uint32_t>(r.integer(1));
        one.at.changed_at = from_unix_ms(r.integer(2));
        one.at.due_at = r.maybe_time(3);
        one.at.doubted = r.integer(4) != 0;
        one.at.why = reason_of(r, 5);
        one.at.note = r.text(6);
        if (const auto no = r.maybe_integer(7)) {
            one.last_attempt = static_cast<std::uint64_t>(*no);
        }
        one.at.late = r.integer(8) != 0;
        const auto reported = r.integer(9);
        one.at.was_delayed = (reported & 1) != 0;
        one.at.has_complained = (reported & 2) != 0;
        one.is_erased = is_pseudonym(r.text(10));
        if (row.stored) {
            row.stored->to.push_back(address_of(r.text(10)));
        }
    }
}

mail::message ledger::read_message(statement& s) {
    mail::message m;
    m.id = id_of(s.text(1));
    m.tenant = tenant_of(s.integer(2));
    if (!s.is_null(3)) {
        m.from = address_of(s.text(3));
    }
    m.subject = s.text(4);
    m.header_message_id = s.text(5);
    m.facts.size = static_cast<std::uint64_t>(s.integer(6));
    m.facts.longest_line = static_cast<std::uint32_t>(s.integer(7));
    m.facts.eight_bit = s.integer(8) != 0;
    m.facts.utf8_header = s.integer(9) != 0;
    m.facts.leading_dot = s.integer(10) != 0;
    m.accepted_at = from_unix_ms(s.integer(11));
    m.due_at = from_unix_ms(s.integer(12));
    m.expires_at = from_unix_ms(s.integer(13));
    m.precedence = s.integer(14) != 0 ? mail::priority::bulk : mail::priority::transactional;
    m.category = s.text(15);
    m.group = s.text(16);
    m.key = s.text(17);
    m.tags = tags_of(s.text(18));
    m.metadata = s.text(19);
    m.require_tls = s.integer(20) != 0;
    m.ignore_suppression = s.integer(21) != 0;
    m.reports.notify = mail::parse_notify(s.text(22)).value_or(0);
    m.reports.ret = mail::parse_dsn_content(s.text(23)).value_or(mail::dsn_request::content::unspecified);
    m.reports.envid = s.text(24);
    return m;
}

void ledger::read_envelope(std::int64_t no, mail::message& m) {
    statement& s = sql("SELECT address FROM recipient WHERE no BETWEEN ? AND ? ORDER BY no");
    const std::int64_t first = no << place_bits;
    for (s.start(first, first | place_mask); s.step();) {
        m.to.push_back(address_of(s.text(0)));
    }
}

std::optional<mail::message> ledger::find_message(std::int64_t message) {
    static const std::string text = std::string{"SELECT "} + message_columns + " FROM message WHERE no = ?";
    statement& s = sql(text.c_str());
    s.start(message);
    if (!s.step()) {
        return std::nullopt;
    }
    mail::message m = read_message(s);
    s.reset();
    read_envelope(message, m);
    return m;
}

std::optional<std::string> ledger::read_body(std::int64_t message) {
    statement& s = sql("SELECT content FROM body WHERE message = ?");
    s.start(message);
    std::optional<std::string> body;
    if (s.step()) {
        body.emplace(s.text(0));
    }
    s.reset();
    return body;
}

void ledger::write(const event& e, std::optional<std::int64_t> message) {
    if (!message) {
        const auto tenant = e.tenant.empty() ? std::nullopt : std::optional{number_of(e.tenant)};
        insert_event(sql(event_insert), e, std::nullopt, tenant);
        if (!e.sender.empty()) {
            sql("UPDATE event SET sender = ? WHERE no = ?").run(e.sender, e.sequence);
        }
        return;
    }
    insert_event(sql(event_insert), e, *message << place_bits | e.who.index, number_of(e.tenant));
}

std::vector<pause> ledger::pauses() {
    std::vector<pause> rows;
    statement& s = sql("SELECT kind, name, sender, since, until, reason, text, \"by\" FROM pause");
    for (s.start(); s.step();) {
        const auto kind = parse_pause_kind(s.text(0));
        if (!kind) {
            throw ledger_error{errc::store_damaged, "a pause is of an unknown kind"};
        }
        rows.push_back(
            {{*kind, std::string{s.text(1)}, std::string{s.text(2)}},
             from_unix_ms(s.integer(3)),
             s.maybe_time(4),
             verdict::parse_reason(s.text(5)).value_or(verdict::reason::other),
             std::string{s.text(6)},
             std::string{s.text(7)}}
        );
    }
    std::ranges::sort(rows, {}, &pause::what);
    return rows;
}

// In the order of their acceptance, so that the look ends with the first that is young enough; besides
// them, mail that was meant for later and never tried.
std::vector<recipient_id> ledger::overdue(wall_time before, std::size_t limit) {
    std::vector<recipient_id> found;
    const auto take = [&](const statement& s) {
        found.push_back({id_of(s.text(0)), static_cast<std::uint32_t>(s.integer(1) & place_mask)});
    };
    statement& tried =
        sql("SELECT m.id, r.no, m.due_at, m.accepted_at FROM recipient r INDEXED BY recipient_on_time"
            " JOIN message m ON m.no = r.no >> 16"
            " WHERE r.late = 0 AND r.state BETWEEN 1 AND 3 ORDER BY r.no");
    for (tried.start(); found.size() < limit && tried.step() && from_unix_ms(tried.integer(3)) <= before;) {
        if (from_unix_ms(tried.integer(2)) <= before) {
            take(tried);
        }
    }
    tried.reset();
    statement& untried = sql("SELECT m.id, r.no FROM recipient r INDEXED BY recipient_not_begun"
                             " JOIN message m ON m.no = r.no >> 16"
                             " WHERE r.late = 0 AND r.state = 0 AND r.due_at <= ? ORDER BY r.due_at");
    for (untried.start(before); found.size() < limit && untried.step();) {
        take(untried);
    }
    untried.reset();
    return found;
}

std::vector<recipient_id> ledger::past_expiry(wall_time now, std::size_t limit) {
    std::vector<recipient_id> found;
    statement& s = sql("SELECT m.id, r.no FROM message m INDEXED BY message_expiring"
                       " JOIN recipient r ON r.no BETWEEN m.no << 16 AND (m.no << 16) + 65535"
                       " WHERE m.completed_at IS NULL AND m.expires_at <= ? AND r.state < 4"
                       " ORDER BY m.expires_at LIMIT ?");
    for (s.start(now, std::uint64_t{limit}); s.step();) {
        found.push_back({id_of(s.text(0)), static_cast<std::uint32_t>(s.integer(1) & place_mask)});
    }
    return found;
}

std::vector<switched_off> ledger::categories_off() {
    std::vector<switched_off> rows;
    statement& s = sql("SELECT tenant, category, since, until, \"by\", why FROM category_off"
                       " ORDER BY tenant, category");
    for (s.start(); s.step();) {
        rows.push_back(
            {tenant_of(s.integer(0)),
             std::string{s.text(1)},
             from_unix_ms(s.integer(2)),
             s.maybe_time(3),
             std::string{s.text(4)},
             std::string{s.text(5)}}
        );
    }
    return rows;
}

std::vector<ledger::numbered> ledger::labelled_mail(const label_query& q, std::int64_t after) {
    std::vector<numbered> found;
    const auto tenant = known_number_of(q.tenant);
    if (!tenant) {
        return found;
    }
    statement& s = q.by == label::key
                       ? sql("SELECT no, id FROM message INDEXED BY message_key WHERE tenant = ? AND key = ?"
                             " AND key <> '' AND completed_at IS NULL AND no > ? ORDER BY no LIMIT ?")
                       : sql("SELECT no, id FROM message INDEXED BY message_group WHERE tenant = ?"
                             " AND \"group\" = ? AND \"group\" <> '' AND completed_at IS NULL AND no > ?"
                             " ORDER BY no LIMIT ?");
    for (s.start(*tenant, q.value, after, std::uint64_t{q.limit}); s.step();) {
        found.push_back({s.integer(0), id_of(s.text(1))});
    }
    return found;
}

// From one (tenant, priority) to the next through the due index: as many seeks as there are lines.
std::vector<waiting_tenant> ledger::waiting() {
    std::vector<waiting_tenant> lines;
    statement& s = sql("SELECT tenant, bulk, due_at FROM recipient INDEXED BY recipient_due"
                       " WHERE (tenant, bulk) > (?, ?) AND due_at IS NOT NULL"
                       " ORDER BY tenant, bulk, due_at LIMIT 1");
    std::int64_t tenant = 0, bulk = 0;
    for (s.start(tenant, bulk); s.step(); s.start(tenant, bulk)) {
        tenant = s.integer(0);
        bulk = s.integer(1);
        lines.push_back(
            {tenant_of(tenant),
             bulk != 0 ? mail::priority::bulk : mail::priority::transactional,
             from_unix_ms(s.integer(2))}
        );
    }
    return lines;
}

void ledger::due(
    const tenant_id& tenant,
    mail::priority precedence,
    due_key from,
    wall_time until,
    const std::function<bool(due_key)>& take
) {
    const auto no = known_number_of(tenant);
    if (!no || until < from.due_at) {
        return;
    }
    const bool bulk = precedence == mail::priority::bulk;
    // Two steps of the index: SQLite would begin at the first of equal times, of which there may be millions.
    statement& same = sql("SELECT no FROM recipient INDEXED BY recipient_due WHERE tenant = ? AND bulk = ?"
                          " AND due_at IS NOT NULL AND due_at = ? AND no >= ? ORDER BY no");
    for (same.start(*no, bulk, from.due_at, from.recipient); same.step();) {
        if (!take({from.due_at, same.integer(0)})) {
            same.reset();
            return;
        }
    }
    statement& later = sql("SELECT due_at, no FROM recipient INDEXED BY recipient_due"
                           " WHERE tenant = ? AND bulk = ? AND due_at IS NOT NULL"
                           " AND due_at > ? AND due_at <= ? ORDER BY due_at, no");
    for (later.start(*no, bulk, from.due_at, until); later.step();) {
        if (!take({from_unix_ms(later.integer(0)), later.integer(1)})) {
            later.reset();
            return;
        }
    }
}

namespace {

recipient_view read_recipient(const statement& s, const tenant_id& tenant) {
    return {
        {id_of(s.text(0)), static_cast<std::uint32_t>(s.integer(1) & place_mask)},
        tenant,
        std::string{s.text(3)},
        std::string{s.text(11)},
        state_of(s.integer(4)),
        static_cast<std::uint32_t>(s.integer(5)),
        from_unix_ms(s.integer(6)),
        from_unix_ms(s.integer(7)),
        s.maybe_time(8),
        read_attempt(s, first_attempt_column),
        reason_of(s, 9),
        std::string{s.text(10)},
        s.integer(12) != 0 ? mail::priority::bulk : mail::priority::transactional
    };
}

const std::string event_columns =
    std::string{
        "e.no, e.at, e.type, e.recipient, e.tenant, e.route, e.state, e.\"by\", e.text, m.id, e.sender, "
    } +
    attempt_columns + ", e.evidence";

const std::string event_tables = " FROM event e LEFT JOIN message m ON m.no = e.recipient >> 16 ";

event read_event(const statement& s) {
    event e;
    e.sequence = static_cast<std::uint64_t>(s.integer(0));
    e.at = from_unix_ms(s.integer(1));
    e.type = s.text(2);
    if (!s.is_null(3)) {
        e.who = {id_of(s.text(9)), static_cast<std::uint32_t>(s.integer(3) & place_mask)};
    }
    e.route = route_id{std::string{s.text(5)}};
    e.now = state_of(s.integer(6));
    e.by = s.text(7);
    e.text = s.text(8);
    e.sender = s.text(10);
    e.what = read_attempt(s, 11);
    if (!e.what) {
        e.judged = read_judged(s, 11);
    }
    e.evidence = s.text(11 + attempt_column_count);
    return e;
}

// The index that serves the query, newest first, and the conditions of the others.
std::string conditions_of(const query& q, std::size_t tenants) {
    std::string index = " NOT INDEXED ";
    if (q.address) {
        index = " INDEXED BY recipient_address ";
    } else if (q.uncertain_only) {
        index = " INDEXED BY recipient_doubted ";
    } else if (q.now && *q.now != state::relayed) {
        index = " INDEXED BY recipient_state ";
    } else if (tenants == 1) {
        index = " INDEXED BY recipient_tenant ";
    }
    std::string text = index + recipient_tables + "WHERE r.no < ?";
    text += q.address ? " AND r.address = ?" : "";
    text += q.now ? " AND r.state = ?" : "";
    text += q.now && *q.now != state::relayed ? " AND r.state <> 4" : "";
    text += q.why ? " AND r.reason = ?" : "";
    text += q.uncertain_only ? " AND r.doubted = 1" : "";
    if (tenants > 0) {
        text += " AND r.tenant IN (?";
        for (std::size_t i = 1; i < tenants; ++i) {
            text += ",?";
        }
        text += ")";
    }
    return text + " ORDER BY r.no DESC LIMIT ?";
}

}  // namespace

page ledger::find(const query& q, std::uint64_t before) {
    std::vector<std::int64_t> tenants;
    for (const tenant_id& tenant : q.tenants) {
        if (const auto no = known_number_of(tenant)) {
            tenants.push_back(*no);
        }
    }
    page found;
    if (tenants.empty() && !q.tenants.empty()) {
        return found;
    }
    const std::size_t limit = std::clamp<std::size_t>(q.limit, 1, 500);
    statement& s =
        sql("SELECT " + recipient_columns + " FROM recipient r" + conditions_of(q, tenants.size()));
    s.start(before);
    int place = 1;
    if (q.address) {
        s.bind(++place, *q.address);
    }
    if (q.now) {
        s.bind(++place, static_cast<int>(*q.now));
    }
    if (q.why) {
        s.bind(++place, verdict::to_text(*q.why));
    }
    for (const std::int64_t tenant : tenants) {
        s.bind(++place, tenant);
    }
    s.bind(++place, std::uint64_t{limit + 1});
    std::uint64_t last = 0;
    while (s.step()) {
        if (found.recipients.size() == limit) {
            found.next_cursor = make_cursor(last);
            break;
        }
        last = static_cast<std::uint64_t>(s.integer(1));
        found.recipients.push_back(read_recipient(s, tenant_of(s.integer(2))));
    }
    s.reset();
    return found;
}

std::optional<message_view> ledger::view(message_id id) {
    const auto row = find_row(id);
    auto message = row ? find_message(row->no) : std::nullopt;
    if (!message) {
        return std::nullopt;
    }
    message_view v;
    v.message = std::move(*message);
    const std::int64_t first = row->no << place_bits;
    statement& r =
        sql("SELECT " + recipient_columns + " FROM recipient r" + recipient_tables +
            "WHERE r.no BETWEEN ? AND ? ORDER BY r.no");
    for (r.start(first, first | place_mask); r.step();) {
        v.recipients.push_back(read_recipient(r, v.message.tenant));
    }
    statement& e =
        sql("SELECT " + event_columns + event_tables +
            "WHERE e.recipient BETWEEN ? AND ? AND e.recipient IS NOT NULL ORDER BY e.no LIMIT ?");
    for (e.start(first, first | place_mask, std::uint64_t{longest_timeline}); e.step();) {
        event& one = v.timeline.emplace_back(read_event(e));
        one.tenant = v.message.tenant;
    }
    return v;
}

std::vector<event> ledger::events(std::uint64_t after, std::size_t limit) {
    std::vector<event> found;
    statement& s = sql("SELECT " + event_columns + event_tables + "WHERE e.no > ? ORDER BY e.no LIMIT ?");
    for (s.start(after, std::uint64_t{limit}); s.step();) {
        event& one = found.emplace_back(read_event(s));
        if (const auto tenant = s.maybe_integer(4)) {
            one.tenant = tenant_of(*tenant);
        }
    }
    return found;
}

std::vector<message_id> ledger::find_by_header(const std::string& header_message_id) {
    statement& s =
        sql("SELECT id FROM message INDEXED BY message_foreign_id WHERE header_message_id = ?"
            " AND substr(header_message_id, 2, 8) <> lower(hex(substr(id, 1, 4))) ORDER BY no DESC LIMIT 8");
    std::vector<message_id> found;
    for (s.start(header_message_id); s.step();) {
        found.push_back(id_of(s.text(0)));
    }
    return found;
}

std::optional<idempotent_answer> ledger::find_idempotent(const tenant_id& tenant, const std::string& key) {
    const auto no = known_number_of(tenant);
    if (!no) {
        return std::nullopt;
    }
    statement& s =
        sql("SELECT m.id, i.digest, i.was_there FROM idempotency i JOIN message m ON m.no = i.message"
            " WHERE i.tenant = ? AND i.key = ?");
    s.start(*no, key);
    std::optional<idempotent_answer> found;
    if (s.step()) {
        found = idempotent_answer{id_of(s.text(0)), std::string{s.text(1)}, s.integer(2) != 0};
    }
    s.reset();
    return found;
}

namespace {

std::vector<message_id> read_ids(statement& s) {
    std::vector<message_id> ids;
    while (s.step()) {
        ids.push_back(id_of(s.text(0)));
    }
    return ids;
}

}  // namespace

std::vector<message_id> ledger::complete_before(wall_time before, std::size_t limit) {
    statement& s = sql("SELECT id FROM message WHERE completed_at IS NOT NULL AND completed_at < ?"
                       " ORDER BY completed_at LIMIT ?");
    s.start(before, std::uint64_t{limit});
    return read_ids(s);
}

std::vector<message_id> ledger::bodies_complete_before(wall_time before, std::size_t limit) {
    statement& s = sql("SELECT id FROM message WHERE completed_at IS NOT NULL AND body_in IS NOT NULL"
                       " AND completed_at < ? ORDER BY completed_at LIMIT ?");
    s.start(before, std::uint64_t{limit});
    return read_ids(s);
}

std::vector<message_id> ledger::bodies_in(std::int64_t segment, std::size_t limit) {
    statement& s = sql("SELECT id FROM message WHERE body_in > 0 AND body_in = ? LIMIT ?");
    s.start(segment, std::uint64_t{limit});
    return read_ids(s);
}

}  // namespace estafette::store
