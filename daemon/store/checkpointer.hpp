// Copies the ledger's WAL into its file and syncs, on a thread and a connection of its own: that takes as
// long as a disk takes, and no commit waits for it.
//
// Promise: covered() is the last batch whose rows are in the ledger's file and synced.
// Not here: when it is time (local_engine.cpp).
// Thread: all but run() on the store's.
#pragma once

#include "sqlite.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace estafette::store {

class checkpointer {
public:
    enum class where { apart, at_once };  // at once: within begin(), for tests that count calls

    checkpointer(const std::string& path, where how);
    ~checkpointer();
    checkpointer(const checkpointer&) = delete;
    checkpointer& operator=(const checkpointer&) = delete;

    // Of all that is committed now: `applied` and before. Nothing while one runs.
    void begin(std::uint64_t applied);

    [[nodiscard]] bool is_running() const noexcept { return is_running_.load(std::memory_order_acquire); }

    // For a moment it keeps others from writing: who has no transaction open should not begin one.
    [[nodiscard]] bool needs_quiet() const noexcept { return needs_quiet_.load(std::memory_order_relaxed); }

    // Until it has ended, or for so long.
    void wait(std::chrono::milliseconds longest);

    // What failed for good, for people; empty: nothing did.
    [[nodiscard]] std::string problem();

    // Rows changed without a new batch (contents moved to the ledger): what was covered, or is being covered,
    // does not have them. Only a checkpoint that begins from now on counts.
    void forget() noexcept;

    [[nodiscard]] std::uint64_t covered() const noexcept { return covered_.load(std::memory_order_acquire); }

    [[nodiscard]] bool has_failed() const noexcept { return has_failed_.load(std::memory_order_acquire); }

    // Waits for what runs; no other begins.
    void stop();

private:
    void run();
    [[nodiscard]] bool checkpoint();
    [[nodiscard]] bool attempt(int mode);
    [[nodiscard]] bool is_well(int code);

    database db_;
    std::atomic<std::uint64_t> covered_{0};
    std::atomic<bool> is_running_{false};
    std::atomic<bool> needs_quiet_{false};
    std::mutex mutex_;
    std::condition_variable changed_;
    std::atomic<bool> has_failed_{false};
    std::string problem_;       // guarded by mutex_
    std::uint64_t wanted_ = 0;  // guarded by mutex_
    bool stops_ = false;        // guarded by mutex_
    bool is_stale_ = false;     // guarded by mutex_: the one that runs does not count
    std::thread runner_;
};

}  // namespace estafette::store
