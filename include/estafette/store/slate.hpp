// The slate: which mail is in doubt, told after a crash. Just before the final dot of a mail leaves, its
// connection marks the mail's recipients in a slot; when the outcome is durable it clears the slot.
//
// Promise: after kill -9 at any instruction, in_doubt() lists every mail whose dot may have left and whose
// outcome may not be recorded, at most one per slot. A connection has as many slots as messages under
// way: the route's window. The marks are stores into a mapped file: they
// cost no system call and outlive the process, not the power.
// Not here: what is done with mail in doubt (the tenant's policy, sched).
// Thread: one; slots are taken and marked on the loop.
#pragma once

#include "estafette/base/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace estafette::store {

class slate {
    struct mapping;

public:
    // A place for one message; the slate (it may move) must outlive it. Destroying it without clear() leaves
    // the mark.
    class slot {
    public:
        slot() = default;  // marks nothing
        slot(slot&& other) noexcept;
        slot& operator=(slot&& other) noexcept;
        ~slot();

        // Before the dot: these recipients, all of one message. Replaces what was marked.
        void mark(std::span<const recipient_id> recipients) noexcept;

        // After the outcome is durable.
        void clear() noexcept;

        // What it marks will be found.
        [[nodiscard]] bool is_real() const noexcept { return owner_ != nullptr; }

    private:
        friend class slate;

        slot(mapping& owner, std::size_t place) noexcept
            : owner_{&owner}
            , place_{place} {}

        mapping* owner_ = nullptr;
        std::size_t place_ = 0;
    };

    // Opens or creates the file; `slots` is the number of messages under way at most. Marks of an earlier
    // process stay until forget(). errc::io, store_damaged, store_newer.
    [[nodiscard]] static result<slate> open(const std::string& path, std::size_t slots);

    // Whether open() would take the file; changes nothing, and a missing file is good.
    [[nodiscard]] static error_code check(const std::string& path);

    // A slate that is not on disk: for stores that are not, and for tests.
    [[nodiscard]] static slate in_memory(std::size_t slots);

    slate(slate&&) noexcept;
    slate& operator=(slate&&) noexcept;
    ~slate();

    // What an earlier process left marked: each recipient once. `index` all_recipients stands for every
    // recipient of a message with more than fit in a slot.
    [[nodiscard]] const std::vector<recipient_id>& in_doubt() const noexcept;

    static constexpr std::uint32_t all_recipients = 0xFFFFFFFFu;

    // Once what was in doubt is recorded in the store: the old marks are wiped.
    void forget() noexcept;

    // A free place; a slot that marks nothing when all are taken (see is_exhausted).
    [[nodiscard]] slot take() noexcept;

    [[nodiscard]] bool is_exhausted() const noexcept;

private:
    explicit slate(std::unique_ptr<mapping> m) noexcept;
    std::unique_ptr<mapping> mapping_;
};

}  // namespace estafette::store
