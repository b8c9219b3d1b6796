// How many connections a route should have, how fast it may send, when it rests: pure, driven by tests
// with a clock of their own.
//
// One connection goes first. When it is open a quarter of the limit may follow, and concurrency grows by one
// with each that opens and with each success until the first sign of overload (slow start), after that by
// one per round of successes; overload cuts it (AIMD). The breaker opens when nothing works any more
// and lets one probe through when its pause is over.
#pragma once

#include "estafette/route/rates.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace estafette::route {

enum class breaker : std::uint8_t {
    closed,     // working
    open,       // resting until probe_at()
    half_open,  // one connection may try
    stopped,    // paused by a person, until a time or for good
};

struct planner_limits {
    std::uint32_t connections = 20;
    milliseconds longest_pause = std::chrono::minutes{5};
    std::vector<rate_limit> rates;
};

class planner {
public:
    explicit planner(planner_limits limits);

    // Connections wanted while `ready` recipients wait and `busy` connections are in a transaction.
    [[nodiscard]] std::size_t wanted(std::size_t ready, std::size_t busy) const;

    // When another connection may be opened: after a failed one not at once.
    [[nodiscard]] steady_time open_at() const noexcept { return open_at_; }

    // Whether another message may be sent now; takes its tokens if so. Otherwise send_at() says when.
    [[nodiscard]] bool admit(steady_time now);
    [[nodiscard]] steady_time send_at(steady_time now) const;

    void on_opened(steady_time now);
    void on_success(steady_time now);

    // The server said that we are too many or too fast.
    void on_overload(steady_time now);

    // A connection could not be made ready. `others_work`: other connections of the route do.
    // True when the breaker opened by it: say so once.
    enum class gravity : std::uint8_t {
        passing,  // unreachable, busy: short pauses first, growing
        lasting,  // refused our name or password: the whole pause at once
    };
    [[nodiscard]] bool on_failure(steady_time now, gravity how, bool others_work);

    // A person's hand.
    void stop(std::optional<steady_time> until);
    void resume();

    // The breaker at this time: open turns half_open when its pause is over.
    [[nodiscard]] breaker state(steady_time now) const;

    // When a resting route tries again; none: until a person resumes it.
    [[nodiscard]] std::optional<steady_time> probe_at() const { return probe_at_; }

    [[nodiscard]] std::uint32_t allowed() const noexcept { return allowed_; }

private:
    planner_limits limits_;
    std::uint32_t allowed_ = 1;
    bool slow_start_ = true;
    std::uint32_t successes_ = 0;  // since the last growth
    std::uint32_t failures_ = 0;   // in a row
    bool is_resting_ = false;
    bool is_stopped_ = false;
    std::optional<steady_time> probe_at_;
    steady_time no_growth_before_{};
    steady_time open_at_{};
};

}  // namespace estafette::route
