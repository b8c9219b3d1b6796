#include "ledger.hpp"

#include "ledger_schema.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace estafette::store {

namespace {

std::string json_of(const std::vector<std::string>& tags) {
    boost::json::array list;
    for (const std::string& tag : tags) {
        list.emplace_back(tag);
    }
    return tags.empty() ? std::string{} : boost::json::serialize(list);
}

std::optional<std::string_view> text_of(std::optional<verdict::reason> why) {
    return why ? std::optional{verdict::to_text(*why)} : std::nullopt;
}

std::span<const std::uint8_t> bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Column `reported`: 1 delayed, 2 complained.
int reports_of(const standing& s) noexcept {
    return (s.was_delayed ? 1 : 0) | (s.has_complained ? 2 : 0);
}

}  // namespace

std::optional<wall_time> message_row::completed_at() const {
    wall_time latest;
    for (const recipient_row& r : recipients) {
        if (!is_final(r.at.now)) {
            return std::nullopt;
        }
        latest = std::max(latest, r.at.changed_at);
    }
    return latest;
}

std::string message_row::sender_text() const {
    if (!fresh) {
        return sender;
    }
    return fresh->from ? fresh->from->text() : std::string{};
}

ledger::ledger(const std::string& path, syncing how)
    : db_{path, database::access::read_write} {
    db_.execute("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -49152;"
                "PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; "
                "PRAGMA secure_delete = FAST; "
                "PRAGMA foreign_keys = OFF");
    db_.execute(how == syncing::at_commit ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    prepare_schema(db_);
    read_numbers();
    // Counts only: when a checkpoint is due is not SQLite's to say.
    sqlite3_wal_hook(
        db_.handle(),
        [](void* pages, sqlite3*, const char*, int count) {
            *static_cast<std::uint64_t*>(pages) = static_cast<std::uint64_t>(count);
            return SQLITE_OK;
        },
        &log_pages_
    );
    page_size_ = static_cast<std::uint64_t>(db_.ask_integer("PRAGMA page_size"));
}

void ledger::read_numbers() {
    statement meta{db_, "SELECT name, value FROM meta"};
    for (meta.start(); meta.step();) {
        const std::string_view name = meta.text(0);
        if (name == "applied") {
            numbers_.applied = static_cast<std::uint64_t>(meta.integer(1));
        } else if (name == "last_message") {
            numbers_.last_message = meta.integer(1);
        } else if (name == "last_event") {
            numbers_.last_event = static_cast<std::uint64_t>(meta.integer(1));
        } else if (name == "segment") {
            numbers_.segment = meta.integer(1);
        }
    }
    statement tally{db_, "SELECT state, recipients FROM tally"};
    for (tally.start(); tally.step();) {
        const auto place = static_cast<std::size_t>(tally.integer(0));
        numbers_.tally.at(place) = static_cast<std::uint64_t>(tally.integer(1));
    }
    numbers_.segments.clear();
    statement segments{db_, "SELECT no, bodies, bytes FROM segment"};
    for (segments.start(); segments.step();) {
        numbers_.segments[segments.integer(0)] = {
            static_cast<std::uint64_t>(segments.integer(1)), static_cast<std::uint64_t>(segments.integer(2))
        };
    }
    statement tenants{db_, "SELECT no, name FROM tenant"};
    for (tenants.start(); tenants.step();) {
        const tenant_id name{std::string{tenants.text(1)}};
        tenants_[name] = tenants.integer(0);
        tenant_names_[tenants.integer(0)] = name;
    }
}

statement& ledger::sql(const char* literal) {
    const auto it = literals_.find(literal);
    return it != literals_.end() ? it->second
                                 : literals_.emplace(literal, statement{db_, literal}).first->second;
}

statement& ledger::sql(std::string text) {
    auto it = statements_.find(text);
    if (it == statements_.end()) {
        statement made{db_, text};
        it = statements_.emplace(std::move(text), std::move(made)).first;
    }
    return it->second;
}

bool ledger::is_in_transaction() const noexcept {
    return sqlite3_get_autocommit(db_.handle()) == 0;
}

void ledger::begin() {
    if (!is_in_transaction()) {
        sql("BEGIN IMMEDIATE").run();
    }
}

ledger::reading::reading(ledger& l)
    : ledger_{l}
    , is_needed_{!l.is_in_transaction()} {
    if (is_needed_) {
        ledger_.sql("BEGIN").run();
    }
}

ledger::reading::~reading() {
    if (is_needed_) {
        sqlite3_exec(ledger_.db_.handle(), "COMMIT", nullptr, nullptr, nullptr);  // nothing was written
    }
}

void ledger::commit(const ledger_numbers& numbers) {
    statement& meta = sql("INSERT OR REPLACE INTO meta(name, value) VALUES (?, ?)");
    meta.run("applied", numbers.applied);
    meta.run("last_message", numbers.last_message);
    meta.run("last_event", numbers.last_event);
    if (numbers.segment != numbers_.segment) {
        meta.run("segment", numbers.segment);
    }
    for (std::size_t s = 0; s < state_count; ++s) {
        if (numbers.tally[s] != numbers_.tally[s]) {
            sql("UPDATE tally SET recipients = ? WHERE state = ?").run(numbers.tally[s], std::uint64_t{s});
        }
    }
    write_segments(numbers);
    sql("COMMIT").run();
    numbers_ = numbers;
}

void ledger::write_segments(const ledger_numbers& numbers) {
    for (const auto& [no, use] : numbers.segments) {
        const auto before = numbers_.segments.find(no);
        if (before == numbers_.segments.end() || before->second != use) {
            sql("INSERT OR REPLACE INTO segment(no, bodies, bytes) VALUES (?, ?, ?)")
                .run(no, use.bodies, use.bytes);
        }
    }
    for (const auto& [no, use] : numbers_.segments) {
        if (!numbers.segments.contains(no)) {
            sql("DELETE FROM segment WHERE no = ?").run(no);
        }
    }
}

void ledger::roll_back() noexcept {
    for (auto& [text, s] : literals_) {
        s.reset();
    }
    for (auto& [text, s] : statements_) {
        s.reset();
    }
    sqlite3_exec(db_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    // Tenants that were added in the transaction are gone.
    try {
        tenants_.clear();
        tenant_names_.clear();
        read_numbers();
    } catch (const ledger_error&) {
        // The next call meets the same error and reports it.
    }
}

std::int64_t ledger::number_of(const tenant_id& tenant) {
    if (const auto known = known_number_of(tenant)) {
        return *known;
    }
    const auto no = static_cast<std::int64_t>(tenants_.size()) + 1;
    sql("INSERT INTO tenant(no, name) VALUES (?, ?)").run(no, tenant.text());
    tenants_[tenant] = no;
    tenant_names_[no] = tenant;
    return no;
}

std::optional<std::int64_t> ledger::known_number_of(const tenant_id& tenant) const {
    const auto it = tenants_.find(tenant);
    return it == tenants_.end() ? std::nullopt : std::optional{it->second};
}

const tenant_id& ledger::tenant_of(std::int64_t number) {
    const auto it = tenant_names_.find(number);
    if (it == tenant_names_.end()) {
        throw ledger_error{errc::store_damaged, "a row names a tenant that is not there"};
    }
    return it->second;
}

void ledger::insert(const message_row& row) {
    const mail::message& m = *row.fresh;
    if (row.is_erased) {
        sql("INSERT OR REPLACE INTO meta(name, value) VALUES ('scrub', 1)").run();
    }
    const std::optional<std::string_view> sender =
        m.from ? std::optional<std::string_view>{m.from->text()} : std::nullopt;
    const std::string tags = json_of(m.tags);
    const std::string notify = mail::notify_text(m.reports.notify);
    sql("INSERT INTO message(no, id, tenant, sender, subject, header_message_id, size, longest_line,"
        " eight_bit, utf8_header, leading_dot, accepted_at, due_at, expires_at, bulk, category, \"group\", "
        "key,"
        " tags, metadata, require_tls, completed_at, body_in, body_offset, ignore_suppression, erased,"
        " dsn_notify, dsn_return, dsn_envelope_id)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")
        .run(
            row.no,
            std::span<const std::uint8_t>{m.id.bytes()},
            number_of(m.tenant),
            sender,
            m.subject,
            m.header_message_id,
            m.facts.size,
            m.facts.longest_line,
            m.facts.eight_bit,
            m.facts.utf8_header,
            m.facts.leading_dot,
            m.accepted_at,
            m.due_at,
            m.expires_at,
            m.precedence == mail::priority::bulk,
            m.category,
            m.group,
            m.key,
            tags,
            m.metadata,
            m.require_tls,
            row.completed_at(),
            row.body.where,
            row.body.offset,
            m.ignore_suppression,
            row.is_erased ? std::optional{1} : std::nullopt,
            notify,
            mail::to_text(m.reports.ret),
            m.reports.envid
        );
    if (!row.idempotency_key.empty()) {
        sql("INSERT OR REPLACE INTO idempotency(tenant, key, digest, message) VALUES (?,?,?,?)")
            .run(number_of(m.tenant), row.idempotency_key, bytes_of(row.idempotency_digest), row.no);
    }
    insert_recipients(row);
}

void ledger::insert_recipients(const message_row& row) {
    const mail::message& m = *row.fresh;
    const std::int64_t tenant = number_of(m.tenant);
    for (std::size_t i = 0; i < row.recipients.size(); ++i) {
        const recipient_row& r = row.recipients[i];
        sql("INSERT INTO recipient(no, tenant, bulk, address, state, attempts, changed_at, due_at,"
            " doubted, late, reason, note, last_attempt, reported) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)")
            .run(
                recipient_number(row.no, i),
                tenant,
                m.precedence == mail::priority::bulk,
                m.to[i].text(),
                static_cast<int>(r.at.now),
                r.at.attempts,
                r.at.changed_at,
                r.at.due_at,
                r.at.doubted,
                r.at.late,
                text_of(r.at.why),
                r.at.note,
                r.last_attempt,
                reports_of(r.at)
            );
    }
}

void ledger::update_recipients(const message_row& row) {
    for (std::size_t i = 0; i < row.recipients.size(); ++i) {
        const recipient_row& r = row.recipients[i];
        if (!r.is_changed) {
            continue;
        }
        sql("UPDATE recipient SET state = ?, attempts = ?, changed_at = ?, due_at = ?,"
            " doubted = ?, late = ?, reason = ?, note = ?, last_attempt = ?, reported = ? WHERE no = ?")
            .run(
                static_cast<int>(r.at.now),
                r.at.attempts,
                r.at.changed_at,
                r.at.due_at,
                r.at.doubted,
                r.at.late,
                text_of(r.at.why),
                r.at.note,
                r.last_attempt,
                reports_of(r.at),
                recipient_number(row.no, i)
            );
        if (r.forgotten) {
            forget(row, i);
        }
    }
}

void ledger::write(const message_row& row) {
    if (!row.is_inserted) {
        insert(row);
        if (row.body.where == body_place::in_ledger && row.fresh->body) {
            sql("INSERT INTO body(message, content) VALUES (?, ?)").run(row.no, bytes_of(*row.fresh->body));
        }
        for (std::size_t i = 0; i < row.recipients.size(); ++i) {
            if (row.recipients[i].forgotten) {
                forget(row, i);  // its events may be there before it
            }
        }
    } else {
        update_recipients(row);
        const auto completed_at = row.completed_at();
        if (completed_at || !row.body.where) {
            sql("UPDATE message SET completed_at = ?, body_in = ?, body_offset = ? WHERE no = ?")
                .run(completed_at, row.body.where, row.body.offset, row.no);
        }
    }
    if (!row.body.where && row.body_was_in_ledger) {
        sql("DELETE FROM body WHERE message = ?").run(row.no);
    }
}

void ledger::write(const pause& row) {
    sql("INSERT OR REPLACE INTO pause(kind, name, sender, since, until, reason, text, \"by\")"
        " VALUES (?,?,?,?,?,?,?,?)")
        .run(
            to_text(row.what.kind),
            row.what.name,
            row.what.sender,
            row.since,
            row.until,
            verdict::to_text(row.why),
            row.text,
            row.by
        );
}

void ledger::write(const answered& c) {
    sql("INSERT OR REPLACE INTO idempotency(tenant, key, digest, message, was_there)"
        " SELECT tenant, ?, ?, no, 1 FROM message WHERE id = ?")
        .run(
            c.idempotency_key, bytes_of(c.idempotency_digest), std::span<const std::uint8_t>{c.with.bytes()}
        );
}

void ledger::write(const switched_off& row) {
    sql("INSERT OR REPLACE INTO category_off(tenant, category, since, until, \"by\", why) VALUES "
        "(?,?,?,?,?,?)")
        .run(number_of(row.tenant), row.category, row.since, row.until, row.by, row.why);
}

void ledger::erase(const tenant_id& tenant, const std::string& category) {
    sql("DELETE FROM category_off WHERE tenant = ? AND category = ?").run(number_of(tenant), category);
}

void ledger::erase(const pause_target& what) {
    sql("DELETE FROM pause WHERE kind = ? AND name = ? AND sender = ?")
        .run(to_text(what.kind), what.name, what.sender);
}

void ledger::erase(const message_row& row) {
    const std::int64_t first = recipient_number(row.no, 0);
    const std::int64_t last = recipient_number(row.no, most_recipients - 1);
    sql("DELETE FROM event WHERE recipient BETWEEN ? AND ?").run(first, last);
    sql("DELETE FROM recipient WHERE no BETWEEN ? AND ?").run(first, last);
    sql("DELETE FROM body WHERE message = ?").run(row.no);
    sql("DELETE FROM idempotency WHERE message = ?").run(row.no);
    sql("DELETE FROM message WHERE no = ?").run(row.no);
}

void ledger::erase_body(const message_row& row) {
    sql("DELETE FROM body WHERE message = ?").run(row.no);
    sql("UPDATE message SET body_in = NULL, body_offset = 0 WHERE no = ?").run(row.no);
}

void ledger::erase_pause_events(wall_time before) {
    sql("DELETE FROM event WHERE recipient IS NULL AND at < ?").run(before);
}

void ledger::move_body(const message_row& row, std::string_view body) {
    sql("INSERT OR REPLACE INTO body(message, content) VALUES (?, ?)").run(row.no, bytes_of(body));
    sql("UPDATE message SET body_in = 0, body_offset = 0 WHERE no = ?").run(row.no);
}

}  // namespace estafette::store
