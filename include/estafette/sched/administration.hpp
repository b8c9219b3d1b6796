// What administrators do to many recipients at once: hold, release, requeue, delete, expire, pause, resume.
// Each is an action with a row of its own: by whom, why, whom it concerned, how many, until when.
//
// A selector over a million recipients works in small steps that are in nobody's way; an action that a
// restart interrupts goes on after it. What has an end is undone then. Nothing here knows who may do what.
// Thread: the loop.
#pragma once

#include "estafette/sched/scheduler.hpp"

#include <map>
#include <string>
#include <vector>

namespace estafette::sched {

class administration {
public:
    // All references outlive it.
    administration(asio::any_io_executor loop, store::queue& queue, scheduler& below);

    struct order {
        store::action_verb verb = store::action_verb::hold;
        store::selector whom;  // not empty
        std::string reason, by;
        std::optional<wall_time> expires_at;
    };

    // How many recipients it would change now.
    [[nodiscard]] asio::awaitable<result<std::uint64_t>> count(store::action_verb verb, store::selector whom);

    // Durable on return; the work goes on. errc::not_found: a pause of what is not there, a resume of what
    // is not paused.
    [[nodiscard]] asio::awaitable<result<store::action>> begin(order what);

    // errc::not_found; errc::conflict where nothing can be undone: it is undone already, or its verb has no
    // way back (requeue, delete, expire).
    [[nodiscard]] asio::awaitable<result<store::action>> undo(std::uint64_t id, std::string by);

    [[nodiscard]] asio::awaitable<result<store::action>> find(std::uint64_t id);

    // Newest first, below that id (0: any).
    [[nodiscard]] asio::awaitable<result<std::vector<store::action>>>
    list(std::uint64_t below, std::size_t limit);

    // Until the action is done, at most so long.
    [[nodiscard]] asio::awaitable<void> settled(std::uint64_t id, milliseconds limit);

    // What was under way goes on, what has an end is watched.
    [[nodiscard]] asio::awaitable<result<void>> restore();

    // Ends what has an end, until stopped.
    [[nodiscard]] asio::awaitable<void> run();

    void stop();
    [[nodiscard]] asio::awaitable<void> wait();

private:
    [[nodiscard]] asio::awaitable<void> work(store::action a);
    [[nodiscard]] asio::awaitable<void> work_back(store::action a, std::string by);
    enum class noting : std::uint8_t { no, yes };  // how far it is, in its row
    [[nodiscard]] asio::awaitable<bool>
    walk(store::action& a, store::action_verb verb, std::string marker, noting how_far);
    [[nodiscard]] asio::awaitable<bool> hold_again(store::action a, std::string by);
    [[nodiscard]] asio::awaitable<std::optional<store::selection>>
    step(store::selector whom, store::state now, std::uint64_t after);
    [[nodiscard]] asio::awaitable<std::vector<store::candidate>>
    named(store::selector whom, std::set<store::state> states);
    [[nodiscard]] asio::awaitable<result<void>> write(store::action a);
    [[nodiscard]] asio::awaitable<result<store::action>> pause_or_resume(store::action a);

    asio::any_io_executor loop_;
    store::queue& queue_;
    scheduler& scheduler_;
    net::task_group tasks_;
    asio::steady_timer wake_;
    std::map<std::uint64_t, store::action> under_way_;
    std::multimap<wall_time, std::uint64_t> ends_;  // what is undone when
    std::uint64_t last_id_ = 0;
    bool is_stopping_ = false;
};

}  // namespace estafette::sched
