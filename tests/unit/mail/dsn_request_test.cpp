#include "estafette/mail/dsn_request.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace estafette::mail {
namespace {

TEST(xtext, leaves_nothing_that_could_end_a_parameter) {
    EXPECT_EQ(to_xtext("a+b=c d\r\n\x7f\xff~!"), "a+2Bb+3Dc+20d+0D+0A+7F+FF~!");
    std::string all;
    for (int i = 0; i < 256; ++i) {
        all += static_cast<char>(i);
    }
    for (const char c : to_xtext(all)) {
        EXPECT_TRUE(c > ' ' && c < 0x7f && c != '=');
    }
}

struct words {
    std::string_view given;
    std::optional<int> bits;
    std::string_view shown;
};

TEST(reports, are_wanted_in_words_of_any_case_and_order) {
    for (const auto& [given, bits, shown] : std::vector<words>{
             {"never", 8, "never"},
             {"DELAY,failure", 6, "failure,delay"},
             {"success,failure,delay", 7, "success,failure,delay"},
             {"delay,delay", 4, "delay"},
             {"", std::nullopt, ""},
             {",", std::nullopt, ""},
             {"delay,", std::nullopt, ""},
             {"delay, failure", std::nullopt, ""},
             {"never,failure", std::nullopt, ""},
             {"always", std::nullopt, ""},
         }) {
        const auto parsed = parse_notify(given);
        EXPECT_EQ(parsed.has_value(), bits.has_value()) << given;
        if (parsed) {
            EXPECT_EQ(*parsed, bits) << given;
            EXPECT_EQ(notify_text(*parsed), shown);
        }
    }
    EXPECT_EQ(notify_text(0), "");
    EXPECT_EQ(notify_text(dsn_request::never | dsn_request::delay), "never");
}

TEST(reports, hold_the_header_or_all_of_the_mail) {
    using content = dsn_request::content;
    EXPECT_EQ(parse_dsn_content("FULL"), content::full);
    EXPECT_EQ(parse_dsn_content("hdrs"), content::headers);
    EXPECT_EQ(parse_dsn_content(""), std::nullopt);
    for (const content c : {content::full, content::headers}) {
        EXPECT_EQ(parse_dsn_content(to_text(c)), c);
    }
    EXPECT_EQ(to_text(content::unspecified), "");
}

}  // namespace
}  // namespace estafette::mail
