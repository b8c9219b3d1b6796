// Which change fits which state, over every engine.
#include "store_fixture.hpp"

namespace estafette::store {
namespace {

using namespace test;

class a_step : public testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(
    of_kind,
    a_step,
    testing::Values("memory", "local", "local_in_small_steps"),
    [](const auto& kind) { return std::string{kind.param}; }
);

struct step_case {
    const char* name;
    std::vector<change> before;
    change tried;
    bool takes_effect;
    state after;
};

const std::vector<step_case>& steps() {
    const recipient_id who = rcpt(1);
    const change cancel = cancelled{who, at(20), "uid 1000", "no longer wanted"};
    const change hold = held{who, at(20), verdict::reason::other, "uid 0", "look at it"};
    const change release = released{who, at(20), "uid 0"};
    const change expire = expired{who, at(20)};
    const change delay = delayed{who, at(20)};
    const auto report = [who](finding what) {
        return corrected{
            who,
            at(30),
            what,
            try_of(30, verdict::disposition::fail, verdict::reason::mailbox_full).judged,
            "mx.customer.example",
            "bounced",
            "Action: failed"
        };
    };
    static const std::vector<step_case> all{
        {"queued_relayed", {}, relayed(who, 10), true, state::relayed},
        {"queued_deferred", {}, deferred(who, 10, 60), true, state::deferred},
        {"queued_failed", {}, failed(who, 10), true, state::failed},
        {"queued_cancelled", {}, cancel, true, state::cancelled},
        {"queued_held", {}, hold, true, state::held},
        {"queued_expired", {}, expire, true, state::failed},
        {"deferred_relayed", {deferred(who, 10, 60)}, relayed(who, 60), true, state::relayed},
        {"deferred_cancelled", {deferred(who, 10, 60)}, cancel, true, state::cancelled},
        {"deferred_released_now", {deferred(who, 10, 60)}, release, true, state::queued},
        {"held_twice", {hold}, hold, false, state::held},
        {"held_released", {hold}, release, true, state::queued},
        {"held_cancelled", {hold}, cancel, true, state::cancelled},
        {"held_expired", {hold}, expire, true, state::failed},
        {"held_while_it_left_and_accepted", {hold}, relayed(who, 10), true, state::relayed},
        {"held_while_tried_and_put_off", {hold}, deferred(who, 10, 60), true, state::held},
        {"held_in_doubt", {}, uncertain(who, 10, state::held), true, state::held},
        {"relayed_then_cancelled", {relayed(who, 10)}, cancel, false, state::relayed},
        {"relayed_then_held", {relayed(who, 10)}, hold, false, state::relayed},
        {"relayed_then_released", {relayed(who, 10)}, release, false, state::relayed},
        {"relayed_then_expired", {relayed(who, 10)}, expire, false, state::relayed},
        {"relayed_twice", {relayed(who, 10)}, relayed(who, 11), false, state::relayed},
        {"relayed_then_deferred", {relayed(who, 10)}, deferred(who, 11, 60), false, state::relayed},
        {"relayed_then_delivered", {relayed(who, 10)}, report(finding::delivered), true, state::delivered},
        {"relayed_then_bounced", {relayed(who, 10)}, report(finding::failed), true, state::failed},
        {"relayed_then_delayed", {relayed(who, 10)}, report(finding::delayed), true, state::relayed},
        {"delayed_twice",
         {relayed(who, 10), report(finding::delayed)},
         report(finding::delayed),
         false,
         state::relayed},
        {"delayed_then_bounced",
         {relayed(who, 10), report(finding::delayed)},
         report(finding::failed),
         true,
         state::failed},
        {"bounced_twice",
         {relayed(who, 10), report(finding::failed)},
         report(finding::failed),
         false,
         state::failed},
        {"bounced_then_delayed",
         {relayed(who, 10), report(finding::failed)},
         report(finding::delayed),
         false,
         state::failed},
        {"relayed_then_complained", {relayed(who, 10)}, report(finding::complained), true, state::relayed},
        {"delivered_then_complained",
         {relayed(who, 10), report(finding::delivered)},
         report(finding::complained),
         true,
         state::delivered},
        {"complained_twice",
         {relayed(who, 10), report(finding::complained)},
         report(finding::complained),
         false,
         state::relayed},
        {"queued_corrected", {}, report(finding::delivered), false, state::queued},
        {"queued_complained", {}, report(finding::complained), false, state::queued},
        {"deferred_then_delayed", {deferred(who, 10, 60)}, report(finding::delayed), false, state::deferred},
        {"failed_then_corrected", {failed(who, 10)}, report(finding::delivered), false, state::failed},
        {"cancelled_then_cancelled", {cancel}, cancel, false, state::cancelled},
        {"cancelled_then_released", {cancel}, release, false, state::cancelled},
        {"cancelled_then_deferred", {cancel}, deferred(who, 30, 60), false, state::cancelled},
        {"queued_delayed", {}, delay, true, state::queued},
        {"deferred_delayed", {deferred(who, 10, 60)}, delay, true, state::deferred},
        {"held_delayed", {hold}, delay, true, state::held},
        {"delayed_twice", {delay}, delay, false, state::queued},
        {"delayed_deferred_delayed", {delay, deferred(who, 10, 60)}, delay, false, state::deferred},
        {"delayed_then_relayed", {delay}, relayed(who, 30), true, state::relayed},
        {"relayed_then_delayed", {relayed(who, 10)}, delay, false, state::relayed},
        {"cancelled_then_delayed", {cancel}, delay, false, state::cancelled},
        {"cancelled_while_it_left_and_accepted", {cancel}, relayed(who, 30), true, state::relayed},
    };
    return all;
}

TEST_P(a_step, takes_effect_only_where_it_fits) {
    for (const step_case& c : steps()) {
        SCOPED_TRACE(c.name);
        store_of one{GetParam()};
        one.commit({mail_of{}});
        one.commit(c.before);
        const auto events_before = one->events(0, 100)->size();
        EXPECT_EQ(one.commit({c.tried}), effects{c.takes_effect});
        EXPECT_EQ(one->events(0, 100)->size(), events_before + (c.takes_effect ? 1 : 0));
        if (one.is_durable()) {
            one.open();
        }
        EXPECT_EQ(one.state_of(1), c.after);
        EXPECT_EQ(one.recipient(1).next_attempt_at.has_value(), c.after <= state::deferred);
        EXPECT_EQ(one->count()->by_state[static_cast<std::size_t>(c.after)], 1u);
    }
}

}  // namespace
}  // namespace estafette::store
