// What no dialogue can say: time limits, the exact moment of the dot, misuse, transcripts, secrets.
#include "support/dialog.hpp"

#include "estafette/smtp/session.hpp"

#include <gtest/gtest.h>

namespace estafette::smtp {
namespace {

using test::dialog_message;

dialog_message message(std::uint8_t number, std::vector<std::string> to = {"b@y.example"}) {
    dialog_message m;
    m.message = test::make_message(number, "a@x.example", to, "A: b\r\n\r\ntext\r\n");
    m.return_path = m.message->from;
    for (std::uint32_t i = 0; i < to.size(); ++i) {
        m.recipients.push_back(i);
    }
    return m;
}

session_options in_clear() {
    session_options o;
    o.helo = "me.example";
    o.starttls = starttls_use::never;
    return o;
}

std::string all_output(session& s, std::size_t buffer = 16 * 1024) {
    std::string out, piece(buffer, '\0');
    for (std::size_t n = s.fill(piece); n != 0; n = s.fill(piece)) {
        out.append(piece, 0, n);
    }
    return out;
}

action write_all(session& s) {
    (void)all_output(s);
    return s.on_written();
}

// Ready, after EHLO with these keywords.
session opened(session_options options = in_clear(), const std::string& keywords = "250 PIPELINING\r\n") {
    session s{std::move(options)};
    (void)s.on_connected();
    (void)s.on_bytes("220 hi\r\n");
    (void)write_all(s);
    (void)s.on_bytes("250-y\r\n" + keywords);
    EXPECT_EQ(s.current().what, todo::ready);
    return s;
}

TEST(session, remembers_the_banner_but_not_all_of_an_endless_one) {
    session s{in_clear()};
    (void)s.on_connected();
    EXPECT_EQ(s.banner(), "");
    (void)s.on_bytes("220-mx.y.example ESMTP Zorg\r\n220 at your service\r\n");
    EXPECT_EQ(s.banner(), "mx.y.example ESMTP Zorg\nat your service");
    (void)write_all(s);
    (void)s.on_bytes("250 y\r\n");
    EXPECT_EQ(s.banner(), "mx.y.example ESMTP Zorg\nat your service");

    session long_one{in_clear()};
    (void)long_one.on_connected();
    (void)long_one.on_bytes("220 " + std::string(900, 'z') + "\r\n");
    EXPECT_EQ(long_one.banner(), std::string(512, 'z'));
}

TEST(session, names_the_phase_whose_time_limit_holds) {
    session s{in_clear()};
    action a = s.on_connected();
    EXPECT_EQ(a.what, todo::read);
    EXPECT_EQ(a.at, phase::banner);
    a = s.on_bytes("220 hi\r\n");
    EXPECT_EQ(a.what, todo::write);
    EXPECT_EQ(a.at, phase::ehlo);
    a = write_all(s);
    EXPECT_EQ(a.what, todo::read);
    EXPECT_EQ(a.at, phase::ehlo);
    a = s.on_bytes("250-y\r\n250 PIPELINING\r\n");
    EXPECT_EQ(a.what, todo::ready);

    const dialog_message m = message(1);
    a = s.begin(m.view());
    EXPECT_EQ(a.at, phase::mail);
    a = write_all(s);
    EXPECT_EQ(a.at, phase::mail);
    EXPECT_EQ(s.on_bytes("250 ok\r\n").at, phase::rcpt);
    EXPECT_EQ(s.on_bytes("250 ok\r\n").at, phase::data);
    a = s.on_bytes("354 go\r\n");
    EXPECT_EQ(a.what, todo::write);
    EXPECT_EQ(a.at, phase::body);
    a = write_all(s);
    EXPECT_EQ(a.what, todo::read);
    EXPECT_EQ(a.at, phase::dot);
    EXPECT_EQ(s.on_bytes("250 ok\r\n").what, todo::done);
}

TEST(session, a_new_turn_begins_with_an_answer_and_not_with_some_bytes) {
    session s{in_clear()};
    const action a = s.on_connected();
    // One byte a second does not keep the connection alive.
    const action b = s.on_bytes("220-slo");
    EXPECT_EQ(b.turn, a.turn);
    const action c = s.on_bytes("w\r\n220-ly\r\n");
    EXPECT_EQ(c.turn, a.turn);
    EXPECT_NE(s.on_bytes("220 now\r\n").turn, a.turn);
}

TEST(session, the_dot_counts_as_sent_when_its_last_byte_was_given_out) {
    const dialog_message m = message(1);
    const std::string_view tail = ".\r\n";
    const std::size_t whole = m.stuffed().size() + tail.size();
    for (std::size_t given = 0; given <= whole; ++given) {
        session s = opened();
        (void)s.begin(m.view());
        (void)write_all(s);
        (void)s.on_bytes("250 ok\r\n250 ok\r\n354 go\r\n");
        std::string piece(given, '\0');
        EXPECT_EQ(s.fill(piece), given);
        ASSERT_EQ(s.on_broken(errc::connection_closed).what, todo::done);
        const outcome what = s.take_outcome().at(0).what;
        EXPECT_EQ(what.dot_sent, given == whole) << given;
        EXPECT_EQ(what.at, given == whole ? phase::dot : phase::body) << given;
    }
}

TEST(session, a_bdat_counts_as_sent_when_its_last_byte_was_given_out) {
    session_options options = in_clear();
    options.chunking = true;
    const dialog_message m = message(1);
    for (const std::size_t short_by : {0u, 1u}) {
        session s = opened(options, "250-PIPELINING\r\n250 CHUNKING\r\n");
        (void)s.begin(m.view());
        const std::string commands = "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\nBDAT 14 LAST\r\n";
        std::string piece(commands.size() + m.message->body->size() - short_by, '\0');
        EXPECT_EQ(s.fill(piece), piece.size());
        EXPECT_TRUE(piece.starts_with(commands));
        (void)s.on_broken(errc::timeout);
        const outcome what = s.take_outcome().at(0).what;
        EXPECT_EQ(what.dot_sent, short_by == 0);
    }
}

TEST(session, takes_nothing_back_once_the_next_mails_commands_have_left) {
    const dialog_message one = message(1);
    const dialog_message two = message(2);
    session s = opened();
    (void)s.begin(one.view());
    s.offer_next(two.view());
    (void)write_all(s);
    (void)s.on_bytes("250 ok\r\n250 ok\r\n354 go\r\n");
    EXPECT_FALSE(s.is_next_begun());
    (void)write_all(s);
    EXPECT_TRUE(s.is_next_begun());
    ASSERT_EQ(s.on_bytes("250 queued\r\n250 ok\r\n250 ok\r\n354 go\r\n").what, todo::done);
    EXPECT_TRUE(s.take_outcome().at(0).what.is_accepted());
    EXPECT_EQ(s.current().what, todo::ready);
    // Cancelled, expired or shutting down: no content, no QUIT (it would be content), just the end.
    EXPECT_EQ(s.quit().what, todo::close);
    EXPECT_EQ(all_output(s), "");
    EXPECT_FALSE(s.is_usable());
    EXPECT_FALSE(s.is_next_begun());
}

TEST(session, another_message_than_the_begun_one_ends_it) {
    const dialog_message one = message(1);
    const dialog_message two = message(2);
    const dialog_message three = message(3);
    session s = opened();
    (void)s.begin(one.view());
    s.offer_next(two.view());
    (void)write_all(s);
    (void)s.on_bytes("250 ok\r\n250 ok\r\n354 go\r\n");
    (void)write_all(s);
    (void)s.on_bytes("250 queued\r\n250 ok\r\n250 ok\r\n354 go\r\n");
    (void)s.take_outcome();
    ASSERT_EQ(s.begin(three.view()).what, todo::done);
    EXPECT_EQ(all_output(s), "");
    EXPECT_FALSE(s.take_outcome().at(0).tried);
    EXPECT_EQ(s.current().what, todo::close);
}

TEST(session, the_same_message_for_other_recipients_is_another_one) {
    const dialog_message one = message(1);
    const dialog_message two = message(2, {"b@y.example", "c@y.example"});
    dialog_message part = two;
    part.recipients = {1};
    session s = opened();
    (void)s.begin(one.view());
    s.offer_next(two.view());
    (void)write_all(s);
    (void)s.on_bytes("250 ok\r\n250 ok\r\n354 go\r\n");
    (void)write_all(s);
    (void)s.on_bytes("250 queued\r\n");
    (void)s.take_outcome();
    ASSERT_EQ(s.begin(part.view()).what, todo::done);
    EXPECT_FALSE(s.take_outcome().at(0).tried);
}

TEST(session, says_untried_where_it_cannot_be_used) {
    const dialog_message m = message(1);
    session fresh{in_clear()};
    ASSERT_EQ(fresh.begin(m.view()).what, todo::done);
    EXPECT_FALSE(fresh.take_outcome().at(0).tried);

    session broken = opened();
    (void)broken.on_broken(errc::timeout);
    EXPECT_FALSE(broken.is_usable());
    EXPECT_EQ(broken.failure().error, errc::timeout);
    ASSERT_EQ(broken.begin(m.view()).what, todo::done);
    EXPECT_FALSE(broken.take_outcome().at(0).tried);
    EXPECT_EQ(broken.current().what, todo::close);
    EXPECT_EQ(broken.failure().error, errc::timeout);  // the first reason stays
}

TEST(session, half_an_unasked_answer_is_not_read_into_the_next_message) {
    session s = opened();
    EXPECT_EQ(s.on_bytes("25").what, todo::ready);
    EXPECT_FALSE(s.is_usable());
    const dialog_message m = message(1);
    ASSERT_EQ(s.begin(m.view()).what, todo::done);
    EXPECT_FALSE(s.take_outcome().at(0).tried);
    EXPECT_EQ(s.failure().error, errc::bytes_unsolicited);
    EXPECT_EQ(s.quit().what, todo::close);
}

TEST(session, gives_no_outcome_before_its_time) {
    session s = opened();
    EXPECT_TRUE(s.take_outcome().empty());
    const dialog_message m = message(1);
    (void)s.begin(m.view());
    EXPECT_TRUE(s.take_outcome().empty());
}

TEST(session, a_handshake_that_nobody_asked_for_changes_nothing) {
    session s = opened();
    EXPECT_EQ(s.on_tls({.verified = true, .binding = {}}).what, todo::ready);
    EXPECT_FALSE(s.is_encrypted());
}

TEST(session, can_fail_before_it_began) {
    session s{in_clear()};
    EXPECT_EQ(s.on_broken(errc::connection_refused).what, todo::close);
    EXPECT_EQ(s.failure().at, phase::connect);
    EXPECT_EQ(s.failure().error, errc::connection_refused);
    EXPECT_EQ(s.on_bytes("220 hi\r\n").what, todo::close);
    EXPECT_EQ(s.on_written().what, todo::close);
}

TEST(session, quit_ends_however_the_server_takes_it) {
    for (const char* answer : {"221 bye\r\n", "500 what\r\n", "421 closing\r\n", "nonsense\r\n", ""}) {
        session s = opened();
        action a = s.quit();
        EXPECT_EQ(a.what, todo::write);
        EXPECT_EQ(a.at, phase::quit);
        EXPECT_EQ(all_output(s), "QUIT\r\n");
        a = s.on_written();
        EXPECT_EQ(a.what, todo::read);
        EXPECT_EQ(a.at, phase::quit);
        a = *answer != '\0' ? s.on_bytes(answer) : s.on_broken(errc::connection_closed);
        EXPECT_EQ(a.what, todo::close) << answer;
        EXPECT_FALSE(s.is_usable());
    }
}

TEST(session, can_be_moved) {
    session s = opened();
    session t = std::move(s);
    EXPECT_TRUE(t.is_usable());
    session u{in_clear()};
    u = std::move(t);
    EXPECT_TRUE(u.is_usable());
    EXPECT_TRUE(u.offers().pipelining);
}

TEST(session, counts_the_transactions_it_began) {
    const dialog_message m = message(1);
    session s = opened();
    EXPECT_EQ(s.transactions(), 0u);
    (void)s.begin(m.view());
    EXPECT_EQ(s.transactions(), 1u);
}

TEST(transcript, has_the_opening_and_this_message_and_no_other) {
    const dialog_message one = message(1, {"first@y.example"});
    const dialog_message two = message(2, {"second@y.example"});
    session s = opened();
    (void)s.begin(one.view());
    s.offer_next(two.view());
    (void)write_all(s);
    (void)s.on_bytes("250 ok\r\n250 ok\r\n354 go\r\n");
    (void)write_all(s);
    (void)s.on_bytes("250 queued as 1\r\n250 ok\r\n550 second unknown\r\n554 nobody\r\n");
    (void)s.take_outcome();
    EXPECT_EQ(
        s.transcript(),
        "S: 220 hi\nC: EHLO me.example\nS: 250-y\nS: 250 PIPELINING\n"
        "C: MAIL FROM:<a@x.example>\nC: RCPT TO:<first@y.example>\nC: DATA\n"
        "S: 250 ok\nS: 250 ok\nS: 354 go\nC: [14 bytes of content]\nC: .\nS: 250 queued as 1\n"
    );
    (void)s.begin(two.view());
    (void)s.take_outcome();
    EXPECT_EQ(s.transcript().find("first@"), std::string::npos);
    EXPECT_NE(s.transcript().find("S: 550 second unknown\n"), std::string::npos);
}

TEST(transcript, is_bounded_and_keeps_both_ends) {
    std::vector<std::string> to;
    for (int i = 0; i < 500; ++i) {
        to.push_back("recipient-number-" + std::to_string(i) + "@y.example");
    }
    const dialog_message m = message(1, to);
    session s = opened();
    action a = s.begin(m.view());
    int answers = 0;
    while (a.what == todo::write || a.what == todo::read) {
        const bool is_mail = answers == 1;
        a = a.what == todo::write
                ? write_all(s)
                : s.on_bytes(is_mail ? "250 ok\r\n" : "550-5.1.1 no such user\r\n550 really\r\n");
        ++answers;
        ASSERT_LT(answers, 5000);
    }
    EXPECT_EQ(s.take_outcome().size(), 500u);
    const std::string text = s.transcript();
    EXPECT_LE(text.size(), 16u * 1024);
    EXPECT_NE(text.find("C: MAIL FROM"), std::string::npos);
    EXPECT_NE(text.find("[…]\n"), std::string::npos);
    EXPECT_TRUE(text.ends_with("S: 550 really\n"));
}

TEST(transcript, never_has_the_secret_even_if_the_server_repeats_it) {
    session_options options = in_clear();
    options.login = {"tim", "tanstaaftanstaaf"};
    options.mechanisms = {mechanism::plain};
    session s{std::move(options)};
    (void)s.on_connected(tls_facts{.verified = true, .binding = {}});
    (void)s.on_bytes("220 hi\r\n");
    (void)write_all(s);
    (void)s.on_bytes("250-y\r\n250 AUTH PLAIN\r\n");
    const std::string sent = all_output(s);
    EXPECT_EQ(sent, "AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm\r\n");
    (void)s.on_written();
    (void)s.on_bytes("501 what is AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm or tanstaaftanstaaf?\r\n");
    EXPECT_EQ(s.transcript().find("AHRpbQ"), std::string::npos) << s.transcript();
    EXPECT_EQ(s.transcript().find("tanstaaf"), std::string::npos);
    EXPECT_EQ(s.failure().answer.value().text, "what is AUTH PLAIN [secret] or [secret]?");
}

TEST(misbehaviour, has_words) {
    EXPECT_EQ(to_text(misbehaviour::none), "none");
    EXPECT_EQ(to_text(misbehaviour::pipelining), "pipelining");
    EXPECT_EQ(to_text(misbehaviour::across_messages), "across_messages");
    EXPECT_EQ(to_text(misbehaviour::chunking), "chunking");
}

}  // namespace
}  // namespace estafette::smtp
