// The ready jobs of one route, and who is next: pure. Two classes, transactional before bulk with a
// guaranteed share for bulk; within a class the tenants take turns (deficit round robin over bytes), so
// that no tenant delays another, however much it has waiting.
#pragma once

#include "estafette/route/job.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

namespace estafette::route {

class ready_queue {
public:
    // `limit`: recipients kept in all per class, with at most `most_bytes` of content; every tenant may
    // have `floor_per_tenant` recipients all the same, within the bytes.
    explicit ready_queue(std::size_t limit, std::size_t floor_per_tenant = 64);

    // Recipients that this tenant may add to this class; 0: they stay where they were (the store).
    [[nodiscard]] std::size_t room(const tenant_id& tenant, mail::priority precedence) const;

    // How much content this class may still take, bytes.
    [[nodiscard]] std::uint64_t free_bytes(mail::priority precedence) const;

    // Worth a claim from the store: room for a good part of one, or nothing of this tenant is left here.
    [[nodiscard]] bool wants(const tenant_id& tenant, mail::priority precedence) const;

    // Classes that have little left: what the store has should come soon.
    [[nodiscard]] unsigned low_classes() const;

    // The tenant has nothing left here while others have much: what the store has of it should come now.
    [[nodiscard]] bool is_starved(const tenant_id& tenant, mail::priority precedence) const;

    static constexpr std::uint64_t most_bytes = 64ull << 20;

    void push(job j);

    // At the front of its tenant's line: it was pulled and not begun.
    void push_front(job j);

    [[nodiscard]] std::optional<job> pull();

    // Takes out every waiting job that it says yes to.
    [[nodiscard]] std::vector<job> remove(const std::function<bool(const job&)>& which);

    // The recipients of all jobs.
    [[nodiscard]] std::vector<recipient_id> ids() const;

    // Takes out everything.
    [[nodiscard]] std::vector<job> drain();

    [[nodiscard]] std::size_t size() const noexcept { return recipients_; }  // recipients

    [[nodiscard]] bool empty() const noexcept { return recipients_ == 0; }

    // Of 8 pulls one goes to bulk while any bulk waits.
    static constexpr unsigned bulk_share = 8;

    // What a tenant may send in its turn before the next one has its turn.
    static constexpr std::int64_t quantum = 16 * 1024;  // bytes

private:
    struct line {
        std::deque<job> jobs;
        std::size_t recipients = 0;
        std::int64_t deficit = 0;  // bytes it may still send in this turn
        bool in_turn = false;      // is in `turns`
        bool topped_up = false;    // had its quantum in this turn
    };

    struct klass {
        std::unordered_map<tenant_id, line> lines;
        std::deque<tenant_id> turns;  // tenants with jobs, the front one is served
        std::size_t recipients = 0;
        std::uint64_t bytes = 0;
    };

    [[nodiscard]] klass& of(mail::priority p) { return classes_[static_cast<std::size_t>(p)]; }

    [[nodiscard]] const klass& of(mail::priority p) const { return classes_[static_cast<std::size_t>(p)]; }

    void put(job j, bool at_front);
    [[nodiscard]] job take(klass& k);

    std::array<klass, 2> classes_;
    std::size_t limit_;
    std::size_t floor_;
    std::size_t recipients_ = 0;
    unsigned pulls_since_bulk_ = 0;
};

}  // namespace estafette::route
