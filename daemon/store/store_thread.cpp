#include "store_thread.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <iterator>

namespace estafette::store {

namespace {

// One commit's changes are bounded, so that a flood of callers cannot make each wait for all.
constexpr std::size_t batch_changes = 1024;
constexpr std::size_t batch_bytes = 16u << 20;

// Idle this long, the engine may tidy up.
constexpr auto idle_before_settle = std::chrono::milliseconds{20};

// A full store looks this often whether there is space again.
constexpr auto full_look = std::chrono::seconds{1};

bool is_new_mail(const change& c) noexcept {
    return std::holds_alternative<enqueued>(c);
}

std::size_t weight(const commit_job& job) noexcept {
    std::size_t bytes = 0;
    for (const change& c : job.changes) {
        if (const auto* mail = std::get_if<enqueued>(&c); mail && mail->message->body) {
            bytes += mail->message->body->size();
        }
    }
    return bytes;
}

}  // namespace

queue::thread::thread(asio::any_io_executor loop, std::unique_ptr<engine> e, observer on_commit)
    : loop_{std::move(loop)}
    , engine_{std::move(e)}
    , on_commit_{std::move(on_commit)}
    , runner_{[this] { run(); }} {}

queue::thread::~thread() {
    *self_ = nullptr;
    hand_over();
    {
        const std::lock_guard lock{mutex_};
        stops_ = true;
        drops_ = true;
    }
    has_work_.notify_one();
    runner_.join();
}

void queue::thread::push(std::unique_ptr<commit_job> job) {
    job->pending.emplace(loop_);
    if (is_closed_) {
        round refused;
        refused.changes.push_back(std::move(job));
        answer(std::move(refused));
        return;
    }
    backlog_.fetch_add(job->changes.size(), std::memory_order_relaxed);
    staged_.changes.push_back(std::move(job));
    ++pushed_;
    hand_over_later();
}

void queue::thread::push(std::unique_ptr<store_job> job) {
    job->pending.emplace(loop_);
    if (is_closed_) {
        job->fail(errc::interrupted);
        round refused;
        refused.others.push_back(std::move(job));
        answer(std::move(refused));
        return;
    }
    job->after = pushed_;
    staged_.others.push_back(std::move(job));
    hand_over_later();
}

// Behind everything that is ready to run on the loop: what that pushes goes the same way. A wake-up of
// the thread for each change would cost more than the change.
void queue::thread::hand_over_later() {
    if (is_posted_) {
        return;
    }
    is_posted_ = true;
    asio::post(loop_, [self = self_] {
        if (*self != nullptr) {
            (*self)->hand_over();
        }
    });
}

void queue::thread::hand_over() {
    is_posted_ = false;
    if (staged_.changes.empty() && staged_.others.empty()) {
        return;
    }
    {
        const std::lock_guard lock{mutex_};
        std::ranges::move(staged_.changes, std::back_inserter(pending_.changes));
        std::ranges::move(staged_.others, std::back_inserter(pending_.others));
    }
    staged_.changes.clear();
    staged_.others.clear();
    has_work_.notify_one();
}

void queue::thread::close(std::unique_ptr<store_job> last) {
    push(std::move(last));
    is_closed_ = true;
    hand_over();
    {
        const std::lock_guard lock{mutex_};
        stops_ = true;
    }
    has_work_.notify_one();
}

error_code queue::thread::health() const noexcept {
    const int failure = failure_.load(std::memory_order_relaxed);
    return failure == 0 ? error_code{} : make_error_code(static_cast<errc>(failure));
}

void queue::thread::run() {
    auto left = rest::all_of_it;
    for (;;) {
        round now;
        if (!wait_for_work(now, left)) {
            return;
        }
        if (!now.changes.empty()) {
            commit(now.changes);
            answer({std::move(now.changes), {}});
        }
        if (!now.others.empty()) {
            work(now.others);
            answer({{}, std::move(now.others)});
        }
        if (left == rest::all_of_it || left == rest::what_is_due) {
            left = follow();
        }
    }
}

// A step of what is due, between the rounds.
queue::thread::rest queue::thread::follow() {
    const auto more = engine_->follow();
    if (!more) {
        remember(more.error());
    }
    return more && *more == settled::more_to_do ? rest::what_is_due : rest::all_of_it;
}

// False: the end. A round without jobs: the engine has time for what is left to do.
bool queue::thread::wait_for_work(round& next, rest& left) {
    std::unique_lock lock{mutex_};
    const auto has_news = [this] { return !pending_.changes.empty() || !pending_.others.empty() || stops_; };
    if (left == rest::none && is_full()) {
        // Nobody may ask while it is full: it looks for itself whether space is back.
        if (!has_work_.wait_for(lock, full_look, has_news)) {
            lock.unlock();
            become_full(!engine_->takes_mail());
            return true;
        }
    } else if (left == rest::none) {
        has_work_.wait(lock, has_news);
    } else if (left == rest::what_is_due || left == rest::begun) {
        if (!has_news()) {
            lock.unlock();
            left = left == rest::begun ? settle() : left;
            return true;
        }
    } else if (!has_work_.wait_for(lock, idle_before_settle, has_news)) {
        lock.unlock();
        left = settle();
        return true;
    }
    // What else is ready to run on this core, the loop above all, goes first: a sync then serves more
    // callers. Alone, or with a core for each, this is one cheap call.
    lock.unlock();
    std::this_thread::yield();
    lock.lock();
    left = rest::all_of_it;
    if (drops_) {
        for (auto& job : pending_.others) {
            job->fail(errc::interrupted);
        }
        lock.unlock();
        answer(std::move(pending_));
        return false;
    }
    take(next);
    return !next.changes.empty() || !next.others.empty();  // nothing and no work for the engine: the end
}

// As much as one commit takes, and the other jobs that came after no more changes than that.
void queue::thread::take(round& next) {
    std::size_t changes = 0, bytes = 0;
    while (!pending_.changes.empty()) {
        const commit_job& job = *pending_.changes.front();
        changes += job.changes.size();
        bytes += weight(job);
        if (!next.changes.empty() && (changes > batch_changes || bytes > batch_bytes)) {
            break;
        }
        next.changes.push_back(std::move(pending_.changes.front()));
        pending_.changes.pop_front();
        ++taken_;
    }
    while (!pending_.others.empty() && pending_.others.front()->after <= taken_) {
        next.others.push_back(std::move(pending_.others.front()));
        pending_.others.pop_front();
    }
}

queue::thread::rest queue::thread::settle() {
    const auto more = engine_->settle();
    if (!more) {
        remember(more.error());
    }
    return more && *more == settled::more_to_do ? rest::begun : rest::none;
}

void queue::thread::work(jobs& others) {
    for (auto& job : others) {
        try {
            job->run(*engine_);
        } catch (const std::exception&) {
            remember(errc::internal);
            job->fail(errc::internal);
        }
    }
}

void queue::thread::commit(commits& callers) {
    std::vector<commit_job*> all;
    for (auto& job : callers) {
        all.push_back(job.get());
    }
    result<effects> done = commit_of(all);
    if (done.has_error() && done.error() == errc::store_full) {
        // No space for new mail: the outcomes of the others still go in.
        std::vector<commit_job*> others;
        for (commit_job* job : all) {
            if (std::any_of(job->changes.begin(), job->changes.end(), is_new_mail)) {
                job->answer = done.error();
            } else {
                others.push_back(job);
            }
        }
        all.swap(others);
        done = all.empty() ? result<effects>{effects{}} : commit_of(all);
    }
    auto next = done.has_value() ? done->begin() : effects::iterator{};
    for (commit_job* job : all) {
        if (done.has_error()) {
            job->answer = done.error();
            continue;
        }
        const auto end = next + static_cast<std::ptrdiff_t>(job->changes.size());
        job->answer = effects(next, end);
        next = end;
    }
    for (auto& job : callers) {
        backlog_.fetch_sub(job->changes.size(), std::memory_order_relaxed);
    }
}

result<effects> queue::thread::commit_of(const std::vector<commit_job*>& callers) {
    try {
        std::size_t size = 0;
        for (const commit_job* job : callers) {
            size += job->changes.size();
        }
        std::vector<change> batch;
        batch.reserve(size);
        for (commit_job* job : callers) {
            std::ranges::move(job->changes, std::back_inserter(batch));
        }
        const auto begun = std::chrono::steady_clock::now();
        auto done = engine_->commit(batch);
        if (on_commit_) {
            on_commit_(std::chrono::steady_clock::now() - begun, engine_->last_sync());
        }
        if (!done) {
            remember(done.error());
        }
        // The caller may want them; without the new mail of others they may be tried again.
        auto next = batch.begin();
        for (commit_job* job : callers) {
            const auto end = next + static_cast<std::ptrdiff_t>(job->changes.size());
            std::move(next, end, job->changes.begin());
            next = end;
        }
        return done;
    } catch (const std::exception&) {
        remember(errc::internal);
        return errc::internal;
    }
}

void queue::thread::answer(round done) {
    auto shared = std::make_shared<round>(std::move(done));
    asio::post(loop_, [shared] {
        for (auto& job : shared->changes) {
            job->finish();
        }
        for (auto& job : shared->others) {
            job->finish();
        }
    });
}

void queue::thread::remember(error_code failure) {
    if (failure == errc::store_full) {
        become_full(true);
    }
    if (failure == errc::store_failed || failure == errc::store_damaged || failure == errc::internal) {
        int none = 0;
        if (failure_.compare_exchange_strong(none, failure.value(), std::memory_order_relaxed)) {
            std::string problem = engine_->problem();
            {
                const std::lock_guard lock{mutex_};
                problem_ = std::move(problem);
            }
            tell();
        }
    }
}

void queue::thread::become_full(bool full) {
    if (is_full_.exchange(full, std::memory_order_relaxed) != full) {
        tell();
    }
}

// On the loop, which may be gone before.
void queue::thread::tell() {
    asio::post(loop_, [self = self_] {
        if (*self != nullptr && (*self)->on_change_) {
            (*self)->on_change_();
        }
    });
}

std::string queue::thread::problem() {
    const std::lock_guard lock{mutex_};
    return problem_;
}

}  // namespace estafette::store
