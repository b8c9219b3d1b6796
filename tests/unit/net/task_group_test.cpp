#include "estafette/net/task_group.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <vector>

using namespace estafette;
using net::task_group;
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

// Waits for a timer that never fires; tells what ended the wait.
asio::awaitable<void> sleeper(asio::steady_timer& timer, boost::system::error_code& ended_by) {
    auto [ec] = co_await timer.async_wait(use_tuple);
    ended_by = ec;
}

asio::awaitable<void> sleep_for_ever(bool& woken) {
    const auto loop = co_await asio::this_coro::executor;
    asio::steady_timer timer{loop, asio::steady_timer::time_point::max()};
    co_await timer.async_wait(use_tuple);
    woken = true;
}

asio::awaitable<void> thrower() {
    throw std::runtime_error{"broken"};
    co_return;
}

asio::awaitable<void> throws_an_int() {
    throw 7;
    co_return;
}

asio::awaitable<void> note_cancellation(asio::steady_timer& timer, asio::cancellation_type& seen) {
    co_await timer.async_wait(use_tuple);
    const auto cancelled = co_await asio::this_coro::cancellation_state;
    seen = cancelled.cancelled();
}

asio::awaitable<void> keep_answer(asio::awaitable<bool> wait, std::optional<bool>& answer) {
    const bool ended = co_await std::move(wait);
    answer = ended;
}

struct TaskGroup : testing::Test {
    asio::io_context loop;
    std::vector<std::string> escaped;
    task_group group{loop.get_executor(), [this](std::string_view task, std::string_view what) {
                         escaped.push_back(std::string{task} + ": " + std::string{what});
                     }};
    asio::steady_timer timer{loop, asio::steady_timer::time_point::max()};

    // Starts wait() outside the group and runs the loop until nothing more is ready.
    void start_wait(milliseconds limit, std::optional<bool>& answer) {
        asio::co_spawn(loop, keep_answer(group.wait(limit), answer), [](std::exception_ptr) {});
        loop.poll();
    }
};

}  // namespace

TEST_F(TaskGroup, TotalInterruptsNothingAndIsSeenByTheTask) {
    auto seen = asio::cancellation_type::none;
    group.spawn("one", note_cancellation(timer, seen));
    loop.poll();
    group.stop(asio::cancellation_type::total);
    loop.poll();
    EXPECT_EQ(group.size(), 1u);
    timer.cancel();
    loop.restart();
    loop.poll();
    EXPECT_EQ(group.size(), 0u);
    EXPECT_NE(seen & asio::cancellation_type::total, asio::cancellation_type::none);
}

TEST_F(TaskGroup, TerminalEndsTheOperationThatIsAwaited) {
    boost::system::error_code ended_by;
    group.spawn("one", sleeper(timer, ended_by));
    loop.poll();
    group.stop(asio::cancellation_type::total);
    group.stop(asio::cancellation_type::terminal);
    loop.restart();
    loop.poll();
    EXPECT_EQ(ended_by, asio::error::operation_aborted);
    EXPECT_EQ(group.size(), 0u);
}

TEST_F(TaskGroup, AWeakerStopAfterTerminalChangesNothing) {
    boost::system::error_code ended_by;
    group.stop(asio::cancellation_type::terminal);
    group.stop(asio::cancellation_type::total);
    group.spawn("late", sleeper(timer, ended_by));
    loop.poll();
    EXPECT_EQ(ended_by, asio::error::operation_aborted);
}

TEST_F(TaskGroup, ATaskBornAfterTotalSeesIt) {
    auto seen = asio::cancellation_type::none;
    group.stop(asio::cancellation_type::total);
    EXPECT_TRUE(group.is_stopping());
    group.spawn("late", note_cancellation(timer, seen));
    loop.poll();
    timer.cancel();
    loop.restart();
    loop.poll();
    EXPECT_NE(seen & asio::cancellation_type::total, asio::cancellation_type::none);
}

TEST_F(TaskGroup, AnExceptionIsToldOnceCountedAndHarmsNobodyElse) {
    boost::system::error_code ended_by;
    group.spawn("other", sleeper(timer, ended_by));
    group.spawn("bad", thrower());
    group.spawn("worse", throws_an_int());
    loop.poll();
    EXPECT_EQ(escaped, (std::vector<std::string>{"bad: broken", "worse: not a std::exception"}));
    EXPECT_EQ(group.escaped_exceptions(), 2u);
    EXPECT_EQ(group.size(), 1u);
}

TEST_F(TaskGroup, WaitIsTrueWhenTheLastTaskEnds) {
    boost::system::error_code ended_by;
    group.spawn("one", sleeper(timer, ended_by));
    std::optional<bool> answer;
    start_wait(1h, answer);
    EXPECT_FALSE(answer);
    timer.cancel();
    loop.restart();
    loop.poll();
    EXPECT_EQ(answer, true);
}

TEST_F(TaskGroup, WaitIsFalseWhenTheLimitPasses) {
    boost::system::error_code ended_by;
    group.spawn("one", sleeper(timer, ended_by));
    std::optional<bool> answer;
    start_wait(0ms, answer);
    EXPECT_EQ(answer, false);
}

TEST_F(TaskGroup, WaitForAnEmptyGroupIsTrueAtOnce) {
    std::optional<bool> answer;
    start_wait(1h, answer);
    EXPECT_EQ(answer, true);
}

TEST_F(TaskGroup, ATaskThatEndsBeforeItsFirstWaitIsGone) {
    asio::post(loop, [&] {
        group.spawn("quick", thrower());
        EXPECT_LE(group.size(), 1u);
    });
    loop.poll();
    EXPECT_EQ(group.size(), 0u);
}

TEST(TaskGroupEnd, TasksMayOutliveTheGroupAndDieWithTheLoop) {
    asio::io_context loop;
    bool woken = false;
    {
        task_group group{loop.get_executor()};
        group.spawn("orphan", sleep_for_ever(woken));
        loop.poll();
    }
    loop.restart();
    loop.poll();
    EXPECT_FALSE(woken);
}
