// Mail by the caller's key and group.
#include "fixture.hpp"

namespace estafette::api {
namespace {

TEST_F(Api, mail_with_the_key_of_waiting_mail_is_answered_as_the_rule_says) {
    start();
    const auto first = enqueue(R"(,"key":"r1")");
    const auto other = *message_id::parse(first);
    on_loop([&] {
        below_->fate_of_key["stays"] = {sched::fate::kept, other, false, {}};
        below_->fate_of_key["refused"] = {sched::fate::refused, other, false, {}};
        below_->fate_of_key["leaving"] = {sched::fate::under_way, other, false, {}};
    });
    const auto kept = post("/v1/messages", mail_body(R"(,"key":"stays","on_key":"keep")"));
    EXPECT_EQ(kept.status, 200u);
    EXPECT_EQ(kept.json().at("id").as_string(), first);
    const auto refused = post("/v1/messages", mail_body(R"(,"key":"refused","on_key":"reject")"));
    EXPECT_EQ(refused.status, 409u);
    EXPECT_EQ(refused.code(), "key_in_use");
    const auto leaving = post("/v1/messages", mail_body(R"(,"key":"leaving")"));
    EXPECT_EQ(leaving.status, 409u);
    EXPECT_EQ(leaving.code(), "under_way");
    EXPECT_EQ(leaving.headers.at("retry-after"), "1");
    on_loop([&] {
        EXPECT_EQ(
            below_->rules,
            (std::vector{
                sched::key_rule::replace,
                sched::key_rule::keep,
                sched::key_rule::reject,
                sched::key_rule::replace
            })
        );
        EXPECT_EQ(below_->messages.size(), 1u);
    });
}

TEST_F(Api, an_unknown_rule_for_keys_is_refused) {
    start();
    const auto answer = post("/v1/messages", mail_body(R"(,"key":"a","on_key":"maybe")"));
    EXPECT_EQ(answer.status, 422u);
    EXPECT_EQ(answer.pointers(), std::vector<std::string>{"/on_key"});
}

TEST_F(Api, lines_of_a_batch_say_each_what_became_of_their_key) {
    start();
    const auto first = enqueue();
    on_loop([&] {
        below_->fate_of_key["stays"] = {sched::fate::kept, *message_id::parse(first), false, {}};
        below_->fate_of_key["refused"] = {sched::fate::refused, *message_id::parse(first), false, {}};
    });
    const auto lines =
        mail_body(R"(,"key":"stays")") + "\n" + mail_body() + "\n" + mail_body(R"(,"key":"refused")") + "\n";
    const auto answer =
        call(request_bytes("POST", "/v1/messages", lines, "Content-Type: application/x-ndjson\r\n"));
    ASSERT_EQ(answer.status, 200u);
    std::vector<json::value> said;
    std::istringstream in{answer.body};
    for (std::string line; std::getline(in, line);)
        said.push_back(json::parse(line));
    ASSERT_EQ(said.size(), 3u);
    EXPECT_EQ(said[0].at("status").as_int64(), 200);
    EXPECT_EQ(said[0].at("id").as_string(), first);
    EXPECT_EQ(said[1].at("status").as_int64(), 202);
    EXPECT_EQ(said[2].at("status").as_int64(), 409);
}

TEST_F(Api, a_key_and_a_group_are_cancelled_for_one_tenant) {
    start();
    const auto one = post("/v1/keys/reminder%2F7/cancel", R"({"tenant":"acme","reason":"the user acted"})");
    ASSERT_EQ(one.status, 200u) << one.body;
    EXPECT_EQ(one.json().at("key").as_string(), "reminder/7");
    EXPECT_EQ(one.json().at("messages").to_number<int>(), 2);
    EXPECT_EQ(one.json().at("cancelled").to_number<int>(), 3);
    EXPECT_EQ(one.json().at("in_hand").to_number<int>(), 0);
    const auto all = post("/v1/groups/onboarding/cancel?tenant=globex", "");
    ASSERT_EQ(all.status, 200u) << all.body;
    EXPECT_EQ(all.json().at("group").as_string(), "onboarding");
    const auto by = " by uid " + std::to_string(::getuid());
    on_loop([&] {
        EXPECT_EQ(
            below_->labels_cancelled,
            (std::vector<std::string>{"acme reminder/7" + by + ": the user acted", "globex onboarding" + by})
        );
    });
}

TEST_F(Api, cancelling_by_key_needs_the_tenant_and_known_fields) {
    config_.grants = {grant_of(config::role::submit, {"acme"})};
    start();
    EXPECT_EQ(post("/v1/keys/a/cancel", R"({"tenant":"globex"})").status, 404u);
    EXPECT_EQ(post("/v1/keys/a/cancel", R"({"until":"x"})").pointers(), std::vector<std::string>{"/until"});
    EXPECT_EQ(post("/v1/keys/a/cancel", R"({"reason":7})").pointers(), std::vector<std::string>{"/reason"});
    EXPECT_EQ(post("/v1/keys//cancel", "").status, 404u);
    EXPECT_EQ(get("/v1/keys/a/cancel").status, 405u);
    EXPECT_EQ(post("/v1/keys/a/cancel", "").json().at("tenant").as_string(), "acme");
    config_.grants = {grant_of(config::role::read, {"acme"})};
    configure();
    EXPECT_EQ(post("/v1/keys/a/cancel", "").status, 404u);
}

}  // namespace
}  // namespace estafette::api
