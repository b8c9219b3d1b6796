#include "estafette/sched/outcome.hpp"

#include <gtest/gtest.h>

namespace estafette::sched {
namespace {

using verdict::disposition;
using verdict::scope;

constexpr wall_time now{std::chrono::hours{1000}};
constexpr wall_time in_a_week = now + std::chrono::hours{24 * 7};

store::attempt attempt_of(disposition what, scope fault, verdict::reason why = verdict::reason::other) {
    store::attempt a;
    a.number = 1;
    a.judged.what = what;
    a.judged.fault = fault;
    a.judged.why = why;
    return a;
}

outcome_changes settled(store::attempt a, wall_time expires = in_a_week, bool hold_uncertain = false) {
    config::tenant_options tenant;
    tenant.hold_uncertain = hold_uncertain;
    return settle({}, std::move(a), tenant, now, expires);
}

const store::attempted& first(const outcome_changes& changes) {
    return std::get<store::attempted>(changes.at(0));
}

TEST(settle, an_accepted_mail_is_relayed) {
    const auto out = settled(attempt_of(disposition::accepted, scope::recipient, verdict::reason::accepted));
    ASSERT_EQ(out.size(), 1u);
    EXPECT_EQ(first(out).next, store::state::relayed);
    EXPECT_FALSE(first(out).next_attempt_at);
}

TEST(settle, a_recipient_s_or_message_s_permanent_fault_fails) {
    for (const auto fault : {scope::recipient, scope::message}) {
        const auto out = settled(attempt_of(disposition::fail, fault, verdict::reason::unknown_user));
        ASSERT_EQ(out.size(), 1u);
        EXPECT_EQ(first(out).next, store::state::failed);
    }
}

TEST(settle, a_route_s_or_sender_s_fault_never_fails_a_recipient) {
    for (const auto fault : {scope::route, scope::sender}) {
        const auto out = settled(attempt_of(disposition::fail, fault, verdict::reason::auth_failed));
        ASSERT_EQ(out.size(), 1u);
        EXPECT_EQ(first(out).next, store::state::deferred);
        EXPECT_GT(*first(out).next_attempt_at, now);
    }
}

TEST(settle, a_temporary_fault_is_deferred_with_its_next_time) {
    const auto out = settled(attempt_of(disposition::retry, scope::recipient, verdict::reason::mailbox_full));
    EXPECT_EQ(first(out).next, store::state::deferred);
    EXPECT_GT(*first(out).next_attempt_at, now);
}

TEST(settle, a_held_sender_s_mail_is_due_when_its_hold_says_whatever_its_own_time) {
    for (const auto expires : {in_a_week, now + seconds{90}}) {
        config::tenant_options tenant;
        auto a = attempt_of(disposition::fail, scope::sender, verdict::reason::sender_rejected);
        const auto out = settle({}, std::move(a), tenant, now, expires, now + std::chrono::hours{1});
        ASSERT_EQ(out.size(), 1u);
        const auto& made = std::get<store::attempted>(out[0]);
        EXPECT_EQ(made.next, store::state::deferred);
        EXPECT_EQ(made.next_attempt_at, now + std::chrono::hours{1});
    }
}

TEST(settle, a_route_s_or_sender_s_fault_does_not_end_a_recipient_before_its_time) {
    for (const auto fault : {scope::route, scope::sender}) {
        const auto out = settled(attempt_of(disposition::retry, fault), now + milliseconds{10});
        ASSERT_EQ(out.size(), 1u);
        EXPECT_EQ(std::get<store::attempted>(out[0]).next_attempt_at, now + milliseconds{10});
        EXPECT_EQ(settled(attempt_of(disposition::retry, fault), now).size(), 2u);
    }
}

TEST(settle, the_last_attempt_before_expiry_is_kept_and_then_it_expires) {
    const auto out = settled(
        attempt_of(disposition::retry, scope::recipient, verdict::reason::mailbox_full), now + seconds{1}
    );
    ASSERT_EQ(out.size(), 2u);
    EXPECT_EQ(first(out).what.judged.why, verdict::reason::mailbox_full);
    EXPECT_TRUE(std::holds_alternative<store::expired>(out[1]));
}

TEST(settle, mail_in_doubt_is_sent_again_or_held_as_the_tenant_wishes) {
    const auto doubt = attempt_of(disposition::uncertain, scope::recipient, verdict::reason::uncertain);
    EXPECT_EQ(first(settled(doubt)).next, store::state::deferred);
    const auto held = settled(doubt, in_a_week, true);
    EXPECT_EQ(first(held).next, store::state::held);
    EXPECT_FALSE(first(held).next_attempt_at);
}

}  // namespace
}  // namespace estafette::sched
