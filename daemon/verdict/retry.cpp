#include "estafette/verdict/retry.hpp"

#include <algorithm>
#include <initializer_list>

namespace estafette::verdict {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr milliseconds shortest_hint = seconds{1};
constexpr milliseconds longest_hint = hours{24};

// splitmix64: every bit of the seed reaches every bit of the result.
std::uint64_t mix(std::uint64_t x) noexcept {
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

// −1 ≤ result < 1, the same for the same seed and attempt.
double spread(std::uint64_t seed, std::uint32_t attempt) noexcept {
    const auto bits = mix(seed ^ (std::uint64_t{attempt} << 32)) >> 11;
    return static_cast<double>(bits) / static_cast<double>(1ull << 52) - 1.0;
}

milliseconds scheduled(const retry_schedule& schedule, std::uint32_t attempts, std::uint64_t seed) {
    if (schedule.delays.empty()) {
        return minutes{5};
    }
    const auto index = std::min<std::size_t>(attempts == 0 ? 0 : attempts - 1, schedule.delays.size() - 1);
    const auto delay = static_cast<double>(schedule.delays[index].count());
    const auto jitter = std::clamp(schedule.jitter, 0.0, 0.5);
    const auto spread_delay = delay * (1.0 + jitter * spread(seed, attempts));
    return std::max(milliseconds{static_cast<std::int64_t>(spread_delay)}, shortest_hint);
}

}  // namespace

const retry_schedule& retry_plan::of(reason r) const {
    const auto found = by_reason.find(r);
    return found == by_reason.end() ? standard : found->second;
}

retry_plan retry_plan::defaults() {
    const auto of_minutes = [](std::initializer_list<int> list) {
        retry_schedule schedule;
        for (const auto m : list) {
            schedule.delays.emplace_back(minutes{m});
        }
        return schedule;
    };
    retry_plan plan;
    plan.standard = of_minutes({1, 2, 4, 8, 16, 32, 64, 128, 240});
    // Most greylists open after 1 to 15 minutes, and some forget who does not come back within hours.
    plan.by_reason[reason::greylisted] = of_minutes({1, 3, 5, 10, 15, 15, 30, 60});
    plan.by_reason[reason::rate_limited] = of_minutes({5, 10, 20, 40, 60});
    plan.by_reason[reason::too_many_recipients] = of_minutes({1, 5, 15, 60});
    // A person has to make room, a reputation has to recover: coming back often helps neither.
    plan.by_reason[reason::mailbox_full] = of_minutes({60, 240, 480, 720});
    plan.by_reason[reason::blocked_reputation] = of_minutes({60, 120, 240, 480});
    plan.by_reason[reason::blocked_content] = of_minutes({30, 120, 240, 480});
    plan.by_reason[reason::blocked_policy] = of_minutes({30, 120, 240, 480});
    // An address that a server calls unknown "for now" is mostly a directory that is away for a while.
    plan.by_reason[reason::unknown_user] = of_minutes({5, 30, 120, 240});
    plan.by_reason[reason::inactive_user] = of_minutes({60, 240, 480, 720});
    // In doubt after the final dot: the server may still be working on the first copy (RFC 1047).
    plan.by_reason[reason::uncertain] = of_minutes({10, 30, 60, 240});
    return plan;
}

std::optional<wall_time> next_attempt(
    const verdict& v,
    std::uint32_t attempts,
    wall_time now,
    wall_time expires_at,
    const retry_plan& plan,
    std::uint64_t seed
) {
    const milliseconds delay = v.retry_hint
                                   ? std::clamp(milliseconds{*v.retry_hint}, shortest_hint, longest_hint)
                                   : scheduled(plan.of(v.why), attempts, seed);
    // Compared as a difference: an expiry far away must not overflow the sum.
    if (expires_at <= now || expires_at - now < delay) {
        return std::nullopt;
    }
    return now + delay;
}

}  // namespace estafette::verdict
