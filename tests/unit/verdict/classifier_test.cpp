#include "standard.hpp"

#include "estafette/verdict/classifier.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace estafette::verdict {
namespace {

using smtp::phase;
using ::testing::HasSubstr;

smtp::outcome answered(phase at, int code, std::string_view enhanced, std::string text) {
    smtp::outcome what;
    what.at = at;
    what.dot_sent = at == phase::dot;
    what.answer = smtp::reply{code, smtp::enhanced_code::parse(enhanced), std::move(text), false};
    return what;
}

verdict classify(const smtp::outcome& what, std::string_view server = {}, std::string_view profile = {}) {
    return standard_rules().classify({what, server, profile});
}

struct row {
    phase at;
    int code;
    std::string enhanced, text;
    reason why;
    scope fault;
    disposition what;
};

TEST(classifier, says_reason_scope_and_disposition) {
    constexpr auto recipient = scope::recipient;
    constexpr auto fail = disposition::fail;
    constexpr auto retry = disposition::retry;
    const std::vector<row> rows{
        {phase::dot, 250, "2.0.0", "queued as 4711", reason::accepted, recipient, disposition::accepted},
        {phase::rcpt, 550, "5.1.1", "No such user here", reason::unknown_user, recipient, fail},
        {phase::rcpt, 550, "", "Gebruiker onbekend", reason::unknown_user, recipient, fail},
        {phase::rcpt, 550, "", "Empfänger unbekannt", reason::unknown_user, recipient, fail},
        {phase::rcpt, 550, "", "Empf\xe4nger unbekannt", reason::unknown_user, recipient, fail},
        {phase::rcpt, 450, "4.1.1", "user unknown for the moment", reason::unknown_user, recipient, retry},
        {phase::rcpt, 550, "5.1.2", "Unknown host y.example", reason::bad_domain, recipient, fail},
        {phase::rcpt, 550, "5.2.1", "This account has been disabled", reason::inactive_user, recipient, fail},
        {phase::rcpt, 452, "4.2.2", "Mailbox is over quota", reason::mailbox_full, recipient, retry},
        {phase::rcpt, 552, "5.1.1", "Boîte aux lettres pleine", reason::mailbox_full, recipient, fail},
        {phase::rcpt, 452, "4.5.3", "Too many recipients", reason::too_many_recipients, recipient, retry},
        {phase::dot, 554, "5.7.1", "Message contains a virus", reason::blocked_content, scope::message, fail},
        {phase::rcpt,
         554,
         "5.7.1",
         "Your host is listed at bl.example",
         reason::blocked_reputation,
         recipient,
         fail},
        {phase::mail,
         554,
         "5.7.1",
         "Your host is on our blocklist",
         reason::blocked_reputation,
         scope::route,
         retry},
        {phase::banner,
         554,
         "",
         "Your host is on our blocklist",
         reason::blocked_reputation,
         scope::route,
         retry},
        {phase::dot,
         550,
         "5.7.26",
         "Rejected by the DMARC policy of x.example",
         reason::blocked_policy,
         scope::sender,
         retry},
        {phase::mail,
         552,
         "5.3.4",
         "Message size exceeds fixed limit",
         reason::message_too_large,
         scope::message,
         fail},
        {phase::mail, 550, "5.1.1", "No such user", reason::sender_rejected, scope::sender, retry},
        {phase::mail,
         553,
         "5.1.8",
         "Sender address rejected: domain not found",
         reason::sender_rejected,
         scope::sender,
         retry},
        // The route's faults, whatever their code and place
        {phase::auth,
         535,
         "5.7.8",
         "Authentication credentials invalid",
         reason::auth_failed,
         scope::route,
         retry},
        {phase::mail, 530, "5.7.0", "Authentication required", reason::auth_failed, scope::route, retry},
        {phase::auth,
         454,
         "4.7.0",
         "Temporary authentication failure",
         reason::auth_failed,
         scope::route,
         retry},
        {phase::mail,
         530,
         "5.7.0",
         "Must issue a STARTTLS command first",
         reason::tls_failed,
         scope::route,
         retry},
        {phase::dot,
         550,
         "5.7.30",
         "Basic authentication is not supported for Client Submission",
         reason::auth_failed,
         scope::route,
         retry},
        {phase::rcpt, 554, "5.7.1", "Relay access denied", reason::relay_denied, scope::route, retry},
        {phase::rcpt, 421, "4.7.0", "Too many connections", reason::rate_limited, scope::route, retry},
        {phase::mail,
         432,
         "4.3.2",
         "Concurrent connections limit exceeded",
         reason::rate_limited,
         scope::route,
         retry},
        {phase::dot,
         454,
         "",
         "Throttling failure: Daily message quota exceeded",
         reason::rate_limited,
         scope::sender,
         retry},
        {phase::dot,
         550,
         "5.7.60",
         "Client does not have permissions to send as this sender",
         reason::auth_failed,
         scope::sender,
         retry},
        // Out of step: never a failure
        {phase::rcpt, 503, "5.5.1", "Bad sequence of commands", reason::protocol_error, recipient, retry},
        {phase::data, 503, "", "valid RCPT first", reason::protocol_error, scope::message, retry},
        // Nothing known
        {phase::rcpt, 550, "", "Zorglub", reason::other, recipient, fail},
        {phase::rcpt, 450, "", "Zorglub", reason::other, recipient, retry},
        {phase::mail, 550, "", "Zorglub", reason::other, scope::sender, retry},
        {phase::banner, 554, "", "Zorglub", reason::other, scope::route, retry},
        {phase::banner, 421, "", "Mailbox full", reason::server_busy, scope::route, retry},
    };
    for (const auto& r : rows) {
        const auto v = classify(answered(r.at, r.code, r.enhanced, r.text));
        const auto where =
            std::to_string(r.code) + " " + r.text + " at " + std::string{smtp::label(r.at)} + " by " + v.rule;
        EXPECT_EQ(to_text(v.why), to_text(r.why)) << where;
        EXPECT_EQ(to_text(v.fault), to_text(r.fault)) << where;
        EXPECT_EQ(to_text(v.what), to_text(r.what)) << where;
    }
}

TEST(classifier, decides_by_the_error_where_no_reply_came) {
    struct error_row {
        phase at;
        errc error;
        bool dot_sent;
        reason why;
        scope fault;
        disposition what;
    };
    for (const auto& r : std::vector<error_row>{
             {phase::resolve, errc::dns_failure, false, reason::dns_failed, scope::route, disposition::retry},
             {phase::resolve,
              errc::dns_no_such_name,
              false,
              reason::dns_failed,
              scope::route,
              disposition::retry},
             {phase::connect, errc::timeout, false, reason::timeout, scope::route, disposition::retry},
             {phase::connect,
              errc::connection_refused,
              false,
              reason::connection_failed,
              scope::route,
              disposition::retry},
             {phase::connect, errc::address_forbidden, false, reason::other, scope::route, disposition::retry
             },
             {phase::handshake, errc::tls_expired, false, reason::tls_failed, scope::route, disposition::retry
             },
             {phase::ehlo, errc::starttls_missing, false, reason::tls_failed, scope::route, disposition::retry
             },
             {phase::auth, errc::auth_refused, false, reason::auth_failed, scope::route, disposition::retry},
             {phase::ehlo, errc::auth_missing, false, reason::auth_failed, scope::route, disposition::retry},
             {phase::banner,
              errc::reply_malformed,
              false,
              reason::protocol_error,
              scope::route,
              disposition::retry},
             {phase::rcpt, errc::timeout, false, reason::timeout, scope::recipient, disposition::retry},
             {phase::rcpt,
              errc::reply_malformed,
              false,
              reason::protocol_error,
              scope::recipient,
              disposition::retry},
             {phase::body,
              errc::connection_closed,
              false,
              reason::connection_failed,
              scope::recipient,
              disposition::retry},
             {phase::dot, errc::timeout, true, reason::uncertain, scope::recipient, disposition::uncertain},
             {phase::dot,
              errc::connection_closed,
              true,
              reason::uncertain,
              scope::recipient,
              disposition::uncertain},
             {phase::dot,
              errc::reply_malformed,
              true,
              reason::uncertain,
              scope::recipient,
              disposition::uncertain},
             {phase::dot, errc::interrupted, true, reason::uncertain, scope::recipient, disposition::uncertain
             },
             {phase::connect,
              errc::interrupted,
              false,
              reason::connection_failed,
              scope::recipient,
              disposition::retry},
             {phase::mail,
              errc::size_exceeded,
              false,
              reason::message_too_large,
              scope::message,
              disposition::fail},
             {phase::mail,
              errc::smtputf8_missing,
              false,
              reason::smtputf8_unsupported,
              scope::message,
              disposition::fail},
             {phase::mail,
              errc::eightbitmime_missing,
              false,
              reason::protocol_error,
              scope::message,
              disposition::fail},
             {phase::mail,
              errc::requiretls_missing,
              false,
              reason::tls_failed,
              scope::recipient,
              disposition::fail},
             {phase::mail, errc::internal, false, reason::other, scope::recipient, disposition::retry},
         }) {
        smtp::outcome what;
        what.at = r.at;
        what.error = r.error;
        what.dot_sent = r.dot_sent;
        const auto v = classify(what);
        EXPECT_EQ(to_text(v.why), to_text(r.why)) << sentence(r.error);
        EXPECT_EQ(to_text(v.fault), to_text(r.fault)) << sentence(r.error);
        EXPECT_EQ(to_text(v.what), to_text(r.what)) << sentence(r.error);
    }
}

TEST(classifier, an_answer_that_belongs_elsewhere_fails_nobody) {
    EXPECT_EQ(classify(answered(phase::rcpt, 354, "", "go ahead")).what, disposition::retry);
    EXPECT_EQ(classify(answered(phase::rcpt, 220, "", "hello")).what, disposition::retry);
    EXPECT_EQ(classify(answered(phase::dot, 354, "", "go ahead")).what, disposition::uncertain);
    smtp::outcome nothing;
    nothing.at = phase::rcpt;
    EXPECT_EQ(classify(nothing).what, disposition::retry);
}

TEST(classifier, hints_are_read_from_what_is_retried) {
    const auto v = classify(answered(phase::rcpt, 450, "4.7.1", "Greylisted, try again in 00:04:58"));
    EXPECT_EQ(v.retry_hint, seconds{298});
    const auto failed = classify(answered(phase::rcpt, 550, "5.1.1", "No such user, try again in 5 minutes"));
    EXPECT_EQ(failed.retry_hint, std::nullopt);
    const auto what = answered(phase::rcpt, 450, "4.7.1", "Greylisted, come back after 2026-05-01 08:10:00");
    EXPECT_EQ(
        standard_rules().classify({what, {}, {}, wall_time{milliseconds{1'777'622'400'000}}}).retry_hint,
        seconds{600}
    );
}

TEST(classifier, counts_what_no_rule_matched_and_groups_it) {
    const auto c = classifier::standard();
    for (int i = 0; i < 3; ++i) {
        const auto what = answered(
            phase::rcpt, 550, "", "Zorglub " + std::to_string(i) + " <b" + std::to_string(i) + "@y.example>"
        );
        (void)c.classify({what, {}, {}});
    }
    const auto other = answered(phase::rcpt, 550, "", "Bulgroz\x1b[31m");
    (void)c.classify({other, {}, {}});
    const auto list = c.unmatched();
    ASSERT_EQ(list.size(), 2u);
    EXPECT_EQ(list[0].count, 3u);
    EXPECT_THAT(list[0].text, HasSubstr("550 Zorglub 0"));
    EXPECT_EQ(list[1].text.find('\x1b'), std::string::npos);
    for (int i = 0; i < 3000; ++i) {
        const auto word = std::string(1, static_cast<char>('a' + i % 26)) +
                          std::string(static_cast<std::size_t>(i / 26 + 1), 'z');
        const auto what = answered(phase::rcpt, 550, "", "Zorg" + word);
        (void)c.classify({what, {}, {}});
    }
    EXPECT_LE(c.unmatched().size(), 1000u);
}

TEST(classifier, tells_of_what_it_did_not_know_where_and_when) {
    const auto c = classifier::standard();
    const auto what = answered(phase::rcpt, 450, "4.9.9", "Zorglub");
    (void)c.classify({what, "mx.y.example", {}, wall_time{milliseconds{7}}});
    const auto list = c.unmatched();
    ASSERT_EQ(list.size(), 1u);
    EXPECT_EQ(list[0].code, 450);
    EXPECT_EQ(list[0].text, "450 4.9.9 Zorglub");
    EXPECT_EQ(list[0].server, "mx.y.example");
    EXPECT_EQ(list[0].seen_at, wall_time{milliseconds{7}});
}

TEST(classifier, adopts_other_rules_and_keeps_what_was_counted) {
    auto c = classifier::standard();
    const auto known_soon = answered(phase::rcpt, 550, "", "Zorglub");
    const auto unknown = answered(phase::rcpt, 550, "", "Bulgroz");
    (void)c.classify({known_soon, {}, {}});
    (void)c.classify({known_soon, {}, {}});
    (void)c.classify({unknown, {}, {}});
    auto next = classifier::compile(std::vector<rule_file>{
        {"05-ours.yaml", "rules:\n  - {id: ours/zorglub, text: zorglub, reason: blocked_policy}\n"}
    });
    ASSERT_TRUE(next) << next.error();
    c.adopt(std::move(*next));
    EXPECT_EQ(c.classify({known_soon, {}, {}}).rule, "ours/zorglub");
    EXPECT_EQ(c.unmatched_count(), 3u) << "a counter never goes back";
    ASSERT_EQ(c.unmatched().size(), 1u);
    EXPECT_EQ(c.unmatched()[0].text, "550 Bulgroz");
    (void)c.classify({unknown, {}, {}});
    EXPECT_EQ(c.unmatched()[0].count, 2u);
    EXPECT_EQ(c.unmatched_count(), 4u);
}

// ---- rules of others ---------------------------------------------------------------------------------

boost::system::result<classifier, std::string> compiled(const std::string& rules) {
    return classifier::compile(std::vector<rule_file>{{"/etc/estafette/rules/10-ours.yaml", rules}});
}

TEST(rules, match_on_code_enhanced_code_phase_server_profile_and_text) {
    const auto c = compiled(R"(
words:
  thing: '(?:pear|plum)'
rules:
  - {id: a, code: [551, 570-579], reason: mailbox_full}
  - {id: b, enhanced: [5.7.500-509], reason: inactive_user}
  - {id: c, phase: data, code: 5xx, reason: server_error}
  - {id: d, server: mail.example, reason: blocked_policy}
  - {id: e, profile: microsoft365, reason: rate_limited, delay: 10m}
  - {id: f, text: ['no <thing>'], but_not: [sweet], reason: unknown_user}
  - {id: g, text: [alpha], and: [beta, gamma], reason: bad_domain}
  - {id: h, enhanced: none, code: 556, reason: bad_domain}
  - {id: i, banner: [Big Mailer, 'esmtp zorg'], reason: server_busy}
)");
    ASSERT_TRUE(c) << c.error();
    const auto rule_of = [&](const smtp::outcome& what,
                             std::string_view server = {},
                             std::string_view profile = {},
                             std::string_view banner = {}) {
        return c->classify({what, server, profile, {}, banner}).rule;
    };
    EXPECT_EQ(rule_of(answered(phase::rcpt, 551, "", "x")), "a");
    EXPECT_EQ(rule_of(answered(phase::rcpt, 575, "", "x")), "a");
    EXPECT_EQ(rule_of(answered(phase::rcpt, 550, "5.7.505", "x")), "b");
    EXPECT_EQ(rule_of(answered(phase::rcpt, 550, "5.7.510", "x")), "");
    EXPECT_EQ(rule_of(answered(phase::data, 550, "", "x")), "c");
    EXPECT_EQ(rule_of(answered(phase::rcpt, 550, "", "x"), "mx1.Mail.Example."), "d");
    EXPECT_EQ(rule_of(answered(phase::rcpt, 550, "", "x"), "hotmail.example"), "");
    EXPECT_EQ(rule_of(answered(phase::rcpt, 550, "", "x"), "", "microsoft365"), "e");
    EXPECT_EQ(rule_of(answered(phase::rcpt, 550, "", "NO\nPLUM here")), "f");
    EXPECT_EQ(rule_of(answered(phase::rcpt, 550, "", "no plum, sweet")), "");
    EXPECT_EQ(rule_of(answered(phase::rcpt, 550, "", "alpha gamma")), "g");
    EXPECT_EQ(rule_of(answered(phase::rcpt, 550, "", "alpha")), "");
    EXPECT_EQ(rule_of(answered(phase::rcpt, 556, "", "x")), "h");
    EXPECT_EQ(rule_of(answered(phase::rcpt, 556, "5.1.1", "x")), "");
    EXPECT_EQ(rule_of(answered(phase::rcpt, 550, "", "x"), "", "", "mx.y.example ESMTP Zorg 2.1"), "i");
    EXPECT_EQ(rule_of(answered(phase::rcpt, 550, "", "x"), "", "", "BIG MAILER here"), "i");
    EXPECT_EQ(rule_of(answered(phase::rcpt, 550, "", "x"), "", "", "big, mailer"), "");
    EXPECT_EQ(rule_of(answered(phase::rcpt, 550, "", "x"), "", "", ""), "") << "nor what was decided before";
    const auto v = c->classify({answered(phase::rcpt, 550, "", "x"), "", "microsoft365"});
    EXPECT_EQ(v.retry_hint, seconds{600});
    EXPECT_EQ(v.what, disposition::retry) << "a rate limit is never a failure";
}

TEST(rules, are_certain_where_they_read_words_and_do_not_say_otherwise) {
    const auto c = compiled(R"(
rules:
  - {id: a, text: pear, reason: unknown_user}
  - {id: b, text: plum, reason: unknown_user, certain: false}
  - {id: c, code: 553, reason: unknown_user}
)");
    ASSERT_TRUE(c) << c.error();
    EXPECT_TRUE(c->classify({answered(phase::rcpt, 550, "", "pear"), {}, {}}).certain);
    EXPECT_FALSE(c->classify({answered(phase::rcpt, 550, "", "plum"), {}, {}}).certain);
    EXPECT_FALSE(c->classify({answered(phase::rcpt, 553, "", "x"), {}, {}}).certain);
}

TEST(rules, the_first_match_wins_and_files_come_in_the_order_of_their_names) {
    const auto c = classifier::compile(std::vector<rule_file>{
        {"conf/rules/20-b.yaml", "rules:\n  - {id: theirs, text: plum, reason: mailbox_full}\n"},
        {"conf/rules/30-c.yaml", "rules:\n  - {id: replaced, text: pear, reason: mailbox_full}\n"},
        {"/etc/estafette/rules/10-a.yaml", "rules:\n  - {id: ours, text: plum, reason: unknown_user}\n"},
        {"/etc/estafette/rules/30-c.yaml", "rules:\n  - {id: instead, text: pear, reason: bad_domain}\n"},
    });
    ASSERT_TRUE(c) << c.error();
    EXPECT_EQ(c->classify({answered(phase::rcpt, 550, "", "plum"), {}, {}}).rule, "ours");
    EXPECT_EQ(c->classify({answered(phase::rcpt, 550, "", "pear"), {}, {}}).rule, "instead");
}

TEST(rules, a_bad_one_is_refused_with_its_line) {
    struct bad {
        std::string rules, expected;
    };
    for (const auto& [rules, expected] : std::vector<bad>{
             {"rules:\n  - {id: a, text: '(', reason: other}\n", ":2: not a pattern"},
             {"rules:\n  - {id: a, text: x}\n", ":2: reason: a rule needs a reason"},
             {"rules:\n  - {id: a, text: x, reason: zorg}\n", ":2: reason: must be one of the reasons"},
             {"rules:\n  - {text: x, reason: other}\n", ":2: id: a rule needs an id"},
             {"rules:\n  - {id: a, text: x, reason: other}\n  - {id: a, text: y, reason: other}\n",
              ":3: id: a is already"},
             {"rules:\n  - {id: a, reason: other}\n", ":2: a rule needs a condition"},
             {"rules:\n  - {id: a, txt: x, reason: other}\n", ":2: unknown key"},
             {"rules:\n  - {id: a, code: 250, reason: other}\n", ":2: code: must be"},
             {"rules:\n  - {id: a, enhanced: 5.1, reason: other}\n", ":2: enhanced: must be"},
             {"rules:\n  - {id: a, phase: rctp, reason: other}\n", ":2: phase: must be"},
             {"rules:\n  - {id: a, text: x, reason: other, delay: 1}\n", ":2: delay: must be"},
             {"rules:\n  - {id: a, text: x, reason: other, certain: 1}\n", ":2: certain: must be"},
             {"rules:\n  - {id: a, text: x, reason: auth_failed, scope: route, disposition: fail}\n",
              "cannot say auth_failed of scope route to fail"},
             {"rules:\n  - {id: a, text: x, reason: unknown_user, scope: route}\n",
              "cannot say unknown_user of scope route"},
             {"rules:\n  - {id: a, text: x, reason: other, disposition: accepted}\n",
              ":2: disposition: must be retry or fail"},
             {"rules: 5\n", ":1: rules: must be a list"},
             {"rules:\n  - 5\n", ":2: rules: a rule must be a map"},
             {"rules:\n\t- x\n", "not valid YAML"},
             {"ruls: []\n", "unknown key ruls"},
         }) {
        const auto made = compiled(rules);
        ASSERT_FALSE(made) << rules;
        EXPECT_THAT(made.error(), HasSubstr(expected)) << rules;
        EXPECT_THAT(made.error(), HasSubstr("/etc/estafette/rules/10-ours.yaml:"));
    }
    EXPECT_TRUE(compiled("# nothing but a comment\n"));
    EXPECT_TRUE(compiled("rules: []\n"));
}

}  // namespace
}  // namespace estafette::verdict
