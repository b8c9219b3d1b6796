#include "estafette/verdict/suppression.hpp"

#include <gtest/gtest.h>

namespace estafette::verdict {
namespace {

// Every verdict there can be.
template <class Check> void for_all(Check check) {
    for (const auto what :
         {disposition::accepted, disposition::retry, disposition::fail, disposition::uncertain}) {
        for (const auto fault : {scope::recipient, scope::message, scope::sender, scope::route}) {
            for (std::size_t why = 0; why < reason_count; ++why) {
                for (const bool certain : {false, true}) {
                    verdict v;
                    v.what = what;
                    v.fault = fault;
                    v.why = static_cast<reason>(why);
                    v.certain = certain;
                    check(v);
                }
            }
        }
    }
}

TEST(suppression, comes_only_of_a_recipient_that_is_not_there) {
    std::size_t at_once = 0, if_repeated = 0;
    for_all([&](const verdict& v) {
        const auto found = weigh(v);
        at_once += found == suppresses::at_once ? 1 : 0;
        if_repeated += found == suppresses::if_repeated ? 1 : 0;
        if (found != suppresses::no) {
            EXPECT_EQ(v.fault, scope::recipient);
            EXPECT_EQ(v.why, reason::unknown_user);
            EXPECT_EQ(v.what, disposition::fail);
        }
    });
    EXPECT_EQ(at_once, 1u);
    EXPECT_EQ(if_repeated, 1u);
}

TEST(suppression, takes_a_guess_only_when_it_is_repeated) {
    verdict v;
    v.what = disposition::fail;
    v.why = reason::unknown_user;
    v.certain = false;
    EXPECT_EQ(weigh(v), suppresses::if_repeated);
    v.certain = true;
    EXPECT_EQ(weigh(v), suppresses::at_once);
}

}  // namespace
}  // namespace estafette::verdict
