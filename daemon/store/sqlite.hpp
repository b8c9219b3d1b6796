// SQLite as the ledger uses it: a connection, prepared statements, errors as ledger_error. Nothing here
// knows what is stored.
// Thread: one connection belongs to one thread at a time.
#pragma once

#include "estafette/base/error.hpp"
#include "estafette/base/time.hpp"

#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace estafette::store {

// Thrown inside the ledger and the local engine; caught at the engine's calls, which return the code.
struct ledger_error {
    error_code code;
    std::string what;  // SQLite's words, for the log
};

class database;

// A prepared statement. run() and the first step() bind, the end of the rows resets.
class statement {
public:
    statement() = default;
    statement(database& db, std::string_view sql);
    statement(statement&& other) noexcept;
    statement& operator=(statement&& other) noexcept;
    ~statement();

    // Executes it with these values: for statements without rows.
    template <class... Values> void run(const Values&... values) {
        start(values...);
        while (step()) {
        }
    }

    // Binds; the rows follow by step().
    template <class... Values> void start(const Values&... values) {
        reset();
        int place = 0;
        (bind(++place, values), ...);
    }

    [[nodiscard]] bool step();  // true: a row; false: the end
    void reset() noexcept;

    [[nodiscard]] std::int64_t integer(int column) const noexcept;
    [[nodiscard]] std::optional<std::int64_t> maybe_integer(int column) const noexcept;
    [[nodiscard]] std::string_view text(int column) const noexcept;  // until the next step
    [[nodiscard]] std::optional<wall_time> maybe_time(int column) const noexcept;
    [[nodiscard]] bool is_null(int column) const noexcept;

    [[nodiscard]] sqlite3_stmt* handle() const noexcept { return handle_; }

    void bind(int place, std::int64_t value);
    void bind(int place, std::uint64_t value) { bind(place, static_cast<std::int64_t>(value)); }
    void bind(int place, std::uint32_t value) { bind(place, static_cast<std::int64_t>(value)); }
    void bind(int place, int value) { bind(place, static_cast<std::int64_t>(value)); }
    void bind(int place, bool value) { bind(place, static_cast<std::int64_t>(value)); }
    void bind(int place, wall_time value) { bind(place, static_cast<std::int64_t>(to_unix_ms(value))); }
    void bind(int place, std::string_view value);
    void bind(int place, const std::string& value) { bind(place, std::string_view{value}); }
    void bind(int place, const char* value) { bind(place, std::string_view{value}); }
    void bind(int place, std::span<const std::uint8_t> blob);
    void bind(int place, std::nullopt_t);

    template <class T> void bind(int place, const std::optional<T>& value) {
        if (value) {
            bind(place, *value);
        } else {
            bind(place, std::nullopt);
        }
    }

private:
    void check(int code) const;

    sqlite3_stmt* handle_ = nullptr;
    bool is_running_ = false;
};

class database {
public:
    enum class access { read_write, read_only };

    database() = default;
    database(const std::string& path, access how);
    database(database&& other) noexcept;
    database& operator=(database&& other) noexcept;
    ~database();

    void execute(const char* sql);  // one or several statements without values

    [[nodiscard]] std::int64_t ask_integer(const char* sql);

    [[nodiscard]] std::int64_t changed_rows() const noexcept;

    [[nodiscard]] sqlite3* handle() const noexcept { return handle_; }

    // Nor when it is closed: after a failed sync SQLite would sync again, and believe the answer.
    void never_checkpoint() noexcept;

private:
    sqlite3* handle_ = nullptr;
};

// SQLite's result code in our words: full, damaged, failed, busy.
[[noreturn]] void throw_sqlite(sqlite3* db, int code);

}  // namespace estafette::store
