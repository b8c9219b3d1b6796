#include "book.hpp"

#include <algorithm>

namespace estafette::store {

namespace {

constexpr std::int64_t place_mask = (std::int64_t{1} << place_bits) - 1;

std::uint64_t& count_of(ledger_numbers& numbers, state s) noexcept {
    return numbers.tally[static_cast<std::size_t>(s)];
}

}  // namespace

book::book(ledger& l, bodies what)
    : ledger_{l}
    , bodies_{what}
    , numbers_{l.numbers_at_open()}
    , lanes_{l, [this](std::int64_t recipient) { return is_hidden(recipient); }} {
    read_pauses();
    for (switched_off& row : ledger_.categories_off()) {
        std::pair name{row.tenant, row.category};
        off_.emplace(std::move(name), std::move(row));
    }
}

bool book::apply(const change& c, const body_place& body) {
    struct visitor {
        book& self;
        const body_place& place;

        bool operator()(const enqueued& what) { return self.take(what, place); }
        bool operator()(const paused& what) { return self.take_pause(what); }
        bool operator()(const resumed& what) { return self.take_pause(what); }
        bool operator()(const acted& what) { return self.take(what); }
        bool operator()(const category_off& what) { return self.take_category(what); }
        bool operator()(const category_on& what) { return self.take_category(what); }
        bool operator()(const erased& what) { return self.take(what); }
        bool operator()(const answered& what) { return self.take(what); }
        bool operator()(const attempted& what) { return self.take(what); }
        bool operator()(const cancelled& what) { return self.take(what); }
        bool operator()(const held& what) { return self.take(what); }
        bool operator()(const released& what) { return self.take(what); }
        bool operator()(const expired& what) { return self.take(what); }
        bool operator()(const corrected& what) { return self.take(what); }
        bool operator()(const delayed& what) { return self.take(what); }
        bool operator()(const withheld& what) { return self.take(what); }
        bool operator()(const suppressed& what) { return self.take_line(what); }
        bool operator()(const unsuppressed& what) { return self.take_line(what); }
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
    owned->no = ++numbers_.last_message;
    owned->id = m.id;
    owned->tenant = m.tenant;
    owned->precedence = m.precedence;
    message_row& row = keep(std::move(owned));
    row.expires_at = m.expires_at;
    row.fresh = c.message;
    row.body = body;
    row.size = m.facts.size;
    count_body(row, use::begins);
    row.idempotency_key = c.idempotency_key;
    row.idempotency_digest = c.idempotency_digest;
    if (has_key) {
        fresh_keys_[{m.tenant, c.idempotency_key}] = {m.id, c.idempotency_digest, false};
    }
    if (!m.key.empty()) {
        fresh_labels_[{m.tenant, label::key, m.key}].push_back(m.id);
    }
    if (!m.group.empty()) {
        fresh_labels_[{m.tenant, label::group, m.group}].push_back(m.id);
    }
    fresh_bytes_ += m.body ? m.body->size() : 0;
    row.recipients.resize(m.to.size());
    const standing first = standing_of_new(c);
    for (std::uint32_t i = 0; i < m.to.size(); ++i) {
        row.recipients[i].at = first;
        row.recipients[i].is_changed = true;
        enters(row, i);
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
    standing after = r.at;
    std::optional<event> e = store::apply(after, c);
    if (!e) {
        return false;
    }
    if (r.is_erased) {
        forget_words(after, *e);
    }
    leaves(*row, c.who.index);
    --count_of(numbers_, r.at.now);
    r.at = std::move(after);
    r.is_changed = true;
    enters(*row, c.who.index);
    ++count_of(numbers_, r.at.now);
    if (e->what) {
        r.last_attempt = numbers_.last_event + 1;
    }
    note(*row, c.who.index, std::move(*e));
    const bool keeps = bodies_ == bodies::kept && !row->is_erased;
    if (!keeps && row->body.where && row->completed_at()) {
        count_body(*row, use::ends);
        row->body.where.reset();
    }
    changed(*row);
    return true;
}

template <class Change> bool book::take_pause(const Change& c) {
    const auto it = pauses_.find(c.what);
    std::optional<pause> row = it == pauses_.end() ? std::nullopt : std::optional{it->second};
    pause_step step = store::apply(row, c);
    if (!step.fits) {
        return false;
    }
    if (row) {
        pauses_[c.what] = std::move(*row);
    } else {
        pauses_.erase(it);
    }
    pauses_changed_.insert(c.what);
    if (step.what) {
        step.what->sequence = ++numbers_.last_event;
        events_.push_back({std::move(*step.what), std::nullopt});
    }
    return true;
}

std::optional<suppression> book::find_line(const tenant_id& tenant, const std::string& address) {
    const auto it = lines_.find({tenant, address});
    return it != lines_.end() ? it->second : ledger_.find_suppressed(tenant, address);
}

std::size_t book::purge_suppressions(wall_time now, std::size_t limit) {
    std::size_t erased = 0;
    ledger_.begin();
    try {
        erased = ledger_.erase_suppressed_until(now, limit);
        ledger_.commit(numbers_);
    } catch (...) {
        ledger_.roll_back();
        throw;
    }
    return erased;
}

bool book::take_line(const suppressed& c) {
    if (!is_news(find_line(c.tenant, c.address), c)) {
        return false;
    }
    lines_[{c.tenant, c.address}] = line_of(c);
    return true;
}

bool book::take_line(const unsuppressed& c) {
    if (!find_line(c.tenant, c.address)) {
        return false;
    }
    lines_[{c.tenant, c.address}] = std::nullopt;
    return true;
}

void book::note(message_row& row, std::uint32_t place, event e) {
    e.sequence = ++numbers_.last_event;
    e.who = {row.id, place};
    e.tenant = row.tenant;
    events_.emplace_back(std::move(e), row.no);
}

void book::changed(message_row& row) {
    if (!row.is_changed) {
        row.is_changed = true;
        changed_.push_back(&row);
        touch(row);
    }
}

void book::count_body(const message_row& row, use what) {
    if (!row.body.where || *row.body.where == body_place::in_ledger) {
        return;
    }
    const auto it = numbers_.segments.try_emplace(*row.body.where).first;
    const std::uint64_t bytes = row.size + segment_use::beside_body;
    if (what == use::begins) {
        ++it->second.bodies;
        it->second.bytes += bytes;
    } else if (it->second.bodies <= 1) {
        numbers_.segments.erase(it);
    } else {
        --it->second.bodies;
        it->second.bytes -= bytes;
    }
}

void book::touch(message_row& row) {
    if (!row.is_touched) {
        row.is_touched = true;
        touched_.push_back(&row);
    }
}

message_row& book::keep(std::unique_ptr<message_row> row) {
    message_row& kept = *row;
    kept.waits_in = &lanes_.of(kept.tenant, kept.precedence);
    by_number_.emplace(kept.no, &kept);
    rows_.emplace(kept.id, std::move(row));
    touch(kept);
    return kept;
}

void book::let_go(message_row& row) {
    by_number_.erase(row.no);
    rows_.erase(row.id);
}

message_row* book::find(message_id id) {
    const auto it = rows_.find(id);
    if (it != rows_.end()) {
        return it->second.get();
    }
    auto row = ledger_.find_row(id);
    return row ? &keep(std::move(row)) : nullptr;
}

message_row* book::find(std::int64_t message) {
    const auto it = by_number_.find(message);
    if (it != by_number_.end()) {
        return it->second;
    }
    auto row = ledger_.find_row(message);
    return row ? &keep(std::move(row)) : nullptr;
}

std::optional<mail::message> book::message_of(message_row& row) {
    if (row.fresh) {
        return *row.fresh;
    }
    if (const auto stored = std::move(row.stored)) {
        return std::move(*stored);
    }
    return ledger_.find_message(row.no);
}

// The ledger's index does not say of this recipient what is true.
bool book::is_hidden(std::int64_t recipient) const {
    const auto it = by_number_.find(recipient >> place_bits);
    if (it == by_number_.end()) {
        return false;
    }
    const recipient_row& r = it->second->recipients[static_cast<std::size_t>(recipient & place_mask)];
    return r.at.claimed || r.is_changed;
}

// A recipient that waits unclaimed stands in its lane; before a change and a claim it leaves it.
void book::enters(const message_row& row, std::size_t place) {
    const recipient_row& r = row.recipients[place];
    if (!r.at.due_at || r.at.claimed) {
        return;
    }
    const due_key who{*r.at.due_at, recipient_number(row.no, place)};
    if (r.is_changed) {
        lanes::add_fresh(*row.waits_in, who);
    } else {
        lanes::add_written(*row.waits_in, who);
    }
}

void book::leaves(const message_row& row, std::size_t place) {
    const recipient_row& r = row.recipients[place];
    if (!r.at.due_at || r.at.claimed) {
        return;
    }
    const due_key who{*r.at.due_at, recipient_number(row.no, place)};
    if (r.is_changed) {
        lanes::remove_fresh(*row.waits_in, who);
    } else {
        lanes::remove_written(*row.waits_in, who);
    }
}

std::vector<due_entry>
book::claim(const tenant_id& tenant, mail::priority precedence, wall_time until, std::size_t limit) {
    std::vector<due_entry> claimed;
    for (const due_key& key : lanes_.take(lanes_.of(tenant, precedence), until, limit)) {
        message_row* row = find(key.recipient >> place_bits);
        const auto place = static_cast<std::uint32_t>(key.recipient & place_mask);
        if (!row || place >= row->recipients.size()) {
            throw ledger_error{errc::store_damaged, "a recipient without its message"};
        }
        standing& at = row->recipients[place].at;
        at.claimed = true;
        claimed.push_back(
            {{row->id, place},
             tenant,
             precedence,
             key.due_at,
             row->expires_at,
             at.attempts,
             row->sender_text(),
             row->size}
        );
    }
    return claimed;
}

void book::unclaim(const recipient_id& id) {
    const auto it = rows_.find(id.message);  // where all that is claimed is
    if (it == rows_.end() || id.index >= it->second->recipients.size()) {
        return;
    }
    message_row& row = *it->second;
    if (row.recipients[id.index].at.claimed) {
        row.recipients[id.index].at.claimed = false;
        enters(row, id.index);
        touch(row);
    }
}

std::optional<wall_time> book::oldest_due() {
    std::optional<wall_time> oldest;
    const auto take = [&](wall_time due_at) { oldest = oldest ? std::min(*oldest, due_at) : due_at; };
    for (const waiting_tenant& line : lanes_.waiting()) {
        take(line.earliest_due);
    }
    for (const auto& [id, row] : rows_) {
        for (const recipient_row& r : row->recipients) {
            if (r.at.claimed && r.at.due_at) {
                take(*r.at.due_at);
            }
        }
    }
    return oldest;
}

bool book::follow(std::uint64_t applied, std::size_t limit) {
    // A batch without effect counts as well: its segment is dropped once the ledger says it has it.
    if (is_flushed() && applied == numbers_.applied && newest_segment_ == numbers_.segment) {
        trim();
        return true;
    }
    write(limit);
    if (rows_written_ < changed_.size() || events_written_ < events_.size()) {
        return false;
    }
    ledger_numbers now = numbers_;
    now.applied = applied;
    now.segment = newest_segment_;
    try {
        ledger_.begin();
        write_the_rest();
        write_lines();
        ledger_.commit(now);
    } catch (...) {
        restore();
        throw;
    }
    numbers_ = now;
    committed();
    return true;
}

// Events first: a row that is written has all its events there.
void book::write(std::size_t limit) {
    if (rows_written_ == changed_.size() && events_written_ == events_.size()) {
        return;
    }
    try {
        ledger_.begin();
        for (; limit > 0 && events_written_ < events_.size(); --limit) {
            const pending_event& e = events_[events_written_];
            ledger_.write(e.what, e.message);
            ++events_written_;
        }
        for (; limit > 0 && rows_written_ < changed_.size(); --limit) {
            message_row& row = *changed_[rows_written_];
            ledger_.write(row);
            is_written(row);
            ++rows_written_;
        }
    } catch (...) {
        restore();
        throw;
    }
}

void book::write_the_rest() {
    for (const pause_target& what : pauses_changed_) {
        const auto it = pauses_.find(what);
        if (it != pauses_.end()) {
            ledger_.write(it->second);
        } else {
            ledger_.erase(what);
        }
    }
    for (const auto& [id, row] : actions_changed_) {
        ledger_.write(row);
    }
    for (const auto& name : switched_) {
        if (const auto row = off_.find(name); row != off_.end()) {
            ledger_.write(row->second);
        } else {
            ledger_.erase(name.first, name.second);
        }
    }
    for (const answered& c : answers_) {
        ledger_.write(c);
    }
}

void book::write_lines() {
    for (const auto& [place, line] : lines_) {
        if (line) {
            ledger_.write(*line);
        } else {
            ledger_.erase_suppressed(place.first, place.second);
        }
    }
}

bool book::is_caught_up(message_id id) const {
    const auto it = rows_.find(id);
    return it == rows_.end() || !it->second->is_changed;
}

// The ledger's index has from now on who waits.
void book::is_written(message_row& row) {
    for (std::size_t i = 0; i < row.recipients.size(); ++i) {
        if (row.recipients[i].is_changed) {
            leaves(row, i);
            row.recipients[i].is_changed = false;
            enters(row, i);
        }
    }
    row.is_changed = false;
    row.is_inserted = true;
    row.body_was_in_ledger = row.body_was_in_ledger || row.body.where == body_place::in_ledger;
}

void book::committed() {
    for (message_row* row : changed_) {
        if (row->fresh && !row->completed_at()) {
            row->sender = row->sender_text();
        }
        row->fresh.reset();
        row->body_was_in_ledger = row->body.where == body_place::in_ledger;
        for (recipient_row& r : row->recipients) {
            r.forgotten.reset();
        }
    }
    changed_.clear();
    events_.clear();
    rows_written_ = events_written_ = 0;
    lines_.clear();
    pauses_changed_.clear();
    actions_changed_.clear();
    switched_.clear();
    answers_.clear();
    fresh_keys_.clear();
    fresh_labels_.clear();
    fresh_bytes_ = 0;
    trim();
}

// The open transaction is lost: all that it had is to be written again.
void book::restore() {
    ledger_.roll_back();
    for (std::size_t i = 0; i < rows_written_; ++i) {
        message_row& row = *changed_[i];
        row.is_inserted = row.fresh == nullptr;
        row.is_changed = true;
        for (std::size_t place = 0; place < row.recipients.size(); ++place) {
            leaves(row, place);
            row.recipients[place].is_changed = true;
            enters(row, place);
        }
    }
    std::sort(changed_.begin(), changed_.end(), [](const message_row* a, const message_row* b) {
        return a->no < b->no;
    });
    changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
    rows_written_ = events_written_ = 0;
}

// What is claimed will change soon; the rest comes back from the ledger when it is needed.
void book::trim() {
    const auto is_claimed = [](const recipient_row& r) { return r.at.claimed; };
    for (message_row* row : touched_) {
        row->is_touched = false;
        if (std::none_of(row->recipients.begin(), row->recipients.end(), is_claimed)) {
            let_go(*row);
        }
    }
    touched_.clear();
}

void book::purge(std::span<const message_id> old, std::span<const message_id> bodies, wall_time before) {
    const ledger_numbers numbers_before = numbers_;
    std::vector<message_row*> erased, bodiless;
    ledger_.begin();
    try {
        for (const message_id& id : bodies) {
            if (message_row* row = find(id)) {
                ledger_.erase_body(*row);
                count_body(*row, use::ends);
                bodiless.push_back(row);
            }
        }
        for (const message_id& id : old) {
            message_row* row = find(id);
            if (!row) {
                continue;
            }
            for (const recipient_row& r : row->recipients) {
                --count_of(numbers_, r.at.now);
            }
            if (std::find(bodiless.begin(), bodiless.end(), row) == bodiless.end()) {
                count_body(*row, use::ends);
            }
            ledger_.erase(*row);
            erased.push_back(row);
        }
        ledger_.erase_pause_events(before);
        ledger_.erase_actions(before);
        ledger_.commit(numbers_);
    } catch (...) {
        ledger_.roll_back();
        numbers_ = numbers_before;
        throw;
    }
    for (message_row* row : bodiless) {
        row->body.where.reset();
        row->body_was_in_ledger = false;
    }
    for (message_row* row : erased) {
        std::erase(touched_, row);
        let_go(*row);
    }
}

void book::move_bodies(
    std::span<const message_id> of, const std::function<std::string(const message_row&)>& read
) {
    const ledger_numbers numbers_before = numbers_;
    std::vector<message_row*> moved;
    ledger_.begin();
    try {
        for (const message_id& id : of) {
            message_row* row = find(id);
            if (!row) {
                throw ledger_error{errc::store_damaged, "a message is not there"};
            }
            ledger_.move_body(*row, read(*row));
            count_body(*row, use::ends);
            moved.push_back(row);
        }
        ledger_.commit(numbers_);
    } catch (...) {
        ledger_.roll_back();
        numbers_ = numbers_before;
        throw;
    }
    for (message_row* row : moved) {
        row->body = {body_place::in_ledger, 0};
        row->body_was_in_ledger = true;
    }
}

}  // namespace estafette::store
