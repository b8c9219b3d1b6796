#include "checkpointer.hpp"

namespace estafette::store {

namespace {
constexpr int longest_wait_ms = 100;  // for a writer or a reader, before it is left for the next time
}

checkpointer::checkpointer(const std::string& path, where how)
    : db_{path, database::access::read_write} {
    sqlite3_busy_timeout(db_.handle(), longest_wait_ms);
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
    if (is_running() || has_failed()) {
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
        if (is_done) {
            covered_ = applied;
        }
        is_running_ = false;
        changed_.notify_all();
    }
}

// First without stopping anybody; then what came meanwhile, so that the WAL begins anew and does not grow
// for ever. What cannot be done now, for a reader or for want of space, is left for the next time.
bool checkpointer::checkpoint() {
    int log = 0, done = 0;
    const int first =
        sqlite3_wal_checkpoint_v2(db_.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &log, &done);
    if (is_over(first)) {
        return false;
    }
    needs_quiet_ = true;
    const int second =
        sqlite3_wal_checkpoint_v2(db_.handle(), nullptr, SQLITE_CHECKPOINT_RESTART, nullptr, nullptr);
    needs_quiet_ = false;
    if (is_over(second)) {
        return false;
    }
    return second == SQLITE_OK || (first == SQLITE_OK && log >= 0 && log == done);
}

bool checkpointer::is_over(int code) {
    if ((code & 0xFF) != SQLITE_IOERR) {
        return false;
    }
    db_.never_checkpoint();
    has_failed_ = true;
    return true;
}

}  // namespace estafette::store
