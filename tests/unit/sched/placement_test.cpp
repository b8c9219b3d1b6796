#include "estafette/sched/placement.hpp"

#include <gtest/gtest.h>

#include <set>

namespace estafette::sched {
namespace {

constexpr wall_time now = from_unix_ms(1'800'000'000'000);

message_id id_of(std::uint8_t n) {
    message_id::bytes_type bytes{};
    bytes[15] = n;
    return message_id{bytes};
}

arrival
mail(std::uint8_t n, std::string key, key_rule rule = key_rule::replace, const char* tenant = "acme") {
    auto m = std::make_shared<mail::message>();
    m->id = id_of(n);
    m->tenant = tenant_id{tenant};
    m->key = std::move(key);
    m->to.push_back(*mail::address::parse("ann@customer.example"));
    m->to.push_back(*mail::address::parse("bob@customer.example"));
    arrival a;
    a.mail.message = std::move(m);
    a.rule = rule;
    return a;
}

class the_placement : public testing::Test {
protected:
    placement of(std::vector<arrival> arrivals) {
        surroundings around;
        around.keys = known;
        around.group = group;
        around.on_group = on_group;
        around.is_in_hand = [&](const tenant_id&, const message_id& id) { return in_hand.contains(id); };
        around.is_switched_off = [&](const mail::message& m) { return off.contains(m.category); };
        around.now = now;
        return place(std::move(arrivals), std::move(around));
    }

    void waits(std::uint8_t n, std::string key, std::vector<std::uint32_t> places) {
        known[{tenant_id{"acme"}, std::move(key)}].push_back({id_of(n), n, std::move(places)});
    }

    static std::vector<fate> fates_of(const placement& p) {
        std::vector<fate> out;
        for (const placed& one : p.fates) {
            out.push_back(one.what);
        }
        return out;
    }

    // "+3" for mail that comes in, "-1.0" for a recipient that is cancelled, in order.
    static std::string changes_of(const placement& p) {
        std::string out;
        for (const store::change& c : p.changes) {
            if (const auto* e = std::get_if<store::enqueued>(&c)) {
                out += "+" + std::to_string(e->message->id.bytes()[15]) + " ";
            } else if (const auto* gone = std::get_if<store::cancelled>(&c)) {
                out += "-" + std::to_string(gone->who.message.bytes()[15]) + "." +
                       std::to_string(gone->who.index) + " ";
            }
        }
        return out;
    }

    keyed_mail known;
    std::set<message_id> in_hand;
    std::set<std::string> off;
    std::vector<store::labelled> group;
    key_rule on_group = key_rule::keep;
};

TEST_F(the_placement, takes_mail_without_a_key_and_mail_whose_key_is_free) {
    const auto p = of({mail(3, ""), mail(4, ""), mail(5, "a"), mail(6, "b")});
    EXPECT_EQ(changes_of(p), "+3 +4 +5 +6 ");
    EXPECT_EQ(p.new_mail.size(), 4u);
    EXPECT_TRUE(p.replaced.empty());
}

TEST_F(the_placement, replaces_only_what_has_not_left) {
    waits(1, "a", {1});
    const auto p = of({mail(3, "a")});
    EXPECT_EQ(changes_of(p), "-1.1 +3 ");
    EXPECT_EQ(p.replaced.at(tenant_id{"acme"}), (std::vector<recipient_id>{{id_of(1), 1}}));
    const auto& gone = std::get<store::cancelled>(p.changes.front());
    EXPECT_EQ(gone.why, "replaced by " + id_of(3).text());
    EXPECT_EQ(gone.at, now);
}

TEST_F(the_placement, leaves_the_same_key_of_another_tenant_alone) {
    waits(1, "a", {0});
    EXPECT_EQ(changes_of(of({mail(3, "a", key_rule::replace, "globex")})), "+3 ");
}

TEST_F(the_placement, keeps_or_refuses_as_the_caller_wishes) {
    waits(1, "a", {0});
    const auto p =
        of({mail(3, "a", key_rule::keep), mail(4, "a", key_rule::reject), mail(5, "b", key_rule::keep)});
    EXPECT_EQ(fates_of(p), (std::vector{fate::kept, fate::refused, fate::accepted}));
    EXPECT_EQ(p.fates[0].other, id_of(1));
    EXPECT_EQ(p.fates[1].other, id_of(1));
    EXPECT_EQ(changes_of(p), "+5 ");
}

TEST_F(the_placement, remembers_the_request_that_kept_what_waits) {
    waits(1, "a", {0});
    auto a = mail(3, "a", key_rule::keep);
    a.mail.idempotency_key = "request";
    a.mail.idempotency_digest = "digest";
    const auto p = of({a});
    EXPECT_EQ(fates_of(p), std::vector{fate::kept});
    ASSERT_EQ(p.changes.size(), 1u);
    const auto& kept = std::get<store::answered>(p.changes.front());
    EXPECT_EQ(kept.with, id_of(1));
    EXPECT_EQ(kept.idempotency_key, "request");
    EXPECT_EQ(kept.idempotency_digest, "digest");
}

TEST_F(the_placement, never_replaces_what_a_connection_has_begun_with) {
    waits(1, "a", {0, 1});
    in_hand.insert(id_of(1));
    const auto p = of({mail(3, "a")});
    EXPECT_EQ(fates_of(p), std::vector{fate::under_way});
    EXPECT_EQ(p.fates[0].other, id_of(1));
    EXPECT_TRUE(p.changes.empty());
}

TEST_F(the_placement, lets_the_last_of_one_call_win) {
    const auto p = of({mail(3, "a"), mail(4, "a"), mail(5, "a", key_rule::keep)});
    EXPECT_EQ(fates_of(p), (std::vector{fate::accepted, fate::accepted, fate::kept}));
    EXPECT_EQ(p.fates[2].other, id_of(4));
    EXPECT_EQ(changes_of(p), "+3 -3.0 -3.1 +4 ");
    ASSERT_EQ(p.new_mail.size(), 1u) << "the replaced one goes to no route";
    EXPECT_EQ(p.new_mail.front()->id, id_of(4));
    EXPECT_TRUE(p.replaced.empty()) << "no route has it";
}

TEST_F(the_placement, accepts_mail_that_is_switched_off_and_cancels_it_in_the_same_moment) {
    waits(1, "a", {0});
    off = {"surveys"};
    arrival a = mail(3, "a");
    mail::message m = *a.mail.message;
    m.category = "surveys";
    m.accepted_at = now - seconds{1};
    a.mail.message = std::make_shared<const mail::message>(m);
    const auto p = of({a});
    EXPECT_EQ(changes_of(p), "+3 -3.0 -3.1 ") << "and nothing is replaced by it";
    EXPECT_TRUE(p.fates.front().switched_off);
    EXPECT_TRUE(p.new_mail.empty());
    const auto& gone = std::get<store::cancelled>(p.changes.back());
    EXPECT_EQ(gone.at, m.accepted_at);
    EXPECT_EQ(gone.by, "category surveys");
    EXPECT_EQ(gone.why, "switched off");
}

TEST_F(the_placement, lets_a_sequence_take_the_place_of_its_group) {
    group = {{id_of(1), 1, {0, 1}}, {id_of(2), 2, {1}}};
    waits(1, "a", {0, 1});
    on_group = key_rule::replace;
    const auto p = of({mail(3, "a", key_rule::reject), mail(4, "b")});
    EXPECT_EQ(changes_of(p), "-1.0 -1.1 -2.1 +3 +4 ");
    EXPECT_EQ(p.replaced.at(tenant_id{"acme"}).size(), 3u);
    in_hand.insert(id_of(2));
    EXPECT_EQ(fates_of(of({mail(5, "")})), std::vector{fate::under_way});
    on_group = key_rule::reject;
    EXPECT_EQ(fates_of(of({mail(5, ""), mail(6, "")})), (std::vector{fate::refused, fate::refused}));
    EXPECT_TRUE(of({mail(5, "")}).changes.empty());
    group.clear();
    EXPECT_EQ(changes_of(of({mail(5, "")})), "+5 ");
}

}  // namespace
}  // namespace estafette::sched
