#include "book.hpp"

#include <algorithm>

namespace estafette::store {

namespace {

// Rows kept for the changes that will come soon: those of claimed mail.
constexpr std::size_t most_rows = 20'000;

std::uint64_t& count_of(ledger_numbers& numbers, state s) noexcept {
    return numbers.tally[static_cast<std::size_t>(s)];
}

}  // namespace

book::book(ledger& l, bodies what)
    : ledger_{l}
    , bodies_{what}
    , numbers_{l.numbers_at_open()} {
    for (paused_route& row : ledger_.paused_routes()) {
        pauses_.emplace(row.route, std::move(row));
    }
}

bool book::apply(const change& c, const body_place& body) {
    struct visitor {
        book& self;
        const body_place& place;

        bool operator()(const enqueued& what) { return self.take(what, place); }
        bool operator()(const route_paused& what) { return self.take_route(what); }
        bool operator()(const route_resumed& what) { return self.take_route(what); }
        bool operator()(const attempted& what) { return self.take(what); }
        bool operator()(const cancelled& what) { return self.take(what); }
        bool operator()(const held& what) { return self.take(what); }
        bool operator()(const released& what) { return self.take(what); }
        bool operator()(const expired& what) { return self.take(what); }
        bool operator()(const corrected& what) { return self.take(what); }
    };

    return std::visit(visitor{*this, body}, c);
}

bool book::take(const enqueued& c, const body_place& body) {
    const mail::message& m = *c.message;
    const bool has_key = !c.idempotency_key.empty();
    if (m.to.empty() || m.to.size() > most_recipients || find(m.id) ||
        (has_key && find_idempotent(m.tenant, c.idempotency_key))) {
        return false;
    }
    auto owned = std::make_unique<message_row>();
    message_row& row = *owned;
    rows_.emplace(m.id, std::move(owned));
    row.no = ++numbers_.last_message;
    row.id = m.id;
    row.tenant = m.tenant;
    row.precedence = m.precedence;
    row.fresh = c.message;
    row.body = body;
    row.idempotency_key = c.idempotency_key;
    row.idempotency_digest = c.idempotency_digest;
    if (has_key) {
        fresh_keys_[{m.tenant, c.idempotency_key}] = {m.id, c.idempotency_digest};
    }
    fresh_bytes_ += m.body ? m.body->size() : 0;
    row.recipients.resize(m.to.size());
    const standing first = standing_of_new(c);
    for (std::uint32_t i = 0; i < m.to.size(); ++i) {
        row.recipients[i].at = first;
        event e;
        e.at = m.accepted_at;
        e.type = "accepted";
        e.now = first.now;
        note(row, i, std::move(e));
    }
    count_of(numbers_, first.now) += m.to.size();
    changed(row);
    return true;
}

template <class Change> bool book::take(const Change& c) {
    message_row* row = find(c.who.message);
    if (!row || c.who.index >= row->recipients.size()) {
        return false;
    }
    recipient_row& r = row->recipients[c.who.index];
    const state before = r.at.now;
    std::optional<event> e = store::apply(r.at, c);
    if (!e) {
        return false;
    }
    --count_of(numbers_, before);
    ++count_of(numbers_, r.at.now);
    if (e->what) {
        r.last_attempt = numbers_.last_event + 1;
    }
    r.is_changed = true;
    note(*row, c.who.index, std::move(*e));
    if (bodies_ == bodies::dropped_when_complete && row->completed_at()) {
        row->body.where.reset();
    }
    changed(*row);
    return true;
}

template <class Change> bool book::take_route(const Change& c) {
    const auto it = pauses_.find(c.route);
    std::optional<paused_route> row = it == pauses_.end() ? std::nullopt : std::optional{it->second};
    route_step step = store::apply(row, c);
    if (!step.fits) {
        return false;
    }
    if (row) {
        pauses_[c.route] = std::move(*row);
    } else {
        pauses_.erase(it);
        resumed_.push_back(c.route);
    }
    pauses_changed_ = true;
    if (step.what) {
        step.what->sequence = ++numbers_.last_event;
        events_.push_back({std::move(*step.what), std::nullopt});
    }
    return true;
}

void book::note(message_row& row, std::uint32_t place, event e) {
    e.sequence = ++numbers_.last_event;
    e.who = {row.id, place};
    e.tenant = row.tenant;
    events_.push_back({std::move(e), row.no});
}

void book::changed(message_row& row) {
    if (!row.is_changed) {
        row.is_changed = true;
        changed_.push_back(&row);
    }
}

message_row* book::find(message_id id) {
    const auto it = rows_.find(id);
    if (it != rows_.end()) {
        return it->second.get();
    }
    auto row = ledger_.find_row(id);
    return row ? rows_.emplace(id, std::move(row)).first->second.get() : nullptr;
}

void book::flush(std::uint64_t applied) {
    // A batch without effect counts as well: its segment is dropped once the ledger says it has it.
    if (is_flushed() && applied == numbers_.applied) {
        return;
    }
    numbers_.applied = applied;
    ledger_.begin();
    try {
        for (message_row* row : changed_) {
            ledger_.write(*row);
        }
        for (const pending_event& e : events_) {
            ledger_.write(e.what, e.message);
        }
        if (pauses_changed_) {
            for (const route_id& route : resumed_) {
                ledger_.erase(route);
            }
            for (const auto& [route, row] : pauses_) {
                ledger_.write(row);
            }
        }
        ledger_.commit(numbers_);
    } catch (...) {
        ledger_.roll_back();
        throw;
    }
    events_.clear();
    resumed_.clear();
    pauses_changed_ = false;
    fresh_keys_.clear();
    fresh_bytes_ = 0;
    trim();
}

// What is still under way will change soon; the rest comes back from the ledger when it is needed.
void book::trim() {
    const auto is_under_way = [](const recipient_row& r) { return r.at.claimed; };
    for (message_row* row : changed_) {
        row->is_written();
        if (std::none_of(row->recipients.begin(), row->recipients.end(), is_under_way)) {
            rows_.erase(row->id);
        }
    }
    changed_.clear();
    if (rows_.size() > most_rows) {
        rows_.clear();
    }
}

void book::forget() {
    rows_.clear();
    changed_.clear();
    events_.clear();
    resumed_.clear();
    pauses_changed_ = false;
    fresh_keys_.clear();
    fresh_bytes_ = 0;
    numbers_ = ledger_.numbers_at_open();
    pauses_.clear();
    for (paused_route& row : ledger_.paused_routes()) {
        pauses_.emplace(row.route, std::move(row));
    }
}

void book::claimed(const recipient_id& id, bool is_claimed) {
    const auto it = rows_.find(id.message);
    if (it != rows_.end() && id.index < it->second->recipients.size()) {
        it->second->recipients[id.index].at.claimed = is_claimed;
    }
}

void book::erase(message_id id) {
    if (const message_row* row = find(id)) {
        for (const recipient_row& r : row->recipients) {
            --count_of(numbers_, r.at.now);
        }
        ledger_.erase(*row);
        rows_.erase(id);
    }
}

void book::drop_body(message_id id) {
    if (message_row* row = find(id)) {
        row->body.where.reset();
        ledger_.write(*row);
        row->is_written();
    }
}

std::optional<idempotent_answer> book::find_idempotent(const tenant_id& tenant, const std::string& key) {
    const auto it = fresh_keys_.find({tenant, key});
    return it != fresh_keys_.end() ? std::optional{it->second} : ledger_.find_idempotent(tenant, key);
}

}  // namespace estafette::store
