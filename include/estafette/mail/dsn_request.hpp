// RFC 3461: which reports the sender of a mail wants of other servers, and what shall be in them. Values
// and their words (in the API, on the command line, in the store); smtp/command.hpp writes them to servers
// that offer DSN. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace estafette::mail {

struct dsn_request {
    enum class content : std::uint8_t { unspecified, full, headers };
    enum notify_bits : std::uint8_t { success = 1, failure = 2, delay = 4, never = 8 };

    content ret = content::unspecified;
    std::string envid;        // any text; written as xtext, left out where that is longer than 100 bytes
    std::uint8_t notify = 0;  // 0: say nothing; never excludes the others
    bool orcpt = false;       // name the recipient as we know it

    bool operator==(const dsn_request&) const = default;
};

inline constexpr std::size_t envid_limit = 100;  // RFC 3461 4.4, as xtext

// RFC 3461 4: everything but printable ASCII without '+' and '=' becomes "+XX".
[[nodiscard]] std::string to_xtext(std::string_view text);
void append_xtext(std::string& to, std::string_view text);
[[nodiscard]] std::size_t xtext_size(std::string_view text) noexcept;

// "never", or of "success,failure,delay" what is wanted; empty for 0. Read in any case and order; none
// where a word is unknown, or never is not alone.
[[nodiscard]] std::string notify_text(std::uint8_t notify);
[[nodiscard]] std::optional<std::uint8_t> parse_notify(std::string_view words);

// "headers", "full"; empty for unspecified. "hdrs" is read as well.
[[nodiscard]] std::string_view to_text(dsn_request::content ret) noexcept;
[[nodiscard]] std::optional<dsn_request::content> parse_dsn_content(std::string_view word) noexcept;

}  // namespace estafette::mail
