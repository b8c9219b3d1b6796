#include "salvage.hpp"

#include "ledger_schema.hpp"
#include "sqlite.hpp"

#include "estafette/base/ids.hpp"
#include "estafette/mail/address.hpp"
#include "estafette/store/change.hpp"
#include "estafette/verdict/verdict.hpp"

#include <algorithm>
#include <filesystem>

namespace estafette::store {

namespace {

// What is counted from the others is not copied.
std::vector<std::string> tables_of(database& db) {
    std::vector<std::string> names;
    statement s{
        db,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('tally', 'segment')"
        " AND name NOT LIKE 'sqlite_%'"
    };
    for (s.start(); s.step();) {
        names.emplace_back(s.text(0));
    }
    return names;
}

std::vector<std::string> columns_of(database& db, const std::string& table) {
    std::vector<std::string> names;
    statement s{db, "SELECT name FROM pragma_table_info('" + table + "')"};
    for (s.start(); s.step();) {
        names.emplace_back(s.text(0));
    }
    return names;
}

// Copies rows until the end or the damage; false: it was the damage.
bool copy_rows(database& from, const std::string& select, database& to, const std::string& insert) {
    statement write{to, insert};
    try {
        statement read{from, select};
        for (read.start(); read.step();) {
            write.reset();
            for (int column = 0; column < sqlite3_column_count(read.handle()); ++column) {
                sqlite3_bind_value(write.handle(), column + 1, sqlite3_column_value(read.handle(), column));
            }
            while (write.step()) {
            }
        }
        return true;
    } catch (const ledger_error& e) {
        if (e.code != errc::store_damaged && e.code != errc::store_failed && e.code != errc::internal) {
            throw;
        }
        return false;
    }
}

// From both ends: what lies between two damaged pages stays behind.
void copy_table(database& from, database& to, const std::string& table, std::vector<std::string>& lost) {
    const auto old = columns_of(from, table);
    const bool is_of_routes_only = std::find(old.begin(), old.end(), "route") != old.end();
    if (table == "pause" && is_of_routes_only) {  // before version 7
        (void)copy_rows(
            from,
            "SELECT 'route', route, '', since, until, reason, text, \"by\" FROM pause",
            to,
            "INSERT OR IGNORE INTO pause(kind, name, sender, since, until, reason, text, \"by\")"
            " VALUES (?,?,?,?,?,?,?,?)"
        );
        return;
    }
    std::string names, places, key;
    for (const std::string& name : columns_of(to, table)) {
        if (std::find(old.begin(), old.end(), name) == old.end()) {
            continue;
        }
        key = key.empty() ? "\"" + name + "\"" : key;
        names += (names.empty() ? "\"" : ",\"") + name + "\"";
        places += places.empty() ? "?" : ",?";
    }
    if (old.empty() && from.ask_integer("PRAGMA user_version") < schema_version()) {
        return;  // that version had none
    }
    if (names.empty()) {
        lost.push_back("the table " + table + " of the ledger is not there");
        return;
    }
    const std::string select = "SELECT " + names + " FROM " + table + " NOT INDEXED ORDER BY " + key;
    const std::string insert = "INSERT OR IGNORE INTO " + table + "(" + names + ") VALUES (" + places + ")";
    if (!copy_rows(from, select, to, insert)) {
        (void)copy_rows(from, select + " DESC", to, insert);
        lost.push_back("rows of the table " + table + " of the ledger could not be read");
    }
}

std::string id_text(std::string_view bytes) {
    message_id::bytes_type id{};
    std::copy_n(bytes.begin(), std::min(bytes.size(), id.size()), id.begin());
    return message_id{id}.text();
}

// Messages that nobody could read any more, by number, with why.
std::vector<std::pair<std::int64_t, std::string>> unreadable_messages(database& db) {
    std::vector<std::pair<std::int64_t, std::string>> found;
    statement s{
        db,
        "SELECT m.no, m.id, m.sender,"
        " (SELECT count(*) FROM recipient r WHERE r.no BETWEEN m.no << 16 AND (m.no << 16) + 65535),"
        " (SELECT coalesce(max(r.no & 65535), -1) + 1 FROM recipient r"
        "  WHERE r.no BETWEEN m.no << 16 AND (m.no << 16) + 65535) FROM message m"
    };
    for (s.start(); s.step();) {
        if (s.text(1).size() != 16) {
            found.emplace_back(s.integer(0), "its id is not readable");
        } else if (s.integer(3) == 0 || s.integer(3) != s.integer(4)) {
            found.emplace_back(s.integer(0), "recipients of it are missing");
        } else if (!s.is_null(2) && !mail::address::parse(s.text(2))) {
            found.emplace_back(s.integer(0), "its sender is not readable");
        }
    }
    statement r{db, "SELECT no >> 16, address, state, reason FROM recipient ORDER BY no"};
    for (r.start(); r.step();) {
        const bool has_state = r.integer(2) >= 0 && r.integer(2) < static_cast<std::int64_t>(state_count);
        const bool has_reason = r.is_null(3) || verdict::parse_reason(r.text(3));
        if (!has_state || !has_reason || !mail::address::parse(r.text(1))) {
            found.emplace_back(r.integer(0), "a recipient of it is not readable");
        }
    }
    std::sort(found.begin(), found.end());
    const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
    found.erase(std::unique(found.begin(), found.end(), same), found.end());
    return found;
}

void drop_unreadable(database& db, std::vector<std::string>& lost) {
    for (const auto& [no, why] : unreadable_messages(db)) {
        statement s{
            db,
            "SELECT m.id, (SELECT group_concat(r.address, ', ') FROM recipient r"
            " WHERE r.no BETWEEN m.no << 16 AND (m.no << 16) + 65535) FROM message m WHERE m.no = ?"
        };
        s.start(no);
        const bool is_there = s.step();
        lost.push_back(
            is_there ? "message " + id_text(s.text(0)) + " to " + std::string{s.text(1)} + ": " + why
                     : "message number " + std::to_string(no) + ": " + why
        );
        s.reset();
        for (const char* sql :
             {"DELETE FROM message WHERE no = ?", "DELETE FROM recipient WHERE no >> 16 = ?"}) {
            statement{db, sql}.run(no);
        }
    }
}

// Pauses and actions that nobody could read any more.
void drop_unknown(database& db, std::vector<std::string>& lost) {
    std::vector<std::pair<std::string, std::string>> unknown;
    statement pauses{db, "SELECT kind, name, reason FROM pause"};
    for (pauses.start(); pauses.step();) {
        if (!parse_pause_kind(pauses.text(0)) || !verdict::parse_reason(pauses.text(2))) {
            unknown.emplace_back(pauses.text(0), pauses.text(1));
        }
    }
    for (const auto& [kind, name] : unknown) {
        lost.push_back("the pause of " + kind + " " + name);
        statement{db, "DELETE FROM pause WHERE kind = ? AND name = ?"}.run(kind, name);
    }
    std::vector<std::int64_t> unreadable;
    statement actions{db, "SELECT id, verb, selector FROM action"};
    for (actions.start(); actions.step();) {
        if (!parse_action_verb(actions.text(1)) || !parse_selector(actions.text(2))) {
            unreadable.push_back(actions.integer(0));
        }
    }
    for (const std::int64_t id : unreadable) {
        lost.push_back("the action " + std::to_string(id));
        statement{db, "DELETE FROM action WHERE id = ?"}.run(id);
    }
}

// Rows without what they belong to.
void drop_orphans(database& db, std::vector<std::string>& lost) {
    statement s{db, "SELECT address, no FROM recipient WHERE no >> 16 NOT IN (SELECT no FROM message)"};
    for (s.start(); s.step();) {
        lost.push_back("a message to " + std::string{s.text(0)} + ": only its recipient is left");
    }
    db.execute(
        "DELETE FROM recipient WHERE no >> 16 NOT IN (SELECT no FROM message);"
        "DELETE FROM event WHERE recipient IS NOT NULL AND recipient NOT IN (SELECT no FROM recipient);"
        "DELETE FROM event WHERE state NOT BETWEEN 0 AND 7;"
        "DELETE FROM body WHERE message NOT IN (SELECT no FROM message);"
        "DELETE FROM idempotency WHERE message NOT IN (SELECT no FROM message);"
        "UPDATE recipient SET last_attempt = NULL WHERE last_attempt NOT IN (SELECT no FROM event);"
        "INSERT OR IGNORE INTO tenant(no, name)"
        " SELECT DISTINCT tenant, 'recovered-' || tenant FROM message"
        " WHERE tenant NOT IN (SELECT no FROM tenant);"
        "UPDATE recipient SET tenant = (SELECT m.tenant FROM message m WHERE m.no = recipient.no >> 16)"
        " WHERE tenant NOT IN (SELECT no FROM tenant)"
    );
    drop_unknown(db, lost);
}

void count_anew(database& db) {
    db.execute("DELETE FROM segment;"
               "INSERT INTO segment SELECT body_in, count(*), sum(size + 512) FROM message"
               " WHERE body_in > 0 GROUP BY body_in;"
               "UPDATE tally SET recipients = (SELECT count(*) FROM recipient r WHERE r.state = tally.state);"
               "INSERT OR REPLACE INTO meta(name, value)"
               " VALUES ('last_message', max((SELECT coalesce(max(no), 0) FROM message),"
               "  coalesce((SELECT value FROM meta WHERE name = 'last_message'), 0)));"
               "INSERT OR REPLACE INTO meta(name, value)"
               " VALUES ('last_event', max((SELECT coalesce(max(no), 0) FROM event),"
               "  coalesce((SELECT value FROM meta WHERE name = 'last_event'), 0)))");
}

}  // namespace

void put_in_order(database& db, std::vector<std::string>& lost) {
    drop_unreadable(db, lost);
    drop_orphans(db, lost);
    count_anew(db);
}

salvaged salvage_ledger(const std::string& from, const std::string& to) {
    salvaged done;
    database fresh{to, database::access::read_write};
    prepare_schema(fresh);
    fresh.execute("BEGIN IMMEDIATE");
    std::error_code failure;
    if (!std::filesystem::exists(from, failure)) {
        done.lost.push_back("the ledger: the file is missing");
    } else {
        try {
            database old{from, database::access::read_only};
            (void)old.ask_integer("SELECT count(*) FROM sqlite_schema");
            for (const std::string& table : tables_of(fresh)) {
                copy_table(old, fresh, table, done.lost);
            }
        } catch (const ledger_error& e) {
            done.lost.push_back("the ledger cannot be read at all: " + e.what);
        }
    }
    put_in_order(fresh, done.lost);
    statement applied{fresh, "SELECT value FROM meta WHERE name = 'applied'"};
    applied.start();
    if (applied.step()) {
        done.applied = static_cast<std::uint64_t>(applied.integer(0));
    }
    applied.reset();
    fresh.execute("COMMIT");
    return done;
}

}  // namespace estafette::store
