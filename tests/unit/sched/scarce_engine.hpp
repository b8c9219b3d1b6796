// A store in memory whose disk is full when the test says so: nothing can be recorded then.
#pragma once

#include "estafette/store/engine.hpp"

#include <atomic>
#include <memory>
#include <utility>

namespace estafette::sched {

struct disk {
    std::atomic<bool> is_full = false;
    std::atomic<int> refused = 0;  // commits
    std::atomic<int> loads = 0;
};

class scarce_engine final : public store::engine {
public:
    scarce_engine(std::unique_ptr<store::engine> below, std::shared_ptr<disk> d)
        : below_{std::move(below)}
        , disk_{std::move(d)} {}

    result<store::effects> commit(std::span<const store::change> batch) override {
        if (disk_->is_full) {
            ++disk_->refused;
            return errc::store_full;
        }
        return below_->commit(batch);
    }

    result<std::vector<store::waiting_tenant>> waiting() override { return below_->waiting(); }

    result<std::vector<store::due_entry>>
    claim_due(const tenant_id& t, mail::priority p, wall_time until, std::size_t limit) override {
        return below_->claim_due(t, p, until, limit);
    }

    result<void> unclaim(std::span<const recipient_id> ids) override { return below_->unclaim(ids); }

    result<std::vector<recipient_id>> claimed() override { return below_->claimed(); }

    result<void> postpone(std::span<const recipient_id> ids, wall_time until) override {
        return below_->postpone(ids, until);
    }

    result<std::size_t>
    recall(const tenant_id& t, wall_time until, wall_time now, std::size_t limit) override {
        return below_->recall(t, until, now, limit);
    }

    result<mail::message_ptr> load(message_id id) override {
        ++disk_->loads;
        return below_->load(id);
    }

    result<store::message_view> view(message_id id) override { return below_->view(id); }

    result<store::page> find(const store::query& q) override { return below_->find(q); }

    result<std::vector<store::labelled>> labelled_mail(const store::label_query& q) override {
        return below_->labelled_mail(q);
    }

    result<std::vector<store::switched_off>> categories_off() override { return below_->categories_off(); }

    result<store::counts> count() override { return below_->count(); }

    result<std::vector<store::event>> events(std::uint64_t after, std::size_t limit) override {
        return below_->events(after, limit);
    }

    result<std::vector<store::pause>> pauses() override { return below_->pauses(); }

    result<store::selection>
    select(const store::selector& s, store::state now, std::uint64_t after, std::size_t n) override {
        return below_->select(s, now, after, n);
    }

    result<std::vector<store::action>> actions(std::uint64_t below, std::size_t limit) override {
        return below_->actions(below, limit);
    }

    result<std::optional<store::idempotent_answer>>
    find_idempotent(const tenant_id& t, const std::string& key) override {
        return below_->find_idempotent(t, key);
    }

    result<std::vector<recipient_id>> past_expiry(wall_time now, std::size_t limit) override {
        return below_->past_expiry(now, limit);
    }

    result<std::vector<recipient_id>> overdue(wall_time before, std::size_t limit) override {
        return below_->overdue(before, limit);
    }

    result<std::vector<message_id>> find_by_header(const std::string& id) override {
        return below_->find_by_header(id);
    }

    result<std::vector<store::suppression>>
    find_suppressed(const tenant_id& t, std::span<const std::string> addresses) override {
        return below_->find_suppressed(t, addresses);
    }

    result<store::suppression_page> suppressions(const store::suppression_query& q) override {
        return below_->suppressions(q);
    }

    result<std::size_t> purge(wall_time before, std::size_t limit) override {
        return below_->purge(before, limit);
    }

private:
    std::unique_ptr<store::engine> below_;
    std::shared_ptr<disk> disk_;
};

}  // namespace estafette::sched
