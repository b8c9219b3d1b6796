#include "estafette/bounce/reading.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace estafette::bounce {
namespace {

using testing::HasSubstr;

const char* const id_text = "01977a1e-5d7c-7d3e-8f52-1c6d1f2b3a4c";
const wall_time now = from_unix_ms(1'700'000'000'000);

const verdict::classifier& rules() {
    static const auto standard = verdict::classifier::standard();
    return standard;
}

struct report_of {
    std::string to = "bounces@vendor.example";
    std::string recipient = "ann@customer.example";
    std::string action = "failed";
    std::string status = "5.1.1";
    std::string diagnostic = "smtp; 550 5.1.1 <ann@customer.example>: no such user here";
    std::string envelope_id{};
    std::string message_id = "<1@elsewhere.example>";

    [[nodiscard]] std::string text() const {
        std::string out = "From: MAILER-DAEMON@mx.customer.example\r\nTo: " + to +
                          "\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
                          "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
                          "--b\r\n\r\nIt did not get there.\r\n--b\r\n"
                          "Content-Type: message/delivery-status\r\n\r\n";
        out += envelope_id.empty() ? "" : "Original-Envelope-Id: " + envelope_id + "\r\n";
        out += "Reporting-MTA: dns; mx.customer.example\r\n\r\nFinal-Recipient: rfc822; " + recipient +
               "\r\nAction: " + action + "\r\nStatus: " + status + "\r\nDiagnostic-Code: " + diagnostic +
               "\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: " + message_id +
               "\r\nSubject: hi\r\n\r\n--b--\r\n";
        return out;
    }
};

store::message_view mail_to(std::vector<std::string> to) {
    store::message_view m;
    m.message.id = *message_id::parse(id_text);
    m.message.tenant = tenant_id{"acme"};
    for (std::uint32_t i = 0; i < to.size(); ++i) {
        store::recipient_view r;
        r.id = {m.message.id, i};
        r.address = to[i];
        r.now = store::state::relayed;
        m.recipients.push_back(r);
    }
    return m;
}

class a_report : public testing::Test {
protected:
    [[nodiscard]] std::string verp(std::uint32_t place = 0) const {
        return *keys.local_part({*message_id::parse(id_text), place}) + "@bounces.vendor.example";
    }

    mail::verp_keys keys{{"secret"}};
};

TEST_F(a_report, is_matched_by_its_return_path) {
    const auto r = read(report_of{.to = verp(1)}.text(), {}, keys, rules());
    const auto changes = changes_of(r, mail_to({"bob@customer.example", "ann@customer.example"}), now);
    ASSERT_EQ(changes.size(), 1u);
    EXPECT_EQ(changes[0].who.index, 1u);
    EXPECT_EQ(changes[0].what, store::finding::failed);
    EXPECT_EQ(changes[0].judged.why, verdict::reason::unknown_user);
    EXPECT_EQ(changes[0].by, "mx.customer.example");
    EXPECT_EQ(changes[0].text, "550 5.1.1 <ann@customer.example>: no such user here");
    EXPECT_THAT(changes[0].evidence, HasSubstr("\nAction: failed\n"));
}

TEST_F(a_report, counts_for_its_return_path_whatever_address_it_names) {
    const auto r = read(report_of{.recipient = "a.b@forwarded.example"}.text(), {verp(0)}, keys, rules());
    const auto changes = changes_of(r, mail_to({"ann@customer.example"}), now);
    ASSERT_EQ(changes.size(), 1u);
    EXPECT_EQ(changes[0].what, store::finding::failed);
}

TEST_F(a_report, with_a_forged_return_path_is_forged_even_where_the_rest_fits) {
    const std::string forged =
        *mail::verp_keys{{"theirs"}}.local_part({*message_id::parse(id_text), 0}) + "@bounces.vendor.example";
    EXPECT_TRUE(read(report_of{.to = forged}.text(), {}, keys, rules()).is_forged);
    EXPECT_TRUE(read(report_of{.to = verp(0)}.text(), {forged}, keys, rules()).is_forged);
}

TEST_F(a_report, without_return_path_needs_message_and_address) {
    const auto mail = mail_to({"bob@customer.example", "ann@customer.example"});
    for (const report_of& one :
         {report_of{.envelope_id = id_text},
          report_of{.message_id = std::string{"<"} + id_text + "@mail.vendor.example>"}}) {
        const auto r = read(one.text(), {}, keys, rules());
        EXPECT_EQ(r.message, mail.message.id);
        const auto changes = changes_of(r, mail, now);
        ASSERT_EQ(changes.size(), 1u);
        EXPECT_EQ(changes[0].who.index, 1u);
        EXPECT_THAT(changes[0].text, HasSubstr("not proven"));
    }
    const auto other = read(
        report_of{.recipient = "eve@customer.example", .envelope_id = id_text}.text(), {}, keys, rules()
    );
    EXPECT_TRUE(changes_of(other, mail, now).empty());
}

TEST_F(a_report, names_the_recipient_also_in_the_form_of_an_orcpt) {
    const auto mail = mail_to({"bob@customer.example", "ann+news@customer.example"});
    const auto r = read(
        report_of{.recipient = "ann+2Bnews@customer.example", .envelope_id = id_text}.text(),
        {},
        keys,
        rules()
    );
    const auto changes = changes_of(r, mail, now);
    ASSERT_EQ(changes.size(), 1u);
    EXPECT_EQ(changes[0].who.index, 1u);
}

TEST_F(a_report, of_a_foreign_message_id_says_which) {
    const auto r = read(report_of{}.text(), {}, keys, rules());
    EXPECT_FALSE(r.message);
    EXPECT_EQ(r.header_message_id, "<1@elsewhere.example>");
}

TEST_F(a_report, says_failed_delayed_or_delivered_and_nothing_else) {
    const auto mail = mail_to({"ann@customer.example"});
    const auto said = [&](const char* action, const char* status) {
        const auto r = read(
            report_of{
                .to = verp(0),
                .action = action,
                .status = status,
                .diagnostic = "smtp; " + std::string{status}
            }.text(),
            {},
            keys,
            rules()
        );
        std::vector<store::finding> out;
        for (const auto& c : changes_of(r, mail, now)) {
            out.push_back(c.what);
        }
        return out;
    };
    EXPECT_EQ(said("failed", "5.1.1"), std::vector{store::finding::failed});
    EXPECT_EQ(said("delayed", "4.4.1"), std::vector{store::finding::delayed});
    EXPECT_EQ(said("delivered", "2.0.0"), std::vector{store::finding::delivered});
    EXPECT_TRUE(said("relayed", "2.0.0").empty());
    EXPECT_TRUE(said("expanded", "2.0.0").empty());
}

TEST_F(a_report, of_a_complaint_is_matched_by_the_return_path_in_the_mail_it_shows) {
    const std::string complaint =
        "From: fbl@provider.example\r\nTo: fbl@vendor.example\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\n\r\nspam\r\n"
        "--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: x/1\r\n"
        "Version: 1\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nReturn-Path: <" +
        verp(0) + ">\r\nMessage-ID: <x@y>\r\n\r\nhi\r\n--b--\r\n";
    const auto r = read(complaint, {}, keys, rules());
    const auto changes = changes_of(r, mail_to({"ann@customer.example"}), now);
    ASSERT_EQ(changes.size(), 1u);
    EXPECT_EQ(changes[0].what, store::finding::complained);
    EXPECT_EQ(changes[0].text, "complaint: abuse");
}

TEST_F(a_report, that_is_an_ordinary_mail_or_out_of_office_says_nothing) {
    const auto ordinary =
        read("From: a@x\r\nTo: " + verp(0) + "\r\nSubject: hello\r\n\r\nhi\r\n", {}, keys, rules());
    EXPECT_EQ(ordinary.kind, mail::report_kind::other);
    EXPECT_TRUE(ordinary.statements.empty());
    const auto away = read(
        "From: ann@customer.example\r\nTo: " + verp(0) +
            "\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\nI am away\r\n",
        {},
        keys,
        rules()
    );
    EXPECT_EQ(away.kind, mail::report_kind::auto_reply);
    EXPECT_TRUE(away.statements.empty());
}

TEST(evidence, is_short_and_shows_no_control_characters) {
    const std::string raw =
        "a\x1b[31m\r\nb\xff\r\n" + std::string(100'000, 'x') + "\n" + std::string(100'000, '\n');
    const auto lines = evidence_of(raw);
    EXPECT_LE(lines.size(), 16u << 10);
    EXPECT_TRUE(lines.starts_with("a?[31m\nb?\nxxx"));
    EXPECT_TRUE(std::ranges::none_of(lines, [](char c) {
        return c != '\n' && static_cast<unsigned char>(c) < 32;
    }));
    EXPECT_EQ(evidence_of(""), "");
    EXPECT_EQ(evidence_of("one"), "one\n");
}

}  // namespace
}  // namespace estafette::bounce
