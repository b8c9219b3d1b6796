#include "estafette/mail/dsn.hpp"

#include <gtest/gtest.h>

#include <string>

namespace estafette::mail {
namespace {

std::string mail(const std::string& header, const std::string& body) {
    std::string all = "From: Mail Delivery System <MAILER-DAEMON@mx.example>\nTo: bounces@vendor.example\n" +
                      header + "\n" + body;
    std::string out;
    for (const char c : all) {
        out += c == '\n' ? "\r\n" : std::string(1, c);
    }
    return out;
}

std::string with_status(const std::string& status, const std::string& words = "It did not work out.\n") {
    return mail(
        "Subject: Undelivered Mail Returned to Sender\nContent-Type: multipart/report; "
        "report-type=delivery-status;\n boundary=\"b 1\"\n",
        "--b 1\nContent-Type: text/plain\n\n" + words + "\n--b 1\nContent-Type: message/delivery-status\n\n" +
            status +
            "\n--b 1\nContent-Type: message/rfc822\n\nMessage-ID: <m1@vendor.example>\nTo: "
            "ann@x.example\n\nHello\n--b 1--\n"
    );
}

TEST(delivery_report, names_recipient_action_status_words_and_the_mail_it_is_about) {
    const auto r =
        read_report(with_status("Reporting-MTA: dns; mx.example\nOriginal-Envelope-Id: env+2D7\n\n"
                                "Original-Recipient: rfc822;ann@x.example\nFinal-Recipient: rfc822; "
                                "<ann.b@y.example>\nAction: failed\n"
                                "Status: 5.1.1 (bad address)\nRemote-MTA: dns; "
                                "mx.y.example\nDiagnostic-Code: smtp; 550 5.1.1\n no such user\n"));
    EXPECT_EQ(r.kind, report_kind::delivery);
    EXPECT_EQ(r.reporting_mta, "mx.example");
    EXPECT_EQ(r.envelope_id, "env+2D7");
    EXPECT_EQ(r.message_id, "m1@vendor.example");
    ASSERT_EQ(r.recipients.size(), 1u);
    const auto& one = r.recipients[0];
    EXPECT_EQ(one.address, "ann.b@y.example");
    EXPECT_EQ(one.original, "ann@x.example");
    EXPECT_EQ(one.action, report_action::failed);
    EXPECT_EQ(one.status, "5.1.1");
    EXPECT_EQ(one.diagnostic, "550 5.1.1 no such user");
    EXPECT_EQ(one.remote_mta, "mx.y.example");
}

TEST(delivery_report, holds_several_recipients_however_many_blank_lines_part_them) {
    const auto r =
        read_report(with_status("\nReporting-MTA: dns;mx.example\n\n\n\nFinal-Recipient: "
                                "rfc822;ann@x.example\nAction: delayed\nStatus: 4.4.1\n"
                                "Diagnostic-Code: smtp; 421 come again\n\n \nFinal-Recipient: "
                                "RFC822;ben@x.example\nAction: delivered\nStatus: 2.0.0\n\n"
                                "Final-Recipient: rfc822;cat@x.example\nAction: relayed\n\nFinal-Recipient: "
                                "rfc822;dan@x.example\nAction: expanded\n\n"
                                "Final-Recipient: rfc822;eve@x.example\nStatus: 5.0.0\n"));
    ASSERT_EQ(r.recipients.size(), 5u);
    EXPECT_EQ(r.recipients[0].action, report_action::delayed);
    EXPECT_EQ(r.recipients[1].action, report_action::delivered);
    EXPECT_EQ(r.recipients[2].action, report_action::relayed);
    EXPECT_EQ(r.recipients[3].action, report_action::expanded);
    EXPECT_EQ(r.recipients[4].action, report_action::failed) << "no action, but a 5";
}

TEST(delivery_report, of_internationalised_mail_names_its_addresses) {
    const std::string body =
        "--b\nContent-Type: text/plain; charset=utf-8\n\nNon remis.\n"
        "--b\nContent-Type: message/global-delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
        "Original-Recipient: utf-8; \\x{E9}ric@\\x{4F8B}.example\n"
        "Final-Recipient: utf-8; \xc3\xa9ric@\xe4\xbe\x8b.example\n"
        "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 bo\xc3\xaete inconnue\n\n"
        "Final-Recipient: utf-8; \\x{D800}\\x{A}\\x{110000}\\x{zz}a@y.example\nAction: failed\n\n"
        "--b\nContent-Type: message/global\n\nMessage-ID: <m1@vendor.example>\n\nSalut\n--b--\n";
    const auto r = read_report(mail(
        "Content-Type: multipart/report; report-type=global-delivery-status; boundary=b\nSubject: Non "
        "remis\n",
        body
    ));
    ASSERT_EQ(r.kind, report_kind::delivery);
    EXPECT_EQ(r.message_id, "m1@vendor.example");
    ASSERT_EQ(r.recipients.size(), 2u);
    EXPECT_EQ(r.recipients[0].original, "\xc3\xa9ric@\xe4\xbe\x8b.example");
    EXPECT_EQ(r.recipients[0].address, "\xc3\xa9ric@\xe4\xbe\x8b.example");
    EXPECT_EQ(r.recipients[0].diagnostic, "550 5.1.1 bo\xc3\xaete inconnue");
    EXPECT_EQ(r.recipients[1].address.find('\n'), std::string::npos) << "no character becomes a line end";
}

TEST(delivery_report, takes_the_words_beside_it_where_it_gives_no_reason) {
    const auto r = read_report(with_status(
        "Final-Recipient: rfc822;ann@x.example\nAction: failed\nStatus: 5.0.0\n",
        "I could not deliver your message.\n\n<ann@x.example>: host mx.y.example said: 552 5.2.2 mailbox is "
        "full\n"
    ));
    ASSERT_EQ(r.recipients.size(), 1u);
    EXPECT_EQ(r.recipients[0].diagnostic, "552 5.2.2 mailbox is full");
}

TEST(delivery_report, is_found_inside_a_forwarded_mail_and_behind_encodings) {
    const auto inner = with_status("Final-Recipient: rfc822;ann@x.example\nAction: failed\nStatus: "
                                   "5.1.1\nDiagnostic-Code: smtp;550 no such user\n");
    const auto r = read_report("Subject: Fwd\r\nContent-Type: message/rfc822\r\n\r\n" + inner);
    ASSERT_EQ(r.recipients.size(), 1u);
    const auto encoded = read_report(
        "Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n"
        "Content-Transfer-Encoding: "
        "base64\n\nRmluYWwtUmVjaXBpZW50OiByZmM4MjI7YW5uQHguZXhhbXBsZQpBY3Rpb246IGZhaWxlZAo=\n--x--\n"
    );
    ASSERT_EQ(encoded.recipients.size(), 1u);
    EXPECT_EQ(encoded.recipients[0].address, "ann@x.example");
}

TEST(delivery_report, is_read_although_its_boundary_is_broken) {
    const auto r = read_report(mail(
        "Content-Type: multipart/report; boundary=one\n",
        "--two\nContent-Type: message/delivery-status\n\nReporting-MTA: dns;mx.example\n\nFinal-Recipient: "
        "rfc822;ann@x.example\n"
        "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp;550 no such user\n\n--two--\n"
    ));
    ASSERT_EQ(r.recipients.size(), 1u);
    EXPECT_EQ(r.recipients[0].address, "ann@x.example");
    EXPECT_EQ(r.recipients[0].diagnostic, "550 no such user");
}

TEST(notice, of_many_kinds_is_understood) {
    struct row {
        std::string subject, body, address, words;
        report_action action = report_action::failed;
    };
    const std::vector<row> rows{
        {"failure notice",
         "Hi. This is the mail program.\nI wasn't able to deliver to the following "
         "addresses.\n\n<ann@x.example>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 no such "
         "user\n\n--- Below this line is a copy of the message.\n\nReturn-Path: "
         "<bounces@vendor.example>\nTo: zoe@z.example\n",
         "ann@x.example",
         "550 no such user"},
        {"Mail delivery failed",
         "A message could not be delivered. The following address(es) failed:\n\n  ann@x.example\n    SMTP "
         "error after RCPT TO:<ann@x.example>:\n    host mx.x.example [192.0.2.1]: 550 unrouteable\n\n------ "
         "This is a copy of the message, including all the headers. ------\n\nTo: zoe@z.example\n",
         "ann@x.example",
         "550 unrouteable"},
        {"Returned mail: see transcript",
         "   ----- The following addresses had permanent fatal errors -----\n<ann@x.example>\n    (reason: "
         "550 5.1.1 User unknown)\n\n   ----- Transcript of session follows -----\n... while talking to "
         "mx.x.example:\n>>> RCPT To:<ann@x.example>\n<<< 550 5.1.1 User unknown\n",
         "ann@x.example",
         "550 5.1.1 User unknown"},
        {"Undeliverable: Hello",
         "Your message did not reach some or all of the intended recipients.\n\n      Subject:\tHello\n      "
         "Sent:\t01/05/2026 08:00\n\nThe following recipient(s) could not be reached:\n\n      ann@x.example "
         "on 01/05/2026 08:00\n            The e-mail account does not exist at the organization.\n          "
         "  <mx.x.example #5.1.1>\n",
         "ann@x.example",
         "account does not exist"},
        {"DELIVERY FAILURE: User ann not listed",
         "Your message\n\n  Subject: Hello\n\nwas not delivered to:\n\n  ann@x.example\n\nbecause:\n\n  User "
         "ann not listed in the directory\n",
         "ann@x.example",
         "not listed in the directory"},
        {"Warning: could not send message for past 4 hours",
         "**   THIS IS A WARNING MESSAGE ONLY  **\n** YOU DO NOT NEED TO RESEND YOUR MESSAGE "
         "**\n\n<ann@x.example>... Deferred: Connection refused\n",
         "ann@x.example",
         "Connection refused",
         report_action::delayed},
        {"Undelivered Mail",
         "For assistance, please contact <postmaster@mx.example>\n\n<ann@x.example>: Command output: quota\n "
         "   exceeded\n",
         "ann@x.example",
         "quota"},
        {"Delivery Failure",
         "Your mail to the following recipients could not be delivered:\n\tann\n",
         "ann@mx.example",
         "could not be delivered"},
    };
    for (const auto& [subject, body, address, words, action] : rows) {
        const auto r = read_report(mail("Subject: " + subject + "\n", body));
        EXPECT_EQ(r.kind, report_kind::delivery) << subject;
        ASSERT_EQ(r.recipients.size(), 1u) << subject;
        EXPECT_EQ(r.recipients[0].address, address) << subject;
        EXPECT_NE(r.recipients[0].diagnostic.find(words), std::string::npos)
            << subject << ": " << r.recipients[0].diagnostic;
        EXPECT_EQ(r.recipients[0].action, action) << subject;
    }
}

TEST(notice, tells_each_recipients_words_apart) {
    const auto r = read_report(mail(
        "Subject: failure notice\n",
        "Unable to deliver message to the following address(es).\n\n<ann@x.example>:\nno such user "
        "here\n\n<ben@x.example>:\nthe mailbox is full\n\n"
        "--- Original message follows.\n\nMessage-ID: <m1@vendor.example>\nFrom: <zoe@vendor.example>\nTo: "
        "cat@x.example\n"
    ));
    ASSERT_EQ(r.recipients.size(), 2u);
    EXPECT_EQ(r.recipients[0].diagnostic, "no such user here");
    EXPECT_EQ(r.recipients[1].diagnostic, "the mailbox is full");
    EXPECT_EQ(r.message_id, "m1@vendor.example");
}

TEST(notice, uses_the_header_that_names_failed_recipients) {
    const auto r = read_report(mail(
        "Subject: Mail failure\nX-Failed-Recipients: ann@x.example,\n ben@x.example\n", "550 no such user\n"
    ));
    ASSERT_EQ(r.recipients.size(), 2u);
    EXPECT_EQ(r.recipients[1].address, "ben@x.example");
    EXPECT_EQ(r.recipients[1].diagnostic, "550 no such user");
}

TEST(complaint, names_its_kind_and_recipient) {
    const auto body = [](const std::string& recipient) {
        return mail(
            "Subject: complaint\nContent-Type: multipart/report; report-type=feedback-report; boundary=x\n",
            "--x\nContent-Type: text/plain\n\nAn abuse report.\n--x\nContent-Type: "
            "message/feedback-report\n\n"
            "Feedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\n" +
                recipient +
                "\n--x\nContent-Type: message/rfc822\n\nMessage-ID: <m1@vendor.example>\nTo: Ann "
                "<ann@x.example>\n\nHello\n--x--\n"
        );
    };
    for (const auto* recipient :
         {"Original-Rcpt-To: <ann@x.example>\n", "Removal-Recipient: ann@x.example\n", ""}) {
        const auto r = read_report(body(recipient));
        EXPECT_EQ(r.kind, report_kind::complaint);
        EXPECT_EQ(r.feedback_type, "abuse");
        EXPECT_EQ(r.message_id, "m1@vendor.example");
        ASSERT_EQ(r.recipients.size(), 1u) << recipient;
        EXPECT_EQ(r.recipients[0].address, "ann@x.example");
    }
}

TEST(auto_reply, is_told_from_a_failure) {
    for (const auto* header : {
             "Subject: Out of office: Hello\n",
             "Subject: Automatische Antwort: Hello\n",
             "Subject: =?utf-8?Q?R=C3=A9ponse_automatique?= : bonjour\n",
             "Subject: Afwezig\n",
             "Subject: Hello\nAuto-Submitted: auto-replied\nReturn-Path: <>\n",
             "Subject: Hello\nPrecedence: auto_reply\n",
         }) {
        const auto r = read_report(
            "From: Ann <ann@x.example>\nTo: bounces@vendor.example\n" + std::string{header} +
            "\nI am away until Monday. Write to ben@x.example instead.\n"
        );
        EXPECT_EQ(r.kind, report_kind::auto_reply) << header;
        EXPECT_TRUE(r.recipients.empty()) << header;
    }
}

TEST(ordinary_mail, is_no_report) {
    for (const auto* text : {
             "",
             "\r\n",
             "hello",
             "From: ann@x.example\nSubject: Lunch?\n\nShall we ask ben@x.example too?\n",
             "From: ann@x.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nhello\n--x--\n",
         }) {
        const auto r = read_report(text);
        EXPECT_EQ(r.kind, report_kind::other) << text;
        EXPECT_TRUE(r.recipients.empty()) << text;
    }
}

TEST(reader, is_bounded_in_whatever_it_is_given) {
    std::string nested;
    for (int i = 0; i < 200; ++i) {
        nested += "Content-Type: message/rfc822\n\n";
    }
    EXPECT_EQ(read_report(nested).kind, report_kind::other);
    std::string many =
        "Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n";
    for (int i = 0; i < 2000; ++i) {
        many += "\nFinal-Recipient: rfc822;u" + std::to_string(i) + "@x.example\nAction: failed\n";
    }
    EXPECT_EQ(read_report(many).recipients.size(), report_limits{}.recipients);
    std::string parts = "Content-Type: multipart/mixed; boundary=x\n\n";
    for (int i = 0; i < 5000; ++i) {
        parts += "--x\n\n@\n";
    }
    EXPECT_EQ(read_report(parts).kind, report_kind::other);
    std::string lines = "From: mailer-daemon@mx.example\nSubject: undeliverable\n\n";
    for (int i = 0; i < 20000; ++i) {
        lines += "<u" + std::to_string(i) + "@x.example>:\nno\n";
    }
    EXPECT_LE(read_report(lines).recipients.size(), report_limits{}.recipients);
}

}  // namespace
}  // namespace estafette::mail
