// Forgetting a person: rows first, then the pages that rows have left.
#include "ledger.hpp"

#include <algorithm>

namespace estafette::store {

namespace {

constexpr std::int64_t pages_a_step = 2048;  // 8 MiB
constexpr std::int64_t page_room = 4000;     // of a page of 4 KiB, what a value can fill for sure

}  // namespace

void ledger::forget(const message_row& row, std::size_t place) {
    const std::int64_t no = recipient_number(row.no, place);
    const std::string& pseudonym = row.recipients[place].forgotten->pseudonym;
    // Keys of requests are the caller's own words: one that has the address in it goes too.
    sql("DELETE FROM idempotency WHERE message = ? AND"
        " instr(lower(key), lower((SELECT address FROM recipient WHERE no = ?))) > 0")
        .run(row.no, no);
    sql("UPDATE message SET sender = ? WHERE no = ? AND sender = (SELECT address FROM recipient WHERE no = ?)"
    )
        .run(pseudonym, row.no, no);
    sql("UPDATE recipient SET address = ? WHERE no = ?").run(pseudonym, no);
    sql("UPDATE event SET reply = '', text = '', evidence = '' WHERE recipient = ? AND type <> 'erased'")
        .run(no);
    sql("UPDATE message SET subject = '', tags = '', metadata = '', dsn_envelope_id = '', erased = 1"
        " WHERE no = ?")
        .run(row.no);
    if (row.completed_at()) {
        sql("UPDATE message SET key = '', \"group\" = '' WHERE no = ?").run(row.no);
    }
    sql("INSERT OR REPLACE INTO meta(name, value) VALUES ('scrub', 1)").run();
}

bool ledger::needs_scrub() {
    return db_.ask_integer("SELECT coalesce(max(value), 0) FROM meta WHERE name = 'scrub'") != 0;
}

// SQLite leaves what it deletes in the pages that it frees. A table of zeros takes them all; dropped in a
// transaction of its own it leaves zeros behind.
settled ledger::scrub() {
    begin();
    try {
        db_.execute("CREATE TABLE IF NOT EXISTS scrub(zeros BLOB)");
        const auto free_pages = [this] { return db_.ask_integer("PRAGMA freelist_count"); };
        const std::int64_t most = std::min(free_pages(), pages_a_step);
        if (most > 16) {
            sql("INSERT INTO scrub(zeros) VALUES (zeroblob(?))").run((most - 8) * page_room);
        }
        const bool is_last = free_pages() <= 16;
        for (std::int64_t left = free_pages(); is_last && left > 0; left = free_pages()) {
            sql("INSERT INTO scrub(zeros) VALUES (zeroblob(?))").run(page_room);
        }
        commit(numbers_);
        if (!is_last) {
            return settled::more_to_do;
        }
        begin();
        db_.execute("DROP TABLE scrub");
        db_.execute("UPDATE meta SET value = 0 WHERE name = 'scrub'");
        commit(numbers_);
    } catch (...) {
        roll_back();
        throw;
    }
    return settled::all;
}

bool ledger::empty_log() {
    const int code =
        sqlite3_wal_checkpoint_v2(db_.handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    if ((code & 0xFF) == SQLITE_BUSY) {
        return false;
    }
    if (code != SQLITE_OK) {
        throw_sqlite(db_.handle(), code);
    }
    return true;
}

}  // namespace estafette::store
