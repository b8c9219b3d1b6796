// The rows that are being worked on: changes are applied here, in memory, and written to the ledger many
// at a time. Mail that is delivered in between reaches the ledger as its final rows only.
//
// Errors are ledger_error, thrown.
// Thread: the store's.
#pragma once

#include "ledger.hpp"

#include <deque>
#include <map>
#include <unordered_map>

namespace estafette::store {

class book {
public:
    enum class bodies { dropped_when_complete, kept };

    book(ledger& l, bodies what);

    // True if the change took effect. `body` is where new mail's body is.
    bool apply(const change& c, const body_place& body);

    // Writes all that is not in the ledger yet, in one transaction; `applied` goes with it.
    void flush(std::uint64_t applied);

    // Forgets everything that is not in the ledger: after a failed write of an engine without journal.
    void forget();

    [[nodiscard]] bool is_flushed() const noexcept {
        return changed_.empty() && events_.empty() && !pauses_changed_;
    }

    [[nodiscard]] std::size_t pending() const noexcept { return events_.size(); }

    [[nodiscard]] std::size_t pending_bytes() const noexcept { return fresh_bytes_; }

    [[nodiscard]] const ledger_numbers& numbers() const noexcept { return numbers_; }

    // The row, from memory or the ledger; null for an unknown message.
    [[nodiscard]] message_row* find(message_id id);

    // After a claim was written to the ledger.
    void claimed(const recipient_id& id, bool is_claimed);

    // Deletes a complete message, or its body, inside a transaction of the ledger; flushed only.
    void erase(message_id id);
    void drop_body(message_id id);

    [[nodiscard]] std::optional<idempotent_answer>
    find_idempotent(const tenant_id& tenant, const std::string& key);

private:
    struct pending_event {
        event what;
        std::optional<std::int64_t> message;
    };

    bool take(const enqueued& c, const body_place& body);
    template <class Change> bool take(const Change& c);
    template <class Change> bool take_route(const Change& c);
    void note(message_row& row, std::uint32_t place, event e);
    void changed(message_row& row);
    void trim();

    ledger& ledger_;
    bodies bodies_;
    ledger_numbers numbers_;
    std::unordered_map<message_id, std::unique_ptr<message_row>> rows_;
    std::vector<message_row*> changed_;
    std::deque<pending_event> events_;
    std::map<route_id, paused_route> pauses_;
    bool pauses_changed_ = false;
    std::vector<route_id> resumed_;
    std::map<std::pair<tenant_id, std::string>, idempotent_answer> fresh_keys_;
    std::size_t fresh_bytes_ = 0;
};

}  // namespace estafette::store
