#include "estafette/route/rates.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace estafette::route {
namespace {

constexpr steady_time start{std::chrono::hours{1}};
const tenant_id acme{"acme"}, globex{"globex"};

TEST(rate_limit, refuses_what_is_not_a_rate) {
    for (const char* text : {"", "30", "30/", "/m", "0/m", "-1/m", "30/x", "30/mm", "30 /m", "1.5/s"}) {
        EXPECT_FALSE(rate_limit::parse(text)) << text;
    }
}

TEST(rate_limit, lets_as_many_pass_at_once_as_a_period_allows_and_the_next_when_it_is_over) {
    auto rate = *rate_limit::parse("30/m");
    for (int i = 0; i < 30; ++i) {
        EXPECT_EQ(rate.ready_at(start), start);
        rate.take(start);
    }
    const auto next = rate.ready_at(start);
    EXPECT_GE(next, start + seconds{60});
    EXPECT_LE(next, start + seconds{64}) << "a sixteenth more at most";
    EXPECT_EQ(rate.ready_at(next), next);
}

// However the messages come, no period of that length has more than the limit.
TEST(rate_limit, holds_in_every_period_wherever_it_begins) {
    struct {
        const char* text;
        std::size_t count;
        steady_time::duration period;
    } const cases[] = {
        {"1/s", 1, seconds{1}},
        {"7/s", 7, seconds{1}},
        {"30/m", 30, seconds{60}},
        {"100/h", 100, std::chrono::hours{1}},
        {"50/d", 50, std::chrono::hours{24}},
    };
    for (const auto& c : cases) {
        auto rate = *rate_limit::parse(c.text);
        std::deque<steady_time> sent;
        std::size_t all = 0;
        for (int step = 0; step < 3000; ++step) {
            const auto now = start + c.period * step / 97;
            const int wanted = step % 50 == 0 ? 40 : step % 3;
            for (int i = 0; i < wanted && rate.ready_at(now) <= now; ++i) {
                rate.take(now);
                sent.push_back(now);
                ++all;
            }
            while (!sent.empty() && sent.front() <= now - c.period) {
                sent.pop_front();
            }
            ASSERT_LE(sent.size(), c.count) << c.text;
        }
        EXPECT_GE(all, c.count * (3000 / 97) * 9 / 10 - c.count) << c.text << " is used, too";
    }
}

TEST(quota_book, holds_a_domain_and_no_other) {
    quota_book book{{{"example.org", {"1/m"}}}};
    book.take(acme, {"example.org"}, start);
    EXPECT_GT(book.ready_at(globex, {"example.org"}, start), start) << "for whomever it is";
    EXPECT_EQ(book.ready_at(acme, {"example.net"}, start), start);
    EXPECT_GT(book.ready_at(acme, {"example.net", "example.org"}, start), start) << "both are in it";
    EXPECT_GT(book.turn_at(acme, "example.org", start), start);
    EXPECT_EQ(book.turn_at(acme, "example.net", start), start);
}

TEST(quota_book, each_domain_that_is_not_named_has_a_limit_of_its_own) {
    quota_book book{{{"*", {"1/m"}}, {"example.org", {"2/m"}}}};
    book.take(acme, {"one.example"}, start);
    EXPECT_GT(book.ready_at(acme, {"one.example"}, start), start);
    EXPECT_EQ(book.ready_at(acme, {"two.example"}, start), start);
    book.take(acme, {"example.org"}, start);
    EXPECT_EQ(book.ready_at(acme, {"example.org"}, start), start);
}

TEST(quota_book, domains_beyond_what_is_kept_share_a_limit_until_others_are_forgotten) {
    quota_book book{{{"*", {"1/m"}}}};
    for (std::size_t i = 0; i < quota_book::most_domains; ++i) {
        const auto name = "d" + std::to_string(i) + ".example";
        book.take(acme, {name}, start);
    }
    book.take(acme, {"a.example"}, start);
    EXPECT_GT(book.ready_at(acme, {"b.example"}, start), start);
    const auto later = start + std::chrono::hours{1};
    book.take(acme, {"c.example"}, later);
    EXPECT_EQ(book.ready_at(acme, {"b.example"}, later), later);
}

TEST(quota_book, a_tenant_s_limit_stays_used_up_over_a_reload_that_does_not_change_it) {
    quota_book book;
    EXPECT_TRUE(book.empty());
    book.set_tenants({{"acme", {"1/h"}}});
    EXPECT_FALSE(book.empty());
    book.take(acme, {"example.org"}, start);
    book.set_tenants({{"acme", {"1/h"}}, {"globex", {"1/h"}}});
    EXPECT_GT(book.ready_at(acme, {"example.org"}, start), start);
    EXPECT_EQ(book.ready_at(globex, {"example.org"}, start), start);
    book.set_tenants({{"acme", {"2/h"}}});
    EXPECT_EQ(book.ready_at(acme, {"example.org"}, start), start);
}

TEST(quota_book, gives_each_waiting_message_another_turn_at_most_an_hour_away) {
    quota_book book;
    book.set_tenants({{"acme", {"60/m"}}});
    for (int i = 0; i < 60; ++i) {
        book.take(acme, {}, start);
    }
    const auto first = book.queue_up(acme, {}, start);
    EXPECT_GE(first, start + seconds{60});
    EXPECT_EQ(book.queue_up(acme, {}, start), first + seconds{1});
    EXPECT_EQ(book.queue_up(acme, {}, start), first + seconds{2});
    EXPECT_GT(book.full_until(acme, start), start) << "the rest of its mail may stay where it is";
    EXPECT_EQ(book.full_until(globex, start), start);
    for (int i = 0; i < 4000; ++i) {
        (void)book.queue_up(acme, {}, start);
    }
    EXPECT_EQ(book.queue_up(acme, {}, start), start + std::chrono::hours{1});
}

}  // namespace
}  // namespace estafette::route
