#include "fixture.hpp"

#include "estafette/api/peer.hpp"

namespace estafette::api {
namespace {

using ::testing::ElementsAre;

config::grant grant(
    std::optional<std::uint32_t> uid,
    std::optional<std::uint32_t> gid,
    config::role as,
    std::vector<std::string> tenants
) {
    config::grant g;
    g.uid = uid;
    g.gid = gid;
    g.as = as;
    for (auto& t : tenants)
        g.tenants.emplace_back(std::move(t));
    return g;
}

caller who(std::uint32_t uid, std::uint32_t gid, std::vector<std::uint32_t> groups = {}) {
    caller c;
    c.uid = uid;
    c.gid = gid;
    c.groups = std::move(groups);
    return c;
}

TEST(Access, follows_the_role_and_the_tenant) {
    const tenant_id acme{"acme"};
    const tenant_id globex{"globex"};
    struct row {
        config::role as;
        std::vector<bool> may;  // enqueue, read, cancel, administer
    };
    const std::vector<row> cases{
        {config::role::submit, {true, true, true, false}},
        {config::role::read, {false, true, false, false}},
        {config::role::admin, {true, true, true, true}},
    };
    for (const auto& c : cases) {
        const access a{who(1, 1), {grant(1, {}, c.as, {"acme"})}};
        std::size_t i = 0;
        for (const auto what :
             {permission::enqueue, permission::read, permission::cancel, permission::administer}) {
            EXPECT_EQ(a.may(what, acme), c.may[i++]);
            EXPECT_FALSE(a.may(what, globex));
            EXPECT_FALSE(a.may_for_all(what));
        }
    }
}

TEST(Access, is_found_by_uid_gid_and_supplementary_group) {
    const std::vector<config::grant> grants{
        grant(10, {}, config::role::admin, {"a"}),
        grant({}, 20, config::role::submit, {"b"}),
        grant({}, 65534, config::role::admin, {"c"}),
        grant(65534, {}, config::role::admin, {"c"}),
    };
    struct row {
        caller from;
        std::vector<tenant_id> reads;
    };
    const std::vector<row> cases{
        {who(10, 1), {tenant_id{"a"}}},
        {who(11, 20), {tenant_id{"b"}}},
        {who(11, 1, {5, 20}), {tenant_id{"b"}}},
        {who(10, 1, {20}), {tenant_id{"a"}, tenant_id{"b"}}},
        {who(20, 10), {}},
        {who(65534, 65534, {65534}), {}},  // ids that mean nothing here
    };
    for (const auto& c : cases) {
        const access a{c.from, grants};
        EXPECT_EQ(*a.tenants(permission::read), c.reads);
        EXPECT_EQ(a.has_any_role(), !c.reads.empty());
    }
}

TEST(Access, of_anybody_holds_for_unknown_ids_too) {
    config::grant g;
    g.anybody = true;
    g.as = config::role::submit;
    g.tenants = {tenant_id{"a"}};
    EXPECT_TRUE((access{who(65534, 65534), {g}}.may(permission::enqueue, tenant_id{"a"})));
}

TEST(Caller, is_what_the_kernel_says) {
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    const auto c = caller_of(pair[0]);
    ASSERT_TRUE(c);
    EXPECT_EQ(c->uid, ::getuid());
    EXPECT_EQ(c->gid, ::getgid());
    EXPECT_EQ(c->pid, ::getpid());
    std::vector<gid_t> groups(static_cast<std::size_t>(::getgroups(0, nullptr)));
    ASSERT_GE(::getgroups(static_cast<int>(groups.size()), groups.data()), 0);
    EXPECT_EQ(c->groups.size(), groups.size());
    ::close(pair[0]);
    ::close(pair[1]);
    EXPECT_EQ(caller_of(-1).error(), errc::io);
}

TEST_F(Api, hides_foreign_tenants_and_their_mail) {
    start();
    const auto acme = enqueue(R"(,"tenant":"acme")");
    const auto globex = enqueue(R"(,"tenant":"globex")");
    config_.grants = {grant_of(config::role::submit, {"acme"})};
    configure();
    EXPECT_EQ(get("/v1/messages/" + acme).status, 200u);
    const auto foreign = get("/v1/messages/" + globex);
    const auto unknown = get("/v1/messages/01977a1e-0000-7000-8000-000000000009");
    EXPECT_EQ(foreign.status, 404u);
    EXPECT_EQ(foreign.body, unknown.body) << "the two must not differ";
    EXPECT_EQ(post("/v1/messages/" + globex + "/cancel", "").status, 404u);
    EXPECT_EQ(get("/v1/recipients?tenant=globex").status, 404u);
    EXPECT_EQ(get("/v1/recipients?tenant=nobody").status, 404u);
    EXPECT_EQ(post("/v1/messages", mail_body(R"(,"tenant":"globex")")).status, 404u);
    EXPECT_EQ(post("/v1/messages", mail_body(R"(,"tenant":"nobody")")).status, 404u);
    const auto seen = get("/v1/recipients").json();
    ASSERT_EQ(seen.at("recipients").as_array().size(), 1u);
    EXPECT_EQ(seen.at("recipients").at(0).at("tenant").as_string(), "acme");
}

TEST_F(Api, takes_the_callers_only_tenant_when_none_is_named) {
    config_.grants = {grant_of(config::role::submit, {"acme"})};
    start();
    ASSERT_EQ(post("/v1/messages", mail_body()).status, 202u);
    on_loop([&] { EXPECT_EQ(below_->messages.at(0)->tenant.text(), "acme"); });
    config_.grants = {grant_of(config::role::submit, {"acme", "globex"})};
    configure();
    EXPECT_EQ(post("/v1/messages", mail_body()).status, 404u) << "the default tenant is not theirs";
}

TEST_F(Api, lets_readers_only_read) {
    start();
    const auto id = enqueue();
    config_.grants = {grant_of(config::role::read, {}, true)};
    configure();
    EXPECT_EQ(get("/v1/messages/" + id).status, 200u);
    EXPECT_EQ(get("/v1/queue").status, 200u);
    EXPECT_EQ(post("/v1/messages", mail_body()).status, 403u);
    EXPECT_EQ(post("/v1/messages/" + id + "/cancel", "").status, 403u);
    on_loop([&] { EXPECT_EQ(below_->messages.size(), 1u); });
}

TEST_F(Api, lets_administrators_alone_pause_their_routes) {
    start();
    on_loop([&] {
        for (const auto* id : {"relay", "tenant:acme", "tenant:globex"})
            below_->lines.emplace_back().id = route_id{id};
    });
    struct row {
        config::grant as;
        std::vector<unsigned> statuses;  // relay, tenant:acme, tenant:globex
    };
    const std::vector<row> cases{
        {grant_of(config::role::admin, {}, true), {200, 200, 200}},
        {grant_of(config::role::admin, {"acme"}), {404, 200, 404}},
        {grant_of(config::role::submit, {"acme"}), {404, 403, 404}},
        {grant_of(config::role::submit, {}, true), {403, 403, 403}},
    };
    for (const auto& c : cases) {
        config_.grants = {c.as};
        configure();
        std::vector<unsigned> statuses;
        for (const auto* id : {"relay", "tenant:acme", "tenant%3Aglobex"})
            statuses.push_back(post("/v1/routes/" + std::string{id} + "/pause", "").status);
        EXPECT_EQ(statuses, c.statuses);
    }
    config_.grants = {grant_of(config::role::read, {"acme"})};
    configure();
    const auto queue = get("/v1/queue").json();
    EXPECT_TRUE(queue.at("states").is_null()) << "sums over foreign tenants";
    std::vector<std::string> shown;
    for (const auto& line : queue.at("routes").as_array())
        shown.emplace_back(line.at("id").as_string());
    EXPECT_THAT(shown, ElementsAre("relay", "tenant:acme"));
}

}  // namespace
}  // namespace estafette::api
