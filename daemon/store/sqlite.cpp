#include "sqlite.hpp"

#include <utility>

namespace estafette::store {

namespace {

errc meaning_of(int code) noexcept {
    switch (code & 0xFF) {
    case SQLITE_FULL: return errc::store_full;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return errc::store_damaged;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return errc::store_busy;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY: return errc::io;
    case SQLITE_IOERR: return errc::store_failed;
    default: return errc::internal;
    }
}

// SQLite would count its memory, under a lock at each allocation; nobody asks how much it is. Before its
// first call, once.
void prepare_library() noexcept {
    static const int answer = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    (void)answer;
}

}  // namespace

void throw_sqlite(sqlite3* db, int code) {
    throw ledger_error{meaning_of(code), db ? sqlite3_errmsg(db) : sqlite3_errstr(code)};
}

statement::statement(database& db, std::string_view sql) {
    const int code = sqlite3_prepare_v3(
        db.handle(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &handle_, nullptr
    );
    if (code != SQLITE_OK) {
        throw_sqlite(db.handle(), code);
    }
}

statement::statement(statement&& other) noexcept
    : handle_{std::exchange(other.handle_, nullptr)}
    , is_running_{std::exchange(other.is_running_, false)} {}

statement& statement::operator=(statement&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(is_running_, other.is_running_);
    return *this;
}

statement::~statement() {
    sqlite3_finalize(handle_);
}

bool statement::step() {
    const int code = sqlite3_step(handle_);
    is_running_ = true;
    if (code == SQLITE_ROW) {
        return true;
    }
    if (code != SQLITE_DONE) {
        sqlite3* db = sqlite3_db_handle(handle_);
        const ledger_error failure{meaning_of(code), sqlite3_errmsg(db)};
        reset();
        throw failure;
    }
    reset();
    return false;
}

void statement::reset() noexcept {
    if (is_running_) {
        sqlite3_reset(handle_);
        is_running_ = false;
    }
}

std::int64_t statement::integer(int column) const noexcept {
    return sqlite3_column_int64(handle_, column);
}

std::optional<std::int64_t> statement::maybe_integer(int column) const noexcept {
    return is_null(column) ? std::nullopt : std::optional{integer(column)};
}

std::string_view statement::text(int column) const noexcept {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle_, column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_, column));
    return bytes ? std::string_view{bytes, size} : std::string_view{};
}

std::optional<wall_time> statement::maybe_time(int column) const noexcept {
    return is_null(column) ? std::nullopt : std::optional{from_unix_ms(integer(column))};
}

bool statement::is_null(int column) const noexcept {
    return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

void statement::bind(int place, std::int64_t value) {
    check(sqlite3_bind_int64(handle_, place, value));
}

void statement::bind(int place, std::string_view value) {
    // The caller's text lives until the statement has run.
    const char* bytes = value.data() ? value.data() : "";
    check(sqlite3_bind_text(handle_, place, bytes, static_cast<int>(value.size()), SQLITE_STATIC));
}

void statement::bind(int place, std::span<const std::uint8_t> blob) {
    check(sqlite3_bind_blob(handle_, place, blob.data(), static_cast<int>(blob.size()), SQLITE_STATIC));
}

void statement::bind(int place, std::nullopt_t) {
    check(sqlite3_bind_null(handle_, place));
}

void statement::check(int code) const {
    if (code != SQLITE_OK) {
        throw_sqlite(sqlite3_db_handle(handle_), code);
    }
}

database::database(const std::string& path, access how) {
    prepare_library();
    const int flags =
        SQLITE_OPEN_NOMUTEX |
        (how == access::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    const int code = sqlite3_open_v2(path.c_str(), &handle_, flags, nullptr);
    if (code != SQLITE_OK) {
        const ledger_error failure{meaning_of(code), sqlite3_errstr(code)};
        sqlite3_close(std::exchange(handle_, nullptr));
        throw failure;
    }
    sqlite3_extended_result_codes(handle_, 1);
    sqlite3_busy_timeout(handle_, 5000);
}

database::database(database&& other) noexcept
    : handle_{std::exchange(other.handle_, nullptr)} {}

database& database::operator=(database&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
}

database::~database() {
    sqlite3_close_v2(handle_);
}

void database::execute(const char* sql) {
    const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) {
        throw_sqlite(handle_, code);
    }
}

std::int64_t database::ask_integer(const char* sql) {
    statement question{*this, sql};
    question.start();
    return question.step() ? question.integer(0) : 0;
}

std::int64_t database::changed_rows() const noexcept {
    return sqlite3_changes64(handle_);
}

void database::never_checkpoint() noexcept {
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

}  // namespace estafette::store
