// The place where every coroutine is born and where all of them end: nothing in the house is detached.
//
// stop(total) asks: finish what you do, then leave. It interrupts nothing; a task sees it in
// `(co_await asio::this_coro::cancellation_state).cancelled()`. stop(terminal) means now: the operation
// a task awaits ends with operation_aborted. A task born after stop() learns it at once.
// An exception that escapes a task is logged and counted; it never ends the program.
// The group does not own what tasks refer to: wait() for them before that goes away.
// Thread: the loop; no mutex.
#pragma once

#include "estafette/base/time.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace estafette::net {

namespace asio = boost::asio;

class task_group {
public:
    // Called once for each exception that escaped a task, in place of the log.
    using observer = std::function<void(std::string_view task, std::string_view what)>;

    explicit task_group(asio::any_io_executor loop, observer escaped = {});
    ~task_group();
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;

    // Starts the task; it may run until its first wait before spawn() returns.
    void spawn(std::string name, asio::awaitable<void> task);

    // Asks every task. A later, stronger call may follow; a weaker one changes nothing.
    void stop(asio::cancellation_type type);

    // True when every task has ended; false when the limit passed (or the waiting task was cancelled).
    [[nodiscard]] asio::awaitable<bool> wait(milliseconds limit);

    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] std::uint64_t escaped_exceptions() const noexcept;
    [[nodiscard]] bool is_stopping() const noexcept;

private:
    struct state;  // shared with the tasks' completions, which may outlive the group
    std::shared_ptr<state> state_;
};

}  // namespace estafette::net
