#include "estafette/smtp/command.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace estafette::smtp {
namespace {

struct both {
    std::string wire, shown;
};

both write(const std::function<void(command_writer&)>& what) {
    both out;
    command_writer writer{out.wire, out.shown};
    what(writer);
    return out;
}

mail::address address(const char* text) {
    return mail::address::parse(text).value();
}

TEST(helo_name, is_a_name_or_a_literal_and_nothing_that_injects) {
    for (const char* good : {"mx.example", "a", "my_host", "[192.0.2.1]", "[IPv6:2001:db8::1]"}) {
        EXPECT_TRUE(helo_name::parse(good)) << good;
    }
    const std::string too_long(256, 'a');
    for (const char* bad :
         {"",
          "a b",
          "a\r\nMAIL FROM:<x>",
          "a\n",
          "[",
          "[]",
          "[1",
          "1]",
          "é.example",
          "a;b",
          "[1 2]",
          too_long.c_str()}) {
        EXPECT_EQ(helo_name::parse(bad).error(), errc::domain_invalid) << bad;
    }
}

TEST(command_writer, writes_each_command_and_shows_it) {
    const helo_name me = helo_name::parse("me.example").value();
    struct {
        std::function<void(command_writer&)> what;
        std::string text;
    } const cases[] = {
        {[&](command_writer& w) { w.ehlo(me); }, "EHLO me.example"},
        {[&](command_writer& w) { w.helo(me); }, "HELO me.example"},
        {[](command_writer& w) { w.starttls(); }, "STARTTLS"},
        {[](command_writer& w) { w.mail(nullptr, {}); }, "MAIL FROM:<>"},
        {[](command_writer& w) { w.rcpt(address("b@y.example"), nullptr); }, "RCPT TO:<b@y.example>"},
        {[](command_writer& w) { w.data(); }, "DATA"},
        {[](command_writer& w) { w.bdat_last(4096); }, "BDAT 4096 LAST"},
        {[](command_writer& w) { w.rset(); }, "RSET"},
        {[](command_writer& w) { w.quit(); }, "QUIT"},
        {[](command_writer& w) { w.auth_cancel(); }, "*"},
        {[](command_writer& w) { w.auth(mechanism::login, std::nullopt); }, "AUTH LOGIN"},
    };
    for (const auto& c : cases) {
        const both out = write(c.what);
        EXPECT_EQ(out.wire, c.text + "\r\n");
        EXPECT_EQ(out.shown, "C: " + c.text + "\n");
    }
}

TEST(command_writer, never_shows_a_secret) {
    const both initial =
        write([](command_writer& w) { w.auth(mechanism::plain, std::string{"\0u\0hush", 7}); });
    EXPECT_EQ(initial.wire, "AUTH PLAIN AHUAaHVzaA==\r\n");
    EXPECT_EQ(initial.shown, "C: AUTH PLAIN [secret]\n");
    const both response = write([](command_writer& w) { w.auth_response("hush"); });
    EXPECT_EQ(response.wire, "aHVzaA==\r\n");
    EXPECT_EQ(response.shown, "C: [secret]\n");
}

TEST(command_writer, an_empty_initial_response_is_an_equals_sign) {
    EXPECT_EQ(write([](command_writer& w) { w.auth(mechanism::external, ""); }).wire, "AUTH EXTERNAL =\r\n");
}

TEST(command_writer, a_long_initial_response_waits_to_be_asked_for) {
    const both out = write([](command_writer& w) { w.auth(mechanism::oauthbearer, std::string(2000, 't')); });
    EXPECT_EQ(out.wire, "AUTH OAUTHBEARER\r\n");
}

TEST(command_writer, mail_carries_the_parameters_that_are_asked_for) {
    const mail::address from = address("a@x.example");
    dsn_request dsn{.ret = dsn_request::content::full, .envid = "Q 1", .notify = 0, .orcpt = false};
    const mail_parameters all{
        .size = 10, .eightbitmime = true, .smtputf8 = true, .requiretls = true, .dsn = &dsn
    };
    EXPECT_EQ(
        write([&](command_writer& w) { w.mail(&from, all); }).wire,
        "MAIL FROM:<a@x.example> SIZE=10 BODY=8BITMIME SMTPUTF8 REQUIRETLS RET=FULL ENVID=Q+201\r\n"
    );
    dsn = {.ret = dsn_request::content::headers, .envid = std::string(101, 'x'), .notify = 0, .orcpt = false};
    EXPECT_EQ(
        write([&](command_writer& w) { w.mail(&from, {.size = 0, .dsn = &dsn}); }).wire,
        "MAIL FROM:<a@x.example> SIZE=0 RET=HDRS\r\n"
    );
}

TEST(command_writer, rcpt_says_when_to_tell) {
    const mail::address to = address("b+=@y.example");
    struct {
        std::uint8_t notify;
        bool orcpt;
        const char* text;
    } const cases[] = {
        {0, false, ""},
        {dsn_request::success, false, " NOTIFY=SUCCESS"},
        {dsn_request::failure | dsn_request::delay, false, " NOTIFY=FAILURE,DELAY"},
        {dsn_request::never | dsn_request::success, false, " NOTIFY=NEVER"},
        {0, true, " ORCPT=rfc822;b+2B+3D@y.example"},
    };
    for (const auto& c : cases) {
        const dsn_request dsn{
            .ret = dsn_request::content::unspecified, .envid = "", .notify = c.notify, .orcpt = c.orcpt
        };
        EXPECT_EQ(
            write([&](command_writer& w) { w.rcpt(to, &dsn); }).wire,
            std::string{"RCPT TO:<b+=@y.example>"} + c.text + "\r\n"
        );
    }
    const mail::address utf8 = address("é@y.example");
    const dsn_request named{.ret = {}, .envid = "", .notify = 0, .orcpt = true};
    EXPECT_EQ(write([&](command_writer& w) { w.rcpt(utf8, &named); }).wire, "RCPT TO:<é@y.example>\r\n");
}

}  // namespace
}  // namespace estafette::smtp
