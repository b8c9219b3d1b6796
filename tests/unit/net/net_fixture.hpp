// Coroutines run from a test: started on the loop, cancelled if wanted, their value taken.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>

namespace testing_net {

namespace asio = boost::asio;

template <class T> struct task {
    asio::cancellation_signal cancel;
    std::optional<T> value;
    std::exception_ptr thrown;
};

// As the task group runs its tasks: cancellation never throws.
template <class T> asio::awaitable<T> calm(asio::awaitable<T> inner) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_return co_await std::move(inner);
}

template <class T> std::shared_ptr<task<T>> start(asio::io_context& loop, asio::awaitable<T> work) {
    auto t = std::make_shared<task<T>>();
    auto on_end = [t](std::exception_ptr thrown, T value) {
        t->thrown = thrown;
        t->value.emplace(std::move(value));
    };
    asio::co_spawn(
        loop, calm(std::move(work)), asio::bind_cancellation_slot(t->cancel.slot(), std::move(on_end))
    );
    return t;
}

template <class T> T finish(asio::io_context& loop, task<T>& t) {
    loop.restart();
    while (!t.value && loop.run_one_for(std::chrono::seconds{20}) != 0) {
    }
    if (!t.value)
        throw std::logic_error{"the coroutine waits for nothing, or for too long"};
    if (t.thrown)
        std::rethrow_exception(t.thrown);
    return std::move(*t.value);
}

template <class T> T run(asio::io_context& loop, asio::awaitable<T> work) {
    const auto t = start(loop, std::move(work));
    return finish(loop, *t);
}

}  // namespace testing_net
