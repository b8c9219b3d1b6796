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

TEST_F(Api, a_providers_events_are_handed_on_with_their_header) {
    below_->webhook_answer.events = {{labels::bounce::failed, {}}, {labels::bounce::unmatched, {}}};
    below_->webhook_answer.confirm_url = "https://confirm";
    start();
    const auto answer =
        post("/v1/bounces?format=sendgrid", "[]", "X-Twilio-Email-Event-Webhook-Timestamp: 7\r\n");
    EXPECT_EQ(answer.status, 200u) << answer.body;
    EXPECT_EQ(answer.json().at("events").as_array().at(1).at("outcome").as_string(), "unmatched");
    EXPECT_EQ(answer.json().at("confirm").as_string(), "https://confirm");
    on_loop([&] {
        ASSERT_EQ(below_->webhooks.size(), 1u);
        EXPECT_EQ(below_->webhooks[0].from, bounce::provider::sendgrid);
        EXPECT_EQ(below_->webhooks[0].what.body, "[]");
        EXPECT_EQ(below_->webhooks[0].what.fields.at("x-twilio-email-event-webhook-timestamp"), "7");
    });
}

TEST_F(Api, a_webhook_that_is_not_proven_is_forbidden) {
    start();
    const std::pair<bounce::webhook_fault, unsigned> faults[]{
        {bounce::webhook_fault::not_proven, 403u},
        {bounce::webhook_fault::not_configured, 403u},
        {bounce::webhook_fault::unreadable, 400u},
    };
    for (const auto& [why, status] : faults) {
        on_loop([&] { below_->webhook_answer.refused = why; });
        EXPECT_EQ(post("/v1/bounces?format=ses", "{}").status, status);
    }
    EXPECT_EQ(post("/v1/bounces?format=nobody", "{}").status, 422u);
}

TEST_F(Api, the_suppression_list_is_read_added_to_and_taken_from) {
    start();
    const auto added =
        post("/v1/suppressions", R"({"address":"Ann@X.example","tenant":"acme","text":"by phone"})");
    EXPECT_EQ(added.status, 200u) << added.body;
    EXPECT_EQ(added.json().at("changed").as_int64(), 1);
    const auto listed = get("/v1/suppressions?tenant=acme").json();
    ASSERT_EQ(listed.at("suppressions").as_array().size(), 1u);
    const auto& line = listed.at("suppressions").as_array().at(0);
    EXPECT_EQ(line.at("cause").as_string(), "manual");
    EXPECT_EQ(line.at("text").as_string(), "by phone");
    EXPECT_TRUE(line.at("until").is_null());
    EXPECT_TRUE(get("/v1/suppressions?tenant=globex").json().at("suppressions").as_array().empty());
    EXPECT_EQ(call(request_bytes("PUT", "/v1/suppressions")).status, 405u);
    EXPECT_EQ(call(request_bytes("DELETE", "/v1/suppressions?address=nobody@x.example")).status, 404u);
    EXPECT_EQ(call(request_bytes("DELETE", "/v1/suppressions")).status, 422u);
}

TEST_F(Api, an_import_is_taken_whole_or_not_at_all) {
    start();
    const std::string type = "Content-Type: application/x-ndjson\r\n";
    const auto import = [&](const std::string& body) {
        return call(request_bytes("POST", "/v1/suppressions", body, type));
    };
    const auto wrong = import("{\"address\":\"a@x\"}\n\n{\"address\":\"nonsense\"}\n");
    EXPECT_EQ(wrong.status, 422u);
    EXPECT_THAT(wrong.body, testing::HasSubstr("line 3"));
    EXPECT_TRUE(get("/v1/suppressions").json().at("suppressions").as_array().empty());
    const auto right = import("{\"address\":\"a@x\"}\n{\"address\":\"b@x\",\"cause\":\"complaint\"}\n");
    EXPECT_EQ(right.json().at("lines").as_int64(), 2);
    const auto page = get("/v1/suppressions?limit=1").json();
    std::string next{page.at("next").as_string()};
    next.replace(next.find(' '), 1, "%20");
    EXPECT_TRUE(get("/v1/suppressions?limit=1&cursor=" + next).json().at("next").is_null());
    EXPECT_EQ(import(R"({"address":"a@x","wrong":"1"})").status, 422u);
    EXPECT_EQ(import(R"({"address":"a@x","until":"tomorrow"})").status, 422u);
    EXPECT_EQ(import(" ").status, 400u);
}

TEST_F(Api, who_may_change_a_suppression_list_is_an_administrator_of_the_tenant) {
    config_.grants = {grant_of(config::role::admin, {"acme"}), grant_of(config::role::read, {"globex"})};
    start();
    EXPECT_EQ(post("/v1/suppressions", R"({"address":"a@x"})").status, 200u);  // of the only one
    EXPECT_EQ(post("/v1/suppressions", R"({"address":"a@x","tenant":"globex"})").status, 404u);
    EXPECT_EQ(post("/v1/suppressions", R"({"address":"a@x","tenant":"default"})").status, 404u);
    EXPECT_EQ(get("/v1/suppressions?tenant=globex").status, 200u);
    EXPECT_EQ(get("/v1/suppressions?tenant=default").status, 404u);
    config_.grants = {grant_of(config::role::submit, {"acme"})};
    configure();
    EXPECT_EQ(post("/v1/suppressions", R"({"address":"a@x"})").status, 403u);
    EXPECT_EQ(get("/v1/suppressions").json().at("suppressions").as_array().size(), 1u);
}

}  // namespace
}  // namespace estafette::api
