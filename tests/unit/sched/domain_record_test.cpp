#include "estafette/sched/domain_record.hpp"

#include <gtest/gtest.h>

namespace estafette::sched {
namespace {

const wall_time start = from_unix_ms(1'800'000'000'000);
const route_id relay{"relay"};

verdict::verdict judged(verdict::disposition what, verdict::reason why) {
    verdict::verdict v;
    v.what = what;
    v.why = why;
    return v;
}

const auto taken = judged(verdict::disposition::accepted, verdict::reason::accepted);
const auto unknown = judged(verdict::disposition::fail, verdict::reason::unknown_user);
const auto blocked = judged(verdict::disposition::fail, verdict::reason::blocked_policy);
const auto silent = judged(verdict::disposition::retry, verdict::reason::timeout);

TEST(DomainRecord, CountsByWhatHappened) {
    domain_record r{start};
    for (const auto& v : {taken, taken, unknown, blocked, silent}) {
        r.note(relay, "customer.example", v, start);
    }
    const auto found = r.of(relay, "customer.example", start);
    EXPECT_EQ(found.accepted, 2u);
    EXPECT_EQ(found.unknown, 1u);
    EXPECT_EQ(found.blocked, 1u);
    EXPECT_EQ(found.unreachable, 1u);
    EXPECT_EQ(found.last_accepted_at, start);
    EXPECT_EQ(found.since, start);
}

TEST(DomainRecord, KeepsRoutesApart) {
    domain_record r{start};
    r.note(relay, "customer.example", taken, start);
    EXPECT_EQ(r.of(route_id{"tenant:acme"}, "customer.example", start).accepted, 0u);
    EXPECT_EQ(r.of(relay, "other.example", start).accepted, 0u);
}

TEST(DomainRecord, ForgetsAfterADay) {
    domain_record r{start};
    r.note(relay, "customer.example", taken, start);
    const auto later = start + std::chrono::hours{23};
    r.note(relay, "customer.example", unknown, later);
    EXPECT_EQ(r.of(relay, "customer.example", later).accepted, 1u);
    const auto next_day = start + std::chrono::hours{25};
    const auto found = r.of(relay, "customer.example", next_day);
    EXPECT_EQ(found.accepted, 0u);
    EXPECT_EQ(found.last_accepted_at, std::nullopt);
    EXPECT_EQ(found.unknown, 1u);
    EXPECT_EQ(found.since, next_day - std::chrono::hours{24});
}

TEST(DomainRecord, TheHourOfYesterdayIsNotTheHourOfToday) {
    domain_record r{start};
    r.note(relay, "customer.example", taken, start);
    const auto next_day = start + std::chrono::hours{24};
    r.note(relay, "customer.example", taken, next_day);
    EXPECT_EQ(r.of(relay, "customer.example", next_day).accepted, 1u);
}

TEST(DomainRecord, IsBoundedAndForgetsTheOneNotedLongestAgo) {
    domain_record r{start};
    r.note(relay, "first.example", taken, start);
    r.note(relay, "second.example", taken, start);
    r.note(relay, "first.example", taken, start);
    for (std::size_t i = 0; i < domain_record::most_domains - 1; ++i) {
        r.note(relay, "d" + std::to_string(i) + ".example", taken, start);
    }
    EXPECT_EQ(r.of(relay, "second.example", start).accepted, 0u);
    EXPECT_EQ(r.of(relay, "first.example", start).accepted, 2u);
}

}  // namespace
}  // namespace estafette::sched
