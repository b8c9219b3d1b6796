#include "memory_engine.hpp"

#include "cursor.hpp"
#include "memory_rows.hpp"

#include "estafette/base/text.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

namespace estafette::store {

namespace {

using memory::message_row;
using memory::recipient_row;
using lane = std::pair<tenant_id, mail::priority>;
using due_key = std::tuple<wall_time, std::uint64_t, recipient_id>;

class memory_engine final : public engine {
public:
    explicit memory_engine(const config::store_options& options)
        : options_{options} {}

    result<effects> commit(std::span<const change> batch) override {
        effects done;
        done.reserve(batch.size());
        for (const change& c : batch) {
            done.push_back(std::visit([this](const auto& what) { return take(what); }, c));
        }
        return done;
    }

    result<std::vector<waiting_tenant>> waiting() override {
        std::vector<waiting_tenant> lines;
        for (const auto& [where, entries] : due_) {
            if (!entries.empty()) {
                lines.push_back({where.first, where.second, std::get<0>(*entries.begin())});
            }
        }
        return lines;
    }

    result<std::vector<due_entry>> claim_due(
        const tenant_id& tenant, mail::priority precedence, wall_time until, std::size_t limit
    ) override {
        std::vector<due_entry> claimed;
        auto& entries = due_[{tenant, precedence}];
        while (!entries.empty() && claimed.size() < limit && std::get<0>(*entries.begin()) <= until) {
            const recipient_id id = std::get<2>(*entries.begin());
            entries.erase(entries.begin());
            message_row& m = messages_.at(id.message);
            m.recipients[id.index].at.claimed = true;
            claimed.push_back(memory::due_entry_of(m, id.index));
        }
        return claimed;
    }

    result<void> unclaim(std::span<const recipient_id> ids) override {
        for (const recipient_id& id : ids) {
            if (recipient_row* r = find_row(id); r && r->at.claimed) {
                r->at.claimed = false;
                index(id, *r);
            }
        }
        return {};
    }

    result<std::vector<recipient_id>> claimed() override {
        std::vector<recipient_id> ids;
        for (const auto& [id, m] : messages_) {
            for (std::uint32_t i = 0; i < m.recipients.size(); ++i) {
                if (m.recipients[i].at.claimed) {
                    ids.push_back({id, i});
                }
            }
        }
        return ids;
    }

    result<void> postpone(std::span<const recipient_id> ids, wall_time until) override {
        for (const recipient_id& id : ids) {
            if (recipient_row* r = find_row(id)) {
                unindex(id, *r);
                (void)store::postpone(r->at, until);
                index(id, *r);
            }
        }
        return {};
    }

    result<std::size_t>
    recall(const tenant_id& tenant, wall_time until, wall_time now, std::size_t limit) override {
        std::vector<recipient_id> found;
        for (const auto precedence : {mail::priority::transactional, mail::priority::bulk}) {
            const auto& entries = due_[{tenant, precedence}];
            for (auto it = entries.lower_bound({until, 0, {}});
                 it != entries.end() && std::get<0>(*it) == until && found.size() < limit;
                 ++it) {
                found.push_back(std::get<2>(*it));
            }
        }
        (void)postpone(found, now);
        return found.size();
    }

    result<mail::message_ptr> load(message_id id) override {
        const auto it = messages_.find(id);
        if (it == messages_.end() || !it->second.message->body) {
            return errc::not_found;
        }
        return it->second.message;
    }

    result<message_view> view(message_id id) override {
        const auto it = messages_.find(id);
        if (it == messages_.end()) {
            return errc::not_found;
        }
        message_view v;
        v.message = *it->second.message;
        v.message.body.reset();
        for (std::uint32_t i = 0; i < it->second.recipients.size(); ++i) {
            v.recipients.push_back(view_of(it->second, i));
        }
        for (const std::uint64_t sequence : it->second.timeline) {
            if (v.timeline.size() < 1000) {
                v.timeline.push_back(events_.at(sequence));
            }
        }
        return v;
    }

    result<page> find(const query& q) override {
        auto before = parse_cursor(q.cursor);
        if (!before) {
            return before.error();
        }
        page found;
        std::uint64_t last = 0;
        auto it = by_order_.lower_bound(*before);
        while (it != by_order_.begin()) {
            --it;
            const message_row& m = messages_.at(it->second.message);
            if (!memory::matches(q, m, it->second.index)) {
                continue;
            }
            if (found.recipients.size() == std::clamp(q.limit, 1u, 500u)) {
                found.next_cursor = make_cursor(last);
                break;
            }
            found.recipients.push_back(view_of(m, it->second.index));
            last = it->first;
        }
        return found;
    }

    result<std::vector<labelled>> labelled_mail(const label_query& q) override {
        std::vector<labelled> found;
        for (const auto& [id, m] : messages_) {
            const std::string& value = q.by == label::key ? m.message->key : m.message->group;
            labelled one{id, m.recipients.front().order, {}};
            if (m.message->tenant != q.tenant || value != q.value || one.order <= q.after) {
                continue;
            }
            for (std::uint32_t place = 0; place < m.recipients.size(); ++place) {
                if (!is_final(m.recipients[place].at.now)) {
                    one.waiting.push_back(place);
                }
            }
            if (!one.waiting.empty()) {
                found.push_back(std::move(one));
            }
        }
        std::ranges::sort(found, {}, &labelled::order);
        found.resize(std::min<std::size_t>(found.size(), q.limit));
        return found;
    }

    result<counts> count() override {
        counts c;
        for (const auto& [id, m] : messages_) {
            for (const recipient_row& r : m.recipients) {
                ++c.by_state[static_cast<std::size_t>(r.at.now)];
                if (r.at.due_at && (!c.oldest_due || *r.at.due_at < *c.oldest_due)) {
                    c.oldest_due = r.at.due_at;
                }
            }
        }
        return c;
    }

    result<std::vector<event>> events(std::uint64_t after, std::size_t limit) override {
        std::vector<event> found;
        for (auto it = events_.upper_bound(after); it != events_.end() && found.size() < limit; ++it) {
            found.push_back(it->second);
        }
        return found;
    }

    result<std::vector<pause>> pauses() override {
        std::vector<pause> rows;
        for (const auto& [what, row] : paused_) {
            rows.push_back(row);
        }
        return rows;
    }

    result<selection>
    select(const selector& whom, state now, std::uint64_t after, std::size_t looked_at) override {
        selection part;
        std::size_t seen = 0;
        for (auto it = by_order_.upper_bound(after); it != by_order_.end() && seen < looked_at; ++it) {
            const message_row& m = messages_.at(it->second.message);
            const recipient_view r = view_of(m, it->second.index);
            if (r.now != now) {
                continue;
            }
            ++seen;
            part.next = it->first;
            const candidate c{r.id, r.tenant, r.now, r.address, r.sender, r.why, r.accepted_at, r.note};
            if (matches(whom, c)) {
                part.found.push_back(c);
            }
        }
        if (seen < looked_at) {
            part.next.reset();
        }
        return part;
    }

    result<std::vector<action>> actions(std::uint64_t below, std::size_t limit) override {
        std::vector<action> found;
        for (auto it = actions_.rbegin(); it != actions_.rend() && found.size() < limit; ++it) {
            if (below == 0 || it->first < below) {
                found.push_back(it->second);
            }
        }
        return found;
    }

    result<std::vector<switched_off>> categories_off() override {
        std::vector<switched_off> rows;
        for (const auto& [name, row] : switched_off_) {
            rows.push_back(row);
        }
        return rows;
    }

    result<std::optional<idempotent_answer>>
    find_idempotent(const tenant_id& tenant, const std::string& key) override {
        const auto it = keys_.find({tenant, key});
        return it == keys_.end() ? std::nullopt : std::optional{it->second};
    }

    result<std::vector<recipient_id>> overdue(wall_time before, std::size_t limit) override {
        std::vector<recipient_id> found;
        for (const auto& [order, id] : by_order_) {
            const message_row& m = messages_.at(id.message);
            const standing& s = m.recipients[id.index].at;
            const auto since = std::max(m.message->due_at, m.message->accepted_at);
            if (found.size() < limit && !is_final(s.now) && !s.late && since <= before) {
                found.push_back(id);
            }
        }
        return found;
    }

    result<std::vector<recipient_id>> past_expiry(wall_time now, std::size_t limit) override {
        std::vector<std::tuple<wall_time, std::uint64_t, recipient_id>> all;
        for (const auto& [order, id] : by_order_) {
            const message_row& m = messages_.at(id.message);
            if (!is_final(m.recipients[id.index].at.now) && m.message->expires_at <= now) {
                all.emplace_back(m.message->expires_at, order, id);
            }
        }
        std::sort(all.begin(), all.end());
        std::vector<recipient_id> found;
        for (const auto& [at, order, id] : all) {
            if (found.size() < limit) {
                found.push_back(id);
            }
        }
        return found;
    }

    result<std::vector<message_id>> find_by_header(const std::string& header_message_id) override {
        std::vector<std::pair<std::uint64_t, message_id>> all;
        for (const auto& [id, m] : messages_) {
            const bool is_ours = header_message_id.starts_with("<" + id.text().substr(0, 8));
            if (!is_ours && m.message->header_message_id == header_message_id) {
                all.emplace_back(m.recipients.front().order, id);
            }
        }
        std::sort(all.rbegin(), all.rend());
        std::vector<message_id> found;
        for (const auto& [order, id] : all) {
            if (found.size() < 8) {
                found.push_back(id);
            }
        }
        return found;
    }

    result<std::vector<suppression>>
    find_suppressed(const tenant_id& tenant, std::span<const std::string> addresses) override {
        std::vector<suppression> found;
        for (const std::string& address : addresses) {
            if (const auto it = lines_.find({tenant, address}); it != lines_.end()) {
                found.push_back(it->second);
            }
        }
        return found;
    }

    result<suppression_page> suppressions(const suppression_query& q) override {
        suppression_page page;
        for (const auto& [place, line] : lines_) {
            const bool is_wanted =
                q.tenants.empty() || std::ranges::find(q.tenants, line.tenant) != q.tenants.end();
            const std::string cursor = line.tenant.text() + " " + line.address;
            if (!is_wanted || cursor <= q.cursor) {
                continue;
            }
            if (page.lines.size() == std::clamp(q.limit, 1u, 1000u)) {
                page.next_cursor = page.lines.back().tenant.text() + " " + page.lines.back().address;
                break;
            }
            page.lines.push_back(line);
        }
        return page;
    }

    result<std::size_t> purge(wall_time before, std::size_t limit) override {
        const wall_time bodies_before = before + options_.retention - options_.keep_bodies;
        std::vector<std::tuple<wall_time, std::uint64_t, message_id>> complete;  // oldest first
        for (const auto& [id, m] : messages_) {
            if (const auto at = completed_at(m)) {
                complete.emplace_back(*at, m.recipients.front().order, id);
            }
        }
        std::sort(complete.begin(), complete.end());
        std::size_t messages = 0, bodies = 0;
        for (const auto& [at, order, id] : complete) {
            const auto it = messages_.find(id);
            if (at < before && messages < limit) {
                erase(it->second);
                messages_.erase(it);
                ++messages;
            } else if (at < bodies_before && bodies < limit && it->second.message->body) {
                drop_body(it->second);
                ++bodies;
            }
        }
        std::erase_if(events_, [before](const auto& entry) {
            return entry.second.who.message.is_null() && entry.second.at < before;
        });
        std::erase_if(actions_, [&](const auto& entry) {
            return memory::was_over(entry.second, before) && entry.first != actions_.rbegin()->first;
        });
        const wall_time now = before + options_.retention;
        std::size_t over = 0;
        for (auto it = lines_.begin(); it != lines_.end() && over < limit;) {
            const bool is_over = it->second.until && *it->second.until <= now;
            over += is_over ? 1 : 0;
            it = is_over ? lines_.erase(it) : std::next(it);
        }
        return messages + bodies + over;
    }

private:
    bool take(const enqueued& c) {
        const mail::message& m = *c.message;
        const bool has_key = !c.idempotency_key.empty();
        if (messages_.contains(m.id) || (has_key && keys_.contains({m.tenant, c.idempotency_key}))) {
            return false;
        }
        message_row& row = messages_[m.id];
        row.message = c.message;
        if (has_key) {
            keys_[{m.tenant, c.idempotency_key}] = {m.id, c.idempotency_digest, false};
            row.keys.push_back(c.idempotency_key);
        }
        for (std::uint32_t i = 0; i < m.to.size(); ++i) {
            const recipient_id id{m.id, i};
            recipient_row& r = row.recipients.emplace_back(standing_of_new(c), std::nullopt, ++next_order_);
            by_order_[r.order] = id;
            index(id, r);
            event e;
            e.at = m.accepted_at;
            e.type = "accepted";
            e.now = r.at.now;
            note(row, id, std::move(e));
        }
        return true;
    }

    template <class Change> bool take(const Change& c) {
        recipient_row* r = find_row(c.who);
        if (!r) {
            return false;
        }
        unindex(c.who, *r);
        std::optional<event> e = apply(r->at, c);
        index(c.who, *r);
        if (!e) {
            return false;
        }
        message_row& m = messages_.at(c.who.message);
        if (r->is_erased) {
            forget_words(r->at, *e);
        }
        if (e->what) {
            r->last = e->what;
        }
        note(m, c.who, std::move(*e));
        if ((options_.keep_bodies == milliseconds{0} || m.is_erased) && completed_at(m)) {
            drop_body(m);
        }
        return true;
    }

    bool take(const suppressed& c) {
        const auto it = lines_.find({c.tenant, c.address});
        if (!is_news(it == lines_.end() ? std::nullopt : std::optional{it->second}, c)) {
            return false;
        }
        lines_[{c.tenant, c.address}] = line_of(c);
        return true;
    }

    bool take(const unsuppressed& c) { return lines_.erase({c.tenant, c.address}) != 0; }

    bool take(const erased& c) {
        recipient_row* r = find_row(c.who);
        std::optional<event> e = r ? apply(r->at, c) : std::nullopt;
        if (!e) {
            return false;
        }
        message_row& m = messages_.at(c.who.message);
        m.is_erased = true;
        r->is_erased = true;
        for (const std::uint64_t sequence : m.timeline) {
            event& known = events_.at(sequence);
            if (known.who == c.who && known.type != "erased") {
                forget_words(known);
            }
        }
        if (r->last) {
            r->last->text.clear();
        }
        const std::string address = ascii_lower(m.message->to.at(c.who.index).text());
        mail::message rest = erased_message(*m.message, c);
        if (completed_at(m)) {
            rest.body.reset();
            rest.key.clear();
            rest.group.clear();
        }
        m.message = std::make_shared<const mail::message>(std::move(rest));
        std::erase_if(m.keys, [&](const std::string& key) {
            return ascii_lower(key).find(address) != std::string::npos &&
                   keys_.erase({m.message->tenant, key}) != 0;
        });
        note(m, c.who, std::move(*e));
        return true;
    }

    bool take(const paused& c) { return take_pause(c); }

    bool take(const resumed& c) { return take_pause(c); }

    bool take(const acted& c) {
        const auto it = actions_.find(c.what.id);
        std::optional<action> row = it == actions_.end() ? std::nullopt : std::optional{it->second};
        action_step step = apply(row, c, next_event_ + 1);
        if (step.fits) {
            actions_[c.what.id] = std::move(*row);
        }
        if (step.what) {
            step.what->sequence = ++next_event_;
            events_[next_event_] = std::move(*step.what);
        }
        return step.fits;
    }

    template <class Change> bool take_pause(const Change& c) {
        const auto it = paused_.find(c.what);
        std::optional<pause> row = it == paused_.end() ? std::nullopt : std::optional{it->second};
        pause_step step = apply(row, c);
        if (row) {
            paused_[c.what] = std::move(*row);
        } else {
            paused_.erase(c.what);
        }
        if (step.what) {
            step.what->sequence = ++next_event_;
            events_[next_event_] = std::move(*step.what);
        }
        return step.fits;
    }

    bool take(const answered& c) {
        const auto it = messages_.find(c.with);
        if (it == messages_.end() || keys_.contains({it->second.message->tenant, c.idempotency_key})) {
            return false;
        }
        keys_[{it->second.message->tenant, c.idempotency_key}] = {c.with, c.idempotency_digest, true};
        it->second.keys.push_back(c.idempotency_key);
        return true;
    }

    bool take(const category_off& c) { return take_category(c); }

    bool take(const category_on& c) { return take_category(c); }

    template <class Change> bool take_category(const Change& c) {
        const std::pair name{c.tenant, c.category};
        const auto it = switched_off_.find(name);
        std::optional<switched_off> row =
            it == switched_off_.end() ? std::nullopt : std::optional{it->second};
        category_step step = apply(row, c);
        switched_off_.erase(name);
        if (row) {
            switched_off_.emplace(name, std::move(*row));
        }
        if (step.what) {
            step.what->sequence = ++next_event_;
            events_[next_event_] = std::move(*step.what);
        }
        return step.fits;
    }

    recipient_row* find_row(const recipient_id& id) {
        const auto it = messages_.find(id.message);
        if (it == messages_.end() || id.index >= it->second.recipients.size()) {
            return nullptr;
        }
        return &it->second.recipients[id.index];
    }

    void index(const recipient_id& id, const recipient_row& r) {
        if (r.at.due_at && !r.at.claimed) {
            const mail::message& m = *messages_.at(id.message).message;
            due_[{m.tenant, m.precedence}].emplace(*r.at.due_at, r.order, id);
        }
    }

    void unindex(const recipient_id& id, const recipient_row& r) {
        if (r.at.due_at) {
            const mail::message& m = *messages_.at(id.message).message;
            due_[{m.tenant, m.precedence}].erase({*r.at.due_at, r.order, id});
        }
    }

    void note(message_row& m, const recipient_id& id, event e) {
        e.sequence = ++next_event_;
        e.who = id;
        e.tenant = m.message->tenant;
        m.timeline.push_back(e.sequence);
        events_.emplace(e.sequence, std::move(e));
    }

    void erase(const message_row& m) {
        for (const recipient_row& r : m.recipients) {
            by_order_.erase(r.order);
        }
        for (const std::uint64_t sequence : m.timeline) {
            events_.erase(sequence);
        }
        for (const std::string& key : m.keys) {
            keys_.erase({m.message->tenant, key});
        }
    }

    config::store_options options_;
    std::map<message_id, message_row> messages_;
    std::map<std::uint64_t, recipient_id> by_order_;
    std::map<std::uint64_t, event> events_;
    std::map<lane, std::set<due_key>> due_;  // unclaimed recipients that wait
    std::map<pause_target, pause> paused_;
    std::map<std::uint64_t, action> actions_;
    std::map<std::pair<tenant_id, std::string>, idempotent_answer> keys_;
    std::map<std::pair<tenant_id, std::string>, suppression> lines_;
    std::map<std::pair<tenant_id, std::string>, switched_off> switched_off_;
    std::uint64_t next_order_ = 0;
    std::uint64_t next_event_ = 0;
};

}  // namespace

std::unique_ptr<engine> make_memory_engine(const config::store_options& options) {
    return std::make_unique<memory_engine>(options);
}

}  // namespace estafette::store
