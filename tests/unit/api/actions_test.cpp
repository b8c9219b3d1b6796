// Who may order what for whom, and how an action is told.
#include "fixture.hpp"

#include <gmock/gmock.h>

namespace estafette::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string hold(const std::string& selector) {
    return R"({"verb":"hold","reason":"audit","selector":)" + selector + "}";
}

TEST_F(Api, takes_an_action_with_every_condition) {
    start();
    const auto id = std::string{"01977a1e-5d7c-7d3e-8f52-1c6d1f2b3a4c"};
    const auto
        done = post("/v1/actions", R"({"verb":"hold","reason":"audit","expires_at":"2099-01-01T00:00:00Z",
        "selector":{"ids":[")" + id + R"(","01977A1E-5D7C-7D3E-8F52-1C6D1F2B3A4C.2"],"tenant":"acme",
        "domain":"Customer.EXAMPLE","sender":"a@X.example","reason":"greylisted","state":"deferred",
        "older_than":"2h","younger_than":"3d"}})");
    ASSERT_EQ(done.status, 200u) << done.body;
    EXPECT_EQ(done.json().at("id").as_int64(), 1);
    EXPECT_EQ(done.json().at("state").as_string(), "done");
    EXPECT_EQ(done.json().at("count").as_int64(), 3);
    EXPECT_EQ(done.json().at("expires_at").as_string(), "2099-01-01T00:00:00.000Z");
    EXPECT_TRUE(done.json().at("can_be_undone").as_bool());
    EXPECT_EQ(done.json().at("selector").at("domain").as_string(), "customer.example");
    on_loop([&] {
        const auto& whom = below_->orders.at(0).whom;
        EXPECT_THAT(whom.ids, ElementsAre(id, id + ".2"));
        EXPECT_EQ(whom.sender, "a@x.example");
        EXPECT_EQ(whom.why, verdict::reason::greylisted);
        EXPECT_EQ(whom.now, store::state::deferred);
        EXPECT_EQ(*whom.before - *whom.after, std::chrono::hours{70});
        EXPECT_EQ(whom.tenants, std::vector{tenant_id{"acme"}});
        below_->is_quick = false;
    });
    const auto slow = post("/v1/actions", hold(R"({"domain":"x.example"})"));
    EXPECT_EQ(slow.status, 202u);
    EXPECT_EQ(slow.json().at("state").as_string(), "running");
    const auto counted =
        post("/v1/actions", R"({"verb":"delete","dry_run":true,"selector":{"tenant":"acme"}})");
    EXPECT_EQ(counted.status, 200u) << counted.body;
    EXPECT_EQ(counted.json().at("count").as_int64(), 7);
}

TEST_F(Api, refuses_an_action_that_does_not_say_whom_or_why) {
    start();
    struct row {
        std::string body, said;
    };
    const std::vector<row> cases{
        {R"({"verb":"hold","reason":"x"})", "nothing is not everything"},
        {hold("{}"), "nothing is not everything"},
        {hold(R"({"tenant":null})"), "nothing is not everything"},
        {R"({"verb":"delete","selector":{"tenant":"acme"}})", "a reason is needed"},
        {R"({"reason":"x","selector":{"tenant":"acme"}})", "/verb"},
        {R"({"verb":"burn","reason":"x","selector":{"tenant":"acme"}})", "/verb"},
        {hold(R"({"colour":"red"})"), "/selector/colour"},
        {hold(R"({"domain":"no domain"})"), "/selector/domain"},
        {hold(R"({"older_than":"long"})"), "/selector/older_than"},
        {hold(R"({"ids":[]})"), "/selector/ids"},
        {hold(R"({"ids":["x"]})"), "/selector/ids/0"},
        {hold(R"({"state":"lost","reason":"lost"})"), "/selector/state"},
        {hold(R"([1])"), "/selector"},
        {R"({"verb":"delete","reason":"x","expires_at":"2099-01-01T00:00:00Z","selector":{"tenant":"acme"}})",
         "/expires_at"},
        {R"({"verb":"hold","reason":"x","expires_at":"1999-01-01T00:00:00Z","selector":{"tenant":"acme"}})",
         "/expires_at"},
        {R"({"verb":"pause","reason":"x","selector":{"domain":"x.example"}})", "a pause is of a route"},
        {R"({"verb":"pause","reason":"x","selector":{"route":"relay","tenant":"acme"}})",
         "a pause is of a route"},
        {R"({"verb":"pause","reason":"x","selector":{"tenant":"acme","state":"held"}})",
         "a pause is of a route"},
        {R"({"verb":"hold","dry_run":"yes","selector":{"tenant":"acme"}})", "/dry_run"},
    };
    for (const auto& c : cases) {
        const auto answer = post("/v1/actions", c.body);
        EXPECT_EQ(answer.status, 422u) << c.body;
        EXPECT_THAT(answer.body, HasSubstr(c.said)) << c.body;
    }
    on_loop([&] { EXPECT_TRUE(below_->orders.empty()); });
}

TEST_F(Api, limits_an_action_to_the_tenants_of_the_administrator) {
    start();
    on_loop([&] { below_->lines.emplace_back().id = route_id{"relay"}; });
    struct row {
        config::grant as;
        std::vector<unsigned> statuses;               // acme, globex, nobody, no tenant, pause of the relay
        std::optional<std::vector<tenant_id>> limit;  // of the one without a tenant
    };
    const std::vector<row> cases{
        {grant_of(config::role::admin, {}, true), {200, 200, 404, 200, 200}, std::nullopt},
        {grant_of(config::role::admin, {"acme"}), {200, 404, 404, 200, 404}, std::vector{tenant_id{"acme"}}},
        {grant_of(config::role::submit, {"acme"}), {403, 403, 403, 403, 403}, std::nullopt},
    };
    for (const auto& c : cases) {
        config_.grants = {c.as};
        configure();
        std::vector<unsigned> statuses;
        for (const auto* selector :
             {R"({"tenant":"acme"})",
              R"({"tenant":"globex"})",
              R"({"tenant":"nobody"})",
              R"({"domain":"x.example"})"})
            statuses.push_back(post("/v1/actions", hold(selector)).status);
        on_loop([&] {
            if (!below_->orders.empty())
                EXPECT_EQ(below_->orders.back().whom.tenants, c.limit);
        });
        statuses.push_back(
            post("/v1/actions", R"({"verb":"pause","reason":"x","selector":{"route":"relay"}})").status
        );
        EXPECT_EQ(statuses, c.statuses);
        on_loop([&] { below_->orders.clear(); });
    }
}

TEST_F(Api, lists_actions_and_undoes_them_once) {
    start();
    ASSERT_EQ(post("/v1/actions", hold(R"({"tenant":"acme"})")).status, 200u);
    ASSERT_EQ(
        post("/v1/actions", R"({"verb":"delete","reason":"x","selector":{"tenant":"globex"}})").status, 200u
    );
    const auto listed = get("/v1/actions").json().at("actions").as_array();
    ASSERT_EQ(listed.size(), 2u);
    EXPECT_EQ(listed.at(0).at("id").as_int64(), 2);
    EXPECT_FALSE(listed.at(0).at("can_be_undone").as_bool());
    const auto page = get("/v1/actions?limit=1").json();
    EXPECT_EQ(page.at("next").as_string(), "2");
    EXPECT_EQ(get("/v1/actions?limit=1&cursor=2").json().at("actions").at(0).at("id").as_int64(), 1);
    EXPECT_EQ(get("/v1/actions?limit=0").status, 422u);
    EXPECT_EQ(post("/v1/actions/1/undo", "").json().at("state").as_string(), "undone");
    EXPECT_EQ(post("/v1/actions/1/undo", "").json().at("code").as_string(), "already_undone");
    EXPECT_EQ(post("/v1/actions/2/undo", "").json().at("code").as_string(), "not_undoable");
    EXPECT_EQ(post("/v1/actions/3/undo", "").status, 404u);
    EXPECT_EQ(post("/v1/actions/x/undo", "").status, 404u);
    config_.grants = {grant_of(config::role::admin, {"globex"})};
    configure();
    EXPECT_EQ(get("/v1/actions").json().at("actions").as_array().size(), 1u);
    EXPECT_EQ(post("/v1/actions/1/undo", "").status, 404u) << "another tenant's";
}

}  // namespace
}  // namespace estafette::api
