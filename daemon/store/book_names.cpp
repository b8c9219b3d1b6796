// The book's smaller verbs: kinds of mail that are switched off, persons that are forgotten, mail by the
// caller's own names.
#include "book.hpp"

#include "estafette/base/text.hpp"

#include <algorithm>

namespace estafette::store {

template <class Change> bool book::switch_category(const Change& c) {
    const std::pair name{c.tenant, c.category};
    const auto it = off_.find(name);
    std::optional<switched_off> row = it == off_.end() ? std::nullopt : std::optional{it->second};
    category_step step = store::apply(row, c);
    if (!step.fits) {
        return false;
    }
    off_.erase(name);
    if (row) {
        off_.emplace(name, std::move(*row));
    }
    switched_.insert(name);
    if (step.what) {
        step.what->sequence = ++numbers_.last_event;
        events_.push_back({std::move(*step.what), std::nullopt});
    }
    return true;
}

bool book::take_category(const category_off& c) {
    return switch_category(c);
}

bool book::take_category(const category_on& c) {
    return switch_category(c);
}

std::vector<switched_off> book::categories_off() const {
    std::vector<switched_off> rows;
    for (const auto& [name, row] : off_) {
        rows.push_back(row);
    }
    return rows;
}

bool book::take(const erased& c) {
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
    r.at = std::move(after);  // it waits for nothing: no lane has it
    r.is_changed = true;
    forget(*row, c);
    note(*row, c.who.index, std::move(*e));
    changed(*row);
    return true;
}

// In memory here; what the ledger has, or its open transaction, when the row is written.
void book::forget(message_row& row, const erased& c) {
    const bool is_complete = row.completed_at().has_value();
    row.is_erased = true;
    row.recipients[c.who.index].forgotten = c;
    row.recipients[c.who.index].is_erased = true;
    if (is_complete && row.body.where) {
        count_body(row, use::ends);
        row.body.where.reset();
    }
    for (pending_event& e : events_) {
        if (e.what.who == c.who && e.what.type != "erased") {
            forget_words(e.what);
        }
    }
    row.stored.reset();
    forget_answers(row, c.who.index);
    if (!row.fresh) {
        return;
    }
    const std::string address = ascii_lower(row.fresh->to.at(c.who.index).text());
    auto rest = std::make_shared<mail::message>(erased_message(*row.fresh, c));
    if (is_complete) {
        rest->body.reset();
        rest->key.clear();
        rest->group.clear();
    }
    row.fresh = std::move(rest);
    if (ascii_lower(row.idempotency_key).find(address) != std::string::npos) {
        fresh_keys_.erase({row.tenant, row.idempotency_key});
        row.idempotency_key.clear();
    }
}

// Of the keys that are not in the ledger yet, those that have the address in them.
void book::forget_answers(const message_row& row, std::size_t place) {
    const auto is_of_row = [&](const answered& a) { return a.with == row.id; };
    if (std::none_of(answers_.begin(), answers_.end(), is_of_row)) {
        return;
    }
    const auto stored = row.fresh ? std::nullopt : ledger_.find_message(row.no);
    const auto& to = row.fresh ? row.fresh->to : stored.value().to;
    const std::string address = ascii_lower(to.at(place).text());
    std::erase_if(answers_, [&](const answered& a) {
        const bool goes = is_of_row(a) && ascii_lower(a.idempotency_key).find(address) != std::string::npos;
        if (goes) {
            fresh_keys_.erase({row.tenant, a.idempotency_key});
        }
        return goes;
    });
}

std::optional<idempotent_answer> book::find_idempotent(const tenant_id& tenant, const std::string& key) {
    const auto it = fresh_keys_.find({tenant, key});
    return it != fresh_keys_.end() ? std::optional{it->second} : ledger_.find_idempotent(tenant, key);
}

bool book::take(const answered& c) {
    const message_row* row = find(c.with);
    if (!row || find_idempotent(row->tenant, c.idempotency_key)) {
        return false;
    }
    fresh_keys_[{row->tenant, c.idempotency_key}] = {c.with, c.idempotency_digest, true};
    answers_.push_back(c);
    return true;
}

// The ledger's index, then what has not reached it; the rows in memory know best what still waits.
std::vector<labelled> book::labelled_mail(const label_query& q) {
    std::vector<labelled> found;
    std::uint64_t last = q.after;  // what the ledger's transaction has already is fresh here as well
    const auto add = [&](const message_id& id) {
        const message_row* row = found.size() < q.limit ? find(id) : nullptr;
        if (row == nullptr || static_cast<std::uint64_t>(row->no) <= last) {
            return;
        }
        last = static_cast<std::uint64_t>(row->no);
        labelled one{id, static_cast<std::uint64_t>(row->no), {}};
        for (std::uint32_t place = 0; place < row->recipients.size(); ++place) {
            if (!is_final(row->recipients[place].at.now)) {
                one.waiting.push_back(place);
            }
        }
        if (!one.waiting.empty()) {
            found.push_back(std::move(one));
        }
    };
    auto after = static_cast<std::int64_t>(q.after);
    for (bool more = true; more && found.size() < q.limit;) {
        const auto rows = ledger_.labelled_mail(q, after);
        for (const auto& row : rows) {
            add(row.id);
            after = row.no;
        }
        more = rows.size() == q.limit;
    }
    if (const auto fresh = fresh_labels_.find({q.tenant, q.by, q.value}); fresh != fresh_labels_.end()) {
        for (const message_id& id : fresh->second) {
            add(id);
        }
    }
    return found;
}

}  // namespace estafette::store
