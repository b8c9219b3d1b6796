// Sequences, kinds of mail that are switched off, and sending hours.
#include "fixture.hpp"

namespace estafette::api {
namespace {

constexpr const char* shared =
    R"("message":{"from":"a@x.example","to":["b@y.example"],"subject":"s","text":"t"})";

std::string sequence_body(const std::string& extra) {
    return std::string{R"({"group":"onboarding-7","anchor":"2035-05-01","time_zone":"Europe/Paris",)"} +
           shared + "," + extra + "}";
}

std::string text_at(const json::value& v, const char* pointer) {
    return std::string{v.at_pointer(pointer).as_string()};
}

TEST_F(Api, a_sequence_is_accepted_in_one_step_with_its_times_on_the_calendar) {
    start();
    const auto answer = post("/v1/sequences", sequence_body(R"("at":"09:00","steps":[{"offset":"+7d"},
            {"offset":"-15d","subject":"before","key":"k1"},{"offset":"P6M","at":"08:30"}])"));
    ASSERT_EQ(answer.status, 202u) << answer.body;
    const auto said = answer.json();
    EXPECT_EQ(text_at(said, "/group"), "onboarding-7");
    EXPECT_EQ(text_at(said, "/steps/0/send_at"), "2035-05-08T07:00:00.000Z");
    EXPECT_EQ(text_at(said, "/steps/1/send_at"), "2035-04-16T07:00:00.000Z");
    EXPECT_EQ(text_at(said, "/steps/2/send_at"), "2035-11-01T07:30:00.000Z") << "winter";
    EXPECT_EQ(text_at(said, "/steps/0/status"), "accepted");
    EXPECT_EQ(text_at(said, "/steps/0/recipients/0/state"), "scheduled");
    on_loop([&] {
        ASSERT_EQ(below_->messages.size(), 3u);
        EXPECT_EQ(below_->enqueue_calls, 1u) << "one durable step";
        EXPECT_EQ(below_->messages[0]->group, "onboarding-7");
        EXPECT_EQ(below_->messages[0]->subject, "s");
        EXPECT_EQ(below_->messages[1]->subject, "before");
        EXPECT_EQ(below_->messages[1]->key, "k1");
        ASSERT_TRUE(below_->group_claimed);
        EXPECT_EQ(below_->group_claimed->group.value, "onboarding-7");
        EXPECT_EQ(below_->group_claimed->rule, sched::key_rule::replace);
    });
}

TEST_F(Api, steps_of_the_past_are_skipped_sent_or_refused) {
    start();
    const std::string steps =
        R"("anchor":"2020-01-01T12:00:00Z","steps":[{"offset":"+1d"},{"offset":"+36500d"}]})";
    const std::string begin = std::string{R"({"group":"g",)"} + shared + ",";
    const auto skipped = post("/v1/sequences", begin + steps);
    ASSERT_EQ(skipped.status, 202u) << skipped.body;
    EXPECT_EQ(text_at(skipped.json(), "/steps/0/status"), "skipped");
    EXPECT_EQ(text_at(skipped.json(), "/steps/0/send_at"), "2020-01-02T12:00:00.000Z");
    EXPECT_EQ(text_at(skipped.json(), "/steps/1/status"), "accepted");
    const auto sent = post("/v1/sequences", begin + R"("past":"send",)" + steps);
    EXPECT_EQ(text_at(sent.json(), "/steps/0/recipients/0/state"), "queued");
    const auto refused = post("/v1/sequences", begin + R"("past":"reject",)" + steps);
    EXPECT_EQ(refused.status, 422u);
    EXPECT_EQ(refused.pointers(), std::vector<std::string>{"/steps/0/offset"});
}

TEST_F(Api, faults_of_a_sequence_point_at_their_place) {
    start();
    const std::pair<std::string, std::vector<std::string>> rows[] = {
        {"[]", {""}},
        {R"({"steps":[{"offset":"+1d"}]})", {"/group", "/anchor"}},
        {R"({"group":"g","anchor":"soon","steps":[]})", {"/anchor", "/steps"}},
        {sequence_body(R"("steps":[{"offset":"7 days"}])"), {"/steps/0/offset"}},
        {sequence_body(R"("steps":[{"offset":"+7d","at":"25:00"}])"), {"/steps/0/at"}},
        {sequence_body(R"("steps":[{"offset":"+7d","to":["no address"]}])"), {"/steps/0/to/0"}},
        {sequence_body(R"("steps":[{"offset":"+7d","send_at":"2099-01-01T00:00:00Z"}])"), {"/steps/0/send_at"}
        },
        {sequence_body(R"("nonsense":1,"steps":[{"offset":"+7d"}])"), {"/nonsense"}},
        {R"({"group":"g","anchor":"2035-05-01","time_zone":"Nowhere","steps":[{"offset":"+7d"}]})",
         {"/time_zone"}},
        {R"({"group":"g","anchor":"2035-05-01","message":{"from":"a@x","subject":"s","text":"t","to":["?"]},
             "steps":[{"offset":"+7d"},{"offset":"+8d"}]})",
         {"/message/to/0"}},
    };
    for (const auto& [body, pointers] : rows) {
        const auto answer = post("/v1/sequences", body);
        EXPECT_EQ(answer.status, 422u) << body;
        EXPECT_EQ(answer.pointers(), pointers) << body << answer.body;
    }
    on_loop([&] { EXPECT_EQ(below_->enqueue_calls, 0u); });
}

TEST_F(Api, a_sequence_is_accepted_once_for_its_idempotency_key) {
    start();
    const auto body = sequence_body(R"("steps":[{"offset":"+7d"},{"offset":"-40000d"},{"offset":"+8d"}])");
    const auto wrong = post("/v1/sequences", body, "Idempotency-Key: s1\r\n");
    EXPECT_EQ(wrong.status, 422u) << "more than a hundred years";
    const auto good = sequence_body(R"("steps":[{"offset":"+7d"},{"offset":"-36500d"},{"offset":"+8d"}])");
    const auto first = post("/v1/sequences", good, "Idempotency-Key: s1\r\n");
    ASSERT_EQ(first.status, 202u) << first.body;
    const auto again = post("/v1/sequences", good, "Idempotency-Key: s1\r\n");
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(post("/v1/sequences", body, "Idempotency-Key: s1\r\n").status, 422u);
    on_loop([&] { EXPECT_EQ(below_->messages.size(), 2u); });
}

TEST_F(Api, a_sequence_whose_group_is_leaving_is_told_to_come_back) {
    start();
    on_loop([&] { below_->fate_of_key["k"] = {sched::fate::under_way, {}, false, {}}; });
    const auto busy = post("/v1/sequences", sequence_body(R"("steps":[{"offset":"+7d","key":"k"}])"));
    EXPECT_EQ(busy.status, 409u);
    EXPECT_EQ(busy.code(), "under_way");
    EXPECT_EQ(busy.headers.at("retry-after"), "1");
}

TEST_F(Api, categories_are_switched_off_listed_and_switched_on) {
    config_.tenants["globex"].categories_off = {"surveys"};
    start();
    const auto off = post(
        "/v1/categories/reminders/off",
        R"({"tenant":"acme","reason":"summer","until":"2099-09-01T00:00:00Z"})"
    );
    ASSERT_EQ(off.status, 200u) << off.body;
    const auto listed = get("/v1/categories").json().at("categories").as_array();
    ASSERT_EQ(listed.size(), 2u);
    EXPECT_EQ(text_at(listed[0], "/tenant"), "acme");
    EXPECT_EQ(text_at(listed[0], "/category"), "reminders");
    EXPECT_EQ(text_at(listed[0], "/reason"), "summer");
    EXPECT_EQ(text_at(listed[0], "/until"), "2099-09-01T00:00:00.000Z");
    EXPECT_EQ(text_at(listed[1], "/from"), "configuration");
    EXPECT_EQ(get("/v1/categories?tenant=globex").json().at("categories").as_array().size(), 1u);
    const auto on = post("/v1/categories/reminders/on", R"({"tenant":"acme"})");
    EXPECT_TRUE(on.json().at("was_off").as_bool());
    EXPECT_FALSE(post("/v1/categories/reminders/on", R"({"tenant":"acme"})").json().at("was_off").as_bool());
    EXPECT_EQ(post("/v1/categories/surveys/on", R"({"tenant":"globex"})").status, 409u);
    EXPECT_EQ(
        post("/v1/categories/a/off", R"({"until":"later"})").pointers(), std::vector<std::string>{"/until"}
    );
    EXPECT_EQ(post("/v1/categories/a/off", R"({"tenant":"nobody"})").status, 404u);
}

TEST_F(Api, only_administrators_switch_categories) {
    config_.grants = {grant_of(config::role::submit, {"acme"})};
    start();
    EXPECT_EQ(post("/v1/categories/a/off", R"({"tenant":"acme"})").status, 403u);
    EXPECT_EQ(post("/v1/categories/a/off", R"({"tenant":"globex"})").status, 404u);
    EXPECT_EQ(get("/v1/categories?tenant=globex").status, 404u);
    EXPECT_EQ(get("/v1/categories?tenant=acme").status, 200u);
}

TEST_F(Api, mail_that_is_switched_off_is_accepted_as_cancelled_each_time_it_is_asked_for) {
    start();
    on_loop([&] { below_->off = {"surveys"}; });
    const auto body = mail_body(R"(,"category":"surveys")");
    const auto answer = post("/v1/messages", body, "Idempotency-Key: c1\r\n");
    ASSERT_EQ(answer.status, 202u);
    EXPECT_EQ(text_at(answer.json(), "/recipients/0/state"), "cancelled");
    on_loop([&] {
        const auto& m = *below_->messages.front();
        below_->cancel_at(m.id, m.accepted_at, "category surveys", "switched off");
    });
    std::string seen;
    for (int i = 0; i < 200 && seen != "cancelled"; ++i)
        seen = text_at(get("/v1/messages/" + text_at(answer.json(), "/id")).json(), "/recipients/0/state");
    EXPECT_EQ(seen, "cancelled");
    EXPECT_EQ(post("/v1/messages", body, "Idempotency-Key: c1\r\n").body, answer.body);
}

TEST_F(Api, an_address_is_erased_with_a_reason_and_counted_before) {
    start();
    const auto counted = post("/v1/erase", R"({"address":"Ann@Customer.EXAMPLE","dry_run":true})");
    ASSERT_EQ(counted.status, 200u) << counted.body;
    EXPECT_EQ(counted.json().at("recipients").to_number<int>(), 3);
    EXPECT_TRUE(counted.json().at("pseudonym").is_null());
    const auto without = post("/v1/erase", R"({"address":"no address"})");
    EXPECT_EQ(without.pointers(), (std::vector<std::string>{"/address", "/reason"}));
    const auto done =
        post("/v1/erase", R"({"address":"ann@customer.example","reason":"asked","tenant":"acme"})");
    ASSERT_EQ(done.status, 200u) << done.body;
    const auto pseudonym = text_at(done.json(), "/pseudonym");
    EXPECT_TRUE(mail::address::parse(pseudonym).has_value()) << pseudonym;
    EXPECT_EQ(done.body.find("ann@"), std::string::npos);
    on_loop([&] {
        ASSERT_EQ(below_->erasures.size(), 2u);
        EXPECT_TRUE(below_->erasures[0].is_dry_run);
        EXPECT_TRUE(below_->erasures[0].tenants.empty());
        EXPECT_EQ(below_->erasures[0].address, "Ann@customer.example");
        EXPECT_FALSE(below_->erasures[1].is_dry_run);
        EXPECT_EQ(below_->erasures[1].tenants, std::vector{tenant_id{"acme"}});
        EXPECT_EQ(below_->erasures[1].pseudonym, pseudonym);
        EXPECT_EQ(below_->erasures[1].why, "asked");
    });
}

TEST_F(Api, erasing_keeps_the_lines_that_protect_the_person_without_their_words) {
    start();
    const auto add = [&](const char* address, const char* cause) {
        ASSERT_EQ(
            post(
                "/v1/suppressions",
                std::string{R"({"tenant":"acme","text":"Ann said so","address":")"} + address +
                    R"(","cause":")" + cause + R"("})"
            )
                .status,
            200u
        );
    };
    const auto lines = [&](const char* address) {
        return get(std::string{"/v1/suppressions?tenant=acme&address="} + address).json().at("suppressions");
    };
    add("gone@x.example", "unknown_user");
    add("ann@x.example", "complaint");
    const auto erase = [&](const char* address, const char* more) {
        return post(
                   "/v1/erase", std::string{R"({"reason":"asked","address":")"} + address + "\"" + more + "}"
        )
            .json();
    };
    EXPECT_EQ(erase("gone@x.example", R"(,"dry_run":true)").at("suppressions_removed").to_number<int>(), 1);
    EXPECT_EQ(lines("gone@x.example").as_array().size(), 1u) << "it was only counted";
    EXPECT_EQ(erase("Gone@X.example", "").at("suppressions_removed").to_number<int>(), 1);
    EXPECT_EQ(lines("gone@x.example").as_array().size(), 0u) << "it protected nobody";
    const auto kept = erase("ann@x.example", "");
    EXPECT_EQ(kept.at("suppressions_removed").to_number<int>(), 0);
    EXPECT_EQ(kept.at("suppressions_kept").to_number<int>(), 1);
    const auto line = lines("ann@x.example").at(0);
    EXPECT_EQ(line.at("cause").as_string(), "complaint");
    EXPECT_EQ(line.at("text").as_string(), "");
}

TEST_F(Api, only_administrators_erase_and_only_mail_of_their_tenants) {
    config_.grants = {grant_of(config::role::submit, {"acme"})};
    start();
    EXPECT_EQ(post("/v1/erase", R"({"address":"a@x.example","reason":"r"})").status, 403u);
    EXPECT_EQ(post("/v1/erase", R"({"address":"a@x.example","reason":"r","tenant":"acme"})").status, 403u);
    EXPECT_EQ(post("/v1/erase", R"({"address":"a@x.example","reason":"r","tenant":"globex"})").status, 404u);
    config_.grants = {grant_of(config::role::admin, {"acme"})};
    configure();
    EXPECT_EQ(post("/v1/erase", R"({"address":"a@x.example","reason":"r"})").status, 200u);
    on_loop([&] { EXPECT_EQ(below_->erasures.back().tenants, std::vector{tenant_id{"acme"}}); });
}

TEST_F(Api, mail_outside_of_the_sending_hours_says_when_they_begin) {
    config::send_window w;
    w.days.fill(false);
    const auto now = std::chrono::system_clock::now();
    const auto today = std::chrono::floor<std::chrono::days>(now);
    w.days[(std::chrono::weekday{today}.iso_encoding() + 2) % 7] = true;  // in three days
    w.opens = std::chrono::hours{8};
    config_.tenants["acme"].send_window = w;
    start();
    const auto opens = to_rfc3339(today + std::chrono::days{3} + std::chrono::hours{8});
    const auto bulk = enqueue(R"(,"tenant":"acme","priority":"bulk")");
    const auto seen = get("/v1/messages/" + bulk).json().at("recipients").at(0);
    EXPECT_EQ(text_at(seen, "/state"), "queued");
    EXPECT_EQ(text_at(seen, "/next_attempt_at"), opens);
    EXPECT_THAT(text_at(seen, "/note"), testing::StartsWith("waits for the sending hours: "));
    const auto listed = get("/v1/recipients?tenant=acme").json().at("recipients").at(0);
    EXPECT_EQ(text_at(listed, "/next_attempt_at"), opens);
    const auto urgent = enqueue(R"(,"tenant":"acme")");
    EXPECT_EQ(text_at(get("/v1/messages/" + urgent).json(), "/recipients/0/note"), "");
}

}  // namespace
}  // namespace estafette::api
