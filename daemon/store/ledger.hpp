// The ledger: messages, recipients, events, keys and pauses as rows of a SQLite file that people and
// tools can open (read-only) while the daemon runs. It knows rows, not rules: transition.hpp has those.
//
// Errors are ledger_error, thrown. Writes belong between begin() and commit().
// Thread: the store's.
#pragma once

#include "sqlite.hpp"
#include "transition.hpp"

#include "estafette/store/engine.hpp"

#include <functional>
#include <map>
#include <memory>
#include <unordered_map>

namespace estafette::store {

// Where a body is: nowhere any more, in the ledger's table, or in a journal segment.
struct body_place {
    static constexpr std::int64_t in_ledger = 0;

    std::optional<std::int64_t> where;  // in_ledger, or the segment's number
    std::int64_t offset = 0;            // of the body's first byte in the segment
};

struct lane;

struct recipient_row {
    standing at;
    std::optional<std::uint64_t> last_attempt;  // its event
    bool is_changed = false;
    std::optional<erased> forgotten;  // to be written: the address and what was said of it go
    bool is_erased = false;           // its address is a pseudonym
};

// What a change needs to know of a message; the rest stays in the file.
struct message_row {
    std::int64_t no = 0;
    message_id id;
    tenant_id tenant;
    mail::priority precedence = mail::priority::transactional;
    body_place body;
    bool body_was_in_ledger = false;  // its table has it, whatever `body` says now
    bool is_erased = false;           // of some recipient: content is never kept after completion
    wall_time expires_at;
    std::uint64_t size = 0;  // of the body
    std::string sender;      // its address, where the row is in the file; empty: the null sender
    std::vector<recipient_row> recipients;
    bool is_changed = false;
    bool is_inserted = false;

    // The book's own: where its recipients wait, and whether it looks at the row when it trims.
    lane* waits_in = nullptr;
    bool is_touched = false;

    // Only between a claim and the load that follows it: the message as the file has it, without content.
    std::unique_ptr<mail::message> stored;

    // Only until its first write is committed: what is not in the file yet.
    mail::message_ptr fresh;
    std::string idempotency_key, idempotency_digest;

    [[nodiscard]] std::optional<wall_time> completed_at() const;
    [[nodiscard]] std::string sender_text() const;
};

// A recipient's number: its message's and its place in the envelope.
inline constexpr int place_bits = 16;
inline constexpr std::size_t most_recipients = std::size_t{1} << place_bits;

[[nodiscard]] constexpr std::int64_t recipient_number(std::int64_t message, std::size_t place) noexcept {
    return (message << place_bits) | static_cast<std::int64_t>(place);
}

// A recipient that waits, in the order in which they are claimed.
struct due_key {
    wall_time due_at;
    std::int64_t recipient = 0;

    constexpr auto operator<=>(const due_key&) const = default;
};

// What waits in a segment of the journal: its bodies, with what a record has beside them.
struct segment_use {
    static constexpr std::uint64_t beside_body = 512;

    std::uint64_t bodies = 0, bytes = 0;

    bool operator==(const segment_use&) const = default;
};

struct ledger_numbers {
    std::uint64_t applied = 0;  // the journal's last batch that is in the rows
    std::int64_t last_message = 0;
    std::uint64_t last_event = 0;
    std::int64_t segment = 0;                        // the journal's newest when it was written; 0: not known
    std::array<std::uint64_t, state_count> tally{};  // recipients by state
    std::map<std::int64_t, segment_use> segments;    // those with bodies that wait
};

class ledger {
public:
    enum class syncing { at_commit, at_checkpoint };

    // Opens or creates `path`.
    ledger(const std::string& path, syncing how);
    ledger(const ledger&) = delete;
    ledger& operator=(const ledger&) = delete;

    [[nodiscard]] const ledger_numbers& numbers_at_open() const noexcept { return numbers_; }

    // No more than once: a transaction stays open until commit() or roll_back().
    void begin();

    // Many reads at the price of one: as long as it lives the ledger is open for reading. Not around a
    // write: end it first.
    class reading {
    public:
        explicit reading(ledger& l);
        ~reading();
        reading(const reading&) = delete;
        reading& operator=(const reading&) = delete;

    private:
        ledger& ledger_;
        bool is_needed_;
    };

    void commit(const ledger_numbers& numbers);
    void roll_back() noexcept;

    // How long the WAL was at the last commit, in bytes; short again when a checkpoint has let it begin anew.
    [[nodiscard]] std::uint64_t log_bytes() const noexcept { return log_pages_ * page_size_; }

    // After a failed sync, until the process ends.
    void never_checkpoint() noexcept { db_.never_checkpoint(); }

    void write(const message_row& row);                               // what is new or changed of it
    void write(const event& e, std::optional<std::int64_t> message);  // none: of a pause
    void write(const pause& row);
    void erase(const pause_target& what);
    void write(const action& row);
    void write(const suppression& line);
    void erase_suppressed(const tenant_id& tenant, const std::string& address);
    void write(const answered& c);
    void write(const switched_off& row);
    void erase(const tenant_id& tenant, const std::string& category);
    [[nodiscard]] std::vector<switched_off> categories_off();

    [[nodiscard]] std::unique_ptr<message_row> find_row(message_id id);

    // With what is stored of its message: who asks by number is about to load it.
    [[nodiscard]] std::unique_ptr<message_row> find_row(std::int64_t message);

    [[nodiscard]] std::optional<action> find_action(std::uint64_t id);
    [[nodiscard]] std::vector<action> actions(std::uint64_t below, std::size_t limit);
    [[nodiscard]] selection
    select(const selector& whom, state now, std::uint64_t after, std::size_t looked_at);

    // Without its body: the body's place is in the row.
    [[nodiscard]] std::optional<mail::message> find_message(std::int64_t message);
    [[nodiscard]] std::optional<std::string> read_body(std::int64_t message);

    // Not complete, due before `before` and not told of yet.
    [[nodiscard]] std::vector<recipient_id> overdue(wall_time before, std::size_t limit);
    [[nodiscard]] std::vector<recipient_id> past_expiry(wall_time now, std::size_t limit);

    // A line per tenant and precedence.
    [[nodiscard]] std::vector<waiting_tenant> waiting();

    // Hands over who of a tenant and precedence is due, from `from` to `until`, in order, for as long as
    // `take` wants more.
    void
    due(const tenant_id& tenant,
        mail::priority precedence,
        due_key from,
        wall_time until,
        const std::function<bool(due_key)>& take);

    [[nodiscard]] std::optional<message_view> view(message_id id);
    [[nodiscard]] page find(const query& q, std::uint64_t before);

    // Messages with a label that were not complete when they were last written, oldest first.
    struct numbered {
        std::int64_t no = 0;
        message_id id;
    };

    [[nodiscard]] std::vector<numbered> labelled_mail(const label_query& q, std::int64_t after);
    [[nodiscard]] std::vector<event> events(std::uint64_t after, std::size_t limit);
    [[nodiscard]] std::vector<pause> pauses();
    [[nodiscard]] std::optional<suppression>
    find_suppressed(const tenant_id& tenant, const std::string& address);
    [[nodiscard]] suppression_page suppressions(const suppression_query& q);
    std::size_t erase_suppressed_until(wall_time now, std::size_t limit);
    [[nodiscard]] std::vector<message_id> find_by_header(const std::string& header_message_id);
    [[nodiscard]] std::optional<idempotent_answer>
    find_idempotent(const tenant_id& tenant, const std::string& key);

    // Complete before `before`: their ids.
    [[nodiscard]] std::vector<message_id> complete_before(wall_time before, std::size_t limit);
    [[nodiscard]] std::vector<message_id> bodies_complete_before(wall_time before, std::size_t limit);
    void erase(const message_row& row);
    void erase_body(const message_row& row);
    void erase_pause_events(wall_time before);
    void erase_actions(wall_time before);  // that were over then

    // Erased bytes may still stand in free pages: whether they must be overwritten; a step of it.
    [[nodiscard]] bool needs_scrub();
    [[nodiscard]] settled scrub();

    // Copies the log into the file, and empties it; false: a reader kept it from doing so.
    [[nodiscard]] bool empty_log();

    // Waiting mail whose body is still in this segment of the journal.
    [[nodiscard]] std::vector<message_id> bodies_in(std::int64_t segment, std::size_t limit);
    void move_body(const message_row& row, std::string_view body);

private:
    void prepare(const std::string& path);
    void read_numbers();
    void write_segments(const ledger_numbers& numbers);
    [[nodiscard]] bool is_in_transaction() const noexcept;
    [[nodiscard]] statement& sql(const char* literal);
    [[nodiscard]] statement& sql(std::string text);
    [[nodiscard]] std::int64_t number_of(const tenant_id& tenant);
    [[nodiscard]] const tenant_id& tenant_of(std::int64_t number);
    [[nodiscard]] std::optional<std::int64_t> known_number_of(const tenant_id& tenant) const;
    void insert(const message_row& row);
    void insert_recipients(const message_row& row);
    void update_recipients(const message_row& row);
    void forget(const message_row& row, std::size_t place);
    enum class reading_of { row, row_and_message };
    [[nodiscard]] std::unique_ptr<message_row> read_row(statement& s, reading_of what);
    void read_recipients(message_row& row);
    [[nodiscard]] mail::message read_message(statement& s);
    void read_envelope(std::int64_t no, mail::message& m);

    std::uint64_t log_pages_ = 0;  // SQLite writes it: it outlives the connection
    std::uint64_t page_size_ = 0;
    database db_;
    std::unordered_map<const char*, statement> literals_;  // by address: no text is compared
    std::map<std::string, statement, std::less<>> statements_;
    std::map<tenant_id, std::int64_t> tenants_;
    std::map<std::int64_t, tenant_id> tenant_names_;
    ledger_numbers numbers_;
};

}  // namespace estafette::store
