#include "estafette/route/return_path.hpp"

#include <gtest/gtest.h>

namespace estafette::route {
namespace {

const mail::verp_keys keys{{"secret"}};

mail::message from_ann() {
    mail::message m;
    m.id = *message_id::parse("01977a1e-0000-7000-8000-000000000001");
    m.from = *mail::address::parse("ann@vendor.example");
    return m;
}

TEST(return_path, is_the_sender_by_default) {
    EXPECT_EQ(return_path({}, keys, from_ann(), 0)->text(), "ann@vendor.example");
}

TEST(return_path, fixed_is_the_route_s_address) {
    config::route_options route;
    route.return_path = config::return_path_mode::fixed;
    route.return_path_address = "bounces@vendor.example";
    EXPECT_EQ(return_path(route, keys, from_ann(), 0)->text(), "bounces@vendor.example");
}

TEST(return_path, verp_names_the_recipient_and_takes_one_a_transaction) {
    config::route_options route;
    route.return_path = config::return_path_mode::verp;
    route.return_path_address = "bounce.vendor.example";
    EXPECT_EQ(
        return_path(route, keys, from_ann(), 3)->text(),
        *keys.local_part({from_ann().id, 3}) + "@bounce.vendor.example"
    );
    EXPECT_EQ(recipients_per_transaction(route), 1u);
}

TEST(return_path, the_null_sender_stays_null_in_every_mode) {
    auto m = from_ann();
    m.from.reset();
    for (const auto mode :
         {config::return_path_mode::verp, config::return_path_mode::fixed, config::return_path_mode::sender
         }) {
        config::route_options route;
        route.return_path = mode;
        route.return_path_address = "bounce.vendor.example";
        EXPECT_FALSE(return_path(route, keys, m, 0));
    }
}

}  // namespace
}  // namespace estafette::route
