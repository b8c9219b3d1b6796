#include "command.hpp"
#include "fake_console.hpp"
#include "fake_daemon.hpp"

#include <boost/json/parse.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace estafette::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* id = "01977a1e-5d7c-7d3e-8f52-1c6d1f2b3a4c";

constexpr const char* recipient = R"({"id":"01977a1e-5d7c-7d3e-8f52-1c6d1f2b3a4c.0",
    "message":"01977a1e-5d7c-7d3e-8f52-1c6d1f2b3a4c","tenant":"default","address":"ann@x.example",
    "state":"deferred","shown":"En attente","reason":"greylisted","scope":"recipient","attempts":1,
    "headline":"Revenez plus tard","accepted_at":"2026-05-01T07:59:00.000Z",
    "next_attempt_at":"2026-05-01T08:05:00.000Z","note":"",
    "explanation":{"headline":"Revenez plus tard","happened":"Le serveur attend.","acts":"Personne.","advice":"Rien.",
        "forward":"Bonjour,\n\nveuillez \u001b[31m aider."},
    "last_attempt":{"server":"127.0.0.1:2525","phase":"rcpt","code":450,"enhanced":"4.2.0","text":"wait \u001b[31m a bit"}})";

std::string message() {
    return std::string{R"({"id":")"} + id +
           R"(","tenant":"default","from":"badges@vendor.example","subject":"Your\nbadge","size":612,
               "accepted_at":"2026-05-01T07:59:00.000Z","due_at":"2026-05-01T07:59:00.000Z",
               "expires_at":"2026-05-06T07:59:00.000Z","recipients":[)" +
           recipient + R"(],"timeline":[{"at":"2026-05-01T07:59:00.000Z","type":"accepted","recipient":")" +
           id + R"(.0"},{"at":"2026-05-01T08:00:00.000Z","type":"held","recipient":")" + id +
           R"(.0","by":"uid 0","text":"a check"}]})";
}

std::string page(const std::string& recipients, const std::string& next = "null") {
    return R"({"recipients":[)" + recipients + R"(],"next":)" + next + "}";
}

class the_program : public testing::Test {
protected:
    the_program() {
        setenv("TZ", "UTC", 1);
        tzset();
    }

    int estafette(const fake_daemon& daemon, std::vector<std::string> args, const std::string& input = "") {
        args.insert(args.begin(), {"estafette", "--socket", daemon.socket()});
        return console.run(std::move(args), input);
    }

    fake_console console;
};

TEST_F(the_program, sends_a_message_from_options) {
    fake_daemon daemon{202, std::string{R"({"id":")"} + id + R"("})"};
    const std::string file = daemon.folder() + "/badge.pdf";
    std::ofstream{file} << "%PDF";
    EXPECT_EQ(
        estafette(daemon, {"send",       "--from",       "a@x",  "--to",
                           "Ann <b@y>",  "--to",         "c@y",  "--bcc",
                           "d@y",        "--subject",    "S",    "--text",
                           "T",          "--attach",     file,   "--header",
                           "X-Run: 7",   "--tenant",     "acme", "--send-at",
                           "+2h",        "--tag",        "t",    "--metadata",
                           R"({"k":1})", "--priority",   "bulk", "--idempotency-key",
                           "mine",       "--require-tls"}),
        0
    ) << console.err;
    EXPECT_EQ(console.out, std::string{id} + "\n");
    const auto sent = daemon.requests().at(0);
    EXPECT_EQ(sent.key, "mine");
    EXPECT_EQ(
        boost::json::parse(sent.body),
        boost::json::parse(R"({"from":"a@x","to":["Ann <b@y>","c@y"],"bcc":["d@y"],"subject":"S","text":"T",
            "attachments":[{"filename":"badge.pdf","content_type":"application/pdf","content":"JVBERg=="}],
            "headers":{"X-Run":"7"},"tenant":"acme","send_at":"2026-05-01T10:00:00.000Z","tags":["t"],
            "metadata":{"k":1},"priority":"bulk","require_tls":true})")
    );
}

TEST_F(the_program, reads_the_text_from_standard_input) {
    fake_daemon daemon{202, R"({"id":"x"})"};
    EXPECT_EQ(estafette(daemon, {"send", "--from", "a@x", "--to", "b@y"}, "the text\n"), 0);
    EXPECT_EQ(
        boost::json::parse(daemon.requests().at(0).body),
        boost::json::parse(R"({"from":"a@x","to":["b@y"],"text":"the text\n"})")
    );
}

TEST_F(the_program, asks_for_reports_where_it_is_told_to) {
    fake_daemon daemon{202, R"({"id":"x"})"};
    const std::vector<std::string> call{
        "send",
        "--from",
        "a@x",
        "--to",
        "b@y",
        "--notify",
        "failure,delay",
        "--return",
        "full",
        "--envelope-id",
        "run 7"
    };
    EXPECT_EQ(estafette(daemon, call, "t"), 0) << console.err;
    EXPECT_EQ(
        boost::json::parse(daemon.requests().at(0).body).at("dsn"),
        boost::json::parse(R"({"notify":"failure,delay","return":"full","envelope_id":"run 7"})")
    );
}

TEST_F(the_program, sends_a_raw_message_to_the_recipients_of_its_header) {
    fake_daemon daemon{202, R"({"id":"x"})"};
    const std::string eml = "From: a@x\nTo: b@y\n\nhi\n";
    EXPECT_EQ(estafette(daemon, {"send", "--raw", "--from", "a@x", "--json"}, eml), 0);
    EXPECT_EQ(console.out, "{\"id\":\"x\"}\n");
    EXPECT_EQ(daemon.requests().at(0).target, "/v1/messages?from=a@x&to=b@y");
    EXPECT_EQ(daemon.requests().at(0).body, eml);
}

TEST_F(the_program, shows_a_message_with_its_recipients) {
    fake_daemon daemon{200, message()};
    EXPECT_EQ(estafette(daemon, {"status", id}), 0);
    EXPECT_EQ(daemon.requests().at(0).target, std::string{"/v1/messages/"} + id);
    EXPECT_EQ(
        console.out,
        "Message   01977a1e-5d7c-7d3e-8f52-1c6d1f2b3a4c\n"
        "Tenant    default\n"
        "From      badges@vendor.example\n"
        "Subject   Your badge\n"
        "Size      612 bytes\n"
        "Accepted  2026-05-01 07:59:00\n"
        "Expires   2026-05-06 07:59:00\n"
        "\n"
        "RECIPIENT      STATE                  REASON      TRIES  NEXT TRY             LAST ANSWER\n"
        "ann@x.example  En attente (deferred)  greylisted  1      2026-05-01 08:05:00  450 4.2.0 wait ?[31m "
        "a bit\n"
        "\n"
        "TIME                 EVENT     RECIPIENT  SERVER  WHAT\n"
        "2026-05-01 07:59:00  accepted  0          -       -\n"
        "2026-05-01 08:00:00  held      0          -       a check (uid 0)\n"
    );
}

TEST_F(the_program, follows_every_page_of_a_list) {
    fake_daemon daemon{[](const seen_request& request) {
        const bool is_second = request.target.find("cursor=c2") != std::string::npos;
        return fake_answer{200, is_second ? page(recipient) : page(recipient, R"("c2")"), "", {}};
    }};
    EXPECT_EQ(estafette(daemon, {"list", "--state", "deferred", "--uncertain", "--all", "--json"}), 0);
    EXPECT_EQ(std::ranges::count(console.out, '\n'), 2);
    EXPECT_EQ(console.err, "");
    EXPECT_EQ(daemon.requests().at(0).target, "/v1/recipients?state=deferred&uncertain=true&limit=100");
    EXPECT_EQ(estafette(daemon, {"list"}), 0);
    EXPECT_THAT(console.out, StartsWith("ACCEPTED "));
    EXPECT_THAT(console.err, HasSubstr("--cursor c2"));
}

TEST_F(the_program, explains_an_address_in_the_readers_language) {
    fake_daemon daemon{200, page(recipient)};
    console.environment["LANG"] = "fr_BE.UTF-8";
    EXPECT_EQ(estafette(daemon, {"explain", "ann@x.example"}), 0) << console.err;
    EXPECT_EQ(daemon.requests().at(0).target, "/v1/recipients?address=ann@x.example&limit=5&lang=fr");
    EXPECT_THAT(
        console.out,
        AllOf(
            StartsWith("ann@x.example — En attente\u00a0: Revenez plus tard\n"),
            HasSubstr("Ce qui s’est passé   Le serveur attend.\n"),
            HasSubstr(
                "Réponse du serveur   450 4.2.0 wait ?[31m a bit (127.0.0.1:2525, en réponse à RCPT TO)\n"
            )
        )
    );
    EXPECT_EQ(estafette(daemon, {"explain", "ann@x.example", "--lang", "nl"}), 0);
    EXPECT_THAT(console.out, HasSubstr("Wat te doen"));
}

TEST_F(the_program, explains_states_in_which_nothing_is_wrong) {
    for (const char* state : {"scheduled", "queued", "relayed", "delivered", "cancelled"}) {
        const std::string one =
            std::string{R"({"address":"a@x","shown":"S","explanation":null,"headline":null,"state":")"} +
            state + R"("})";
        fake_daemon daemon{200, R"({"recipients":[)" + one + "]}"};
        for (const char* language : {"en", "fr", "nl"}) {
            EXPECT_EQ(estafette(daemon, {"explain", id, "--lang", language}), 0);
            EXPECT_THAT(console.out, testing::MatchesRegex("a@x — S[^:]*: .+\n(.|\n)*")) << state << language;
        }
    }
}

TEST_F(the_program, says_the_codes_of_an_answer_once) {
    struct {
        const char* attempt;
        const char* words;
    } const cases[]{
        {R"({"code":450,"enhanced":"4.2.0","text":"wait"})", "450 4.2.0 wait"},
        {R"({"code":450,"enhanced":"4.2.0","text":"4.2.0 wait"})", "450 4.2.0 wait"},
        {R"({"code":450,"enhanced":"4.2.0","text":"450 4.2.0 wait"})", "450 4.2.0 wait"},
        {R"({"code":450,"enhanced":null,"text":"wait"})", "450 wait"},
        {R"({"code":450,"text":""})", "450"},
        {R"({"code":null,"text":"the peer closed the connection"})", "the peer closed the connection"},
    };
    for (const auto& [attempt, words] : cases) {
        fake_daemon daemon{
            200, std::string{R"({"recipients":[{"address":"a@x","last_attempt":)"} + attempt + "}]}"
        };
        EXPECT_EQ(estafette(daemon, {"status", id}), 0);
        EXPECT_THAT(console.out, testing::EndsWith(std::string{"  "} + words + "\n"));
    }
}

TEST_F(the_program, explains_a_message_by_its_id) {
    fake_daemon daemon{200, message()};
    EXPECT_EQ(estafette(daemon, {"explain", id}), 0);
    EXPECT_EQ(daemon.requests().at(0).target, std::string{"/v1/messages/"} + id + "?lang=en");
    EXPECT_THAT(console.out, HasSubstr("What to do"));
}

TEST_F(the_program, says_when_it_knows_no_mail_to_an_address) {
    fake_daemon daemon{200, page("")};
    EXPECT_EQ(estafette(daemon, {"explain", "ann@x.example"}), 67);
    EXPECT_EQ(estafette(daemon, {"explain", "nonsense"}), 64);
}

TEST_F(the_program, cancels) {
    fake_daemon daemon{200, R"({"id":"x","cancelled":1,"in_hand":1,"recipients":[{},{}]})"};
    EXPECT_EQ(estafette(daemon, {"cancel", id, "--reason", "wrong file"}), 0);
    EXPECT_EQ(daemon.requests().at(0).body, R"({"reason":"wrong file"})");
    EXPECT_EQ(console.out, "cancelled for 1 of 2 recipients\ntoo late for 1: under way\n");
    fake_daemon late{409, R"({"code":"already_left","detail":"nothing was left"})"};
    EXPECT_EQ(estafette(late, {"cancel", id}), 69);
    EXPECT_EQ(console.err, "estafette: nothing was left\n");
}

TEST_F(the_program, accepts_a_sequence) {
    fake_daemon daemon{
        202,
        R"({"tenant":"acme","group":"g","steps":[{"offset":"+7d","send_at":"2099-05-08T07:00:00.000Z","status":"accepted","id":"01977a1e-5d7c-7d3e-8f52-1c6d1f2b3a4c"},
            {"offset":"-1d","send_at":"2020-05-08T07:00:00.000Z","status":"skipped"}]})"
    };
    const std::vector<std::string> call{
        "sequence",
        "--tenant",
        "acme",
        "--group",
        "g",
        "--anchor",
        "2099-05-01",
        "--step",
        "+7d",
        "--step",
        "-1d",
        "--at",
        "09:00",
        "--time-zone",
        "Europe/Paris",
        "--message",
        "-"
    };
    EXPECT_EQ(estafette(daemon, call, R"({"from":"a@x"})"), 0) << console.err;
    EXPECT_EQ(daemon.requests().at(0).target, "/v1/sequences");
    EXPECT_EQ(
        daemon.requests().at(0).body,
        R"({"message":{"from":"a@x"},"tenant":"acme","group":"g","anchor":"2099-05-01","at":"09:00","time_zone":"Europe/Paris","steps":[{"offset":"+7d"},{"offset":"-1d"}]})"
    );
    EXPECT_THAT(
        console.out, AllOf(HasSubstr("+7d"), HasSubstr("accepted"), HasSubstr(id), HasSubstr("skipped"))
    );
    EXPECT_EQ(estafette(daemon, {"sequence", "-"}, "[]"), 65);
    EXPECT_EQ(estafette(daemon, {"sequence", "no such file"}), 66);
    EXPECT_EQ(estafette(daemon, {"sequence", "-", "--message", "-"}, "{}"), 64);
}

TEST_F(the_program, switches_categories) {
    fake_daemon daemon{200, R"({"tenant":"acme","category":"re minders","from":"switch"})"};
    EXPECT_EQ(
        estafette(daemon, {"category", "off", "re minders", "--tenant", "acme", "--reason", "summer"}), 0
    );
    EXPECT_EQ(daemon.requests().at(0).target, "/v1/categories/re%20minders/off");
    EXPECT_EQ(daemon.requests().at(0).body, R"({"tenant":"acme","reason":"summer"})");
    EXPECT_EQ(console.out, "acme: re minders is off\n");
    EXPECT_EQ(estafette(daemon, {"category", "on", "a"}), 0);
    EXPECT_EQ(daemon.requests().at(1).target, "/v1/categories/a/on");
    EXPECT_EQ(estafette(daemon, {"category", "off", "a", "--until", "soon"}), 64);
    EXPECT_EQ(estafette(daemon, {"category"}), 64);
    fake_daemon listed{
        200, R"({"categories":[{"tenant":"acme","category":"surveys","from":"configuration","since":null}]})"
    };
    EXPECT_EQ(estafette(listed, {"category", "list", "--tenant", "acme"}), 0);
    EXPECT_EQ(listed.requests().at(0).target, "/v1/categories?tenant=acme");
    EXPECT_THAT(console.out, AllOf(HasSubstr("surveys"), HasSubstr("the configuration")));
    EXPECT_EQ(estafette(listed, {"category", "list", "--json"}), 0);
    EXPECT_THAT(console.out, StartsWith(R"({"tenant":"acme")"));
}

TEST_F(the_program, erases_only_when_it_is_told_twice) {
    fake_daemon daemon{200, R"({"recipients":3,"messages":2,"cancelled":1,"in_hand":1})"};
    EXPECT_EQ(estafette(daemon, {"erase", "ann@x.example"}), 0);
    EXPECT_EQ(daemon.requests().at(0).body, R"({"address":"ann@x.example","dry_run":true})");
    EXPECT_THAT(console.out, AllOf(StartsWith("would erase 3"), HasSubstr("nothing has changed")));
    EXPECT_EQ(estafette(daemon, {"erase", "ann@x.example", "--yes"}), 64);
    EXPECT_EQ(estafette(daemon, {"erase", "ann@x.example", "--yes", "--reason", "asked"}), 0);
    EXPECT_EQ(
        daemon.requests().at(1).body, R"({"address":"ann@x.example","dry_run":false,"reason":"asked"})"
    );
    EXPECT_THAT(console.out, AllOf(StartsWith("erased 3"), HasSubstr("erase again")));
}

TEST_F(the_program, cancels_a_key_or_a_group) {
    fake_daemon daemon{200, R"({"tenant":"acme","key":"r/1","messages":1,"cancelled":2,"in_hand":0})"};
    EXPECT_EQ(estafette(daemon, {"cancel", "--key", "r/1", "--tenant", "acme", "--reason", "acted"}), 0);
    EXPECT_EQ(daemon.requests().at(0).target, "/v1/keys/r%2F1/cancel");
    EXPECT_EQ(daemon.requests().at(0).body, R"({"reason":"acted","tenant":"acme"})");
    EXPECT_EQ(console.out, "cancelled for 2 recipients of 1 message\n");
    fake_daemon group{200, R"({"tenant":"acme","group":"g","messages":3,"cancelled":3,"in_hand":1})"};
    EXPECT_EQ(estafette(group, {"cancel", "--group", "g"}), 0);
    EXPECT_EQ(group.requests().at(0).target, "/v1/groups/g/cancel");
    EXPECT_EQ(console.out, "cancelled for 3 recipients of 3 messages\ntoo late for 1: under way\n");
    EXPECT_EQ(estafette(group, {"cancel"}), 64);
    EXPECT_EQ(estafette(group, {"cancel", id, "--key", "k"}), 64);
    EXPECT_EQ(estafette(group, {"cancel", id, "--tenant", "acme"}), 64);
}

constexpr const char* queue =
    R"({"states":{"scheduled":0,"queued":3,"held":2},"oldest_due":"2026-05-01T07:00:00.000Z",
    "routes":[{"id":"relay","state":"active","reason":null,"text":"","since":null,"until":null,"connections":3,"ready":12,"servers":["h:587"]},
              {"id":"tenant:acme","state":"paused","reason":"auth_failed","text":"535 no","since":"2026-05-01T07:00:00.000Z","until":null,"connections":0,"ready":0,"servers":[]}]})";

TEST_F(the_program, shows_the_queue_and_the_routes) {
    fake_daemon daemon{200, queue};
    EXPECT_EQ(estafette(daemon, {"queue"}), 0);
    EXPECT_THAT(
        console.out,
        AllOf(HasSubstr("queued     3\n"), HasSubstr("Oldest due: 2026-05-01 07:00:00 (60m ago)"))
    );
    EXPECT_EQ(estafette(daemon, {"route", "list", "--json"}), 0);
    EXPECT_EQ(std::ranges::count(console.out, '\n'), 2);
    EXPECT_EQ(estafette(daemon, {"route", "show", "tenant:acme"}), 0);
    EXPECT_THAT(console.out, HasSubstr("Reason       auth_failed\n"));
    EXPECT_EQ(estafette(daemon, {"route", "show", "none"}), 67);
}

TEST_F(the_program, leaves_out_counts_that_the_user_may_not_read) {
    fake_daemon daemon{200, R"({"states":null,"oldest_due":null,"routes":[]})"};
    EXPECT_EQ(estafette(daemon, {"queue"}), 0);
    EXPECT_THAT(console.out, HasSubstr("may not read"));
    EXPECT_EQ(estafette(daemon, {"health"}), 0);
    EXPECT_EQ(console.out, "OK - ready\n");
}

TEST_F(the_program, acts_on_many_recipients) {
    fake_daemon daemon{200, R"({"id":17,"verb":"hold","state":"done","count":3214,"expires_at":null})"};
    EXPECT_EQ(
        estafette(
            daemon,
            {"hold",
             "--domain",
             "x.example",
             "--reason-is",
             "greylisted",
             "--older-than",
             "2h",
             "--why",
             "moving",
             "--until",
             "2026-05-01 12:00"}
        ),
        0
    );
    EXPECT_EQ(daemon.requests().at(0).target, "/v1/actions");
    EXPECT_EQ(
        daemon.requests().at(0).body,
        R"({"verb":"hold","selector":{"domain":"x.example","reason":"greylisted","older_than":"2h"},)"
        R"("reason":"moving","expires_at":"2026-05-01T12:00:00.000Z"})"
    );
    EXPECT_EQ(console.out, "action 17: hold, 3214 recipients\n");
    EXPECT_EQ(estafette(daemon, {"delete", "a-b", "c", "--sender", "<>", "--dry-run"}), 0);
    EXPECT_EQ(
        daemon.requests().at(1).body,
        R"({"verb":"delete","selector":{"ids":["a-b","c"],"sender":""},"dry_run":true})"
    );
    EXPECT_EQ(console.out, "would delete 3214 recipients\n");
    EXPECT_EQ(estafette(daemon, {"flush", "--tenant", "acme"}), 0);
    EXPECT_THAT(daemon.requests().at(2).body, HasSubstr(R"("verb":"requeue")"));
    EXPECT_EQ(estafette(daemon, {"hold", "--why", "x"}), 64) << "nothing is not everything";
    EXPECT_EQ(estafette(daemon, {"hold", "--tenant", "acme", "--why", "x", "--for", "long"}), 64);
    EXPECT_EQ(daemon.requests().size(), 3u);
}

TEST_F(the_program, lists_and_undoes_actions) {
    fake_daemon daemon{200, R"({"id":17,"verb":"hold","state":"undone","actions":[{"id":17,"verb":"hold",
        "selector":{"domain":"x.example"},"reason":"moving","by":"uid 0","at":"2026-05-01T07:00:00.000Z",
        "state":"done","count":3}]})"};
    EXPECT_EQ(estafette(daemon, {"actions"}), 0);
    EXPECT_EQ(daemon.requests().at(0).target, "/v1/actions");
    EXPECT_THAT(console.out, AllOf(HasSubstr("17"), HasSubstr("x.example"), HasSubstr("moving")));
    EXPECT_EQ(estafette(daemon, {"actions", "undo", "17"}), 0);
    EXPECT_EQ(daemon.requests().at(1).target, "/v1/actions/17/undo");
    EXPECT_EQ(console.out, "action 17: undone\n");
    EXPECT_EQ(estafette(daemon, {"actions", "undo", "all"}), 64);
}

TEST_F(the_program, pauses_resumes_and_lists_tenants_and_senders) {
    fake_daemon daemon{200, R"({"kind":"sender","id":"acme","sender":"a@x.example","reason":"other",
        "text":"moving","by":"uid 0","since":"2026-05-01T07:00:00.000Z","until":null,"pauses":[
        {"kind":"tenant","id":"globex","sender":null,"reason":"other","text":"audit","by":"uid 0"},
        {"kind":"sender","id":"acme","sender":"","reason":"sender_rejected","text":"550","by":"daemon"}]})"};
    EXPECT_EQ(
        estafette(daemon, {"tenant", "pause", "acme", "--reason", "moving", "--sender", "a@x.example"}), 0
    );
    EXPECT_EQ(daemon.requests().at(0).target, "/v1/tenants/acme/pause");
    EXPECT_EQ(daemon.requests().at(0).body, R"({"reason":"moving","sender":"a@x.example"})");
    EXPECT_THAT(console.out, HasSubstr("a@x.example"));
    EXPECT_EQ(estafette(daemon, {"tenant", "resume", "acme", "--sender", "<>"}), 0);
    EXPECT_EQ(daemon.requests().at(1).target, "/v1/tenants/acme/resume");
    EXPECT_EQ(daemon.requests().at(1).body, R"({"sender":""})");
    EXPECT_EQ(estafette(daemon, {"tenant", "list"}), 0);
    EXPECT_EQ(daemon.requests().at(2).target, "/v1/pauses");
    EXPECT_THAT(console.out, AllOf(HasSubstr("(all)"), HasSubstr("<>"), HasSubstr("sender_rejected")));
    EXPECT_EQ(estafette(daemon, {"tenant", "pause", "acme"}), 64) << "a pause has a reason";
}

TEST_F(the_program, pauses_and_resumes_a_route) {
    fake_daemon daemon{200, R"({"id":"tenant:acme","state":"paused"})"};
    EXPECT_EQ(
        estafette(
            daemon, {"route", "pause", "tenant:acme", "--reason", "moving", "--until", "2026-05-01 12:00"}
        ),
        0
    );
    EXPECT_EQ(daemon.requests().at(0).target, "/v1/routes/tenant:acme/pause");
    EXPECT_EQ(daemon.requests().at(0).body, R"({"reason":"moving","until":"2026-05-01T12:00:00.000Z"})");
    EXPECT_EQ(estafette(daemon, {"route", "resume", "tenant:acme"}), 0);
    EXPECT_EQ(daemon.requests().at(1).target, "/v1/routes/tenant:acme/resume");
    EXPECT_EQ(
        estafette(daemon, {"route", "pause", "tenant:acme", "--reason", "x", "--until", "tomorrow"}), 64
    );
}

TEST_F(the_program, reports_health_as_monitoring_expects) {
    const auto daemon_of = [](unsigned ready, unsigned status, std::string body) {
        return [=](const seen_request& request) {
            return request.target == "/readyz"
                       ? fake_answer{ready, R"({"ready":false,"checks":{"store":"full","accepting":"ok"}})", "", {}}
                       : fake_answer{status, body, "", {}};
        };
    };
    const std::string calm = R"({"states":{"queued":3},"oldest_due":null,"routes":[]})";
    fake_daemon good{daemon_of(200, 200, calm)};
    EXPECT_EQ(estafette(good, {"health"}), 0);
    EXPECT_EQ(console.out, "OK - ready | queued=3 deferred=0 held=0 scheduled=0 oldest_due=0s\n");

    fake_daemon behind{daemon_of(200, 200, queue)};
    EXPECT_EQ(estafette(behind, {"health"}), 1);
    EXPECT_THAT(
        console.out, AllOf(StartsWith("WARNING - "), HasSubstr("route tenant:acme is paused: auth_failed"))
    );
    EXPECT_EQ(estafette(behind, {"health", "--critical-age", "30m"}), 2);

    fake_daemon ill{daemon_of(503, 503, "{}")};
    EXPECT_EQ(estafette(ill, {"health"}), 2);
    EXPECT_THAT(console.out, StartsWith("CRITICAL - not ready (store: full)"));

    fake_daemon private_queue{daemon_of(200, 403, "{}")};
    EXPECT_EQ(estafette(private_queue, {"health"}), 0);

    EXPECT_EQ(console.run({"estafette", "health", "--socket", "/nonexistent"}), 2);
    EXPECT_EQ(console.run({"estafette", "health", "--warning-age", "soon", "--socket", "/nonexistent"}), 3);
}

TEST_F(the_program, knows_both_versions) {
    fake_daemon daemon{200, R"({"version":"9.9"})"};
    EXPECT_EQ(estafette(daemon, {"version"}), 0);
    EXPECT_THAT(console.out, HasSubstr("estafetted 9.9\n"));
    EXPECT_EQ(console.run({"estafette", "version", "--json", "--socket", "/nonexistent"}), 0);
    EXPECT_THAT(console.out, HasSubstr(R"("estafetted":null)"));
}

struct wrong_call {
    std::vector<std::string> args;
    int code;
};

TEST_F(the_program, refuses_a_wrong_command_line_without_calling_anybody) {
    fake_daemon daemon{200, "{}"};
    for (const auto& [args, code] : std::vector<wrong_call>{
             {{}, 64},
             {{"nonsense"}, 64},
             {{"status"}, 64},
             {{"send", "--to", "b@y"}, 64},
             {{"send", "--from", "a@x", "--priority", "urgent"}, 64},
             {{"send", "--from", "a@x", "--send-at", "soon", "--text", "x"}, 64},
             {{"send", "--from", "a@x", "--metadata", "{", "--text", "x"}, 64},
             {{"send", "--from", "a@x", "--header", "nocolon", "--text", "x"}, 64},
             {{"send", "--from", "a@x", "--raw", "--subject", "x"}, 64},
             {{"send", "--from", "a@x", "--raw"}, 65},
             {{"send", "--from", "a@x", "--text", "x", "--attach", "/nonexistent"}, 66},
             {{"list", "--state", "lost"}, 64},
             {{"list", "--limit", "501"}, 64},
             {{"route"}, 64},
             {{"route", "pause", "relay"}, 64},
             {{"queue", "--timeout", "soon"}, 64},
             {{"explain", "a@x", "--lang", "de"}, 64},
         }) {
        EXPECT_EQ(estafette(daemon, args), code) << testing::PrintToString(args);
        EXPECT_THAT(console.err, StartsWith("estafette: ")) << testing::PrintToString(args);
    }
    EXPECT_TRUE(daemon.requests().empty());
}

TEST_F(the_program, names_the_nearest_command_and_the_help_to_read) {
    EXPECT_EQ(console.run({"estafette", "stauts", "x"}), 64);
    EXPECT_EQ(console.err, "estafette: there is no command stauts; nearest: status (see estafette --help)\n");
    EXPECT_EQ(console.run({"estafette", "route", "puase"}), 64);
    EXPECT_THAT(
        console.err, HasSubstr("there is no command puase; nearest: pause (see estafette route --help)")
    );
    EXPECT_EQ(console.run({"estafette", "status"}), 64);
    EXPECT_THAT(console.err, HasSubstr("(see estafette status --help)"));
}

TEST_F(the_program, reports_errors_as_json_where_asked) {
    fake_daemon daemon{404, R"({"title":"t","status":404,"code":"not_found"})"};
    EXPECT_EQ(estafette(daemon, {"status", "--json", id}), 67);
    EXPECT_EQ(console.err, "{\"title\":\"t\",\"status\":404,\"code\":\"not_found\"}\n");
    EXPECT_EQ(console.run({"estafette", "--json", "queue", "--socket", "/nonexistent"}), 75);
    EXPECT_THAT(console.err, AllOf(StartsWith("{"), HasSubstr(R"("exit":75)")));
}

TEST_F(the_program, reads_an_answer_of_another_version_without_falling) {
    for (const char* body :
         {"[]", "7", "null", R"({"recipients":7,"timeline":{}})", R"({"recipients":[7,null,{}]})"}) {
        fake_daemon daemon{200, body};
        EXPECT_EQ(estafette(daemon, {"status", id}), 0) << body;
        EXPECT_EQ(estafette(daemon, {"list"}), 0) << body;
        EXPECT_EQ(estafette(daemon, {"queue"}), 0) << body;
        EXPECT_EQ(estafette(daemon, {"explain", id}), 0) << body;
    }
    fake_daemon broken{200, "{"};
    EXPECT_EQ(estafette(broken, {"status", id}), 76);
}

TEST_F(the_program, has_help_with_examples_for_every_command) {
    EXPECT_EQ(console.run({"estafette", "--help"}), 0);
    EXPECT_THAT(console.out, AllOf(HasSubstr("Examples:"), HasSubstr("explain"), HasSubstr("Exit codes")));
    for (const char* command : {"send", "status", "list", "explain", "cancel", "route", "health", "config"}) {
        EXPECT_EQ(console.run({"estafette", command, "--help"}), 0);
        EXPECT_THAT(console.out, HasSubstr("Example")) << command;
    }
    EXPECT_EQ(console.run({"estafette", "--version"}), 0);
    EXPECT_THAT(console.out, StartsWith("estafette "));
}

}  // namespace
}  // namespace estafette::cli
