#include "ledger_schema.hpp"

#include <array>
#include <string>

namespace estafette::store {

namespace {

// Numbers: a message's grows with its acceptance; a recipient's is message << 16 | place in the envelope,
// so that both orders are the newest first and need no index of their own. Times: Unix milliseconds.
// `state` 0 scheduled, 1 queued, 2 deferred, 3 held, 4 relayed, 5 delivered, 6 failed, 7 cancelled.
constexpr const char* version_1 = R"(
CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE tally(state INTEGER PRIMARY KEY, name TEXT NOT NULL, recipients INTEGER NOT NULL);
INSERT INTO tally VALUES (0,'scheduled',0),(1,'queued',0),(2,'deferred',0),(3,'held',0),
                         (4,'relayed',0),(5,'delivered',0),(6,'failed',0),(7,'cancelled',0);
CREATE TABLE tenant(no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

CREATE TABLE message(
  no INTEGER PRIMARY KEY, id BLOB NOT NULL, tenant INTEGER NOT NULL, sender TEXT,
  subject TEXT, header_message_id TEXT, size INTEGER, longest_line INTEGER,
  eight_bit INTEGER, utf8_header INTEGER, leading_dot INTEGER,
  accepted_at INTEGER, due_at INTEGER, expires_at INTEGER, bulk INTEGER,
  category TEXT, "group" TEXT, key TEXT, tags TEXT, metadata TEXT, require_tls INTEGER,
  completed_at INTEGER, body_in INTEGER, body_offset INTEGER);
CREATE UNIQUE INDEX message_id ON message(id);
CREATE INDEX message_completed ON message(completed_at) WHERE completed_at IS NOT NULL;
CREATE INDEX message_body ON message(body_in) WHERE body_in > 0;
CREATE INDEX message_kept_body ON message(completed_at)
  WHERE completed_at IS NOT NULL AND body_in IS NOT NULL;

CREATE TABLE recipient(
  no INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, bulk INTEGER NOT NULL, address TEXT NOT NULL,
  state INTEGER NOT NULL, attempts INTEGER NOT NULL, changed_at INTEGER NOT NULL, due_at INTEGER,
  claimed INTEGER NOT NULL, doubted INTEGER NOT NULL, reason TEXT, note TEXT, last_attempt INTEGER);
CREATE INDEX recipient_due ON recipient(tenant, bulk, due_at) WHERE due_at IS NOT NULL AND claimed = 0;
CREATE INDEX recipient_claimed ON recipient(due_at) WHERE claimed = 1;
CREATE INDEX recipient_state ON recipient(state) WHERE state <> 4;
CREATE INDEX recipient_doubted ON recipient(doubted) WHERE doubted = 1;
CREATE INDEX recipient_tenant ON recipient(tenant);
CREATE INDEX recipient_address ON recipient(address);

CREATE TABLE event(
  no INTEGER PRIMARY KEY, at INTEGER NOT NULL, type TEXT NOT NULL, recipient INTEGER, tenant INTEGER,
  route TEXT, state INTEGER, "by" TEXT, text TEXT,
  number INTEGER, started_at INTEGER, duration INTEGER, server TEXT, tls TEXT, phase TEXT,
  disposition TEXT, scope TEXT, reason TEXT, hint INTEGER, certain INTEGER, rule TEXT,
  code INTEGER, enhanced TEXT, reply TEXT);
CREATE INDEX event_recipient ON event(recipient) WHERE recipient IS NOT NULL;
CREATE INDEX event_route ON event(at) WHERE recipient IS NULL;

CREATE TABLE body(message INTEGER PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE idempotency(tenant INTEGER, key TEXT, digest BLOB NOT NULL, message INTEGER NOT NULL,
  PRIMARY KEY(tenant, key)) WITHOUT ROWID;
CREATE INDEX idempotency_message ON idempotency(message);
CREATE TABLE pause(route TEXT PRIMARY KEY, since INTEGER NOT NULL, until INTEGER, reason TEXT NOT NULL,
  text TEXT, "by" TEXT) WITHOUT ROWID;

CREATE VIEW recipients AS
  SELECT lower(hex(m.id)) AS message, r.no & 65535 AS place, t.name AS tenant, r.address, s.name AS state,
         r.attempts, datetime(m.accepted_at / 1000, 'unixepoch') AS accepted,
         datetime(r.changed_at / 1000, 'unixepoch') AS changed,
         datetime(r.due_at / 1000, 'unixepoch') AS due, r.reason, r.note, m.subject
  FROM recipient r JOIN message m ON m.no = r.no >> 16 JOIN tenant t ON t.no = r.tenant
       JOIN tally s ON s.state = r.state;
)";

// Claims live in memory: a claim is a read.
constexpr const char* version_2 = R"(
DROP INDEX recipient_due;
DROP INDEX recipient_claimed;
ALTER TABLE recipient DROP COLUMN claimed;
CREATE INDEX recipient_due ON recipient(tenant, bulk, due_at) WHERE due_at IS NOT NULL;
)";

// Who is delayed and was not told of: found in the order of acceptance, or of the time it was meant for.
constexpr const char* version_3 = R"(
ALTER TABLE recipient ADD COLUMN late INTEGER NOT NULL DEFAULT 0;
CREATE INDEX recipient_on_time ON recipient(no) WHERE late = 0 AND state BETWEEN 1 AND 3;
CREATE INDEX recipient_not_begun ON recipient(due_at) WHERE late = 0 AND state = 0;
)";

// How much of a segment of the journal still waits: a segment stays for as long as much of it does.
constexpr const char* version_4 = R"(
CREATE TABLE segment(no INTEGER PRIMARY KEY, bodies INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO segment SELECT body_in, count(*), sum(size + 512) FROM message WHERE body_in > 0 GROUP BY body_in;
)";

// Reports that come later. The index holds only Message-IDs that are not our own: ours begin with the
// message's id.
constexpr const char* version_5 = R"(
ALTER TABLE recipient ADD COLUMN reported INTEGER NOT NULL DEFAULT 0;
ALTER TABLE event ADD COLUMN evidence TEXT;
CREATE INDEX message_foreign_id ON message(header_message_id)
  WHERE substr(header_message_id, 2, 8) <> lower(hex(substr(id, 1, 4)));
)";

// The suppression lists.
constexpr const char* version_6 = R"(
ALTER TABLE message ADD COLUMN ignore_suppression INTEGER NOT NULL DEFAULT 0;
CREATE TABLE suppression(tenant INTEGER NOT NULL, address TEXT NOT NULL, since INTEGER NOT NULL,
  until INTEGER, cause TEXT NOT NULL, "by" TEXT, text TEXT, PRIMARY KEY(tenant, address)) WITHOUT ROWID;
CREATE INDEX suppression_until ON suppression(until) WHERE until IS NOT NULL;
)";

// Tenants and senders are paused too.
constexpr const char* version_7 = R"(
ALTER TABLE pause RENAME TO route_pause;
CREATE TABLE pause(kind TEXT, name TEXT, sender TEXT, since INTEGER NOT NULL, until INTEGER,
  reason TEXT NOT NULL, text TEXT, "by" TEXT, PRIMARY KEY(kind, name, sender)) WITHOUT ROWID;
INSERT INTO pause SELECT 'route', route, '', since, until, reason, text, "by" FROM route_pause;
DROP TABLE route_pause;
ALTER TABLE event ADD COLUMN sender TEXT;
)";

// What administrators do.
constexpr const char* version_8 = R"(
CREATE TABLE action(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, "by" TEXT NOT NULL, verb TEXT NOT NULL,
  selector TEXT NOT NULL, reason TEXT NOT NULL, expires_at INTEGER, done_at INTEGER, count INTEGER NOT NULL,
  undone_at INTEGER, undone_by TEXT, first_event INTEGER NOT NULL, last_event INTEGER NOT NULL);
)";

// What has not left, by the caller's own names.
constexpr const char* version_9 = R"(
CREATE INDEX message_key ON message(tenant, key) WHERE completed_at IS NULL AND key <> '';
CREATE INDEX message_group ON message(tenant, "group") WHERE completed_at IS NULL AND "group" <> '';
)";

// Kinds of mail that a tenant does not want, and persons that are forgotten.
constexpr const char* version_10 = R"(
ALTER TABLE message ADD COLUMN erased INTEGER;
CREATE TABLE category_off(tenant INTEGER NOT NULL, category TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER,
  "by" TEXT, why TEXT, PRIMARY KEY(tenant, category)) WITHOUT ROWID;
)";

// Whose time is over, also where nobody claims it.
constexpr const char* version_11 = R"(
CREATE INDEX message_expiring ON message(expires_at) WHERE completed_at IS NULL;
)";

// Which reports the caller wants of other servers (RFC 3461): '' is what the house asks for by itself.
constexpr const char* version_12 = R"(
ALTER TABLE message ADD COLUMN dsn_notify TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN dsn_return TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN dsn_envelope_id TEXT NOT NULL DEFAULT '';
)";

// Requests that were answered with mail that waited already.
constexpr const char* version_13 = R"(
ALTER TABLE idempotency ADD COLUMN was_there INTEGER NOT NULL DEFAULT 0;
)";

// What makes each version of the one before it; the first makes a new file. A step that a release has
// had is never edited: a file that was made new and one that was migrated have the same tables.
constexpr std::array steps{
    version_1,
    version_2,
    version_3,
    version_4,
    version_5,
    version_6,
    version_7,
    version_8,
    version_9,
    version_10,
    version_11,
    version_12,
    version_13
};

}  // namespace

std::int64_t schema_version() noexcept {
    return static_cast<std::int64_t>(steps.size());
}

void prepare_schema(database& db) {
    const std::int64_t found = db.ask_integer("PRAGMA user_version");
    if (found > schema_version()) {
        throw ledger_error{errc::store_newer, "schema version " + std::to_string(found)};
    }
    const bool is_new = found == 0 && db.ask_integer("SELECT count(*) FROM sqlite_schema") == 0;
    if (!is_new && (found < 1 || db.ask_integer("PRAGMA application_id") != ledger_application_id)) {
        throw ledger_error{errc::store_damaged, "not a ledger of Estafette"};
    }
    if (found == schema_version()) {
        return;
    }
    // All or nothing: a file is never between two versions.
    db.execute("BEGIN IMMEDIATE");
    for (std::int64_t done = found; done < schema_version(); ++done) {
        db.execute(steps[static_cast<std::size_t>(done)]);
    }
    db.execute(("PRAGMA application_id = " + std::to_string(ledger_application_id)).c_str());
    db.execute(("PRAGMA user_version = " + std::to_string(schema_version())).c_str());
    db.execute("COMMIT");
}

}  // namespace estafette::store
