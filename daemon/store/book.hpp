// The rows that are being worked on: changes are applied here, in memory, and written to the ledger many
// at a time. Mail that is delivered in between reaches the ledger as its final rows only.
//
// Errors are ledger_error, thrown.
// Thread: the store's.
#pragma once

#include "lanes.hpp"
#include "ledger.hpp"

#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

namespace estafette::store {

class book {
public:
    enum class bodies { dropped_when_complete, kept };

    book(ledger& l, bodies what);

    // True if the change took effect. `body` is where new mail's body is.
    bool apply(const change& c, const body_place& body);

    // Writes up to `limit` rows and events of what is not in the ledger yet, in a transaction that stays
    // open from call to call. True: the ledger has all, committed, and `applied` with it.
    bool follow(std::uint64_t applied, std::size_t limit);

    void flush(std::uint64_t applied) { (void)follow(applied, everything); }

    // The ledger's rows are as the book's for whoever asks through the same ledger; not yet committed.
    void catch_up() { write(everything); }

    // This message's rows and events are in the ledger as they are here.
    [[nodiscard]] bool is_caught_up(message_id id) const;

    // As it will be in the ledger.
    [[nodiscard]] std::optional<suppression> find_line(const tenant_id& tenant, const std::string& address);

    // Suppressions whose time is over, at most `limit`; flushed only.
    [[nodiscard]] std::size_t purge_suppressions(wall_time now, std::size_t limit);

    // The journal's newest segment: the ledger names it from the next commit on.
    void note_segment(std::int64_t newest) noexcept { newest_segment_ = newest; }

    [[nodiscard]] bool is_flushed() const noexcept {
        return changed_.empty() && events_.empty() && pauses_changed_.empty() && actions_changed_.empty() &&
               lines_.empty() && switched_.empty() && answers_.empty();
    }

    // Nothing of it is in an open transaction yet.
    [[nodiscard]] bool is_behind() const noexcept { return rows_written_ == 0 && events_written_ == 0; }

    // Events that are not in the ledger, or in its open transaction.
    [[nodiscard]] std::size_t pending() const noexcept { return events_.size(); }

    [[nodiscard]] std::size_t pending_bytes() const noexcept { return fresh_bytes_; }

    [[nodiscard]] const ledger_numbers& numbers() const noexcept { return numbers_; }

    // The row, from memory or the ledger; null for an unknown message.
    [[nodiscard]] message_row* find(message_id id);

    // The row's message without its content, unless it is so new that it still has it. What a claim has read
    // of it is handed out once.
    [[nodiscard]] std::optional<mail::message> message_of(message_row& row);

    // See engine.hpp. Claims are kept here: a claimed recipient's row stays in memory.
    [[nodiscard]] std::vector<due_entry>
    claim(const tenant_id& tenant, mail::priority precedence, wall_time until, std::size_t limit);
    void unclaim(const recipient_id& id);

    // Not claimed, and due then; in the ledger with the next flush.
    void postpone(const recipient_id& id, wall_time until);

    // Up to `limit` that are not claimed and due at exactly `until`.
    [[nodiscard]] std::vector<recipient_id>
    due_exactly(const tenant_id& tenant, wall_time until, std::size_t limit);

    [[nodiscard]] std::vector<recipient_id> claimed() const;

    [[nodiscard]] std::vector<waiting_tenant> waiting() { return lanes_.waiting(); }

    [[nodiscard]] std::vector<pause> pauses() const;
    [[nodiscard]] std::vector<action> actions(std::uint64_t below, std::size_t limit);
    [[nodiscard]] std::vector<switched_off> categories_off() const;

    // Claimed or not.
    [[nodiscard]] std::optional<wall_time> oldest_due();

    // Deletes complete messages, and bodies of others, and the events of routes before `before`, in one
    // transaction; flushed only.
    void purge(std::span<const message_id> old, std::span<const message_id> bodies, wall_time before);

    // Moves bodies into the ledger in one transaction; flushed only.
    void
    move_bodies(std::span<const message_id> of, const std::function<std::string(const message_row&)>& read);

    [[nodiscard]] std::optional<idempotent_answer>
    find_idempotent(const tenant_id& tenant, const std::string& key);

    [[nodiscard]] std::vector<labelled> labelled_mail(const label_query& q);

private:
    struct pending_event {
        event what;
        std::optional<std::int64_t> message;
    };

    bool take(const enqueued& c, const body_place& body);
    template <class Change> bool take(const Change& c);
    bool take_line(const suppressed& c);
    void write_lines();
    bool take_line(const unsuppressed& c);
    template <class Change> bool take_pause(const Change& c);
    bool take(const acted& c);
    void read_pauses();
    bool take(const erased& c);
    void forget(message_row& row, const erased& c);
    void forget_answers(const message_row& row, std::size_t place);
    bool take_category(const category_off& c);
    bool take_category(const category_on& c);
    bool take(const answered& c);
    template <class Change> bool switch_category(const Change& c);
    void note(message_row& row, std::uint32_t place, event e);
    void changed(message_row& row);
    void touch(message_row& row);
    message_row& keep(std::unique_ptr<message_row> row);
    void let_go(message_row& row);
    [[nodiscard]] message_row* find(std::int64_t message);
    [[nodiscard]] bool is_hidden(std::int64_t recipient) const;
    enum class use { begins, ends };
    void count_body(const message_row& row, use what);
    static void enters(const message_row& row, std::size_t place);
    static void leaves(const message_row& row, std::size_t place);
    static constexpr std::size_t everything = std::size_t{0} - 1;

    void write(std::size_t limit);
    void write_the_rest();
    static void is_written(message_row& row);
    void committed();
    void restore();
    void trim();

    ledger& ledger_;
    bodies bodies_;
    ledger_numbers numbers_;
    std::int64_t newest_segment_ = 0;
    lanes lanes_;
    std::unordered_map<message_id, std::unique_ptr<message_row>> rows_;
    std::unordered_map<std::int64_t, message_row*> by_number_;
    std::vector<message_row*> changed_;  // those before rows_written_ are in the open transaction
    std::vector<message_row*> touched_;  // perhaps not needed any more
    std::vector<pending_event> events_;  // those before events_written_ are in the open transaction
    std::size_t rows_written_ = 0;
    std::size_t events_written_ = 0;
    std::map<pause_target, pause> pauses_;
    std::set<pause_target> pauses_changed_;
    std::map<std::uint64_t, action> actions_changed_;
    std::map<std::pair<tenant_id, std::string>, switched_off> off_;
    std::set<std::pair<tenant_id, std::string>> switched_;  // not in the ledger yet
    std::map<std::pair<tenant_id, std::string>, idempotent_answer> fresh_keys_;
    std::vector<answered> answers_;                                                  // not in the ledger yet
    std::map<std::pair<tenant_id, std::string>, std::optional<suppression>> lines_;  // none: taken off
    std::map<std::tuple<tenant_id, label, std::string>, std::vector<message_id>> fresh_labels_;
    std::size_t fresh_bytes_ = 0;
};

}  // namespace estafette::store
