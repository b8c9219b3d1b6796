#include "estafette/net/task_group.hpp"

#include "estafette/base/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <map>
#include <utility>
#include <vector>

namespace estafette::net {

struct task_group::state {
    struct task {
        std::string name;
        asio::cancellation_signal signal;
    };

    asio::any_io_executor loop;
    observer escaped;
    // A task is shared because stop() may make it end, and so leave the map, inside its own emit().
    std::map<std::uint64_t, std::shared_ptr<task>> running;
    std::vector<asio::steady_timer*> waiting;
    std::uint64_t last_number = 0;
    std::uint64_t escaped_count = 0;
    asio::cancellation_type asked = asio::cancellation_type::none;

    void ended(std::uint64_t number, const std::exception_ptr& thrown);
    void tell(std::string_view name, const std::exception_ptr& thrown);
};

namespace {

// Both kinds of cancellation come in, only terminal goes on to the operation that is awaited.
asio::awaitable<void> run(asio::awaitable<void> task) {
    co_await asio::this_coro::reset_cancellation_state(
        asio::enable_total_cancellation(), asio::enable_terminal_cancellation()
    );
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await std::move(task);
}

void log_escape(std::string_view task, std::string_view what) {
    log::event(log::level::error, "task_failed", {{"task", task}, {"error", what}});
}

// terminal, partial, total are 1, 2, 4: the smaller, the stronger.
bool is_stronger(asio::cancellation_type a, asio::cancellation_type b) {
    return b == asio::cancellation_type::none || static_cast<unsigned>(a) < static_cast<unsigned>(b);
}

}  // namespace

void task_group::state::tell(std::string_view name, const std::exception_ptr& thrown) {
    ++escaped_count;
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
        escaped(name, e.what());
    } catch (...) {
        escaped(name, "not a std::exception");
    }
}

void task_group::state::ended(std::uint64_t number, const std::exception_ptr& thrown) {
    const auto found = running.find(number);
    if (found == running.end())
        return;
    const auto task = std::move(found->second);
    running.erase(found);
    if (thrown)
        tell(task->name, thrown);
    if (running.empty())
        for (auto* timer : waiting)
            timer->cancel();
}

task_group::task_group(asio::any_io_executor loop, observer escaped)
    : state_{std::make_shared<state>()} {
    state_->loop = std::move(loop);
    state_->escaped = escaped ? std::move(escaped) : observer{&log_escape};
}

task_group::~task_group() {
    state_->escaped = &log_escape;  // the owner's may refer to what is destroyed with it
}

void task_group::spawn(std::string name, asio::awaitable<void> task) {
    const auto number = ++state_->last_number;
    auto entry = std::make_shared<state::task>();
    entry->name = std::move(name);
    state_->running.emplace(number, entry);
    auto on_end = [shared = state_, number](const std::exception_ptr& thrown) {
        shared->ended(number, thrown);
    };
    asio::co_spawn(
        state_->loop,
        run(std::move(task)),
        asio::bind_cancellation_slot(entry->signal.slot(), std::move(on_end))
    );
    if (state_->asked != asio::cancellation_type::none)
        entry->signal.emit(state_->asked);
}

void task_group::stop(asio::cancellation_type type) {
    if (type == asio::cancellation_type::none || !is_stronger(type, state_->asked))
        return;
    state_->asked = type;
    std::vector<std::shared_ptr<state::task>> tasks;
    tasks.reserve(state_->running.size());
    for (const auto& [number, task] : state_->running)
        tasks.push_back(task);
    for (const auto& task : tasks)
        task->signal.emit(type);
}

asio::awaitable<bool> task_group::wait(milliseconds limit) {
    const auto shared = state_;
    asio::steady_timer timer{shared->loop, limit};
    const auto until = timer.expiry();
    shared->waiting.push_back(&timer);
    struct leave {
        state& from;
        asio::steady_timer* which;

        ~leave() { std::erase(from.waiting, which); }
    } const guard{*shared, &timer};
    while (!shared->running.empty() && std::chrono::steady_clock::now() < until) {
        auto [ec] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        const auto cancelled = co_await asio::this_coro::cancellation_state;
        if (ec &&
            (cancelled.cancelled() & asio::cancellation_type::terminal) != asio::cancellation_type::none)
            break;
    }
    co_return shared->running.empty();
}

std::size_t task_group::size() const noexcept {
    return state_->running.size();
}

std::uint64_t task_group::escaped_exceptions() const noexcept {
    return state_->escaped_count;
}

bool task_group::is_stopping() const noexcept {
    return state_->asked != asio::cancellation_type::none;
}

}  // namespace estafette::net
