#include "estafette/sched/holds.hpp"

#include <gtest/gtest.h>

namespace estafette::sched {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using verdict::reason;

const tenant_id acme{"acme"};
const tenant_id globex{"globex"};
const std::string ann = "ann@vendor.example";

wall_time at(milliseconds since_start) {
    return from_unix_ms(1'700'000'000'000) + since_start;
}

verdict::verdict refused(reason why, std::optional<seconds> hint = {}) {
    return {verdict::disposition::retry, verdict::scope::sender, why, hint, true, {}};
}

std::optional<store::paused> blame(holds& h, milliseconds when, holds::place where = holds::place::at_all) {
    return h.blame(acme, ann, refused(reason::sender_rejected), "550 no", where, at(when));
}

TEST(holds, nobody_is_kept_back_at_first) {
    holds h;
    EXPECT_TRUE(h.empty());
    EXPECT_TRUE(h.admit(acme, ann, at(seconds{0})));
    EXPECT_FALSE(h.keeps_back(acme));
    EXPECT_EQ(h.find(acme, ann), nullptr);
    EXPECT_FALSE(h.praise(acme, ann, at(seconds{0})));
}

TEST(holds, a_refused_sender_is_held_alone_and_said_once) {
    holds h;
    const auto change = blame(h, seconds{0});
    ASSERT_TRUE(change);
    EXPECT_EQ(change->what, store::pause_target::of(acme, ann));
    EXPECT_EQ(change->until, at(minutes{10}));
    EXPECT_EQ(change->why, reason::sender_rejected);
    EXPECT_EQ(change->text, "550 no");
    EXPECT_EQ(change->by, "daemon");
    EXPECT_FALSE(blame(h, seconds{1})) << "what was under way says nothing new";
    EXPECT_FALSE(h.admit(acme, ann, at(seconds{2})));
    EXPECT_TRUE(h.admit(acme, "bob@vendor.example", at(seconds{2})));
    EXPECT_TRUE(h.admit(globex, ann, at(seconds{2})));
    EXPECT_FALSE(h.praise(acme, ann, at(seconds{2}))) << "nor does it free it";
}

TEST(holds, one_probe_goes_when_the_time_is_over_and_the_next_pause_is_longer) {
    holds h;
    (void)blame(h, seconds{0});
    EXPECT_TRUE(h.to_probe(at(minutes{9})).empty());
    EXPECT_EQ(h.next(at(minutes{9})), at(minutes{10}));
    EXPECT_EQ(h.to_probe(at(minutes{10})).size(), 1u);
    EXPECT_TRUE(h.admit(acme, ann, at(minutes{10})));
    EXPECT_FALSE(h.admit(acme, ann, at(minutes{10}))) << "one only";
    EXPECT_TRUE(h.to_probe(at(minutes{11})).empty());
    const auto again = blame(h, minutes{11});
    ASSERT_TRUE(again);
    EXPECT_EQ(again->until, at(minutes{31}));
    EXPECT_EQ(h.find(acme, ann)->since, at(seconds{0}));
    EXPECT_TRUE(h.admit(acme, ann, at(minutes{31})));
    const auto freed = h.praise(acme, ann, at(minutes{32}));
    ASSERT_TRUE(freed);
    EXPECT_EQ(freed->by, "daemon");
    EXPECT_TRUE(h.empty());
}

TEST(holds, a_probe_without_an_answer_makes_room_for_another) {
    holds h;
    (void)blame(h, seconds{0});
    EXPECT_TRUE(h.admit(acme, ann, at(minutes{10})));
    h.release_probe(acme, ann);
    EXPECT_TRUE(h.admit(acme, ann, at(minutes{10})));
    EXPECT_FALSE(h.admit(acme, ann, at(minutes{54})));
    EXPECT_TRUE(h.admit(acme, ann, at(minutes{56}))) << "nor does one that was lost keep it for ever";
}

TEST(holds, a_recipient_that_refuses_a_sender_who_gets_through_to_others_holds_nobody) {
    holds h;
    ASSERT_TRUE(blame(h, seconds{0}, holds::place::at_a_recipient));
    EXPECT_TRUE(h.praise(acme, ann, at(seconds{1})));
    EXPECT_FALSE(blame(h, seconds{2}, holds::place::at_a_recipient));
    EXPECT_TRUE(h.empty());
    EXPECT_TRUE(blame(h, seconds{3}, holds::place::at_all)) << "MAIL is the same for everybody";
    EXPECT_TRUE(h.erase(store::pause_target::of(acme, ann)));
    EXPECT_TRUE(blame(h, hours{2}, holds::place::at_a_recipient)) << "it is no news any more";
}

TEST(holds, a_person_s_pause_is_neither_probed_nor_ended_by_mail) {
    holds h;
    const auto what = store::pause_target::of(acme, ann);
    h.put({what, at(seconds{0}), at(minutes{5}), reason::other, "audit", "uid 0"});
    h.put({store::pause_target::of(globex), at(seconds{0}), std::nullopt, reason::other, "", "uid 0"});
    EXPECT_FALSE(h.admit(acme, ann, at(minutes{6})));
    EXPECT_FALSE(blame(h, minutes{6}));
    EXPECT_FALSE(h.praise(acme, ann, at(minutes{6})));
    EXPECT_TRUE(h.to_probe(at(minutes{6})).empty());
    EXPECT_TRUE(h.over(at(minutes{4})).empty());
    EXPECT_EQ(h.over(at(minutes{5})), std::vector{what});
    EXPECT_TRUE(h.keeps_back(globex));
    EXPECT_FALSE(h.admit(globex, ann, at(minutes{6})));
    EXPECT_EQ(h.find(globex, ann)->what, store::pause_target::of(globex));
}

TEST(holds, what_waits_is_due_again_at_one_common_time_at_most_an_hour_away) {
    const store::pause row{store::pause_target::of(acme, ann), at(seconds{0}), {}, reason::other, {}, {}};
    EXPECT_EQ(holds::parked_until(row, at(seconds{0})), at(hours{1}));
    EXPECT_EQ(holds::parked_until(row, at(minutes{59})), at(hours{1}));
    EXPECT_EQ(holds::parked_until(row, at(hours{1})), at(hours{2}));
    EXPECT_EQ(holds::parked_until(row, at(-seconds{5})), at(hours{1})) << "the clock went back";
}

struct pause_case {
    reason why;
    std::optional<seconds> hint;
    std::uint32_t refusals;
    milliseconds pause;
};

TEST(holds, the_pause_grows_and_heeds_a_hint_within_bounds) {
    for (const auto& c : {
             pause_case{reason::sender_rejected, {}, 1, minutes{10}},
             pause_case{reason::sender_rejected, {}, 3, minutes{40}},
             pause_case{reason::sender_rejected, {}, 50, hours{4}},
             pause_case{reason::blocked_policy, seconds{86'400}, 1, hours{4}},
             pause_case{reason::rate_limited, {}, 1, minutes{1}},
             pause_case{reason::rate_limited, {}, 9, minutes{30}},
             pause_case{reason::rate_limited, seconds{120}, 4, minutes{2}},
             pause_case{reason::dns_failed, seconds{0}, 1, seconds{10}},
         }) {
        EXPECT_EQ(sender_pause(refused(c.why, c.hint), c.refusals), c.pause) << verdict::to_text(c.why);
    }
}

}  // namespace
}  // namespace estafette::sched
