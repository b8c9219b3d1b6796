#include "estafette/route/ready.hpp"

#include <gtest/gtest.h>

#include <map>

namespace estafette::route {
namespace {

job make_job(
    const std::string& tenant, mail::priority precedence, std::uint8_t number = 0, std::size_t size = 4096
) {
    auto m = std::make_shared<mail::message>();
    message_id::bytes_type bytes{};
    bytes[0] = number;
    m->id = message_id{bytes};
    m->tenant = tenant_id{tenant};
    m->precedence = precedence;
    m->facts.size = size;
    m->to.push_back(*mail::address::parse("ann@example.org"));
    return {std::move(m), {{0, 0}}};
}

constexpr auto urgent = mail::priority::transactional;
constexpr auto bulk = mail::priority::bulk;

TEST(ready_queue, gives_nothing_when_empty) {
    ready_queue q{10};
    EXPECT_FALSE(q.pull());
    EXPECT_TRUE(q.empty());
}

TEST(ready_queue, keeps_the_order_of_one_tenant) {
    ready_queue q{10};
    for (std::uint8_t i = 1; i <= 3; ++i) {
        q.push(make_job("a", urgent, i));
    }
    for (std::uint8_t i = 1; i <= 3; ++i) {
        EXPECT_EQ(q.pull()->message->id.bytes()[0], i);
    }
}

TEST(ready_queue, a_job_given_back_to_the_front_is_next) {
    ready_queue q{10};
    q.push(make_job("a", urgent, 1));
    q.push_front(make_job("a", urgent, 2));
    EXPECT_EQ(q.pull()->message->id.bytes()[0], 2);
}

TEST(ready_queue, tenants_take_turns_whatever_they_have_waiting) {
    ready_queue q{100000};
    for (int i = 0; i < 5000; ++i) {
        q.push(make_job("large", urgent));
    }
    for (int i = 0; i < 10; ++i) {
        q.push(make_job("small", urgent));
    }
    int pulled = 0;
    for (int small = 0; small < 10; ++pulled) {
        small += q.pull()->message->tenant.text() == "small" ? 1 : 0;
    }
    EXPECT_LE(pulled, 30);
}

TEST(ready_queue, turns_are_fair_in_bytes_not_in_messages) {
    ready_queue q{100000};
    for (int i = 0; i < 1000; ++i) {
        q.push(make_job("heavy", urgent, 0, 100 * 1024));
        q.push(make_job("light", urgent, 0, 1024));
    }
    std::map<std::string, std::size_t> bytes;
    for (int i = 0; i < 600; ++i) {
        const auto j = q.pull();
        bytes[j->message->tenant.text()] += j->message->facts.size + 1024;
    }
    EXPECT_LT(bytes["heavy"], bytes["light"] * 2);
    EXPECT_LT(bytes["light"], bytes["heavy"] * 2);
}

TEST(ready_queue, transactional_mail_goes_before_bulk_and_bulk_keeps_its_share) {
    ready_queue q{100000};
    for (int i = 0; i < 400; ++i) {
        q.push(make_job("a", bulk));
        q.push(make_job("b", urgent));
    }
    int bulk_pulled = 0;
    for (int i = 0; i < 400; ++i) {
        bulk_pulled += q.pull()->message->precedence == bulk ? 1 : 0;
    }
    EXPECT_EQ(bulk_pulled, 400 / static_cast<int>(ready_queue::bulk_share));
}

TEST(ready_queue, a_full_queue_still_has_room_for_a_tenant_with_little_in_it) {
    ready_queue q{100, 5};
    for (int i = 0; i < 100; ++i) {
        q.push(make_job("a", bulk));
    }
    EXPECT_EQ(q.room(tenant_id{"a"}, bulk), 0u);
    EXPECT_EQ(q.room(tenant_id{"b"}, bulk), 5u);
    EXPECT_TRUE(q.is_starved(tenant_id{"b"}, bulk));
    EXPECT_EQ(q.room(tenant_id{"a"}, urgent), 100u) << "the classes have limits of their own";
    for (int i = 0; i < 5; ++i) {
        q.push(make_job("b", bulk));
    }
    EXPECT_EQ(q.room(tenant_id{"b"}, bulk), 0u);
    EXPECT_FALSE(q.is_starved(tenant_id{"b"}, bulk));
}

TEST(ready_queue, a_small_gap_in_a_full_queue_is_not_worth_a_claim_but_a_tenant_s_first_mail_is) {
    ready_queue q{1000};
    for (int i = 0; i < 990; ++i) {
        q.push(make_job("a", urgent));
    }
    EXPECT_FALSE(q.wants(tenant_id{"a"}, urgent));
    EXPECT_TRUE(q.wants(tenant_id{"b"}, urgent));
    for (int i = 0; i < 200; ++i) {
        (void)q.pull();
    }
    EXPECT_TRUE(q.wants(tenant_id{"a"}, urgent));
}

TEST(ready_queue, large_messages_fill_it_by_their_bytes) {
    ready_queue q{5000};
    for (int i = 0; i < 3; ++i) {
        q.push(make_job("a", urgent, 0, 25u << 20));
    }
    EXPECT_EQ(q.room(tenant_id{"b"}, urgent), 0u);
    (void)q.pull();
    EXPECT_EQ(q.room(tenant_id{"b"}, urgent), 4998u);
}

TEST(ready_queue, large_messages_are_asked_for_again_once_much_of_their_bytes_has_left) {
    ready_queue q{5000};
    constexpr std::size_t size = 1u << 20;
    while (q.room(tenant_id{"a"}, urgent) != 0) {
        q.push(make_job("a", urgent, 0, size));
    }
    EXPECT_EQ(q.free_bytes(urgent), 0u);
    EXPECT_EQ(q.free_bytes(bulk), ready_queue::most_bytes);
    EXPECT_EQ(q.low_classes(), 1u) << "bulk has none";
    EXPECT_TRUE(q.is_starved(tenant_id{"b"}, urgent));
    (void)q.pull();
    EXPECT_EQ(q.free_bytes(urgent), size);
    EXPECT_FALSE(q.wants(tenant_id{"a"}, urgent)) << "a claim would bring much more than there is room for";
    while (q.low_classes() != 2) {
        ASSERT_TRUE(q.pull());
    }
    EXPECT_FALSE(q.empty());
    EXPECT_TRUE(q.wants(tenant_id{"a"}, urgent)) << "who says that little is left takes more";
}

TEST(ready_queue, removes_one_message_and_keeps_the_others_in_order) {
    ready_queue q{100};
    for (std::uint8_t i = 1; i <= 4; ++i) {
        q.push(make_job("a", urgent, i));
    }
    const auto id = make_job("a", urgent, 2).message->id;
    EXPECT_EQ(q.remove([id](const job& j) { return j.message->id == id; }).size(), 1u);
    EXPECT_EQ(q.size(), 3u);
    EXPECT_EQ(q.pull()->message->id.bytes()[0], 1);
    EXPECT_EQ(q.pull()->message->id.bytes()[0], 3);
    EXPECT_EQ(q.pull()->message->id.bytes()[0], 4);
}

TEST(ready_queue, drain_empties_both_classes) {
    ready_queue q{100};
    q.push(make_job("a", urgent));
    q.push(make_job("b", bulk));
    EXPECT_EQ(q.drain().size(), 2u);
    EXPECT_TRUE(q.empty());
    EXPECT_FALSE(q.pull());
}

}  // namespace
}  // namespace estafette::route
