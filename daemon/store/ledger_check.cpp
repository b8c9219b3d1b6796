#include "ledger_check.hpp"

#include "ledger_schema.hpp"
#include "sqlite.hpp"

#include "estafette/mail/address.hpp"
#include "estafette/store/action.hpp"
#include "estafette/store/pause.hpp"
#include "estafette/verdict/verdict.hpp"

#include <boost/json/parse.hpp>

#include <charconv>
#include <filesystem>

namespace estafette::store {

namespace {

constexpr std::uint64_t rows_per_step = 10'000;

// Ledgers of earlier versions are checked as they are.
constexpr std::int64_t first_with_kinds_of_pause = 7;

std::string hex(std::string_view bytes) {
    message_id::bytes_type id{};
    if (bytes.size() != id.size()) {
        return "(no id)";
    }
    std::copy(bytes.begin(), bytes.end(), id.begin());
    return message_id{id}.text();
}

class examination {
public:
    examination(
        const std::string& path, const journal_reading& journal, const progress& tell, check_report& report
    )
        : path_{path}
        , db_{path, database::access::read_only}
        , journal_{journal}
        , tell_{tell}
        , report_{report} {}

    // False: SQLite itself says that the file is broken, and the rows say nothing for sure.
    [[nodiscard]] bool check_file() {
        const std::int64_t version = db_.ask_integer("PRAGMA user_version");
        if (version > schema_version()) {
            throw ledger_error{errc::store_newer, "schema version " + std::to_string(version)};
        }
        if (db_.ask_integer("PRAGMA application_id") != ledger_application_id || version < 1) {
            add("not a ledger of Estafette", 68);
            return false;
        }
        const std::uint64_t pages = static_cast<std::uint64_t>(db_.ask_integer("PRAGMA page_count"));
        tell_("ledger", 0, pages);
        page_size_ = static_cast<std::uint64_t>(db_.ask_integer("PRAGMA page_size"));
        bool is_whole = true;
        statement check{db_, "PRAGMA integrity_check(100)"};
        for (check.start(); check.step();) {
            if (check.text(0) != "ok") {
                is_whole = false;
                const std::string said{check.text(0)};
                add(said, offset_in(said));
            }
        }
        tell_("ledger", pages, pages);
        return is_whole;
    }

    void check_rows() {
        check_tallies();
        check_numbers();
        if (db_.ask_integer("SELECT count(*) FROM sqlite_schema WHERE name = 'segment'") != 0) {
            check_segments();
        }
        check_messages();
        check_recipients();
        check_events();
        complain("SELECT 'a body of a message that is not there: number ' || message FROM body"
                 " WHERE message NOT IN (SELECT no FROM message) LIMIT 100");
        complain("SELECT 'the key ' || key || ' of a message that is not there: number ' || message"
                 " FROM idempotency WHERE message NOT IN (SELECT no FROM message) LIMIT 100");
        const bool has_kinds = db_.ask_integer("PRAGMA user_version") >= first_with_kinds_of_pause;
        statement pauses{
            db_,
            has_kinds ? "SELECT kind, name, reason FROM pause" : "SELECT 'route', route, reason FROM pause"
        };
        for (pauses.start(); pauses.step();) {
            const std::string name = std::string{pauses.text(0)} + " " + std::string{pauses.text(1)};
            if (!parse_pause_kind(pauses.text(0))) {
                add("the pause of " + name + " is of an unknown kind");
            } else if (!verdict::parse_reason(pauses.text(2))) {
                add("the pause of " + name + " has an unknown reason");
            }
        }
        if (db_.ask_integer("SELECT count(*) FROM sqlite_schema WHERE name = 'action'") != 0) {
            check_actions();
        }
    }

private:
    void add(std::string what, std::optional<std::uint64_t> offset = {}) {
        report_.findings.push_back({path_, offset, std::move(what)});
    }

    // integrity_check says "... page 17: ..." or "Tree 4 page 17 cell 3: ...".
    [[nodiscard]] std::optional<std::uint64_t> offset_in(const std::string& said) const {
        const std::size_t place = said.find("page ");
        std::uint64_t page = 0;
        if (place == std::string::npos) {
            return std::nullopt;
        }
        const char* begin = said.data() + place + 5;
        const auto [end, ec] = std::from_chars(begin, said.data() + said.size(), page);
        return ec == std::errc{} && page > 0 ? std::optional{(page - 1) * page_size_} : std::nullopt;
    }

    // Each row of the statement is a finding.
    void complain(const char* sql) {
        statement s{db_, sql};
        for (s.start(); s.step();) {
            add(std::string{s.text(0)});
        }
    }

    void check_tallies() {
        statement s{
            db_,
            "SELECT t.name, t.recipients, (SELECT count(*) FROM recipient r WHERE r.state = t.state)"
            " FROM tally t ORDER BY t.state"
        };
        std::size_t lines = 0;
        for (s.start(); s.step(); ++lines) {
            if (s.integer(1) != s.integer(2)) {
                add("the tally says " + std::to_string(s.integer(1)) + " " + std::string{s.text(0)} +
                    ", there are " + std::to_string(s.integer(2)));
            }
        }
        if (lines != state_count) {
            add("the tally has " + std::to_string(lines) + " lines, not " + std::to_string(state_count));
        }
    }

    void check_actions() {
        statement actions{db_, "SELECT id, verb, selector FROM action"};
        for (actions.start(); actions.step();) {
            if (!parse_action_verb(actions.text(1)) || !parse_selector(actions.text(2))) {
                add("the action " + std::to_string(actions.integer(0)) + " is not readable");
            }
        }
    }

    void check_segments() {
        complain("SELECT 'segment ' || s.no || ' is said to have ' || s.bodies || ' contents that wait, "
                 "there are ' ||"
                 " (SELECT count(*) FROM message m WHERE m.body_in = s.no) FROM segment s"
                 " WHERE s.bodies <> (SELECT count(*) FROM message m WHERE m.body_in = s.no) LIMIT 100");
    }

    void check_numbers() {
        const auto meta = [this](const char* name) -> std::optional<std::int64_t> {
            statement s{db_, "SELECT value FROM meta WHERE name = ?"};
            s.start(std::string_view{name});
            return s.step() ? std::optional{s.integer(0)} : std::nullopt;
        };
        const auto last_message = meta("last_message"), last_event = meta("last_event");
        if (last_message.value_or(0) < db_.ask_integer("SELECT coalesce(max(no), 0) FROM message")) {
            add("the last message's number is lower than a message's");
        }
        if (last_event.value_or(0) < db_.ask_integer("SELECT coalesce(max(no), 0) FROM event")) {
            add("the last event's number is lower than an event's");
        }
        const std::int64_t segment = meta("segment").value_or(0);
        if (segment != 0 && !journal_.has(segment)) {
            add("segment " + std::to_string(segment) + " of the journal is missing");
        }
        statement bodies{db_, "SELECT DISTINCT body_in FROM message WHERE body_in > 0"};
        for (bodies.start(); bodies.step();) {
            if (!journal_.has(bodies.integer(0)) && bodies.integer(0) != segment) {
                add("segment " + std::to_string(bodies.integer(0)) +
                    " of the journal is missing; mail that waits has its content there");
            }
        }
        const auto applied = static_cast<std::uint64_t>(meta("applied").value_or(0));
        if (journal_.begin() && *journal_.begin() > applied + 1) {
            add("it has the journal up to batch " + std::to_string(applied) + ", which begins with batch " +
                std::to_string(*journal_.begin()));
        }
        if (journal_.end() && *journal_.end() < applied + 1) {
            add("it has batch " + std::to_string(applied) + ", the journal ends with batch " +
                std::to_string(*journal_.end() - 1));
        }
    }

    void check_messages() {
        statement s{
            db_,
            "SELECT m.no, m.id, m.body_in, m.body_offset, m.completed_at IS NULL, m.sender, m.tags, m.size,"
            " (SELECT length(content) FROM body b WHERE b.message = m.no),"
            " EXISTS (SELECT 1 FROM recipient r WHERE r.no BETWEEN m.no << 16 AND (m.no << 16) + 65535),"
            " EXISTS (SELECT 1 FROM tenant t WHERE t.no = m.tenant) FROM message m ORDER BY m.no"
        };
        const auto total = static_cast<std::uint64_t>(db_.ask_integer("SELECT count(*) FROM message"));
        for (s.start(); s.step(); ++report_.messages) {
            if (report_.messages % rows_per_step == 0) {
                tell_("messages", report_.messages, total);
            }
            check_message(s);
        }
        tell_("messages", total, total);
    }

    void check_message(const statement& s) {
        const std::string name = "message " + hex(s.text(1));
        if (s.text(1).size() != 16) {
            add("message number " + std::to_string(s.integer(0)) + " has an id that is none");
        }
        if (!s.is_null(5) && !mail::address::parse(s.text(5))) {
            add(name + " has a sender that is no address");
        }
        boost::json::error_code invalid;
        if (!s.text(6).empty() &&
            !boost::json::parse({s.text(6).data(), s.text(6).size()}, invalid).is_array()) {
            add(name + " has tags that are no list");
        }
        if (s.integer(9) == 0) {
            add(name + " has no recipients");
        }
        if (s.integer(10) == 0) {
            add(name + " has a tenant that is not there");
        }
        check_body(s, name);
    }

    void check_body(const statement& s, const std::string& name) {
        const auto where = s.maybe_integer(2);
        if (!where) {
            if (s.integer(4) != 0) {
                add(name + " waits and has no content");
            }
            return;
        }
        ++report_.bodies;
        if (*where == 0) {
            const auto length = s.maybe_integer(8);
            if (!length) {
                add(name + ": its content is missing");
            } else if (*length != s.integer(7)) {
                add(name + ": its content has " + std::to_string(*length) + " bytes, not " +
                    std::to_string(s.integer(7)));
            }
            return;
        }
        const auto offset = static_cast<std::uint64_t>(s.integer(3));
        if (!journal_.read_body(*where, offset)) {
            add(name + ": its content in segment " + std::to_string(*where) + " at offset " +
                std::to_string(offset) + " cannot be read");
        }
    }

    void check_recipients() {
        statement s{
            db_,
            "SELECT r.no, r.address, r.state, r.reason, r.last_attempt, m.id,"
            " EXISTS (SELECT 1 FROM tenant t WHERE t.no = r.tenant),"
            " r.last_attempt IS NOT NULL AND NOT EXISTS (SELECT 1 FROM event e WHERE e.no = r.last_attempt)"
            " FROM recipient r LEFT JOIN message m ON m.no = r.no >> 16 ORDER BY r.no"
        };
        const auto total = static_cast<std::uint64_t>(db_.ask_integer("SELECT count(*) FROM recipient"));
        for (s.start(); s.step(); ++report_.recipients) {
            if (report_.recipients % rows_per_step == 0) {
                tell_("recipients", report_.recipients, total);
            }
            const std::string name =
                s.is_null(5) ? "recipient number " + std::to_string(s.integer(0))
                             : "recipient " + hex(s.text(5)) + "." + std::to_string(s.integer(0) & 65535);
            if (s.is_null(5)) {
                add(name + " has no message");
            }
            if (!mail::address::parse(s.text(1))) {
                add(name + " has an address that is none");
            }
            if (s.integer(2) < 0 || s.integer(2) >= static_cast<std::int64_t>(state_count)) {
                add(name + " has an unknown state");
            }
            if (!s.is_null(3) && !verdict::parse_reason(s.text(3))) {
                add(name + " has an unknown reason");
            }
            if (s.integer(6) == 0) {
                add(name + " has a tenant that is not there");
            }
            if (s.integer(7) != 0) {
                add(name + " has a last attempt that is not there");
            }
        }
        tell_("recipients", total, total);
    }

    void check_events() {
        report_.events = static_cast<std::uint64_t>(db_.ask_integer("SELECT count(*) FROM event"));
        complain("SELECT 'event ' || no || ' is of a recipient that is not there' FROM event"
                 " WHERE recipient IS NOT NULL AND recipient NOT IN (SELECT no FROM recipient) LIMIT 100");
        complain("SELECT 'event ' || no || ' has an unknown state' FROM event"
                 " WHERE state NOT BETWEEN 0 AND 7 LIMIT 100");
    }

    std::string path_;
    database db_;
    const journal_reading& journal_;
    const progress& tell_;
    check_report& report_;
    std::uint64_t page_size_ = 4096;
};

}  // namespace

std::optional<std::uint64_t> applied_of(const std::string& ledger) {
    try {
        database db{ledger, database::access::read_only};
        return static_cast<std::uint64_t>(db.ask_integer("SELECT value FROM meta WHERE name = 'applied'"));
    } catch (const ledger_error&) {
        return std::nullopt;
    }
}

void check_ledger(
    const std::string& path, const journal_reading& journal, const progress& tell, check_report& report
) {
    std::error_code failure;
    if (!std::filesystem::exists(path, failure)) {
        // All of it can come from the journal, if that begins at the beginning.
        if (journal.begin().value_or(1) != 1) {
            report.findings.push_back({path, {}, "it is missing, and the journal does not begin with batch 1"}
            );
        }
        return;
    }
    try {
        examination e{path, journal, tell, report};
        if (e.check_file()) {
            e.check_rows();
        }
    } catch (const ledger_error& e) {
        if (e.code == errc::store_newer) {
            throw;
        }
        report.findings.push_back({path, {}, e.what});
    }
}

}  // namespace estafette::store
