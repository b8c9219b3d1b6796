#include "estafette/base/text.hpp"
#include "estafette/mail/compose.hpp"
#include "estafette/mail/encoding.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace estafette::mail {
namespace {

// Byte by byte, as one would count by hand.
body_facts count_slowly(std::string_view bytes) {
    body_facts out;
    out.size = bytes.size();
    bool in_header = true;
    std::string line;
    const auto end_line = [&](std::size_t line_number) {
        out.longest_line = std::max(out.longest_line, static_cast<std::uint32_t>(line.size()));
        out.leading_dot = out.leading_dot || line.starts_with('.');
        const bool has_high = !is_ascii(line);
        (in_header ? out.utf8_header : out.eight_bit) |= has_high;
        if (line.empty() || line_number == 0)
            in_header = in_header && !line.empty();
        line.clear();
    };
    std::size_t number = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (bytes.substr(i, 2) == "\r\n") {
            end_line(number++);
            ++i;
        } else {
            line += bytes[i];
        }
    }
    if (!line.empty())
        end_line(number);
    return out;
}

TEST(Facts, say_what_the_send_path_must_know) {
    struct row {
        std::string bytes;
        body_facts facts;
    };
    const std::vector<row> cases{
        {"", {}},
        {"A: b\r\n\r\nHi.\r\n", {.size = 13, .longest_line = 4}},
        {"A: b\r\n\r\n.\r\n", {.size = 11, .longest_line = 4, .leading_dot = true}},
        {"A: b\r\n\r\n\xff\r\n", {.size = 11, .longest_line = 4, .eight_bit = true}},
        {"A: \xc3\xa9\r\n\r\nx\r\n", {.size = 12, .longest_line = 5, .utf8_header = true}},
        {"\r\n\xff\r\n", {.size = 5, .longest_line = 1, .eight_bit = true}},
        {"A: b\r\n\r\n" + std::string(2000, 'x') + "\r\n", {.size = 2010, .longest_line = 2000}},
    };
    for (const auto& c : cases)
        EXPECT_EQ(facts_of(c.bytes), c.facts) << c.bytes;
}

TEST(Facts, are_exact_for_any_bytes) {
    const auto byte =
        rc::gen::oneOf(rc::gen::element('\r', '\n', '.', 'a', ':', '\xc3'), rc::gen::arbitrary<char>());
    EXPECT_TRUE(rc::check("as counted slowly", [&] {
        const auto bytes = to_crlf(*rc::gen::container<std::string>(byte));
        RC_ASSERT(facts_of(bytes) == count_slowly(bytes));
    }));
}

}  // namespace
}  // namespace estafette::mail
