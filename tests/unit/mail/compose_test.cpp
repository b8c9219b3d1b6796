#include "estafette/base/text.hpp"
#include "estafette/mail/compose.hpp"
#include "estafette/mail/encoding.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace estafette::mail {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const wall_time noon = *parse_rfc3339("2026-05-01T12:00:00Z");
const std::string id_text = "01977a1e-0000-7000-8000-000000000001";

compose_options options() {
    compose_options o;
    o.id = *message_id::parse(id_text);
    o.now = noon;
    o.random.fill(0xab);
    o.message_id_domain = "mail.vendor.example";
    return o;
}

submission badge() {
    submission s;
    s.tenant = default_tenant();
    s.from = "Badges <badges@vendor.example>";
    s.to.items = {"Ann <ann@customer.example>"};
    s.subject = "Your badge";
    s.text = "Here it is.\n";
    return s;
}

message made(const submission& s, const compose_options& o = options()) {
    auto r = compose(s, o);
    if (r.has_error()) {
        for (const auto& e : r.error())
            ADD_FAILURE() << e.pointer << ": " << e.detail;
        message nothing;
        nothing.body = std::make_shared<const std::string>();
        return nothing;
    }
    return *r;
}

TEST(Compose, makes_the_bytes_of_a_plain_mail) {
    const auto m = made(badge());
    EXPECT_EQ(
        *m.body,
        "Date: Fri, 01 May 2026 12:00:00 +0000\r\n"
        "From: Badges <badges@vendor.example>\r\n"
        "To: Ann <ann@customer.example>\r\n"
        "Subject: Your badge\r\n"
        "Message-ID: <01977a1e-0000-7000-8000-000000000001@mail.vendor.example>\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 7bit\r\n"
        "\r\n"
        "Here it is.\r\n"
    );
    EXPECT_EQ(m.from->text(), "badges@vendor.example");
    ASSERT_EQ(m.to.size(), 1u);
    EXPECT_EQ(m.to[0].text(), "ann@customer.example");
    EXPECT_EQ(m.subject, "Your badge");
    EXPECT_EQ(m.header_message_id, "<" + id_text + "@mail.vendor.example>");
    EXPECT_EQ(m.facts, facts_of(*m.body));
    EXPECT_EQ(m.accepted_at, noon);
    EXPECT_EQ(m.due_at, noon);
    EXPECT_EQ(m.expires_at, noon + std::chrono::days{5});
}

TEST(Compose, gives_the_same_bytes_for_the_same_parameters) {
    auto s = badge();
    s.html = "<p>é</p>";
    EXPECT_EQ(*made(s).body, *made(s).body);
    auto other = options();
    other.random.fill(1);
    EXPECT_NE(*made(s).body, *made(s, other).body);
}

TEST(Compose, nests_alternatives_pictures_and_files) {
    auto s = badge();
    s.html = "<img src=\"cid:logo\">";
    s.attachments = {
        {"logo.png", "image/png", base64_encode("PNG"), "logo"},
        {"reçu.pdf", "", base64_encode("PDF"), ""},
    };
    const auto body = *made(s).body;
    const auto content = body.substr(body.find("Content-Type"));
    const std::string b = "=_abababababababababababababababab_";
    EXPECT_EQ(
        content,
        "Content-Type: multipart/mixed; boundary=\"" + b +
            "3\"\r\n\r\n"
            "--" +
            b +
            "3\r\n"
            "Content-Type: multipart/alternative;\r\n boundary=\"" +
            b +
            "2\"\r\n\r\n"
            "--" +
            b +
            "2\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
            "Here it is.\r\n\r\n"
            "--" +
            b +
            "2\r\n"
            "Content-Type: multipart/related; type=\"text/html\";\r\n boundary=\"" +
            b +
            "1\"\r\n\r\n"
            "--" +
            b +
            "1\r\n"
            "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
            "<img src=\"cid:logo\">\r\n"
            "--" +
            b +
            "1\r\n"
            "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n"
            "Content-Disposition: inline; filename=\"logo.png\"\r\nContent-ID: <logo>\r\n\r\n"
            "UE5H\r\n\r\n"
            "--" +
            b +
            "1--\r\n\r\n"
            "--" +
            b +
            "2--\r\n\r\n"
            "--" +
            b +
            "3\r\n"
            "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
            "Content-Disposition: attachment; filename*=utf-8''re%C3%A7u.pdf\r\n\r\n"
            "UERG\r\n\r\n"
            "--" +
            b + "3--\r\n"
    );
}

TEST(Compose, takes_another_boundary_when_the_text_contains_it) {
    auto s = badge();
    s.text = "--=_abababababababababababababababab_1\n";
    s.html = "<p>x</p>";
    const auto body = *made(s).body;
    EXPECT_THAT(body, HasSubstr("boundary=\"=_abababababababababababababababab_2\""));
    EXPECT_THAT(body, HasSubstr("\r\n--=_abababababababababababababababab_2--\r\n"));
}

TEST(Compose, chooses_the_encoding_by_the_text) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"Hi", "7bit"},
        {"Ça va ? Très bien, merci. Et toi ?", "quoted-printable"},
        {"日本語の本文です。", "base64"},
        {".", "quoted-printable"},
        {"a\n.\nb", "quoted-printable"},
        {"From here", "quoted-printable"},
        {"blank at the end \n", "quoted-printable"},
        {"\x1b[31m, and so on, and so on", "quoted-printable"},
        {std::string(990, 'a'), "7bit"},
        {std::string(991, 'a'), "quoted-printable"},
        {"", "7bit"},
    };
    for (const auto& [text, encoding] : cases) {
        auto s = badge();
        s.text = text;
        EXPECT_THAT(*made(s).body, HasSubstr("Content-Transfer-Encoding: " + encoding + "\r\n")) << text;
    }
}

TEST(Compose, never_writes_bcc_and_counts_each_recipient_once) {
    auto s = badge();
    s.to.items = {"ann@x.example", "Ann <ann@X.example>"};
    s.cc.items = {"bob@x.example"};
    s.bcc.items = {"eve@x.example", "bob@x.example"};
    const auto m = made(s);
    std::vector<std::string> to;
    for (const auto& a : m.to)
        to.push_back(a.text());
    EXPECT_THAT(to, ElementsAre("ann@x.example", "bob@x.example", "eve@x.example"));
    EXPECT_THAT(*m.body, Not(HasSubstr("eve")));
    EXPECT_THAT(ascii_lower(*m.body), Not(HasSubstr("bcc")));
    EXPECT_THAT(*m.body, HasSubstr("Cc: bob@x.example\r\n"));

    s.to.items = s.cc.items = {};
    EXPECT_THAT(*made(s).body, HasSubstr("To: undisclosed-recipients:;\r\n"));
}

TEST(Compose, encodes_names_subjects_and_custom_fields) {
    auto s = badge();
    s.from = "Société, Émile <e@x.example>";
    s.reply_to.items = {"\"Doe, J.\" <j@x.example>", "k@x.example"};
    s.subject = "Réservé : =?utf-8?Q?x?=";
    s.headers = {{"X-Campaign", "été"}, {"List-Unsubscribe", "<https://x.example/u?a=1>"}};
    const auto body = *made(s).body;
    EXPECT_THAT(body, HasSubstr("From: =?utf-8?B?U29jacOpdMOpLCDDiW1pbGU=?= <e@x.example>\r\n"));
    EXPECT_THAT(body, HasSubstr("Reply-To: \"Doe, J.\" <j@x.example>, k@x.example\r\n"));
    EXPECT_THAT(body, HasSubstr("X-Campaign: =?utf-8?B?w6l0w6k=?=\r\n"));
    EXPECT_THAT(body, HasSubstr("List-Unsubscribe: <https://x.example/u?a=1>\r\n"));
    EXPECT_EQ(made(s).subject, "Réservé : =?utf-8?Q?x?=");
    EXPECT_FALSE(made(s).facts.utf8_header);
}

TEST(Compose, writes_utf8_in_the_header_only_for_addresses_that_need_it) {
    auto s = badge();
    s.to.items = {"René <rené@x.example>"};
    const auto m = made(s);
    EXPECT_THAT(*m.body, HasSubstr("<rené@x.example>"));
    EXPECT_TRUE(m.facts.utf8_header);
    EXPECT_TRUE(m.to[0].needs_smtputf8());
}

TEST(Compose, folds_long_lists_at_78) {
    auto s = badge();
    s.to.items.clear();
    for (int i = 0; i < 60; ++i)
        s.to.items.push_back(
            "Person Number " + std::to_string(i) + " <p" + std::to_string(i) + "@x.example>"
        );
    const auto m = made(s);
    EXPECT_LE(m.facts.longest_line, 78u);
    EXPECT_EQ(m.to.size(), 60u);
}

TEST(Compose, keeps_an_attached_mail_as_it_is) {
    auto s = badge();
    s.attachments = {{"a.eml", "message/rfc822", base64_encode("Subject: x\n\nHi\n"), ""}};
    EXPECT_THAT(
        *made(s).body,
        HasSubstr("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n"
                  "Content-Disposition: attachment; filename=\"a.eml\"\r\n\r\nSubject: x\r\n\r\nHi\r\n")
    );
    s.attachments[0].content = base64_encode("Subject: \xff\n\nHi\n");
    EXPECT_THAT(*made(s).body, HasSubstr("Content-Type: application/octet-stream\r\n"));
}

TEST(Compose, obeys_the_envelope) {
    auto s = badge();
    s.envelope = envelope_fields{.from = "bounces@vendor.example", .to = {{"eve@x.example"}}};
    const auto m = made(s);
    EXPECT_EQ(m.from->text(), "bounces@vendor.example");
    ASSERT_EQ(m.to.size(), 1u);
    EXPECT_EQ(m.to[0].text(), "eve@x.example");
    EXPECT_THAT(*m.body, HasSubstr("To: Ann <ann@customer.example>\r\n"));
    s.envelope = envelope_fields{.from = "", .to = std::nullopt};
    EXPECT_FALSE(made(s).from);
}

TEST(Compose, keeps_times_and_labels) {
    auto s = badge();
    s.send_at = "2026-06-15T08:00:00+02:00";
    s.expires_at = "2026-06-16T00:00:00Z";
    s.priority = "bulk";
    s.category = "reminder";
    s.group = "g";
    s.key = "k";
    s.tags = {"a", "b"};
    s.metadata = "{\"x\":1}";
    s.require_tls = true;
    const auto m = made(s);
    EXPECT_EQ(to_rfc3339(m.due_at), "2026-06-15T06:00:00.000Z");
    EXPECT_EQ(to_rfc3339(m.expires_at), "2026-06-16T00:00:00.000Z");
    EXPECT_EQ(m.precedence, priority::bulk);
    EXPECT_EQ(m.category + m.group + m.key + m.metadata, "remindergk{\"x\":1}");
    EXPECT_THAT(m.tags, ElementsAre("a", "b"));
    EXPECT_TRUE(m.require_tls);
    s.expires_at = std::nullopt;
    EXPECT_EQ(made(s).expires_at, made(s).due_at + std::chrono::days{5});
    s.send_at = "2020-01-01T00:00:00Z";
    EXPECT_EQ(made(s).due_at, noon);
}

TEST(Compose, keeps_which_reports_are_wanted) {
    auto s = badge();
    EXPECT_EQ(made(s).reports, dsn_request{});
    s.dsn = dsn_fields{.notify = {{{"delay", "failure"}, true}}, .content = "full", .envelope_id = "run 7+"};
    const dsn_request wanted{
        dsn_request::content::full, "run 7+", dsn_request::failure | dsn_request::delay, false
    };
    EXPECT_EQ(made(s).reports, wanted);
    s.dsn = dsn_fields{.notify = {{{"never"}, false}}, .content = {}, .envelope_id = {}};
    EXPECT_EQ(made(s).reports.notify, dsn_request::never);
    s.dsn->envelope_id = std::string(32, '+') + "xxxx";  // 100 bytes as xtext
    EXPECT_EQ(made(s).reports.envid.size(), 36u);
}

submission raw(std::string bytes) {
    submission s;
    s.raw_bytes = std::move(bytes);
    s.envelope = envelope_fields{.from = "me@x.example", .to = {{"a@y.example"}}};
    return s;
}

TEST(ComposeRaw, keeps_what_is_there_and_adds_what_is_missing) {
    const std::string complete =
        "Date: Fri, 01 May 2026 08:00:00 +0000\r\nFrom: me@x.example\r\n"
        "Message-ID: <1@x.example>\r\nSubject: =?utf-8?Q?Caf=C3=A9?=\r\n\r\nHi\r\n.dot\r\n";
    const auto m = made(raw(complete));
    EXPECT_EQ(*m.body, complete);
    EXPECT_EQ(m.header_message_id, "<1@x.example>");
    EXPECT_EQ(m.subject, "Café");
    EXPECT_TRUE(m.facts.leading_dot);

    EXPECT_EQ(
        *made(raw("Subject: x\n\nHi")).body,
        "Date: Fri, 01 May 2026 12:00:00 +0000\r\nFrom: me@x.example\r\n"
        "Message-ID: <" +
            id_text + "@mail.vendor.example>\r\nSubject: x\r\n\r\nHi\r\n"
    );
    auto bounce = raw("Subject: x\n\nHi");
    bounce.envelope->from = "";
    EXPECT_THAT(*made(bounce).body, HasSubstr("From: MAILER-DAEMON@mail.vendor.example\r\n"));
}

TEST(ComposeRaw, removes_bcc_with_its_continuations) {
    const auto body =
        *made(raw("To: a@x\nBCC: eve@x,\n\tmallory@x\nbcc : other@x\nSubject: s\n\nBcc: stays\n")).body;
    EXPECT_THAT(body, Not(HasSubstr("eve")));
    EXPECT_THAT(body, Not(HasSubstr("mallory")));
    EXPECT_THAT(body, Not(HasSubstr("other@x")));
    EXPECT_THAT(body, HasSubstr("To: a@x\r\nSubject: s\r\n\r\nBcc: stays\r\n"));
}

TEST(ComposeRaw, copes_with_headers_that_are_none) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"", "\r\n\r\n"},
        {"no header at all\n", "\r\n\r\nno header at all\r\n"},
        {"Subject: x\nno field\nTo: b\n", "Subject: x\r\n\r\nno field\r\nTo: b\r\n"},
        {"From ann@x Fri May 1\nSubject: x\n\nb\n", "Subject: x\r\n\r\nb\r\n"},
        {" leading\nSubject: x\n\nb\n", "\r\n\r\n leading\r\nSubject: x\r\n\r\nb\r\n"},
        {"Subject: x", "Subject: x\r\n\r\n"},
        {"Message-ID: \nSubject: y\n\n", "Subject: y\r\n\r\n"},
        {"Message-ID: <a b>\n\n", "\r\n\r\n"},
    };
    for (const auto& [bytes, end] : cases) {
        const auto body = *made(raw(bytes)).body;
        EXPECT_TRUE(body.ends_with(end)) << bytes << " became " << body;
        EXPECT_EQ(body.find("Message-ID"), body.rfind("Message-ID"));
    }
}

TEST(ComposeRaw, leaves_no_way_to_smuggle) {
    const std::vector<std::string> ends{
        "\n.\n", "\r.\r", "\n.\r\n", "\r\n.\r", "\r\n.\n", "\r.\n", "\n.\r", "\r\r\n.\r\r\n"
    };
    for (const auto& end : ends) {
        const auto body = *made(raw("A: b\r\n\r\nx" + end + "MAIL FROM:<evil@x>\r\n")).body;
        EXPECT_THAT(body, HasSubstr("x\r\n.\r\nMAIL")) << printable(end);
        EXPECT_TRUE(facts_of(body).leading_dot) << "the dot would not be stuffed";
    }
}

TEST(Compose, every_output_is_fit_for_any_server) {
    const auto text = rc::gen::map(
        rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
            "a", " ", "é", "🎫", "\n", "\r", ".", "\n.", "From ", "=", "--", "x@y"
        )),
        [](const auto& parts) {
            std::string out;
            for (const auto& p : parts)
                out += p;
            return out;
        }
    );
    EXPECT_TRUE(rc::check("7-bit, CRLF, short lines, no leading dot", [&] {
        auto s = badge();
        s.text = *text;
        s.html = *text;
        s.attachments = {{"a", "", base64_encode(*rc::gen::arbitrary<std::string>()), "id"}};
        const auto m = compose(s, options());
        RC_ASSERT(m.has_value());
        RC_ASSERT(is_ascii(*m->body));
        RC_ASSERT(to_crlf(*m->body) == *m->body);
        RC_ASSERT(m->body->ends_with("\r\n"));
        RC_ASSERT(m->facts == facts_of(*m->body));
        RC_ASSERT(m->facts.longest_line <= 998u);
        RC_ASSERT(!m->facts.leading_dot && !m->facts.eight_bit && !m->facts.utf8_header);
    }));
}

TEST(HeaderRecipients, are_found_for_sendmail_t) {
    struct row {
        std::string header;
        std::vector<std::string> found;
    };
    const std::vector<row> cases{
        {"To: a@x\n", {"a@x"}},
        {"to: a@x, Bob <b@x>\nCC: c@x\nBcc: d@x\nFrom: e@x\n", {"a@x", "b@x", "c@x", "d@x"}},
        {"To: root\n", {"root"}},
        {"To: \"Doe, J. <j@z>\" <j@x>\n", {"j@x"}},
        {"To: a@x (Ann, (nested) of x), b@x\n", {"a@x", "b@x"}},
        {"To: a@x,\n b@x,\n\tc@x\n", {"a@x", "b@x", "c@x"}},
        {"To: team: a@x, b@x;, c@x\n", {"a@x", "b@x", "c@x"}},
        {"To: undisclosed-recipients:;\n", {}},
        {"To: <@relay.x,@two.x:a@x>\n", {"a@x"}},
        {"To: \"a b\"@x\n", {"\"a b\"@x"}},
        {"To: =?utf-8?Q?Ren=C3=A9?= <r@x>\n", {"r@x"}},
        {"To: ,, a@x ,,\n", {"a@x"}},
        {"To: a@x\nResent-To: b@x\n", {"b@x"}},
        {"Subject: x\n\nTo: body@x\n", {}},
        {"To:\n", {}},
    };
    for (const auto& c : cases) {
        const auto found = header_recipients(c.header);
        ASSERT_TRUE(found) << c.header;
        EXPECT_EQ(*found, c.found) << c.header;
    }
    for (const auto* broken :
         {"To: \"a\n", "To: (a\n", "To: <a@x\n", "To: a@x>\n", "To: <a@x> <b@x>\n", "To: <<a@x>\n"})
        EXPECT_EQ(header_recipients(broken).error(), errc::address_invalid) << broken;
}

TEST(HeaderRecipients, are_bounded) {
    std::string many = "To: ";
    for (int i = 0; i < 10'001; ++i)
        many += "a@x,";
    EXPECT_EQ(header_recipients(many).error(), errc::too_many_recipients);
    EXPECT_EQ(header_recipients("To: " + std::string(1'000'000, '(')).error(), errc::address_invalid);
    EXPECT_TRUE(header_recipients("To: " + std::string(1'000'000, ':')));
}

}  // namespace
}  // namespace estafette::mail
