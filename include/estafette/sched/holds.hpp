// Which tenants and senders are kept back, until when, and who may try whether that is over: pure, driven
// by tests with a clock of their own. Routes have their own breaker (route/planner).
//
// A sender that a server refuses is held at once, with one row. (A refusal in answer to a recipient, while
// the same sender gets through to others, is that recipient's affair and holds nobody.) When its time is over
// one message of it may go, as a probe: if it gets past MAIL the sender is free, else it waits longer than
// before. What a person pauses is not probed; it ends at its time or by a person.
#pragma once

#include "estafette/store/change.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace estafette::sched {

// Who waits is looked at again after at most so long, whatever was forgotten meanwhile.
inline constexpr milliseconds parking_step = std::chrono::hours{1};

// The pause after so many refusals in a row. A reason that passes by itself is tried again soon, one that
// needs somebody rarely. A server's hint is kept within the same bounds.
[[nodiscard]] milliseconds sender_pause(const verdict::verdict& judged, std::uint32_t refusals);

class holds {
public:
    // A row of the store, or a person's pause.
    void put(store::pause row);

    // False: it was not held.
    bool erase(const store::pause_target& what);

    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }

    [[nodiscard]] std::vector<store::pause> all() const;

    // The row of exactly this target, or null.
    [[nodiscard]] const store::pause* row_of(const store::pause_target& what) const;

    [[nodiscard]] bool keeps_back(const tenant_id& tenant) const;

    // The row that keeps this mail back; the tenant's before the sender's. Null: it may go.
    [[nodiscard]] const store::pause* find(const tenant_id& tenant, const std::string& sender) const;

    // Whether mail of this sender may go now; if it is the probe, it is noted as under way.
    [[nodiscard]] bool admit(const tenant_id& tenant, const std::string& sender, wall_time now);

    // What the refusal answered: RCPT, or something that is the same for every recipient.
    enum class place : std::uint8_t { at_a_recipient, at_all };

    // The server refused the sender. What to record; none where the row stays as it is: another answer to
    // mail that was under way, or a person's pause.
    [[nodiscard]] std::optional<store::paused> blame(
        const tenant_id& tenant,
        const std::string& sender,
        const verdict::verdict& judged,
        const std::string& text,
        place where,
        wall_time now
    );

    // The server took the sender. What to record, where that shows a hold by the daemon to be over.
    [[nodiscard]] std::optional<store::resumed>
    praise(const tenant_id& tenant, const std::string& sender, wall_time now);

    // The probe came back without an answer to this question: another may go.
    void release_probe(const tenant_id& tenant, const std::string& sender);

    // When mail kept back by this row is due again: the same time for all of it, so that it can be found
    // when the row goes.
    [[nodiscard]] static wall_time parked_until(const store::pause& row, wall_time now);

    // Persons' pauses whose time is over.
    [[nodiscard]] std::vector<store::pause_target> over(wall_time now) const;

    // Held senders that may send a probe now.
    [[nodiscard]] std::vector<store::pause> to_probe(wall_time now) const;

    // When over() or to_probe() has something next.
    [[nodiscard]] std::optional<wall_time> next(wall_time now) const;

private:
    struct entry {
        store::pause row;
        std::uint32_t refusals = 1;
        place where = place::at_all;
        std::optional<wall_time> probe_until;  // one is under way
    };

    [[nodiscard]] entry* find_sender(const tenant_id& tenant, const std::string& sender);

    std::map<store::pause_target, entry> rows_;
    std::map<store::pause_target, wall_time> vouched_;  // got through lately, and until when that counts
};

}  // namespace estafette::sched
