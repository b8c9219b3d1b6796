#include "estafette/sched/watchdog.hpp"

#include <gtest/gtest.h>

namespace estafette::sched {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using store::state;

constexpr wall_time now{hours{1000}};

struct row {
    const char* name;
    waiting_facts facts;
    promise expected;
};

TEST(watchdog, knows_what_each_recipient_was_promised) {
    const wall_time ages = now - hours{10};
    const wall_time later = now + hours{10};
    const row table[]{
        {"sent", {state::relayed, {}, later, false, {}, ages}, promise::kept},
        {"failed", {state::failed, {}, ages, false, {}, ages}, promise::kept},
        {"for next week", {state::scheduled, later, later, false, {}, ages}, promise::later},
        {"tried again later", {state::deferred, now + minutes{1}, later, false, {}, ages}, promise::later},
        {"due now", {state::queued, now, later, false, {}, ages}, promise::soon},
        {"due nine minutes ago", {state::queued, now - minutes{9}, later, false, {}, ages}, promise::soon},
        {"due eleven minutes ago", {state::queued, now - minutes{11}, later, false, {}, ages}, promise::broken
        },
        {"the same, deferred", {state::deferred, now - minutes{11}, later, false, {}, ages}, promise::broken},
        {"its route is at work", {state::queued, ages, later, false, now - minutes{1}, ages}, promise::soon},
        {"its route stands still",
         {state::queued, ages, later, false, now - minutes{11}, ages},
         promise::broken},
        {"its route rests", {state::queued, ages, later, true, now - hours{9}, ages}, promise::somebody},
        {"we have just started", {state::queued, ages, later, false, {}, now - minutes{1}}, promise::soon},
        {"waits without a time", {state::queued, {}, later, false, now, ages}, promise::broken},
        {"held by a person", {state::held, {}, later, false, {}, ages}, promise::somebody},
        {"held, and its time is over", {state::held, {}, now - hours{1}, false, {}, ages}, promise::broken},
    };
    for (const auto& r : table) {
        EXPECT_EQ(promise_of(r.facts, now), r.expected) << r.name;
    }
}

recipient_id rcpt(std::uint32_t n) {
    return {{}, n};
}

TEST(watchdog, a_claim_that_nobody_has_is_lost_at_the_third_look_and_said_once) {
    claim_watch w;
    const std::vector claimed{rcpt(1), rcpt(2)};
    EXPECT_TRUE(w.look(claimed, {rcpt(2)}).empty());
    EXPECT_TRUE(w.look(claimed, {rcpt(2)}).empty());
    EXPECT_EQ(w.look(claimed, {rcpt(2)}), std::vector{rcpt(1)});
    EXPECT_TRUE(w.look({rcpt(2)}, {rcpt(2)}).empty());
}

TEST(watchdog, a_claim_between_two_hands_is_not) {
    claim_watch w;
    for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE(w.look({rcpt(1)}, {}).empty());
        EXPECT_TRUE(w.look({rcpt(1)}, {}).empty());
        EXPECT_TRUE(w.look({rcpt(1)}, {rcpt(1)}).empty()) << "somebody has it after all";
    }
}

}  // namespace
}  // namespace estafette::sched
