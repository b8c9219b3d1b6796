// Server replies (RFC 5321 4.2, enhanced codes RFC 3463) and their parser: pure, bounded, fuzzed. What
// a hostile server sends costs bounded memory and ends in an error, never in a guess.
#pragma once

#include "estafette/base/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace estafette::smtp {

struct enhanced_code {
    std::uint16_t klass = 0, subject = 0, detail = 0;  // 4.7.1

    auto operator<=>(const enhanced_code&) const = default;

    [[nodiscard]] static std::optional<enhanced_code> parse(std::string_view text);  // the whole text
    [[nodiscard]] std::string text() const;
};

struct reply {
    int code = 0;                           // 200 to 559
    std::optional<enhanced_code> enhanced;  // only where its class agrees with the code's first digit
    std::string text;        // lines joined by '\n', without codes; ≤ 16 KiB; raw: show by printable()
    bool truncated = false;  // there was more text than we keep

    [[nodiscard]] bool is_positive() const noexcept { return code >= 200 && code < 300; }
    [[nodiscard]] bool is_intermediate() const noexcept { return code >= 300 && code < 400; }
    [[nodiscard]] bool is_transient() const noexcept { return code >= 400 && code < 500; }
    [[nodiscard]] bool is_permanent() const noexcept { return code >= 500; }

    bool operator==(const reply&) const = default;
};

struct reply_limits {
    std::size_t line = 2048;             // bytes of one line with its end (RFC 5321: 512)
    std::size_t kept_lines = 64;         // lines whose text is kept
    std::size_t kept_bytes = 16 * 1024;  // text kept
    std::size_t total = 1024 * 1024;     // bytes read of one reply; more is errc::reply_too_long
};

// Bytes in, at most one reply out: feed() stops behind the reply's last line.
class reply_parser {
public:
    explicit reply_parser(reply_limits limits = {})
        : limits_{limits} {}

    // The number of bytes used. Errors: errc::reply_malformed, reply_too_long; the parser is dead then.
    [[nodiscard]] result<std::size_t> feed(std::string_view bytes);

    [[nodiscard]] bool is_complete() const noexcept { return complete_; }

    // The complete reply; the parser is ready for the next one.
    [[nodiscard]] reply take();

    // The same in two steps, for callers that only look: nothing is allocated anew for each reply.
    [[nodiscard]] const reply& whole() const noexcept { return reply_; }

    void release() noexcept;

    // Bytes of a reply that has begun and not ended were taken.
    [[nodiscard]] bool is_partial() const noexcept { return total_ != 0 && !complete_; }

private:
    [[nodiscard]] error_code take_line(std::string_view line);

    reply_limits limits_;
    std::string line_;  // the part of a line whose end has not come
    reply reply_;
    std::size_t total_ = 0;
    std::size_t lines_ = 0;
    bool complete_ = false;
};

}  // namespace estafette::smtp
