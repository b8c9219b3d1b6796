// The store's own thread: takes the jobs that the loop handed over, commits all waiting changes as one
// batch, runs the other jobs between commits, and sends the answers back to the loop, one post a round.
// What the loop has to say in one turn is handed over at the end of the turn, with one wake-up.
//
// Promise: jobs of one kind run in the order in which they came; a job's finish() runs on the loop, once.
// Thread: push(), close() and the destructor on the loop; run() of jobs on the store's thread.
#pragma once

#include "estafette/store/queue.hpp"

#include <boost/asio/executor_work_guard.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace estafette::store {

using work_on_loop = std::optional<asio::executor_work_guard<asio::any_io_executor>>;

// Something to ask of the engine.
class store_job {
public:
    virtual ~store_job() = default;
    virtual void run(engine& e) = 0;        // store's thread
    virtual void fail(error_code why) = 0;  // instead of run()
    virtual void finish() = 0;              // loop

    std::uint64_t after = 0;  // it sees the changes of this many callers
    work_on_loop pending;     // the loop does not end before its answer
};

// Changes of one caller: joined with those of others into one commit.
class commit_job {
public:
    explicit commit_job(std::vector<change> batch)
        : changes{std::move(batch)} {}

    virtual ~commit_job() = default;
    virtual void finish() = 0;  // loop

    std::vector<change> changes;
    work_on_loop pending;  // the loop does not end before its answer
    result<effects> answer = errc::interrupted;
};

class queue::thread {
public:
    thread(asio::any_io_executor loop, std::unique_ptr<engine> e, observer on_commit);
    ~thread();
    thread(const thread&) = delete;
    thread& operator=(const thread&) = delete;

    void push(std::unique_ptr<commit_job> job);
    void push(std::unique_ptr<store_job> job);

    // Runs everything that was pushed before, then ends; `last` is the last job that runs. What is pushed
    // later is answered with errc::interrupted at once.
    void close(std::unique_ptr<store_job> last);

    [[nodiscard]] std::size_t backlog() const noexcept { return backlog_.load(std::memory_order_relaxed); }

    [[nodiscard]] error_code health() const noexcept;
    [[nodiscard]] bool is_full() const noexcept { return is_full_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::string problem();
    void watch(std::function<void()> on_change) { on_change_ = std::move(on_change); }

    [[nodiscard]] const asio::any_io_executor& loop() const noexcept { return loop_; }

private:
    using commits = std::deque<std::unique_ptr<commit_job>>;
    using jobs = std::deque<std::unique_ptr<store_job>>;

    struct round {
        commits changes;
        jobs others;
    };

    // What the engine has left to do: perhaps something, once all is quiet; something at once, though
    // others wait; something that is begun, as long as nobody waits; nothing.
    enum class rest { all_of_it, what_is_due, begun, none };

    void hand_over_later();
    void hand_over();
    void run();
    [[nodiscard]] bool wait_for_work(round& next, rest& left);
    void take(round& next);  // mutex_ held
    [[nodiscard]] rest follow();
    [[nodiscard]] rest settle();
    void work(jobs& others);
    void commit(commits& callers);
    [[nodiscard]] result<effects> commit_of(const std::vector<commit_job*>& callers);
    void answer(round done);
    void remember(error_code failure);
    void become_full(bool full);
    void tell();

    asio::any_io_executor loop_;
    std::unique_ptr<engine> engine_;
    observer on_commit_;
    std::atomic<std::size_t> backlog_{0};
    std::atomic<int> failure_{0};       // an errc
    std::atomic<bool> is_full_{false};  // no space for new mail
    std::function<void()> on_change_;   // of the two above; the loop's
    std::string problem_;               // guarded by mutex_
    round staged_;                      // the loop's, until the end of its turn
    std::uint64_t pushed_ = 0;          // callers' changes, ever; the loop's
    bool is_posted_ = false;            // hand_over() comes; the loop's
    bool is_closed_ = false;            // nothing more is taken; the loop's
    std::shared_ptr<thread*> self_ = std::make_shared<thread*>(this);  // what is posted may come after us
    std::mutex mutex_;
    std::condition_variable has_work_;
    round pending_;            // guarded by mutex_
    std::uint64_t taken_ = 0;  // callers' changes, committed or about to be; guarded by mutex_
    bool stops_ = false;
    bool drops_ = false;  // the destructor: what waits fails
    std::thread runner_;
};

}  // namespace estafette::store
