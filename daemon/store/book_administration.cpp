// The book's pauses and actions, and the recipients that are put off and brought forward with them.
#include "book.hpp"

#include <functional>

namespace estafette::store {

namespace {

constexpr std::int64_t place_mask = (std::int64_t{1} << place_bits) - 1;

}  // namespace

bool book::take(const acted& c) {
    const auto it = actions_changed_.find(c.what.id);
    std::optional<action> row =
        it != actions_changed_.end() ? std::optional{it->second} : ledger_.find_action(c.what.id);
    action_step step = store::apply(row, c, numbers_.last_event + 1);
    if (!step.fits) {
        return false;
    }
    actions_changed_[c.what.id] = std::move(*row);
    if (step.what) {
        step.what->sequence = ++numbers_.last_event;
        events_.push_back({std::move(*step.what), std::nullopt});
    }
    return true;
}

void book::read_pauses() {
    pauses_.clear();
    for (pause& row : ledger_.pauses()) {
        pauses_.emplace(row.what, std::move(row));
    }
}

std::vector<pause> book::pauses() const {
    std::vector<pause> rows;
    for (const auto& [what, row] : pauses_) {
        rows.push_back(row);
    }
    return rows;
}

std::vector<action> book::actions(std::uint64_t below, std::size_t limit) {
    std::map<std::uint64_t, action, std::greater<>> rows;  // newest first
    for (action& row : ledger_.actions(below, limit)) {
        rows.emplace(row.id, std::move(row));
    }
    for (const auto& [id, row] : actions_changed_) {
        if (below == 0 || id < below) {
            rows[id] = row;
        }
    }
    std::vector<action> found;
    for (auto& [id, row] : rows) {
        if (found.size() < limit) {
            found.push_back(std::move(row));
        }
    }
    return found;
}

std::vector<recipient_id> book::claimed() const {
    std::vector<recipient_id> ids;
    for (const auto& [id, row] : rows_) {
        for (std::uint32_t i = 0; i < row->recipients.size(); ++i) {
            if (row->recipients[i].at.claimed) {
                ids.push_back({id, i});
            }
        }
    }
    return ids;
}

void book::postpone(const recipient_id& id, wall_time until) {
    message_row* row = find(id.message);
    if (!row || id.index >= row->recipients.size()) {
        return;
    }
    recipient_row& r = row->recipients[id.index];
    leaves(*row, id.index);
    if (store::postpone(r.at, until)) {
        r.is_changed = true;
        changed(*row);
    }
    enters(*row, id.index);
    touch(*row);
}

std::vector<recipient_id> book::due_exactly(const tenant_id& tenant, wall_time until, std::size_t limit) {
    std::vector<due_key> keys;
    for (const auto precedence : {mail::priority::transactional, mail::priority::bulk}) {
        if (keys.size() < limit) {
            ledger_.due(tenant, precedence, {until, 0}, until, [&](due_key key) {
                if (!is_hidden(key.recipient)) {
                    keys.push_back(key);
                }
                return keys.size() < limit;
            });
        }
    }
    std::vector<recipient_id> found;
    for (const due_key& key : keys) {
        if (const message_row* row = find(key.recipient >> place_bits)) {
            found.push_back({row->id, static_cast<std::uint32_t>(key.recipient & place_mask)});
        }
    }
    return found;
}

}  // namespace estafette::store
