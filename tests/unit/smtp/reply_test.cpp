#include "estafette/smtp/reply.hpp"

#include <gtest/gtest.h>

#include <string>

namespace estafette::smtp {
namespace {

result<reply> parse(std::string_view bytes) {
    reply_parser parser;
    const auto used = parser.feed(bytes);
    if (!used) {
        return used.error();
    }
    if (!parser.is_complete()) {
        return errc::internal;
    }
    return parser.take();
}

TEST(reply, is_a_code_and_text) {
    const reply r = parse("250 2.1.5 fine\r\n").value();
    EXPECT_EQ(r.code, 250);
    EXPECT_EQ(r.text, "2.1.5 fine");
    EXPECT_EQ(r.enhanced, (enhanced_code{2, 1, 5}));
    EXPECT_TRUE(r.is_positive());
    EXPECT_FALSE(r.truncated);
}

TEST(reply, joins_its_lines) {
    const reply r = parse("550-first\r\n550-5.1.1 second\r\n550\r\n").value();
    EXPECT_EQ(r.text, "first\n5.1.1 second\n");
    EXPECT_EQ(r.enhanced, (enhanced_code{5, 1, 1}));
    EXPECT_TRUE(r.is_permanent());
}

TEST(reply, takes_a_line_of_three_digits_only) {
    EXPECT_EQ(parse("250\r\n").value().text, "");
    EXPECT_EQ(parse("250 \r\n").value().text, "");
}

TEST(reply, tolerates_a_bare_line_feed_as_line_end) {
    EXPECT_EQ(parse("250-a\n250 b\n").value().text, "a\nb");
}

TEST(reply, keeps_what_the_server_wrote_as_it_is) {
    EXPECT_EQ(parse("250 a\rb\x1b[31m\xff\r\n").value().text, "a\rb\x1b[31m\xff");
    EXPECT_EQ(parse(std::string_view{"250 a\0b\r\n", 9}).value().text, (std::string{"a\0b", 3}));
}

TEST(reply, classes_follow_the_first_digit) {
    EXPECT_TRUE(parse("354 go\r\n").value().is_intermediate());
    EXPECT_TRUE(parse("450 later\r\n").value().is_transient());
    EXPECT_FALSE(parse("450 later\r\n").value().is_permanent());
}

struct bad_case {
    const char* name;
    std::string bytes;
    errc expected = errc::reply_malformed;
};

class bad_replies : public testing::TestWithParam<bad_case> {};

TEST_P(bad_replies, are_errors_and_never_guesses) {
    const auto r = parse(GetParam().bytes);
    ASSERT_TRUE(r.has_error());
    EXPECT_EQ(r.error(), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    all,
    bad_replies,
    testing::Values(
        bad_case{"code_999", "999 x\r\n"},
        bad_case{"code_of_two_digits", "25\r\n"},
        bad_case{"letter_in_code", "2a0 x\r\n"},
        bad_case{"plus", "+250 x\r\n"},
        bad_case{"space_first", " 250 x\r\n"},
        bad_case{"second_digit_6", "260 x\r\n"},
        bad_case{"first_digit_1", "150 x\r\n"},
        bad_case{"first_digit_6", "650 x\r\n"},
        bad_case{"four_digits", "2500 x\r\n"},
        bad_case{"tab_behind_code", "250\tx\r\n"},
        bad_case{"letter_behind_code", "250x\r\n"},
        bad_case{"empty_line", "\r\n"},
        bad_case{"only_line_feed", "\n"},
        bad_case{"codes_differ", "250-a\r\n251 b\r\n"},
        bad_case{"codes_differ_in_class", "250-a\r\n550 b\r\n"},
        bad_case{"broken_second_line", "250-a\r\nb\r\n"},
        bad_case{"http", "HTTP/1.1 400 Bad Request\r\n"},
        bad_case{"tls_alert", std::string{"\x15\x03\x01\x00\x02\x02\x46\n", 8}},
        bad_case{"line_too_long", "250 " + std::string(3000, 'x') + "\r\n", errc::reply_too_long},
        bad_case{"line_too_long_without_end", "250 " + std::string(3000, 'x'), errc::reply_too_long}
    ),
    [](const auto& info) { return std::string{info.param.name}; }
);

TEST(reply_parser, gives_the_same_in_any_pieces) {
    const std::string bytes = "250-2.0.0 one\r\n250-two\n250 three\r\n";
    const reply whole = parse(bytes).value();
    for (std::size_t piece = 1; piece < bytes.size(); ++piece) {
        reply_parser parser;
        std::string rest = bytes;
        while (!rest.empty()) {
            EXPECT_FALSE(parser.is_complete());
            const std::size_t used = parser.feed(rest.substr(0, piece)).value();
            ASSERT_GT(used, 0u);
            rest.erase(0, used);
        }
        ASSERT_TRUE(parser.is_complete());
        EXPECT_EQ(parser.take(), whole);
    }
}

TEST(reply_parser, stops_behind_the_last_line) {
    reply_parser parser;
    const std::string_view bytes = "250 a\r\n550 b\r\n";
    EXPECT_EQ(parser.feed(bytes).value(), 7u);
    EXPECT_EQ(parser.feed(bytes.substr(7)).value(), 0u);  // not before the first one is taken
    EXPECT_EQ(parser.take().code, 250);
    EXPECT_FALSE(parser.is_partial());
    EXPECT_EQ(parser.feed(bytes.substr(7, 3)).value(), 3u);
    EXPECT_TRUE(parser.is_partial());
    EXPECT_EQ(parser.feed(bytes.substr(10)).value(), 4u);
    EXPECT_EQ(parser.take().code, 550);
}

TEST(reply_parser, keeps_a_bounded_part_and_says_so) {
    std::string many;
    for (int i = 0; i < 1000; ++i) {
        many += "250-line\r\n";
    }
    const reply lines = parse(many + "250 end\r\n").value();
    EXPECT_TRUE(lines.truncated);
    EXPECT_EQ(lines.text.size(), 64 * 5 - 1);

    std::string wide;
    for (int i = 0; i < 20; ++i) {
        wide += "250-" + std::string(1500, 'x') + "\r\n";
    }
    const reply bytes = parse(wide + "250 end\r\n").value();
    EXPECT_TRUE(bytes.truncated);
    EXPECT_LE(bytes.text.size(), 16u * 1024);
    EXPECT_GT(bytes.text.size(), 14u * 1024);
}

TEST(reply_parser, gives_up_on_a_reply_without_an_end) {
    reply_parser parser;
    std::size_t fed = 0;
    error_code ended;
    while (!ended && fed < 4u * 1024 * 1024) {
        const auto used = parser.feed("250-and so on and so on\r\n");
        fed += 25;
        ended = used ? error_code{} : used.error();
    }
    EXPECT_EQ(ended, errc::reply_too_long);
    EXPECT_LE(fed, 1024u * 1024 + 25);
}

struct enhanced_case {
    std::string_view text;
    std::optional<enhanced_code> expected;
};

TEST(enhanced_code, is_three_numbers_and_nothing_else) {
    const enhanced_case cases[] = {
        {"2.1.5", enhanced_code{2, 1, 5}},
        {"4.7.999", enhanced_code{4, 7, 999}},
        {"5.123.0", enhanced_code{5, 123, 0}},
        {"", std::nullopt},
        {"3.1.1", std::nullopt},
        {"5.1", std::nullopt},
        {"5.1.", std::nullopt},
        {"5..1", std::nullopt},
        {"5.1.1.1", std::nullopt},
        {"5.1.1x", std::nullopt},
        {"5.1.1000", std::nullopt},
        {"5.1000.1", std::nullopt},
        {"55.1.1", std::nullopt},
        {".1.1", std::nullopt},
    };
    for (const enhanced_case& c : cases) {
        EXPECT_EQ(enhanced_code::parse(c.text), c.expected) << c.text;
    }
    EXPECT_EQ((enhanced_code{5, 10, 255}.text()), "5.10.255");
}

TEST(enhanced_code, counts_only_where_its_class_is_the_replys) {
    EXPECT_FALSE(parse("250 5.1.1 ok\r\n").value().enhanced);
    EXPECT_FALSE(parse("550 4.2.2 full\r\n").value().enhanced);
    EXPECT_FALSE(parse("550 2.0.0 no\r\n").value().enhanced);
    EXPECT_FALSE(parse("354 3.0.0 go\r\n").value().enhanced);
    EXPECT_EQ(parse("452 4.2.2\r\n").value().enhanced, (enhanced_code{4, 2, 2}));
}

}  // namespace
}  // namespace estafette::smtp
