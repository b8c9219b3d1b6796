#include "estafette/smtp/capabilities.hpp"

#include <gtest/gtest.h>

namespace estafette::smtp {
namespace {

capabilities offered(std::string keywords) {
    return parse_capabilities(
        {.code = 250, .enhanced = {}, .text = "mail.example hello\n" + std::move(keywords)}
    );
}

TEST(capabilities, are_none_but_esmtp_where_only_the_greeting_came) {
    capabilities none;
    none.esmtp = true;
    EXPECT_EQ(parse_capabilities({.code = 250, .enhanced = {}, .text = "PIPELINING"}), none);
}

TEST(capabilities, are_read_in_any_case) {
    const capabilities c = offered(
        "pipelining\nStartTLS\n8bitmime\nSMTPUTF8\nCHUNKING\nDSN\nREQUIRETLS\nENHANCEDSTATUSCODES\nX-OTHER 1"
    );
    EXPECT_TRUE(
        c.pipelining && c.starttls && c.eightbitmime && c.smtputf8 && c.chunking && c.dsn && c.requiretls &&
        c.enhanced
    );
    EXPECT_FALSE(c.size);
}

TEST(capabilities, size_is_a_number_or_no_limit) {
    struct {
        const char* text;
        std::optional<std::uint64_t> limit;
    } const cases[] = {
        {"SIZE 35882577", 35882577},
        {"SIZE", std::nullopt},
        {"SIZE 0", std::nullopt},
        {"SIZE abc", std::nullopt},
        {"SIZE 12x", std::nullopt},
        {"SIZE -1", std::nullopt},
        {"SIZE 99999999999999999999999", std::nullopt},
        {"SIZE \t 5 ", 5},
    };
    for (const auto& c : cases) {
        EXPECT_TRUE(offered(c.text).size) << c.text;
        EXPECT_EQ(offered(c.text).size_limit, c.limit) << c.text;
    }
}

TEST(capabilities, auth_lines_add_up_in_both_forms) {
    const capabilities c =
        offered("AUTH LOGIN  plain\nAUTH=CRAM-MD5 XOAUTH2\nAUTH SCRAM-SHA-256 NTLM\nAUTH=");
    EXPECT_TRUE(c.auth.has(mechanism::login));
    EXPECT_TRUE(c.auth.has(mechanism::plain));
    EXPECT_TRUE(c.auth.has(mechanism::cram_md5));
    EXPECT_TRUE(c.auth.has(mechanism::xoauth2));
    EXPECT_TRUE(c.auth.has(mechanism::scram_sha_256));
    EXPECT_FALSE(c.auth.has(mechanism::scram_sha_256_plus));
    EXPECT_FALSE(c.auth.has(mechanism::external));
    EXPECT_TRUE(offered("AUTH").auth.empty());
}

TEST(capabilities, limits_are_those_of_rfc_9422) {
    const capabilities c = offered("LIMITS MAILMAX=100 rcptmax=20 RCPTDOMAINMAX=1 OTHER=3 X RCPTMAX=zero");
    EXPECT_EQ(c.mail_max, 100u);
    EXPECT_EQ(c.rcpt_max, 20u);
    EXPECT_EQ(c.rcpt_domain_max, 1u);
    EXPECT_FALSE(offered("LIMITS MAILMAX=0").mail_max);
    EXPECT_FALSE(offered("LIMITS").rcpt_max);
}

TEST(capabilities, do_not_grow_with_what_the_server_sends) {
    std::string many = "STARTTLS";
    for (int i = 0; i < 5000; ++i) {
        many += "\nXKEYWORD" + std::to_string(i) + " and more\nAUTH PLAIN\nSIZE abc";
    }
    const capabilities c = offered(many);
    EXPECT_TRUE(c.starttls);
    EXPECT_TRUE(c.auth.has(mechanism::plain));
}

}  // namespace
}  // namespace estafette::smtp
