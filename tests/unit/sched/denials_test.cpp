#include "estafette/sched/denials.hpp"

#include <gtest/gtest.h>

namespace estafette::sched {
namespace {

const route_id relay{"relay"};
const route_id theirs{"tenant:acme"};

TEST(denials, one_or_two_domains_that_a_relay_does_not_serve_are_not_its_fault) {
    denials d;
    for (int i = 0; i < 9; ++i) {
        EXPECT_FALSE(d.note(relay, "a.example"));
        EXPECT_FALSE(d.note(relay, "b.example"));
    }
}

TEST(denials, three_domains_in_a_row_are) {
    denials d;
    EXPECT_FALSE(d.note(relay, "a.example"));
    EXPECT_FALSE(d.note(relay, "b.example"));
    EXPECT_FALSE(d.note(theirs, "c.example")) << "another route's";
    EXPECT_TRUE(d.note(relay, "c.example"));
    EXPECT_TRUE(d.note(relay, "a.example"));
}

TEST(denials, and_so_are_many_recipients_where_all_are_of_one_domain) {
    denials d;
    for (std::size_t i = 1; i < denials::most_recipients; ++i) {
        EXPECT_FALSE(d.note(theirs, "customer.example"));
    }
    EXPECT_TRUE(d.note(theirs, "customer.example"));
}

TEST(denials, somebody_accepted_in_between_shows_that_the_route_works) {
    denials d;
    EXPECT_FALSE(d.note(relay, "a.example"));
    EXPECT_FALSE(d.note(relay, "b.example"));
    d.clear(relay);
    EXPECT_FALSE(d.note(relay, "c.example"));
    EXPECT_FALSE(d.note(relay, "d.example"));
    EXPECT_TRUE(d.note(relay, "e.example"));
}

}  // namespace
}  // namespace estafette::sched
