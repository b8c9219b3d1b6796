#include "estafette/base/text.hpp"
#include "estafette/mail/compose.hpp"
#include "estafette/mail/encoding.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace estafette::mail {
namespace {

using namespace std::string_literals;

// Strings in which line ends, dots, blanks and bytes above 127 are frequent.
rc::Gen<std::string> mail_text() {
    return rc::gen::container<std::string>(rc::gen::oneOf(
        rc::gen::element('\r', '\n', '.', ' ', '\t', '=', 'F', 'r', 'o', 'm', '_', '?'),
        rc::gen::inRange<char>(1, 127),
        rc::gen::arbitrary<char>()
    ));
}

rc::Gen<std::string> utf8_text() {
    const auto pieces =
        rc::gen::element<std::string>("a", "b ", "é", "€", "🎫", "=?", "?=", " ", "_", "\"", "\\", ".");
    return rc::gen::map(rc::gen::container<std::vector<std::string>>(pieces), [](const auto& parts) {
        std::string out;
        for (const auto& part : parts)
            out += part;
        return out;
    });
}

bool has_only_crlf(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r' && text.substr(i + 1, 1) != "\n")
            return false;
        if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r'))
            return false;
    }
    return true;
}

TEST(LineEnds, become_crlf_whatever_they_were) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"", ""},
        {"a", "a"},
        {"a\nb", "a\r\nb"},
        {"a\r\nb\r\n", "a\r\nb\r\n"},
        {"a\rb", "a\r\nb"},
        {"a\r\r\nb", "a\r\nb"},
        {"a\n\rb", "a\r\n\r\nb"},
        {"a\n\n", "a\r\n\r\n"},
        {"a\r\rb", "a\r\n\r\nb"},
        {"\r", "\r\n"},
        {"a\n.\nb", "a\r\n.\r\nb"},
        {"a\r\n.\rb\n.\r\n", "a\r\n.\r\nb\r\n.\r\n"},
    };
    for (const auto& [text, expected] : cases)
        EXPECT_EQ(to_crlf(text), expected) << printable(text);
    EXPECT_TRUE(rc::check("only CRLF comes out, and a second time changes nothing", [] {
        const auto text = *mail_text();
        const auto lines = to_crlf(text);
        RC_ASSERT(has_only_crlf(lines));
        RC_ASSERT(to_crlf(lines) == lines);
    }));
}

TEST(QuotedPrintable, decodes_to_what_was_encoded) {
    EXPECT_TRUE(rc::check("decode(encode) is the identity", [] {
        const auto text = to_crlf(*mail_text());
        const auto encoded = quoted_printable(text);
        RC_ASSERT(quoted_printable_decode(encoded) == text);
        RC_ASSERT(encoded.size() == quoted_printable_size(text));
    }));
}

TEST(QuotedPrintable, is_safe_on_every_way) {
    EXPECT_TRUE(rc::check("short ASCII lines without dots, From and blanks at the end", [] {
        const auto encoded = quoted_printable(to_crlf(*mail_text()));
        RC_ASSERT(is_ascii(encoded));
        RC_ASSERT(has_only_crlf(encoded));
        for (std::size_t at = 0; at < encoded.size();) {
            const auto end = std::min(encoded.find("\r\n", at), encoded.size());
            const auto line = std::string_view{encoded}.substr(at, end - at);
            RC_ASSERT(line.size() <= 76u);
            RC_ASSERT(!line.starts_with('.'));
            RC_ASSERT(!line.starts_with("From "));
            RC_ASSERT(!line.ends_with(' '));
            RC_ASSERT(!line.ends_with('\t'));
            at = end + 2;
        }
    }));
}

TEST(QuotedPrintable, writes_the_forms_of_rfc_2045) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"Héllo = 1", "H=C3=A9llo =3D 1"},
        {"a \r\nb\t\r\n", "a=20\r\nb=09\r\n"},
        {".\r\n..a\r\n", "=2E\r\n=2E.a\r\n"},
        {"From me\r\nFrom", "=46rom me\r\nFrom"},
        {std::string(76, 'a'), std::string(76, 'a')},
        {std::string(77, 'a'), std::string(75, 'a') + "=\r\naa"},
        {std::string(75, 'a') + ".b", std::string(75, 'a') + "=\r\n=2Eb"},
        {std::string(74, 'a') + "é", std::string(74, 'a') + "=\r\n=C3=A9"},
    };
    for (const auto& [text, expected] : cases)
        EXPECT_EQ(quoted_printable(text), expected);
    EXPECT_EQ(quoted_printable_decode("a=\nb=3d=zz="), "ab==zz=");
}

TEST(Base64Lines, are_76_wide_and_counted_exactly) {
    for (const std::size_t size : {0u, 1u, 2u, 3u, 56u, 57u, 58u, 114u, 1000u}) {
        const auto lines = base64_lines(std::string(size, '\xfe'));
        EXPECT_EQ(lines.size(), base64_lines_size(size)) << size;
        EXPECT_LE(facts_of(lines).longest_line, 76u);
        EXPECT_EQ(*base64_decode(lines), std::string(size, '\xfe'));
    }
}

TEST(Header, words_read_back_as_they_were_given) {
    EXPECT_TRUE(rc::check("unstructured", [] {
        const auto text = *utf8_text();
        const std::string trimmed{trim(text)};
        const auto folded = field("Subject", unstructured(trimmed));
        RC_ASSERT(decode_header(std::string_view{folded}.substr(8)) == trimmed);
        RC_ASSERT(is_ascii(folded));
        RC_ASSERT(has_only_crlf(folded));
        RC_ASSERT(facts_of(folded).longest_line <= 998u);
    }));
    EXPECT_TRUE(rc::check("phrases hold no special outside quotes", [] {
        const auto made = phrase(*utf8_text());
        RC_ASSERT(is_ascii(made));
        if (!made.starts_with('"'))
            RC_ASSERT(made.find_first_of("\"\\<>@,;:()[].") == std::string::npos);
    }));
}

TEST(Header, is_decoded_as_others_write_it) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"plain", "plain"},
        {" =?utf-8?Q?Ren=C3=A9?= B", "René B"},
        {"=?UTF-8?B?UmVuw6k=?=", "René"},
        {"=?utf-8?q?a?=\r\n =?utf-8?q?_b?= c", "a b c"},
        {"=?iso-8859-1?Q?Ren=E9?=", "René"},
        {"=?windows-1252?Q?=80_=93x=94?=", "€ “x”"},
        {"=?utf-8*fr?Q?d=C3=A9j=C3=A0?=", "déjà"},
        {"=?koi8-r?B?8NLJ18XU?=", "=?koi8-r?B?8NLJ18XU?="},
        {"=?utf-8?B?***?=", "=?utf-8?B?***?="},
        {"=?utf-8?Q?open", "=?utf-8?Q?open"},
        {"=?", "=?"},
        {"=?utf-8?X?a?=", "=?utf-8?X?a?="},
        {"folded\r\n\tvalue", "folded value"},
        {"=?utf-8?q?two=0D=0A_lines?= =?utf-8?B?Cg==?=", "two   lines "},
        {"", ""},
    };
    for (const auto& [value, expected] : cases)
        EXPECT_EQ(decode_header(value), expected) << value;
}

TEST(Header, is_folded_at_spaces_only) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"short", "X: short\r\n"},
        {"  trimmed ", "X: trimmed\r\n"},
        {"", "X:\r\n"},
        {std::string(200, 'w'), "X: " + std::string(200, 'w') + "\r\n"},
        {std::string(50, 'a') + "  " + std::string(50, 'b'),
         "X: " + std::string(50, 'a') + "\r\n  " + std::string(50, 'b') + "\r\n"},
    };
    for (const auto& [value, expected] : cases)
        EXPECT_EQ(field("X", value), expected);
}

TEST(Header, parameters_follow_rfc_2231_where_needed) {
    EXPECT_EQ(parameter("filename", "badge.pdf"), "; filename=\"badge.pdf\"");
    EXPECT_EQ(parameter("filename", "a \"b\" \\c"), "; filename=\"a \\\"b\\\" \\\\c\"");
    EXPECT_EQ(parameter("filename", "é €.pdf"), "; filename*=utf-8''%C3%A9%20%E2%82%AC.pdf");
    const auto longer = parameter("filename", std::string(70, 'n') + "é");
    EXPECT_EQ(
        longer,
        "; filename*0*=utf-8''" + std::string(51, 'n') + "; filename*1*=" + std::string(19, 'n') + "%C3%A9"
    );
}

TEST(Words, are_encoded_by_whichever_is_shorter) {
    EXPECT_EQ(encoded_words("Ihre Bestätigung"), "=?utf-8?Q?Ihre_Best=C3=A4tigung?=");
    EXPECT_EQ(encoded_words("日本語"), "=?utf-8?B?5pel5pys6Kqe?=");
    for (const auto& text : {"é"s, "日本語 と 英語"s, "🎫🎫"s}) {
        std::string many;
        for (int i = 0; i < 40; ++i)
            many += text;
        const auto words = encoded_words(many);
        for (std::size_t at = 0; at < words.size();) {
            const auto end = std::min(words.find(' ', at), words.size());
            const auto word = words.substr(at, end - at);
            EXPECT_LE(word.size(), 62u);
            EXPECT_TRUE(is_valid_utf8(decode_header(word))) << "a word cuts a character";
            at = end + 1;
        }
        EXPECT_EQ(decode_header(words), many);
    }
}

}  // namespace
}  // namespace estafette::mail
