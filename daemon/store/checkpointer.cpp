#include "checkpointer.hpp"

namespace estafette::store {

namespace {
constexpr int longest_wait_ms = 100;  // for a writer or a reader, before it is left for the next time
}

checkpointer::checkpointer(const std::string& path, where how)
    : db_{path, database::access::read_write} {
    sqlite3_busy_timeout(db_.handle(), longest_wait_ms);
    // Until it has read once, a connection does not know that there is a WAL, and its checkpoints do nothing.
    (void)db_.ask_integer("SELECT count(*) FROM sqlite_schema");
    if (how == where::apart) {
        runner_ = std::thread{[this] { run(); }};
    }
}

checkpointer::~checkpointer() {
    stop();
}

void checkpointer::stop() {
    {
        const std::lock_guard lock{mutex_};
        stops_ = true;
    }
    changed_.notify_all();
    if (runner_.joinable()) {
        runner_.join();
    }
}

void checkpointer::begin(std::uint64_t applied) {
    if (is_running() || has_failed_) {
        return;
    }
    if (!runner_.joinable()) {
        if (checkpoint()) {
            covered_ = applied;
        }
        return;
    }
    {
        const std::lock_guard lock{mutex_};
        wanted_ = applied;
        is_running_ = true;
    }
    changed_.notify_all();
}

void checkpointer::forget() noexcept {
    const std::lock_guard lock{mutex_};
    covered_ = 0;
    is_stale_ = is_running();
}

void checkpointer::wait(std::chrono::milliseconds longest) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, longest, [this] { return !is_running(); });
}

void checkpointer::run() {
    std::unique_lock lock{mutex_};
    for (;;) {
        changed_.wait(lock, [this] { return stops_ || is_running(); });
        if (stops_) {
            return;
        }
        const std::uint64_t applied = wanted_;
        lock.unlock();
        const bool is_done = checkpoint();
        lock.lock();
        if (is_done && !is_stale_) {
            covered_ = applied;
        }
        is_stale_ = false;
        is_running_ = false;
        changed_.notify_all();
    }
}

std::string checkpointer::problem() {
    if (!has_failed_) {
        return {};
    }
    const std::lock_guard lock{mutex_};
    return problem_;
}

// A reader or a writer in the way, or no space: for now. Anything else is for good, since a second sync
// may say that bytes are there that the first one lost.
bool checkpointer::is_well(int code) {
    const int kind = code & 0xFF;
    if (kind == SQLITE_OK || kind == SQLITE_BUSY || kind == SQLITE_LOCKED || kind == SQLITE_FULL) {
        return true;
    }
    const std::lock_guard lock{mutex_};
    problem_ = std::string{"checkpoint: "} + sqlite3_errmsg(db_.handle());
    db_.never_checkpoint();  // nor when it is closed
    has_failed_ = true;
    return false;
}

// First without stopping anybody; then what came meanwhile, so that the WAL begins anew and does not grow
// for ever. What cannot be done now, for a reader or for want of space, is left for the next time.
bool checkpointer::checkpoint() {
    bool is_done = attempt(SQLITE_CHECKPOINT_PASSIVE);
    if (!has_failed_) {
        needs_quiet_ = true;
        is_done = attempt(SQLITE_CHECKPOINT_RESTART) || is_done;
        needs_quiet_ = false;
    }
    return is_done && !has_failed_;
}

// Only a count of pages proves that something was looked at: OK with -1 pages is what a connection says that
// knows of no WAL.
bool checkpointer::attempt(int mode) {
    int log = -1, done = -1;
    const int code = sqlite3_wal_checkpoint_v2(db_.handle(), nullptr, mode, &log, &done);
    return is_well(code) && code == SQLITE_OK && log >= 0 && log == done;
}

}  // namespace estafette::store
