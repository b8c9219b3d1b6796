// Pauses of tenants and senders, by whom and how they are shown.
#include "fixture.hpp"

#include <boost/json/serialize.hpp>

#include <gmock/gmock.h>

namespace estafette::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(Api, pauses_a_tenant_and_shows_its_mail_as_held_by_it) {
    start();
    const auto id = enqueue(R"(,"tenant":"acme")");
    const auto paused =
        post("/v1/tenants/acme/pause", R"({"reason":"audit","until":"2099-01-01T00:00:00Z"})");
    ASSERT_EQ(paused.status, 200u) << paused.body;
    EXPECT_EQ(paused.json().at("kind").as_string(), "tenant");
    EXPECT_TRUE(paused.json().at("sender").is_null());
    const auto seen = get("/v1/messages/" + id).json().at("recipients").at(0);
    EXPECT_EQ(seen.at("state").as_string(), "held");
    EXPECT_EQ(seen.at("scope").as_string(), "route");
    EXPECT_EQ(seen.at("note").as_string(), "audit");
    EXPECT_EQ(seen.at("next_attempt_at").as_string(), "2099-01-01T00:00:00.000Z");
    EXPECT_EQ(seen.at("held_by").at("kind").as_string(), "tenant");
    EXPECT_EQ(seen.at("held_by").at("id").as_string(), "acme");
    EXPECT_EQ(post("/v1/tenants/acme/resume", "").status, 200u);
    const auto again = get("/v1/messages/" + id).json().at("recipients").at(0);
    EXPECT_EQ(again.at("state").as_string(), "queued");
    EXPECT_TRUE(again.at("held_by").is_null());
    const auto nothing = post("/v1/tenants/acme/resume", "");
    EXPECT_EQ(nothing.status, 409u);
    EXPECT_EQ(nothing.json().at("code").as_string(), "not_paused");
}

TEST_F(Api, pauses_one_sender_of_a_tenant) {
    start();
    const auto theirs = enqueue(R"(,"tenant":"acme")");
    const auto others = enqueue(R"(,"tenant":"acme","envelope":{"from":"b@x.example"})");
    ASSERT_EQ(post("/v1/tenants/acme/pause", R"({"reason":"no","sender":"a@X.example"})").status, 200u);
    const auto held = get("/v1/messages/" + theirs).json().at("recipients").at(0);
    EXPECT_EQ(held.at("state").as_string(), "held");
    EXPECT_EQ(held.at("scope").as_string(), "sender");
    EXPECT_EQ(held.at("held_by").at("sender").as_string(), "a@x.example");
    EXPECT_EQ(get("/v1/messages/" + others).json().at("recipients").at(0).at("state").as_string(), "queued");
    const auto listed = get("/v1/recipients?tenant=acme").json().at("recipients").as_array();
    EXPECT_EQ(listed.at(0).at("state").as_string(), "queued");
    EXPECT_EQ(listed.at(1).at("state").as_string(), "held");
    const auto rows = get("/v1/pauses").json().at("pauses").as_array();
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].at("kind").as_string(), "sender");
    EXPECT_EQ(rows[0].at("sender").as_string(), "a@x.example");
    EXPECT_EQ(rows[0].at("text").as_string(), "no");
    const auto wrong = post("/v1/tenants/acme/pause", R"({"sender":"nobody","until":"soon"})");
    EXPECT_EQ(wrong.status, 422u);
    EXPECT_THAT(wrong.body, HasSubstr("/sender"));
    EXPECT_THAT(wrong.body, HasSubstr("/until"));
    EXPECT_EQ(post("/v1/tenants/acme/resume", R"({"until":"2099-01-01T00:00:00Z"})").status, 422u);
}

TEST_F(Api, lets_administrators_alone_pause_their_tenants) {
    start();
    struct row {
        config::grant as;
        std::vector<unsigned> statuses;  // acme, globex, one that is not there
        std::size_t shown;
    };
    const std::vector<row> cases{
        {grant_of(config::role::admin, {}, true), {200, 200, 404}, 2},
        {grant_of(config::role::admin, {"acme"}), {200, 404, 404}, 1},
        {grant_of(config::role::submit, {"acme"}), {403, 404, 404}, 1},
        {grant_of(config::role::read, {"acme", "globex"}), {403, 403, 404}, 2},
    };
    for (const auto& c : cases) {
        config_.grants = {c.as};
        configure();
        std::vector<unsigned> statuses;
        for (const auto* name : {"acme", "globex", "nobody"})
            statuses.push_back(post("/v1/tenants/" + std::string{name} + "/pause", R"({"reason":"x"})").status
            );
        EXPECT_EQ(statuses, c.statuses);
        on_loop([&] {
            below_->rows.clear();
            for (const auto* name : {"acme", "globex"})
                below_->rows.push_back({store::pause_target::of(tenant_id{name}), {}, {}, {}, {}, {}});
        });
        EXPECT_EQ(get("/v1/pauses").json().at("pauses").as_array().size(), c.shown);
    }
}

}  // namespace
}  // namespace estafette::api
