#include "fixture.hpp"

namespace estafette::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> addresses(const json::value& page) {
    std::vector<std::string> out;
    for (const auto& r : page.at("recipients").as_array())
        out.emplace_back(r.at("address").as_string());
    return out;
}

store::attempted greylisted(const std::string& id) {
    store::attempted a;
    a.who = *recipient_id::parse(id + ".0");
    a.next = store::state::deferred;
    a.next_attempt_at = *parse_rfc3339("2099-01-01T00:00:00Z");
    a.what.number = 1;
    a.what.started_at = *parse_rfc3339("2026-05-01T08:00:00Z");
    a.what.duration = milliseconds{12};
    a.what.route = route_id{"relay"};
    a.what.server = "127.0.0.1:2525";
    a.what.tls = "TLSv1.3 X, verified";
    a.what.at = smtp::phase::rcpt;
    a.what.judged.what = verdict::disposition::retry;
    a.what.judged.why = verdict::reason::greylisted;
    a.what.judged.retry_hint = seconds{300};
    a.what.judged.rule = "generic/greylisted";
    a.what.code = 450;
    a.what.enhanced = smtp::enhanced_code{4, 2, 0};
    a.what.text = "450 4.2.0 come back in 300 seconds";
    return a;
}

TEST_F(Api, shows_a_message_as_it_was_given) {
    start();
    const auto id = enqueue(
        R"(,"category":"c","group":"g","key":"k","tags":["t"],"metadata":{"n":1},"send_at":"2099-01-01T00:00:00Z")"
    );
    const auto m = get("/v1/messages/" + id).json();
    EXPECT_EQ(m.at("id").as_string(), id);
    EXPECT_EQ(m.at("tenant").as_string(), "default");
    EXPECT_EQ(m.at("from").as_string(), "a@x.example");
    EXPECT_EQ(m.at("subject").as_string(), "s");
    EXPECT_EQ(json::serialize(m.at("metadata")), R"({"n":1})");
    EXPECT_EQ(json::serialize(m.at("tags")), R"(["t"])");
    EXPECT_EQ(m.at("due_at").as_string(), "2099-01-01T00:00:00.000Z");
    EXPECT_EQ(m.at("priority").as_string(), "transactional");
    const auto& r = m.at("recipients").at(0);
    EXPECT_EQ(r.at("state").as_string(), "scheduled");
    EXPECT_EQ(r.at("shown").as_string(), "Pending");
    for (const auto* key : {"reason", "scope", "headline", "last_attempt"})
        EXPECT_TRUE(r.at(key).is_null()) << key;
    EXPECT_FALSE(r.as_object().contains("explanation"));
    EXPECT_EQ(m.at("timeline").at(0).at("type").as_string(), "accepted");
    EXPECT_EQ(m.at("timeline").at(0).at("recipient").as_string(), id + ".0");
}

TEST_F(Api, shows_the_last_attempt_and_its_reason) {
    start();
    const auto id = enqueue();
    ASSERT_EQ(*commit(greylisted(id)), 1u);
    const auto m = get("/v1/messages/" + id).json();
    const auto& r = m.at("recipients").at(0);
    EXPECT_EQ(r.at("state").as_string(), "deferred");
    EXPECT_EQ(r.at("reason").as_string(), "greylisted");
    EXPECT_EQ(r.at("scope").as_string(), "recipient");
    EXPECT_EQ(r.at("next_attempt_at").as_string(), "2099-01-01T00:00:00.000Z");
    EXPECT_FALSE(r.at("headline").as_string().empty());
    EXPECT_EQ(
        json::serialize(r.at("last_attempt")),
        R"({"number":1,"at":"2026-05-01T08:00:00.000Z","duration_ms":12,"route":"relay","server":"127.0.0.1:2525",)"
        R"("tls":"TLSv1.3 X, verified","phase":"rcpt","disposition":"retry","reason":"greylisted","scope":"recipient",)"
        R"("code":450,"enhanced":"4.2.0","text":"450 4.2.0 come back in 300 seconds","rule":"generic/greylisted",)"
        R"("retry_hint_seconds":300})"
    );
    EXPECT_EQ(json::serialize(m.at("timeline").at(1).at("attempt")), json::serialize(r.at("last_attempt")));
}

TEST_F(Api, speaks_the_language_that_is_asked_for) {
    start();
    const auto id = enqueue();
    ASSERT_TRUE(commit(greylisted(id)));
    const auto plain = get("/v1/messages/" + id).json().at("recipients").at(0);
    const auto french = get("/v1/messages/" + id + "?lang=fr").json().at("recipients").at(0);
    const auto dutch =
        get("/v1/messages/" + id, "Accept-Language: nl-BE,nl;q=0.9\r\n").json().at("recipients").at(0);
    EXPECT_NE(french.at("headline"), plain.at("headline"));
    EXPECT_NE(dutch.at("headline"), french.at("headline"));
    EXPECT_NE(french.at("shown"), plain.at("shown"));
    EXPECT_EQ(french.at("explanation").at("headline"), french.at("headline"));
    for (const auto* key : {"happened", "acts", "advice"})
        EXPECT_FALSE(dutch.at("explanation").at(key).as_string().empty()) << key;
    EXPECT_TRUE(dutch.at("explanation").at("forward").is_null()) << "nobody of theirs has to act";
    EXPECT_THAT(
        dutch.at("explanation").at("advice").as_string().c_str(),
        HasSubstr("1 januari 2099 om 00.00 uur (UTC)")
    );
}

TEST_F(Api, has_a_letter_for_those_who_must_act) {
    start();
    const auto id = enqueue();
    auto refused = greylisted(id);
    refused.next = store::state::failed;
    refused.next_attempt_at.reset();
    refused.what.judged.what = verdict::disposition::fail;
    refused.what.judged.why = verdict::reason::blocked_policy;
    ASSERT_TRUE(commit(refused));
    const auto seen = get("/v1/messages/" + id + "?lang=fr").json().at("recipients").at(0);
    const std::string letter{seen.at("explanation").at("forward").as_string()};
    for (const auto* part :
         {"Bonjour,\n\n", "a@x.example", "b@y.example", "127.0.0.1", "come back in 300", "1er mai 2026"})
        EXPECT_THAT(letter, HasSubstr(part));
}

TEST_F(Api, tells_times_by_the_clocks_of_the_tenants_readers_and_what_is_known_of_the_route) {
    config_.relay.emplace();
    config_.relay->servers.push_back({"smtp.vendor.example", 587, 10, 10});
    config_.relay->sends_from = {"192.0.2.10", "2001:db8::/64"};
    config_.tenants["default"].time_zone = *zone::find("Europe/Paris");
    start();
    const auto id = enqueue();
    auto refused = greylisted(id);
    refused.what.judged.why = verdict::reason::blocked_policy;
    ASSERT_TRUE(commit(refused));
    const auto seen = [&] { return get("/v1/messages/" + id + "?lang=en").json().at("recipients").at(0); };
    auto r = seen();
    EXPECT_EQ(r.at("time_zone").as_string(), "Europe/Paris");
    EXPECT_EQ(r.at("next_attempt_at").as_string(), "2099-01-01T00:00:00.000Z");
    EXPECT_THAT(
        std::string{r.at("explanation").at("advice").as_string()},
        HasSubstr("planned for 1 January 2099 at 01:00 (Europe/Paris)")
    );
    std::string letter{r.at("explanation").at("forward").as_string()};
    for (const auto* part :
         {": a@x.example\n",
          ": x.example\n",
          ": b@y.example\n",
          ": 127.0.0.1\n",
          ": 192.0.2.10, 2001:db8::/64\n",
          ": 1 May 2026 at 10:00 (Europe/Paris)\n",
          ": 450 4.2.0\n",
          "“450 4.2.0 come back in 300 seconds”"})
        EXPECT_THAT(letter, HasSubstr(part));
    on_loop([&] {
        hold h;
        h.why = verdict::reason::auth_failed;
        h.text = "535 wrong password";
        h.by = "daemon";
        below_->holds[default_tenant()] = h;
    });
    letter = seen().at("explanation").at("forward").as_string();
    EXPECT_THAT(letter, HasSubstr(": smtp.vendor.example\n"));
    EXPECT_THAT(letter, HasSubstr("535 wrong password"));
    EXPECT_THAT(letter, Not(HasSubstr("1 May 2026"))) << "that was another answer";
}

TEST_F(Api, what_a_report_said_later_is_not_put_into_the_mouth_of_the_server_that_took_the_mail) {
    start();
    const auto id = enqueue();
    auto taken = greylisted(id);
    taken.next = store::state::relayed;
    taken.next_attempt_at.reset();
    taken.what.judged = {};
    taken.what.judged.what = verdict::disposition::accepted;
    taken.what.judged.why = verdict::reason::accepted;
    taken.what.code = 250;
    taken.what.text = "queued as 4711";
    ASSERT_TRUE(commit(taken));
    store::corrected report;
    report.who = *recipient_id::parse(id + ".0");
    report.at = *parse_rfc3339("2026-05-01T09:00:00Z");
    report.what = store::finding::failed;
    report.judged.what = verdict::disposition::fail;
    report.judged.why = verdict::reason::blocked_policy;
    report.text = "550 5.7.1 not from you";
    ASSERT_TRUE(commit(report));
    const auto said = get("/v1/messages/" + id + "?lang=en").json().at("recipients").at(0).at("explanation");
    const std::string happened{said.at("happened").as_string()};
    EXPECT_THAT(happened, HasSubstr("The mail server answered: “550 5.7.1 not from you”."));
    EXPECT_THAT(happened, Not(HasSubstr("127.0.0.1")));
    EXPECT_THAT(std::string{said.at("forward").as_string()}, Not(HasSubstr("queued as")));
}

TEST_F(Api, what_somebody_holds_is_explained_as_that) {
    start();
    const auto id = enqueue();
    on_loop([&] {
        hold h;
        h.text = "maintenance";
        h.by = "uid 0";
        below_->holds[default_tenant()] = h;
    });
    const auto seen = [&](const std::string& of) {
        return get("/v1/messages/" + of + "?lang=fr").json().at("recipients").at(0).at("explanation");
    };
    const auto paused = seen(id);
    EXPECT_EQ(paused.at("headline").as_string(), "Le message est retenu ici");
    EXPECT_THAT(std::string{paused.at("happened").as_string()}, HasSubstr("uid 0: maintenance"));
    EXPECT_EQ(get("/v1/diagnosis?address=b@y.example").json().at("finding").as_string(), "held");
    on_loop([&] { below_->holds.clear(); });
    store::held by_hand;
    by_hand.who = *recipient_id::parse(id + ".0");
    by_hand.at = from_unix_ms(0);
    by_hand.by = "uid 7";
    by_hand.text = "a check";
    ASSERT_TRUE(commit(by_hand));
    EXPECT_EQ(seen(id).at("headline").as_string(), "Le message est retenu ici");
    EXPECT_THAT(std::string{seen(id).at("happened").as_string()}, HasSubstr("uid 7: a check"));
}

TEST_F(Api, a_suppressed_recipient_is_told_why_and_since_when) {
    start();
    const auto id = enqueue();
    ASSERT_TRUE(commit(store::withheld{
        *recipient_id::parse(id + ".0"),
        from_unix_ms(0),
        "on the suppression list since 2026-05-01 (complaint, ses): they said so"
    }));
    const auto said = get("/v1/messages/" + id + "?lang=nl").json().at("recipients").at(0).at("explanation");
    EXPECT_THAT(
        std::string{said.at("happened").as_string()},
        ::testing::AllOf(
            HasSubstr("sinds 1 mei 2026"), HasSubstr("heeft geklaagd"), Not(HasSubstr("met de hand"))
        )
    );
}

TEST_F(Api, shows_mail_of_a_route_that_rests_as_held) {
    config_.grants = {grant_of(config::role::admin, {}, true)};
    start();
    const auto id = enqueue();
    const auto later = enqueue(R"(,"send_at":"2099-01-01T00:00:00Z")");
    on_loop([&] {
        hold h;
        h.why = verdict::reason::auth_failed;
        h.text = "535 wrong password";
        below_->holds[default_tenant()] = h;
    });
    const auto r = get("/v1/messages/" + id).json().at("recipients").at(0);
    EXPECT_EQ(r.at("state").as_string(), "held");
    EXPECT_EQ(r.at("reason").as_string(), "auth_failed");
    EXPECT_EQ(r.at("scope").as_string(), "route");
    EXPECT_EQ(r.at("note").as_string(), "535 wrong password");
    EXPECT_FALSE(r.at("headline").as_string().empty());
    EXPECT_EQ(
        get("/v1/messages/" + later).json().at("recipients").at(0).at("state").as_string(), "scheduled"
    );
    EXPECT_EQ(
        get("/v1/recipients?address=b@y.example").json().at("recipients").at(1).at("state").as_string(),
        "held"
    );
    const auto queue = get("/v1/queue").json();
    EXPECT_EQ(queue.at("states").at("held").to_number<int>(), 1);
    EXPECT_EQ(queue.at("states").at("queued").to_number<int>(), 0);
    EXPECT_EQ(queue.at("states").at("scheduled").to_number<int>(), 1);
}

TEST_F(Api, shows_mail_that_waits_for_its_turn_under_a_limit_as_rate_limited_and_until_when) {
    config_.grants = {grant_of(config::role::admin, {}, true)};
    start();
    const auto id = enqueue();
    EXPECT_TRUE(get("/v1/messages/" + id).json().at("recipients").at(0).at("reason").is_null());
    on_loop([&] { below_->limits["b@y.example"] = from_unix_ms(4'102'444'800'000); });
    const auto r = get("/v1/messages/" + id + "?lang=nl").json().at("recipients").at(0);
    EXPECT_EQ(r.at("state").as_string(), "queued");
    EXPECT_EQ(r.at("reason").as_string(), "rate_limited");
    EXPECT_EQ(r.at("next_attempt_at").as_string(), "2100-01-01T00:00:00.000Z");
    EXPECT_EQ(r.at("explanation").at("headline"), r.at("headline"));
    const auto listed = get("/v1/recipients?address=b@y.example").json().at("recipients").at(0);
    EXPECT_EQ(listed.at("reason").as_string(), "rate_limited");
}

TEST_F(Api, puts_no_words_into_a_server_that_said_nothing) {
    start();
    const auto id = enqueue();
    auto refused = greylisted(id);
    refused.what.code = 0;
    refused.what.judged.why = verdict::reason::connection_failed;
    refused.what.judged.fault = verdict::scope::route;
    refused.what.text = "the peer refused the connection";
    ASSERT_TRUE(commit(refused));
    const auto explained = [&](const char* part) {
        const auto r = get("/v1/messages/" + id + "?lang=en").json().at("recipients").at(0);
        return std::string{r.at("explanation").at(part).as_string()};
    };
    const auto happened = [&] { return explained("happened"); };
    const auto noticed = HasSubstr("What we noticed: the peer refused the connection\n");
    EXPECT_THAT(happened(), Not(HasSubstr("the peer refused")));
    EXPECT_THAT(explained("forward"), noticed);
    on_loop([&] {
        hold h;
        h.why = verdict::reason::connection_failed;
        h.text = "the peer refused the connection";
        below_->holds[default_tenant()] = h;
    });
    EXPECT_THAT(happened(), Not(HasSubstr("the peer refused")));
    EXPECT_THAT(explained("forward"), noticed);
    on_loop([&] {
        below_->holds[default_tenant()].why = verdict::reason::auth_failed;
        below_->holds[default_tenant()].text = "535 5.7.8 go away";
    });
    EXPECT_THAT(happened(), HasSubstr("535 5.7.8 go away"));
    on_loop([&] { below_->holds[default_tenant()].text = "the server offers no way to log in that we know"; }
    );
    EXPECT_THAT(happened(), Not(HasSubstr("no way to log in")));
    EXPECT_THAT(explained("forward"), HasSubstr("What we noticed: the server offers no way to log in"));
}

TEST_F(Api, finds_recipients_page_by_page) {
    start();
    for (int i = 0; i < 5; ++i)
        post("/v1/messages", R"({"from":"a@x","to":"r)" + std::to_string(i) + R"(@Y.example","text":"t"})");
    std::vector<std::string> seen;
    std::string target = "/v1/recipients?limit=2&tenant=default";
    for (int pages = 0; pages < 3; ++pages) {
        const auto a = get(target);
        ASSERT_EQ(a.status, 200u) << a.body;
        for (auto& address : addresses(a.json()))
            seen.push_back(std::move(address));
        if (a.json().at("next").is_null()) {
            EXPECT_FALSE(a.headers.contains("link"));
            break;
        }
        const auto& link = a.headers.at("link");
        EXPECT_THAT(link, HasSubstr(">; rel=\"next\""));
        target = link.substr(1, link.find('>') - 1);
    }
    EXPECT_THAT(
        seen, ElementsAre("r4@y.example", "r3@y.example", "r2@y.example", "r1@y.example", "r0@y.example")
    );
    EXPECT_THAT(addresses(get("/v1/recipients?address=r3%40Y.EXAMPLE").json()), ElementsAre("r3@y.example"));
    EXPECT_TRUE(addresses(get("/v1/recipients?state=failed").json()).empty());
    EXPECT_EQ(addresses(get("/v1/recipients?state=queued").json()).size(), 5u);
    EXPECT_TRUE(addresses(get("/v1/recipients?uncertain=true").json()).empty());
}

TEST_F(Api, refuses_queries_that_make_no_sense) {
    start();
    const std::vector<std::pair<std::string, std::string>> cases{
        {"address=nobody", "/address"},
        {"address=a%0d%0a@x", "/address"},
        {"state=lost", "/state"},
        {"reason=bad_luck", "/reason"},
        {"limit=0", "/limit"},
        {"limit=501", "/limit"},
        {"limit=2x", "/limit"},
        {"uncertain=maybe", "/uncertain"},
        {"cursor=tampered", "/cursor"},
        {"colour=red", "/colour"},
    };
    for (const auto& [query, pointer] : cases) {
        const auto a = get("/v1/recipients?" + query);
        EXPECT_EQ(a.status, 422u) << query;
        EXPECT_THAT(a.pointers(), ElementsAre(pointer));
    }
}

TEST_F(Api, cancels_what_has_not_left) {
    start();
    const auto id = enqueue();
    const auto a = post("/v1/messages/" + id + "/cancel", R"({"reason":"no longer needed"})");
    ASSERT_EQ(a.status, 200u) << a.body;
    EXPECT_EQ(a.json().at("cancelled").to_number<int>(), 1);
    EXPECT_EQ(a.json().at("recipients").at(0).at("state").as_string(), "cancelled");
    const auto again = post("/v1/messages/" + id + "/cancel", "");
    EXPECT_EQ(again.status, 409u);
    EXPECT_EQ(again.code(), "already_left");
    EXPECT_EQ(post("/v1/messages/" + id + "/cancel", "[]").status, 422u);
    EXPECT_EQ(post("/v1/messages/" + id + "/cancel", "{").status, 400u);
    EXPECT_EQ(post("/v1/messages/" + id + "/cancel", R"({"why":1})").status, 422u);
}

TEST_F(Api, finds_no_message_that_is_not_there) {
    start();
    for (const auto* id :
         {"x", "00000000-0000-0000-0000-000000000000", "01977a1e-0000-7000-8000-00000000000", "%00"}) {
        EXPECT_EQ(get("/v1/messages/" + std::string{id}).code(), "not_found") << id;
        EXPECT_EQ(post("/v1/messages/" + std::string{id} + "/cancel", "").code(), "not_found") << id;
    }
}

TEST_F(Api, shows_and_pauses_routes) {
    start();
    on_loop([&] {
        route::route_status relay;
        relay.id = route_id{"relay"};
        relay.servers = {"mail.example:587"};
        below_->lines = {relay};
    });
    const auto line = get("/v1/queue").json().at("routes").at(0);
    EXPECT_EQ(
        json::serialize(line),
        R"({"id":"relay","state":"active","reason":null,"text":"","by":null,"since":null,"until":null,)"
        R"("connections":0,"connections_allowed":0,"ready":0,"servers":["mail.example:587"],"fallbacks":[]})"
    );
    const auto paused =
        post("/v1/routes/relay/pause", R"({"reason":"maintenance","until":"2099-01-01T00:00:00Z"})");
    ASSERT_EQ(paused.status, 200u) << paused.body;
    EXPECT_EQ(paused.json().at("state").as_string(), "paused");
    EXPECT_EQ(paused.json().at("text").as_string(), "maintenance");
    EXPECT_EQ(paused.json().at("until").as_string(), "2099-01-01T00:00:00.000Z");
    EXPECT_EQ(paused.json().at("by").as_string(), "uid " + std::to_string(::getuid()));
    EXPECT_EQ(post("/v1/routes/relay/resume", "").json().at("state").as_string(), "active");
    EXPECT_EQ(post("/v1/routes/other/pause", "").status, 404u);
    EXPECT_EQ(post("/v1/routes/relay/pause", R"({"until":"soon"})").status, 422u);
}

TEST_F(Api, lists_the_replies_that_no_rule_knows_for_those_who_may_read_everything) {
    start();
    on_loop([&] {
        below_->not_known.total = 12;
        below_->not_known.kept = {
            {"550 Zorglub", 550, 9, "mx.y.example", *parse_rfc3339("2026-05-01T08:00:00Z")},
            {"450 Bulgroz", 450, 1, {}, {}},
        };
    });
    EXPECT_EQ(
        get("/v1/rules/unmatched").body,
        R"({"total":12,"replies":[{"count":9,"code":550,"text":"550 Zorglub","server":"mx.y.example",)"
        R"("seen_at":"2026-05-01T08:00:00.000Z"},)"
        R"({"count":1,"code":450,"text":"450 Bulgroz","server":null,"seen_at":null}]})"
        "\n"
    );
    config_.grants = {grant_of(config::role::read, {}, true)};
    configure();
    EXPECT_EQ(get("/v1/rules/unmatched").status, 200u);
    config_.grants = {grant_of(config::role::admin, {"acme"})};
    configure();
    EXPECT_EQ(get("/v1/rules/unmatched").status, 403u) << "replies may name any tenant's recipients";
    EXPECT_EQ(get("/v1/rules").status, 404u);
}

store::attempted unknown_at(const std::string& id) {
    auto a = greylisted(id);
    a.next = store::state::failed;
    a.next_attempt_at.reset();
    a.what.judged.what = verdict::disposition::fail;
    a.what.judged.why = verdict::reason::unknown_user;
    a.what.judged.retry_hint.reset();
    a.what.code = 550;
    a.what.text = "550 5.1.1 no such user";
    return a;
}

TEST_F(Api, says_what_is_most_likely_the_matter_with_an_address) {
    start();
    commit(unknown_at(enqueue()));
    verdict::domain_fact domain;
    domain.accepted = 17;
    domain.since = from_unix_ms(0);
    on_loop([&] { below_->domains["y.example"] = domain; });
    const auto found = get("/v1/diagnosis?address=b@y.example&lang=fr").json();
    EXPECT_EQ(found.at("finding").as_string(), "wrong_address");
    EXPECT_EQ(found.at("likelihood").as_string(), "certain");
    EXPECT_EQ(found.at("headline").as_string(), "L’adresse est fausse");
    EXPECT_THAT(
        std::string{found.at("because").at(0).as_string()}, HasSubstr("17 autres messages à y.example")
    );
    EXPECT_EQ(found.at("recipients").as_array().size(), 1u);
}

TEST_F(Api, a_route_that_rests_is_the_diagnosis_of_what_waits) {
    start();
    enqueue();
    on_loop([&] {
        below_->holds[default_tenant()] = hold{verdict::reason::auth_failed, "535 no", "daemon", {}, {}, {}};
    });
    EXPECT_EQ(get("/v1/diagnosis?address=b@y.example").json().at("finding").as_string(), "route_down");
    EXPECT_EQ(get("/v1/diagnosis?address=other@x.example").json().at("finding").as_string(), "no_mail");
}

TEST_F(Api, a_diagnosis_needs_an_address_and_a_tenant_of_the_caller) {
    config_.grants = {grant_of(config::role::read, {"acme"})};
    start();
    EXPECT_THAT(get("/v1/diagnosis").pointers(), ElementsAre("/address"));
    EXPECT_THAT(get("/v1/diagnosis?address=nobody").pointers(), ElementsAre("/address"));
    EXPECT_THAT(get("/v1/diagnosis?address=a@x.example&x=1").pointers(), ElementsAre("/x"));
    EXPECT_EQ(get("/v1/diagnosis?address=a@x.example&tenant=globex").status, 404u);
}

TEST_F(Api, makes_the_page_for_a_customers_it) {
    auto& acme = config_.tenants["acme"];
    acme.senders = {"badges@vendor.example", "other.example"};
    acme.contact = "support@vendor.example";
    config_.relay.emplace();
    config_.relay->servers.push_back({"smtp.vendor.example", 587, 10, 10});
    config_.relay->sends_from = {"192.0.2.10"};
    config_.relay->return_path = config::return_path_mode::fixed;
    config_.relay->return_path_address = "bounces@vendor.example";
    start();
    const auto found = get("/v1/tenants/acme/allowlist?lang=nl").json();
    EXPECT_EQ(json::serialize(found.at("domains")), R"(["vendor.example","other.example"])");
    EXPECT_EQ(json::serialize(found.at("senders")), R"(["badges@vendor.example"])");
    EXPECT_EQ(json::serialize(found.at("missing")), R"(["relay.dkim_domain"])");
    EXPECT_THAT(
        std::string{found.at("page").as_string()},
        ::testing::AllOf(
            HasSubstr("Onze mail doorlaten"), HasSubstr("192.0.2.10"), HasSubstr("bounces@vendor.example")
        )
    );
}

TEST_F(Api, the_page_of_a_foreign_or_unknown_tenant_is_not_there) {
    config_.grants = {grant_of(config::role::read, {"acme"})};
    start();
    EXPECT_EQ(get("/v1/tenants/acme/allowlist").status, 200u);
    EXPECT_EQ(get("/v1/tenants/globex/allowlist").status, 404u);
    EXPECT_EQ(get("/v1/tenants/nobody/allowlist").status, 404u);
}

}  // namespace
}  // namespace estafette::api
