// Events as rows of the ledger, both ways.
#pragma once

#include "sqlite.hpp"

#include "estafette/store/views.hpp"

namespace estafette::store {

// The columns that read_attempt() wants, 15 of them, of a table called e.
inline constexpr const char* attempt_columns =
    "e.number, e.started_at, e.duration, e.route, e.server, e.tls, e.phase, e.disposition, e.scope,"
    " e.reason, e.hint, e.certain, e.rule, e.code, e.enhanced, e.reply";

inline constexpr int attempt_column_count = 16;

// None where the row holds no attempt.
[[nodiscard]] std::optional<attempt> read_attempt(const statement& s, int first_column);

// Of an event that is no attempt: what a report said, or none.
[[nodiscard]] std::optional<verdict::verdict> read_judged(const statement& s, int first_column);

void insert_event(
    statement& s, const event& e, std::optional<std::int64_t> recipient, std::optional<std::int64_t> tenant
);

inline constexpr const char* event_insert =
    "INSERT INTO event(no, at, type, recipient, tenant, route, state, \"by\", text, number, started_at,"
    " duration, server, tls, phase, disposition, scope, reason, hint, certain, rule, code, enhanced, reply, "
    "evidence)"
    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";

}  // namespace estafette::store
