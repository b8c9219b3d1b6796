#include "fixture.hpp"

#include <memory>
#include <set>

namespace estafette::api {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(Api, accepts_a_mail_and_says_where_it_is) {
    start();
    const auto a = post("/v1/messages", mail_body());
    ASSERT_EQ(a.status, 202u) << a.body;
    const auto id = std::string{a.json().at("id").as_string()};
    EXPECT_EQ(a.headers.at("location"), "/v1/messages/" + id);
    EXPECT_EQ(a.headers.at("content-type"), "application/json");
    const auto recipient = a.json().at("recipients").as_array().at(0);
    EXPECT_EQ(
        json::serialize(recipient), R"({"id":")" + id + R"(.0","address":"b@y.example","state":"queued"})"
    );
    on_loop([&] {
        ASSERT_EQ(below_->messages.size(), 1u);
        EXPECT_EQ(below_->messages[0]->tenant, default_tenant());
        EXPECT_THAT(*below_->messages[0]->body, HasSubstr("Subject: s\r\n"));
        EXPECT_EQ(below_->messages[0]->header_message_id, "<" + id + "@mail.vendor.example>");
    });
}

TEST_F(Api, takes_json_under_the_names_that_callers_use) {
    start();
    const std::vector<std::pair<std::string, unsigned>> types{
        {"application/json", 202},
        {"application/json; charset=utf-8", 202},
        {"Application/JSON", 202},
        {"application/vnd.x+json", 202},
        {"application/x-www-form-urlencoded", 202},
        {"text/plain", 415},
        {"multipart/form-data", 415},
    };
    for (const auto& [type, status] : types) {
        const auto a =
            call(request_bytes("POST", "/v1/messages", mail_body(), "Content-Type: " + type + "\r\n"));
        EXPECT_EQ(a.status, status) << type;
    }
    EXPECT_EQ(call(request_bytes("POST", "/v1/messages", mail_body())).status, 202u);
    EXPECT_EQ(
        call(request_bytes(
                 "POST", "/v1/messages", "a=b", "Content-Type: application/x-www-form-urlencoded\r\n"
             ))
            .status,
        415u
    );
    EXPECT_EQ(post("/v1/messages", mail_body(), "Content-Encoding: gzip\r\n").code(), "media_type");
}

TEST_F(Api, names_the_wrong_field_and_sends_nothing) {
    start();
    const auto a = post("/v1/messages", R"({"from":"a@x","to":["b\r\nRCPT TO:<c@y>"]})");
    EXPECT_EQ(a.status, 422u);
    EXPECT_EQ(a.headers.at("content-type"), "application/problem+json");
    EXPECT_EQ(a.code(), "validation");
    EXPECT_THAT(a.pointers(), ElementsAre("/to/0", "/text"));
    EXPECT_EQ(a.json().at("errors").as_array().at(0).at("code").as_string(), "control_character");
    EXPECT_THAT(
        std::string{a.json().at("detail").as_string()},
        StartsWith("to[0]: control characters are not allowed here")
    );
    on_loop([&] { EXPECT_EQ(below_->enqueue_calls, 0u); });
}

struct fault {
    std::string body;
    std::vector<std::string> at;
};

TEST_F(Api, tells_every_fault_of_a_body_at_once) {
    start();
    const std::vector<fault> cases{
        {R"({"from":"a@x","to":"b@y","text":"t","subjct":"x","extra":1})", {"/subjct", "/extra"}},
        {R"({"from":1,"to":"b@y","text":"t"})", {"/from"}},
        {R"({"from":"a@x","to":[1,"b"],"text":"t"})", {"/to/0", "/to/1"}},
        {R"({"from":"a@x","to":{},"text":[]})", {"/to", "/text"}},
        {R"({"from":"a@x","to":"no address","text":"t"})", {"/to"}},
        {R"({"from":null,"to":"b@y","text":"t"})", {"/from"}},
        {R"({"from":"a@x","to":"b@y","text":"t","headers":{"X-A":1,"Bcc":"c@x"}})",
         {"/headers/X-A", "/headers/Bcc"}},
        {R"({"from":"a@x","to":"b@y","text":"t","headers":[]})", {"/headers"}},
        {R"({"from":"a@x","to":"b@y","text":"t","attachments":[{"filename":"a"},{"content":"","x":1},3]})",
         {"/attachments/0/content", "/attachments/1/x", "/attachments/2"}},
        {R"({"from":"a@x","to":"b@y","text":"t","envelope":{"from":"","to":"b@y","x":1}})",
         {"/envelope/to", "/envelope/x"}},
        {R"({"from":"a@x","to":"b@y","text":"t","require_tls":"yes","metadata":[],"tags":"a"})",
         {"/require_tls", "/metadata", "/tags"}},
        {R"({"from":"a@x","to":"b@y","text":"t","a/b~c":1})", {"/a~1b~0c"}},
        {R"({"from":"a@x","to":"b@y","text":"t","dsn":{"notify":["delay",1],"return":2,"x":3}})",
         {"/dsn/notify/1", "/dsn/return", "/dsn/x"}},
        {R"({"from":"a@x","to":"b@y","text":"t","dsn":{"notify":["never","delay"],"envelope_id":"\u00e9"}})",
         {"/dsn/notify", "/dsn/envelope_id"}},
        {R"({"from":"a@x","to":"b@y","text":"t","dsn":"never"})", {"/dsn"}},
        {R"([])", {""}},
        {R"({})", {"/to", "/from", "/text"}},
    };
    for (const auto& c : cases) {
        const auto a = post("/v1/messages", c.body);
        EXPECT_EQ(a.status, 422u) << c.body;
        EXPECT_EQ(a.pointers(), c.at) << c.body << a.body;
    }
}

TEST_F(Api, says_at_which_byte_broken_json_breaks) {
    start();
    std::string deep = R"({"metadata":)";
    for (int i = 0; i < 40; ++i)
        deep += "[";
    std::string bomb = "{\"tags\":[0";
    for (int i = 0; i < 300'000; ++i)
        bomb += ",0";
    const std::vector<std::pair<std::string, std::size_t>> cases{
        {R"({"from": })", 9},
        {R"({"a":NaN})", 5},
        {R"({"a":0e355})", 10},
        {R"({"a":-1e999})", 11},
        {R"({"a":1,"a":2})", 10},
        {"{\"a\":\"\xff\"}", 6},
        {R"({"a":"\ud800"})", 12},
        {R"({"a":"\u12"})", 10},
        {"{\"a\":\"\n\"}", 6},
        {R"({"a":01})", 6},
        {R"({"a":1}x)", 7},
        {R"({"a":1,})", 7},
        {"{\"a\":", 5},
        {"{'a':1}", 1},
        {"{} // x", 3},
        {deep, 43},
    };
    for (const auto& [body, offset] : cases) {
        const auto a = post("/v1/messages", body);
        EXPECT_EQ(a.status, 400u) << body;
        EXPECT_EQ(a.code(), "json_invalid") << body;
        EXPECT_NEAR(
            static_cast<double>(a.json().at("offset").to_number<std::size_t>()),
            static_cast<double>(offset),
            2
        ) << body
          << a.body;
    }
    EXPECT_EQ(post("/v1/messages", bomb + "]}").code(), "json_invalid");
}

TEST_F(Api, takes_a_raw_mail_with_its_envelope_in_the_query) {
    start();
    const std::string mail = "Subject: raw\nBcc: eve@x\n\nHello\n.\n";
    const auto a = call(request_bytes(
        "POST",
        "/v1/messages?from=a%2Bb@x.example&to=c@y.example&to=d%40y.example&tag=t1&tag=t2&key=k&priority=bulk",
        mail,
        "Content-Type: message/rfc822\r\n"
    ));
    ASSERT_EQ(a.status, 202u) << a.body;
    on_loop([&] {
        const auto& m = *below_->messages.at(0);
        EXPECT_EQ(m.from->text(), "a+b@x.example");
        EXPECT_EQ(m.to.size(), 2u);
        EXPECT_EQ(m.to[1].text(), "d@y.example");
        EXPECT_THAT(m.tags, ElementsAre("t1", "t2"));
        EXPECT_EQ(m.key, "k");
        EXPECT_EQ(m.precedence, mail::priority::bulk);
        EXPECT_THAT(*m.body, HasSubstr("Subject: raw\r\n\r\nHello\r\n.\r\n"));
    });
    const std::vector<fault> wrong{
        {"", {"/envelope/from", "/envelope/to"}},
        {"?from=a@x&to=b%0d%0aRSET", {"/envelope/to/0"}},
        {"?from=&to=b@y&colour=red", {"/colour"}},
        {"?from=a@x&from=b@x&to=b@y", {"/envelope/from"}},
        {"?from=a@x&to=b@y&send_at=now", {"/send_at"}},
    };
    for (const auto& c : wrong) {
        const auto r =
            call(request_bytes("POST", "/v1/messages" + c.body, mail, "Content-Type: message/rfc822\r\n"));
        EXPECT_EQ(r.status, 422u) << c.body;
        EXPECT_EQ(r.pointers(), c.at) << c.body;
    }
    const auto nul = call(request_bytes(
        "POST", "/v1/messages?from=&to=b@y", std::string{"a\0b", 3}, "Content-Type: message/rfc822\r\n"
    ));
    EXPECT_THAT(nul.pointers(), ElementsAre(""));
}

TEST_F(Api, answers_each_line_of_a_batch_in_its_order) {
    start();
    const std::string body = mail_body() + "\n" + "{broken\n" + R"({"from":"a@x","to":"b@y"})" + "\r\n\n" +
                             mail_body(R"(,"tenant":"nobody")") + "\n" + mail_body() + "\n";
    const auto a =
        call(request_bytes("POST", "/v1/messages", body, "Content-Type: application/x-ndjson\r\n"));
    ASSERT_EQ(a.status, 200u);
    EXPECT_EQ(a.headers.at("content-type"), "application/x-ndjson");
    std::vector<int> statuses;
    std::string rest = a.body;
    for (std::size_t end; (end = rest.find('\n')) != std::string::npos; rest.erase(0, end + 1))
        statuses.push_back(json::parse(rest.substr(0, end)).at("status").to_number<int>());
    EXPECT_THAT(statuses, ElementsAre(202, 400, 422, 400, 404, 202));
    EXPECT_TRUE(rest.empty());
    on_loop([&] {
        EXPECT_EQ(below_->enqueue_calls, 1u) << "all accepted lines are one durable step";
        EXPECT_EQ(below_->messages.size(), 2u);
    });
}

TEST_F(Api, bounds_batches_and_fails_them_whole_when_the_store_does) {
    config_.limits.batch_lines = 3;
    start();
    std::string body;
    for (int i = 0; i < 4; ++i)
        body += mail_body() + "\n";
    const auto type = "Content-Type: application/x-ndjson\r\n";
    EXPECT_EQ(call(request_bytes("POST", "/v1/messages", body, type)).code(), "too_large");
    on_loop([&] { below_->enqueue_error = errc::store_full; });
    const auto a = call(request_bytes("POST", "/v1/messages", mail_body(), type));
    EXPECT_EQ(a.status, 503u);
    EXPECT_EQ(a.code(), "store_full");
}

TEST_F(Api, repeats_the_first_answer_for_the_same_key) {
    start();
    const auto key = "Idempotency-Key: \"badge-1\"\r\n";
    const auto first = post("/v1/messages", mail_body(), key);
    ASSERT_EQ(first.status, 202u);
    const auto again = post("/v1/messages", mail_body(), "Idempotency-Key: badge-1\r\n");
    EXPECT_EQ(again.status, 202u);
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(again.headers.at("location"), first.headers.at("location"));
    const auto other = post("/v1/messages", mail_body(R"(,"html":"x")"), key);
    EXPECT_EQ(other.status, 422u);
    const auto other_tenant = post("/v1/messages", mail_body(R"(,"tenant":"acme")"), key);
    EXPECT_EQ(other_tenant.status, 202u) << "keys are per tenant";
    on_loop([&] { EXPECT_EQ(below_->messages.size(), 2u); });
    const std::vector<std::string> bad_keys{
        "Idempotency-Key: \r\n", "Idempotency-Key: " + std::string(257, 'k') + "\r\n"
    };
    for (const auto& bad : bad_keys)
        EXPECT_EQ(post("/v1/messages", mail_body(), bad).status, 422u);
}

TEST_F(Api, makes_one_message_of_a_hundred_equal_requests_at_once) {
    start();
    std::vector<std::unique_ptr<client>> clients;
    for (int i = 0; i < 100; ++i)
        clients.push_back(std::make_unique<client>(path()));
    const auto bytes = request_bytes(
        "POST", "/v1/messages", mail_body(), "Content-Type: application/json\r\nIdempotency-Key: k\r\n"
    );
    for (auto& c : clients)
        c->send(bytes);
    std::set<std::string> ids;
    for (auto& c : clients) {
        const auto a = c->receive();
        ASSERT_THAT(a.status, AnyOf(202u, 409u)) << a.body;
        if (a.status == 202)
            ids.insert(std::string{a.json().at("id").as_string()});
    }
    EXPECT_EQ(ids.size(), 1u);
    on_loop([&] { EXPECT_EQ(below_->messages.size(), 1u); });
}

TEST_F(Api, repeats_a_batch_line_by_line_under_its_key) {
    start();
    const auto headers = "Content-Type: application/x-ndjson\r\nIdempotency-Key: b\r\n";
    const auto body = mail_body() + "\n" + mail_body() + "\n";
    const auto first = call(request_bytes("POST", "/v1/messages", body, headers));
    const auto again = call(request_bytes("POST", "/v1/messages", body, headers));
    EXPECT_EQ(first.status, 200u);
    EXPECT_EQ(again.body, first.body);
    on_loop([&] { EXPECT_EQ(below_->messages.size(), 2u); });
}

TEST_F(Api, pushes_back_with_a_time_to_come_again) {
    config_.limits.queue_recipients = 1;
    start();
    EXPECT_EQ(post("/v1/messages", mail_body()).status, 202u);
    const auto full = post("/v1/messages", mail_body());
    EXPECT_EQ(full.status, 429u);
    EXPECT_EQ(full.code(), "queue_full");
    EXPECT_EQ(full.headers.at("retry-after"), "10");
    config_.limits.queue_recipients = 100;
    configure();
    const std::vector<std::pair<errc, std::string>> failures{
        {errc::store_full, "store_full"},
        {errc::store_failed, "store_failed"},
        {errc::interrupted, "stopping"}
    };
    for (const auto& [error, code] : failures) {
        on_loop([&] { below_->enqueue_error = error; });
        const auto a = post("/v1/messages", mail_body());
        EXPECT_EQ(a.status, 503u);
        EXPECT_EQ(a.code(), code);
        EXPECT_TRUE(a.headers.contains("retry-after"));
    }
}

TEST_F(Api, keeps_a_failed_key_free_for_the_next_try) {
    start();
    on_loop([&] { below_->enqueue_error = errc::store_full; });
    const auto key = "Idempotency-Key: k\r\n";
    EXPECT_EQ(post("/v1/messages", mail_body(), key).status, 503u);
    on_loop([&] { below_->enqueue_error = {}; });
    EXPECT_EQ(post("/v1/messages", mail_body(), key).status, 202u);
}

TEST_F(Api, schedules_what_is_due_later) {
    start();
    const auto a = post("/v1/messages", mail_body(R"(,"send_at":"2099-01-01T00:00:00Z")"));
    ASSERT_EQ(a.status, 202u) << a.body;
    EXPECT_EQ(a.json().at("recipients").at(0).at("state").as_string(), "scheduled");
}

}  // namespace
}  // namespace estafette::api
