#include "estafette/route/planner.hpp"

#include <algorithm>

namespace estafette::route {

namespace {

constexpr milliseconds first_pause = seconds{5};

// Connections that may follow the first one at once; more where the limit is high.
constexpr std::uint32_t first_step = 5;

}  // namespace

planner::planner(planner_limits limits)
    : limits_{std::move(limits)} {
    limits_.connections = std::max<std::uint32_t>(1, limits_.connections);
}

std::size_t planner::wanted(std::size_t ready, std::size_t busy) const {
    return std::min<std::size_t>(is_resting_ ? 1 : allowed_, ready + busy);
}

bool planner::admit(steady_time now) {
    if (send_at(now) > now) {
        return false;
    }
    for (auto& r : limits_.rates) {
        r.take(now);
    }
    return true;
}

steady_time planner::send_at(steady_time now) const {
    steady_time at = now;
    for (const auto& r : limits_.rates) {
        at = std::max(at, r.ready_at(now));
    }
    return at;
}

// The name, the password and the certificate were taken: others will be too.
void planner::on_opened(steady_time now) {
    if (slow_start_ && !is_resting_ && now >= no_growth_before_) {
        const auto step = std::max(first_step, limits_.connections / 4);
        allowed_ = std::min(limits_.connections, std::max(allowed_ + 1, step));
    }
}

void planner::on_success(steady_time now) {
    failures_ = 0;
    is_resting_ = false;
    if (!is_stopped_) {
        probe_at_.reset();
    }
    if (allowed_ >= limits_.connections || now < no_growth_before_) {
        return;
    }
    if (slow_start_ || ++successes_ >= allowed_ * 10) {
        ++allowed_;
        successes_ = 0;
    }
}

void planner::on_overload(steady_time now) {
    if (now < no_growth_before_) {
        return;  // one cut per wave of complaints
    }
    slow_start_ = false;
    successes_ = 0;
    allowed_ = std::max<std::uint32_t>(1, allowed_ * 7 / 10);
    no_growth_before_ = now + seconds{1};
}

bool planner::on_failure(steady_time now, gravity how, bool others_work) {
    ++failures_;
    if (others_work && how == gravity::passing) {
        on_overload(now);
        open_at_ = now + std::min<milliseconds>(limits_.longest_pause, seconds{1} * failures_);
        return false;
    }
    const auto doublings = std::min<std::uint32_t>(failures_ - 1, 10);
    const auto pause = how == gravity::lasting
                           ? limits_.longest_pause
                           : std::min<milliseconds>(limits_.longest_pause, first_pause * (1u << doublings));
    const bool is_new = !is_resting_;
    is_resting_ = true;
    allowed_ = 1;
    slow_start_ = true;
    if (!is_stopped_) {
        probe_at_ = now + pause;
    }
    return is_new;
}

void planner::stop(std::optional<steady_time> until) {
    is_stopped_ = true;
    probe_at_ = until;
}

void planner::resume() {
    is_stopped_ = false;
    is_resting_ = false;
    failures_ = 0;
    probe_at_.reset();
}

breaker planner::state(steady_time now) const {
    if (is_stopped_ && (!probe_at_ || now < *probe_at_)) {
        return breaker::stopped;
    }
    if (!is_resting_) {
        return breaker::closed;
    }
    return probe_at_ && now < *probe_at_ ? breaker::open : breaker::half_open;
}

}  // namespace estafette::route
