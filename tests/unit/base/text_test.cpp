#include "estafette/base/text.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace estafette {
namespace {

TEST(printable, makes_peer_text_harmless) {
    const std::pair<std::string, std::string> cases[] = {
        {"550 5.1.1 no such user", "550 5.1.1 no such user"},
        {"Émile œuvre ✓ 😀", "Émile œuvre ✓ 😀"},
        {"a\r\nb\nc\td", "a b c d"},
        {std::string{"nul\0bell\a", 9}, "nul?bell?"},
        {"\x1b[31mred", "?[31mred"},
        {"del\x7f", "del?"},
        {"c1 \xC2\x9B", "c1 ?"},
        {"next line \xC2\x85 sep \xE2\x80\xA8", "next line   sep  "},
        {"bidi \xE2\x80\xAE evil \xE2\x81\xA6", "bidi ? evil ?"},
        {"latin1 caf\xE9", "latin1 caf?"},
        {"overlong \xC0\xAF", "overlong ??"},
        {"surrogate \xED\xA0\x80", "surrogate ???"},
        {"too high \xF4\x90\x80\x80", "too high ????"},
        {"cut short \xE2\x82", "cut short ??"},
    };
    for (const auto& [given, expected] : cases)
        EXPECT_EQ(printable(given), expected);
}

TEST(printable, cuts_on_a_character_border) {
    EXPECT_EQ(printable("abcdef", 6), "abcdef");
    EXPECT_EQ(printable("abcdefg", 6), "abcdef…");
    EXPECT_EQ(printable("aé", 2), "a…");
    EXPECT_EQ(printable(std::string(5000, 'x')).size(), 1024 + std::string_view{"…"}.size());
}

TEST(utf8, is_told_from_what_only_looks_like_it) {
    EXPECT_TRUE(is_valid_utf8(""));
    EXPECT_TRUE(is_valid_utf8("é✓😀"));
    for (const std::string_view bad :
         {"\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xBF\xBF", "\xF5\x80\x80\x80", "\xE2\x82"})
        EXPECT_FALSE(is_valid_utf8(bad));
}

TEST(ascii, comparison_ignores_only_the_case_of_letters) {
    EXPECT_TRUE(ascii_iequals("STARTTLS", "starttls"));
    EXPECT_FALSE(ascii_iequals("AUTH", "AUTHX"));
    EXPECT_FALSE(ascii_iequals("@", "`"));
    EXPECT_EQ(ascii_lower("EXAMPLE-É"), "example-É");
    EXPECT_TRUE(is_ascii("abc~"));
    EXPECT_FALSE(is_ascii("é"));
}

TEST(trim, takes_blanks_from_both_ends_only) {
    EXPECT_EQ(trim(" \t a b \r\n"), "a b");
    EXPECT_EQ(trim(" \n"), "");
    EXPECT_EQ(trim(""), "");
}

TEST(base64, agrees_with_rfc_4648) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xFB\xFF\xBF", "+/+/"},
    };
    for (const auto& [plain, encoded] : cases) {
        EXPECT_EQ(base64_encode(plain), encoded);
        EXPECT_EQ(base64_decode(encoded).value(), plain);
    }
}

TEST(base64, takes_line_breaks_and_refuses_everything_else) {
    EXPECT_EQ(base64_decode("Zm9v\r\nYm Fy\n").value(), "foobar");
    for (const std::string_view bad :
         {"Z", "Zg", "Zg=", "Zg===", "=", "Zm9v=", "Zg==Zg==", "Zm9-", "Zh==", "Zm9=", "Zm9v\t", "Zm\0v"})
        EXPECT_EQ(base64_decode(bad).error(), errc::base64_invalid) << bad;
}

TEST(base64, reads_back_every_byte_value) {
    std::string all;
    for (int i = 0; i < 256; ++i)
        all += static_cast<char>(i);
    for (std::size_t cut = 0; cut < 4; ++cut) {
        const auto part = all.substr(cut);
        EXPECT_EQ(base64_decode(base64_encode(part)).value(), part);
    }
}

TEST(duration, is_read_as_people_write_it) {
    const std::pair<std::string_view, std::int64_t> cases[] = {
        {"0", 0},
        {"250ms", 250},
        {"30s", 30'000},
        {"5m", 300'000},
        {"4h", 14'400'000},
        {"2d", 172'800'000},
        {"1w", 604'800'000},
        {"1h30m", 5'400'000},
        {"1d2h3m4s5ms", 93'784'005},
        {"0s", 0},
    };
    for (const auto& [text, ms] : cases)
        EXPECT_EQ(parse_duration(text).value().count(), ms) << text;
}

TEST(duration, without_a_unit_or_out_of_order_is_refused) {
    for (const std::string_view bad :
         {"",
          "5",
          "5 m",
          "m",
          "-5m",
          "1.5h",
          "30m1h",
          "1h1h",
          "5M",
          "5min",
          "1h30",
          " 5m",
          "99999999999999w",
          "18446744073709551616ms",
          "106751991167d7h12m55s808ms"})
        EXPECT_EQ(parse_duration(bad).error(), errc::duration_invalid) << bad;
}

TEST(duration, is_written_in_its_shortest_form) {
    const std::pair<std::int64_t, std::string_view> cases[] = {
        {0, "0"},
        {250, "250ms"},
        {1'500, "1500ms"},
        {90'000, "90s"},
        {300'000, "5m"},
        {5'400'000, "90m"},
        {86'400'000, "1d"},
        {7ll * 86'400'000, "7d"},
        {14ll * 86'400'000, "2w"},
        {30ll * 86'400'000, "30d"},
        {93'784'005, "93784s5ms"},
        {-5'000, "-5s"},
    };
    for (const auto& [ms, text] : cases)
        EXPECT_EQ(format_duration(milliseconds{ms}), text);
}

TEST(duration, parses_back_to_what_was_written) {
    std::int64_t ms = 1;
    for (int i = 0; i < 200; ++i, ms = (ms * 7 + 13) % 100'000'000'000)
        EXPECT_EQ(parse_duration(format_duration(milliseconds{ms})).value().count(), ms);
    const auto longest = milliseconds::max();
    EXPECT_EQ(parse_duration(format_duration(longest)).value(), longest);
}

TEST(size, is_read_in_binary_and_decimal_units) {
    const std::pair<std::string_view, std::uint64_t> cases[] = {
        {"0", 0},
        {"512", 512},
        {"64KiB", 65'536},
        {"25MiB", 26'214'400},
        {"2GiB", 2'147'483'648},
        {"1TiB", 1'099'511'627'776},
        {"10KB", 10'000},
        {"25MB", 25'000'000},
        {"1GB", 1'000'000'000},
        {"18446744073709551615", std::numeric_limits<std::uint64_t>::max()},
    };
    for (const auto& [text, bytes] : cases)
        EXPECT_EQ(parse_size(text).value(), bytes) << text;
    for (const std::string_view bad : {"", "MiB", "-1", "1.5MiB", "25 MiB", "25M", "25mib", "17179869184GiB"})
        EXPECT_EQ(parse_size(bad).error(), errc::size_invalid) << bad;
}

TEST(size, is_written_in_its_shortest_binary_form) {
    const std::pair<std::uint64_t, std::string_view> cases[] = {
        {0, "0"},
        {1, "1"},
        {1024, "1KiB"},
        {1536, "1536"},
        {25ull << 20, "25MiB"},
        {3ull << 40, "3TiB"},
        {25'000'000, "25000000"},
    };
    for (const auto& [bytes, text] : cases) {
        EXPECT_EQ(format_size(bytes), text);
        EXPECT_EQ(parse_size(text).value(), bytes);
    }
}

TEST(nearest, names_the_slip_and_keeps_silent_about_strangers) {
    static constexpr std::array<std::string_view, 5> keys{
        "store.path", "store.engine", "listen", "limits", "tls"
    };
    const auto of = [](std::string_view word) { return nearest(word, keys.data(), keys.size()); };
    EXPECT_EQ(of("store.pth"), "store.path");
    EXPECT_EQ(of("store.enigne"), "store.engine");
    EXPECT_EQ(of("limit"), "limits");
    EXPECT_EQ(of("TLS"), "tls");
    EXPECT_EQ(of("list"), "listen");
    EXPECT_EQ(of("stor"), "store.path") << "the first that begins so";
    EXPECT_EQ(of("frobnicate"), "");
    EXPECT_EQ(of(""), "");
    EXPECT_EQ(of(std::string(100'000, 'x')), "");
    EXPECT_EQ(nearest("x", nullptr, 0), "");
}

}  // namespace
}  // namespace estafette
