#include "fixture.hpp"

#include <gmock/gmock.h>

namespace estafette::api {
namespace {

using testing::ElementsAre;

TEST_F(Api, takes_a_mail_that_came_back) {
    const recipient_id who{*message_id::parse("01977a1e-5d7c-7d3e-8f52-1c6d1f2b3a4c"), 0};
    below_->bounce_answer = {labels::bounce::failed, {who}};
    start();
    const auto answer = call(request_bytes(
        "POST",
        "/v1/bounces?recipient=b%2Bx%40y.example",
        "Subject: x\r\n\r\n",
        "Content-Type: message/rfc822\r\n"
    ));
    EXPECT_EQ(answer.status, 200u) << answer.body;
    EXPECT_EQ(answer.json().at("outcome").as_string(), "failed");
    EXPECT_EQ(answer.json().at("recipients").as_array().at(0).as_string(), who.text().c_str());
    on_loop([&] {
        ASSERT_EQ(below_->bounces.size(), 1u);
        EXPECT_EQ(below_->bounces[0].raw, "Subject: x\r\n\r\n");
        EXPECT_THAT(below_->bounces[0].to, ElementsAre("b+x@y.example"));
        EXPECT_FALSE(below_->bounces[0].tenants);
    });
}

TEST_F(Api, a_bounce_changes_only_the_callers_tenants_mail) {
    config_.grants = {grant_of(config::role::submit, {"acme"})};
    start();
    EXPECT_EQ(post("/v1/bounces", "Subject: x\r\n\r\n").status, 200u);
    on_loop([&] { EXPECT_THAT(below_->bounces.at(0).tenants.value(), ElementsAre(tenant_id{"acme"})); });
}

TEST_F(Api, a_bounce_needs_a_role_a_body_and_known_parameters) {
    start();
    EXPECT_EQ(post("/v1/bounces", " \r\n").status, 400u);
    EXPECT_EQ(post("/v1/bounces?to=a", "x").status, 422u);
    EXPECT_EQ(get("/v1/bounces").status, 405u);
    config_.grants = {grant_of(config::role::read, {}, true)};
    configure();
    EXPECT_EQ(post("/v1/bounces", "x").status, 403u);
    on_loop([&] { EXPECT_TRUE(below_->bounces.empty()); });
}

TEST_F(Api, a_bounce_that_cannot_be_recorded_is_asked_for_again) {
    below_->bounce_error = errc::store_failed;
    start();
    const auto answer = post("/v1/bounces", "x");
    EXPECT_EQ(answer.status, 503u);
}

}  // namespace
}  // namespace estafette::api
