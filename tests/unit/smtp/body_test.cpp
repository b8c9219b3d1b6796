#include "estafette/smtp/body.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace estafette::smtp {
namespace {

std::string written(std::string_view blob, stuffing how, std::size_t buffer) {
    body_cursor cursor{blob, how};
    std::string out;
    std::string piece(buffer, '\0');
    for (std::size_t n = cursor.fill(piece); n != 0; n = cursor.fill(piece)) {
        out.append(piece, 0, n);
    }
    return out;
}

// What a server does (RFC 5321 4.5.2).
std::string unstuffed(const std::string& text) {
    std::string out;
    bool at_line_start = true;
    for (const char c : text) {
        if (!(c == '.' && at_line_start)) {
            out += c;
        }
        at_line_start = c == '\n';
    }
    return out;
}

TEST(body_cursor, doubles_dots_at_line_starts_only) {
    struct {
        std::string_view blob, expected;
    } const cases[] = {
        {"", ""},
        {"a\r\n", "a\r\n"},
        {".\r\n", "..\r\n"},
        {"..\r\n", "...\r\n"},
        {".", ".."},
        {"a.b\r\n.c\r\n", "a.b\r\n..c\r\n"},
        {"a\r\n.\r\n.\r\n", "a\r\n..\r\n..\r\n"},
        {"\r\n.x\r\n", "\r\n..x\r\n"},
        {"a\r\n", "a\r\n"},
    };
    for (const auto& c : cases) {
        for (const std::size_t buffer : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{100}}) {
            EXPECT_EQ(written(c.blob, stuffing::dots, buffer), c.expected) << buffer;
        }
    }
}

TEST(body_cursor, leaves_everything_alone_without_stuffing) {
    EXPECT_EQ(written(".\r\n.\r\n", stuffing::none, 2), ".\r\n.\r\n");
}

TEST(body_cursor, is_one_span_of_the_blob_where_no_line_starts_with_a_dot) {
    const std::string blob = "a.b\r\nc\r\n";
    body_cursor cursor{blob, stuffing::dots};
    const std::string_view span = cursor.next(1000);
    EXPECT_EQ(span.data(), blob.data());
    EXPECT_EQ(span.size(), blob.size());
    EXPECT_TRUE(cursor.is_at_end());
    EXPECT_TRUE(cursor.next(1000).empty());
}

TEST(body_cursor, ends_the_last_line_before_the_dot) {
    EXPECT_EQ((body_cursor{"a\r\n", stuffing::none}.terminator()), ".\r\n");
    EXPECT_EQ((body_cursor{"a", stuffing::none}.terminator()), "\r\n.\r\n");
    EXPECT_EQ((body_cursor{"a\n", stuffing::none}.terminator()), "\r\n.\r\n");
    EXPECT_EQ((body_cursor{"", stuffing::none}.terminator()), ".\r\n");
}

RC_GTEST_PROP(body_cursor, stuffing_can_be_undone, ()) {
    const auto lines = *rc::gen::container<std::vector<std::string>>(
        rc::gen::container<std::string>(rc::gen::elementOf(std::string{".a\r "}))
    );
    std::string blob;
    for (const std::string& line : lines) {
        blob += line + "\r\n";
    }
    const auto buffer = *rc::gen::inRange<std::size_t>(1, 40);
    const std::string wire = written(blob, stuffing::dots, buffer);
    RC_ASSERT(unstuffed(wire) == blob);
    // Nothing in it can be taken for the end.
    RC_ASSERT(wire.find("\n.\r\n") == std::string::npos);
    RC_ASSERT(!wire.starts_with(".\r\n"));
}

}  // namespace
}  // namespace estafette::smtp
