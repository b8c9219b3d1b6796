#include "estafette/mail/address.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace estafette::mail {
namespace {

using namespace std::string_literals;

struct accepted {
    std::string text;
    std::string becomes;
    bool needs_smtputf8 = false;
};

TEST(Address, is_read_and_brought_to_one_form) {
    const std::vector<accepted> cases{
        {"ann@customer.example", "ann@customer.example"},
        {"Ann.B@CUSTOMER.Example", "Ann.B@customer.example"},
        {"a@x", "a@x"},
        {"o'brien+tag=x@a-b.example", "o'brien+tag=x@a-b.example"},
        {"!#$%&'*+-/=?^_`{|}~@x.example", "!#$%&'*+-/=?^_`{|}~@x.example"},
        {"\"ann b\"@x.example", "\"ann b\"@x.example"},
        {"\"a@b\"@x.example", "\"a@b\"@x.example"},
        {"\"a\\\"b\\\\\"@x.example", "\"a\\\"b\\\\\"@x.example"},
        {"prvs=1234=ann@x.example", "prvs=1234=ann@x.example"},
        {"ann@bücher.example", "ann@xn--bcher-kva.example"},
        {"ann@BÜCHER.example", "ann@xn--bcher-kva.example"},
        {"ann@bu\u0308cher.example", "ann@xn--bcher-kva.example"},
        {"ann@straße.example", "ann@xn--strae-oqa.example"},
        {"ann@XN--BCHER-KVA.example", "ann@xn--bcher-kva.example"},
        {"ann@例え。テスト", "ann@xn--r8jz45g.xn--zckzah"},
        {"ann@r3---sn.example", "ann@r3---sn.example"},
        {"rené@customer.example", "rené@customer.example", true},
        {"用户@例え.テスト", "用户@xn--r8jz45g.xn--zckzah", true},
        {"\"rené b\"@x.example", "\"rené b\"@x.example", true},
        {std::string(64, 'a') + "@x.example", std::string(64, 'a') + "@x.example"},
    };
    for (const auto& c : cases) {
        const auto parsed = address::parse(c.text);
        ASSERT_TRUE(parsed) << c.text << ": " << parsed.error().message();
        EXPECT_EQ(parsed->text(), c.becomes);
        EXPECT_EQ(parsed->needs_smtputf8(), c.needs_smtputf8) << c.text;
        EXPECT_EQ(std::string{parsed->local()} + "@" + std::string{parsed->domain()}, c.becomes);
        EXPECT_EQ(address::parse(parsed->text())->text(), c.becomes) << "a second reading changes it";
    }
}

TEST(Address, of_another_form_is_refused) {
    const std::vector<std::pair<std::string, errc>> cases{
        {"", errc::address_invalid},
        {"ann", errc::address_invalid},
        {"@x.example", errc::address_invalid},
        {"ann@", errc::domain_invalid},
        {".ann@x.example", errc::address_invalid},
        {"ann.@x.example", errc::address_invalid},
        {"a..b@x.example", errc::address_invalid},
        {"a b@x.example", errc::address_invalid},
        {"<ann@x.example>", errc::address_invalid},
        {"ann@x.example>", errc::domain_invalid},
        {"\"a\"b\"@x.example", errc::address_invalid},
        {"\"a\\\"@x.example", errc::address_invalid},
        {"\"@x.example", errc::address_invalid},
        {"ann(comment)@x.example", errc::address_invalid},
        {"ann@(comment)x.example", errc::domain_invalid},
        {"ann@x.example (comment)", errc::domain_invalid},
        {"group: ann@x.example;", errc::address_invalid},
        {"@relay.example:ann@x.example", errc::address_invalid},
        {"ann@x.example, bob@y.example", errc::address_invalid},
        {"ann@x.example;bob@y.example", errc::address_invalid},
        {"=?utf-8?q?ann=40y.example?=@x.example", errc::address_invalid},
        {"ann@[127.0.0.1]", errc::domain_invalid},
        {"ann@[IPv6:::1]", errc::domain_invalid},
        {"ann@127.0.0.1", errc::domain_invalid},
        {"ann@-x.example", errc::domain_invalid},
        {"ann@x-.example", errc::domain_invalid},
        {"ann@x..example", errc::domain_invalid},
        {"ann@x.example.", errc::domain_invalid},
        {"ann@.x.example", errc::domain_invalid},
        {"ann@x_y.example", errc::domain_invalid},
        {"ann@" + std::string(64, 'a') + ".example", errc::domain_invalid},
        {"ann@xn--a.example", errc::domain_invalid},
        {"ann@xn--.example", errc::domain_invalid},
        {"ann@xn--ascii-.example", errc::domain_invalid},
        {"ann@x＠y.example", errc::domain_invalid},  // FULLWIDTH COMMERCIAL AT maps to '@'
        {"ann@x，y.example", errc::domain_invalid},  // FULLWIDTH COMMA
        {"ann@x℀y.example", errc::domain_invalid},   // ACCOUNT OF maps to "a/c"
        {"ann@x\u00A0y.example", errc::domain_invalid},
        {std::string(65, 'a') + "@x.example", errc::address_too_long},
        {"ann@" + std::string(60, 'a') + "." + std::string(60, 'b') + "." + std::string(60, 'c') + "." +
             std::string(60, 'd') + ".example",
         errc::address_too_long},
        {std::string(2000, 'a'), errc::address_too_long},
        {std::string(500, ':'), errc::address_invalid},
    };
    for (const auto& [text, why] : cases) {
        const auto parsed = address::parse(text);
        ASSERT_FALSE(parsed) << text << " became " << parsed->text();
        EXPECT_EQ(parsed.error(), why) << text << ": " << parsed.error().message();
    }
}

TEST(Address, with_any_control_character_anywhere_is_refused) {
    const std::string good = "ann@x.example";
    std::vector<std::string> controls{"\u0080", "\u0085", "\u009f", "\u2028", "\u2029", "\u202e", "\u2066"};
    for (char c = 0; c < 0x20; ++c)
        controls.emplace_back(1, c);
    controls.emplace_back("\x7f");
    controls.emplace_back("\r\nRCPT TO:<c@y.example>");
    for (const auto& control : controls)
        for (std::size_t at = 0; at <= good.size(); ++at) {
            auto text = good;
            text.insert(at, control);
            EXPECT_EQ(address::parse(text).error(), errc::control_character) << "at " << at;
            EXPECT_FALSE(address::parse("\"a" + control + "\"@x.example"));
        }
}

TEST(Address, that_is_not_utf8_is_refused) {
    for (const auto* text : {"ann\xff@x.example", "ann@x\xc0\xae.example", "\xed\xa0\x80@x.example"})
        EXPECT_EQ(address::parse(text).error(), errc::utf8_invalid);
}

TEST(Domain, labels_that_decode_to_syntax_are_refused) {
    // A-labels that raw punycode decodes to ',', '@', '/' or to ASCII letters.
    for (const auto* text :
         {"xn--foo-.example",
          "xn--a-ecp.ru.xn--x",
          "xn--0-.example",
          "xn--8bd.xn--",
          "xn--99999999.example",
          "xn---.example",
          "xn--a,b.example",
          "xn--a@b-.example"})
        EXPECT_EQ(parse_domain(text).error(), errc::domain_invalid) << text;
}

TEST(Domain, is_lower_case_a_labels) {
    EXPECT_EQ(*parse_domain("Mail.Example"), "mail.example");
    EXPECT_EQ(*parse_domain("faß.de"), "xn--fa-hia.de");
    EXPECT_EQ(*parse_domain("localhost"), "localhost");
    EXPECT_EQ(parse_domain("a\0b.example"s).error(), errc::domain_invalid);
    EXPECT_EQ(parse_domain("").error(), errc::domain_invalid);
}

TEST(Mailbox, has_a_name_and_an_address) {
    struct row {
        std::string text, name, addr;
    };
    const std::vector<row> cases{
        {"a@x", "", "a@x"},
        {"  a@x ", "", "a@x"},
        {"<a@x>", "", "a@x"},
        {"Ann <a@x>", "Ann", "a@x"},
        {"Ann B. van C <a@x>", "Ann B. van C", "a@x"},
        {"Foo, Inc. <a@x>", "Foo, Inc.", "a@x"},
        {"\"Ann, B.\" <a@x>", "Ann, B.", "a@x"},
        {"\"Ann \\\"B\\\" <x>\" <a@x>", "Ann \"B\" <x>", "a@x"},
        {"René 🎫 <a@x>", "René 🎫", "a@x"},
        {"\"\" <a@x>", "", "a@x"},
        {"\"a b\"@x", "", "\"a b\"@x"},
        {"Ann <\"a<b\"@x>", "Ann", "\"a<b\"@x"},
    };
    for (const auto& c : cases) {
        const auto parsed = mailbox::parse(c.text);
        ASSERT_TRUE(parsed) << c.text << ": " << parsed.error().message();
        EXPECT_EQ(parsed->name, c.name);
        EXPECT_EQ(parsed->addr.text(), c.addr);
    }
}

TEST(Mailbox, of_another_form_is_refused) {
    const std::vector<std::pair<std::string, errc>> cases{
        {"", errc::address_invalid},
        {"Ann", errc::address_invalid},
        {"Ann <>", errc::address_invalid},
        {"Ann <a@x> <b@x>", errc::address_invalid},
        {"Ann <a@x>, Bob <b@x>", errc::address_invalid},
        {"\"Ann <a@x>", errc::address_invalid},
        {"\"Ann\" B <a@x>", errc::address_invalid},
        {"Ann \"B\" <a@x>", errc::address_invalid},
        {"Ann <a@x> trailing", errc::address_invalid},
        {"Ann < a@x>", errc::address_invalid},
        {"Ann\r\nBcc: c@y <a@x>", errc::control_character},
        {"b\r\nRCPT TO:<c@y>", errc::control_character},
        {"Ann\xff <a@x>", errc::utf8_invalid},
        {std::string(256, 'n') + " <a@x>", errc::too_large},
        {std::string(100'000, '<'), errc::address_too_long},
    };
    for (const auto& [text, why] : cases) {
        const auto parsed = mailbox::parse(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error(), why) << text << ": " << parsed.error().message();
    }
}

}  // namespace
}  // namespace estafette::mail
