// Small text tools: peer text made harmless, base64, durations and sizes as people write them.
#pragma once

#include "estafette/base/error.hpp"
#include "estafette/base/time.hpp"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace estafette {

// Text from outside made fit for logs, JSON and terminals: C0, DEL, C1, bidi controls and invalid
// UTF-8 become '?', line breaks and tabs a space; cut at `limit` bytes on a character border, "…" appended.
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = 1024);

[[nodiscard]] bool is_valid_utf8(std::string_view text) noexcept;
[[nodiscard]] bool is_ascii(std::string_view text) noexcept;
[[nodiscard]] std::string ascii_lower(std::string_view text);
[[nodiscard]] bool ascii_iequals(std::string_view a, std::string_view b) noexcept;
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;

// Of "host:port", as connections name their servers.
[[nodiscard]] std::string_view host_of(std::string_view server) noexcept;

// RFC 4648 4, with padding. Decoding takes line breaks and spaces, refuses everything else.
[[nodiscard]] std::string base64_encode(std::string_view bytes);
[[nodiscard]] result<std::string> base64_decode(std::string_view text);

// "250ms", "30s", "5m", "4h", "2d", "1w", and sums such as "1h30m". A bare number is refused but "0".
[[nodiscard]] result<milliseconds> parse_duration(std::string_view text);
[[nodiscard]] std::string format_duration(milliseconds d);  // the shortest form that parses back

// "0", "512", "64KiB", "25MiB", "2GiB" (binary), "10KB", "25MB", "1GB" (decimal); bytes.
[[nodiscard]] result<std::uint64_t> parse_size(std::string_view text);
[[nodiscard]] std::string format_size(std::uint64_t bytes);  // the shortest binary form that parses back

// The candidate with the smallest edit distance, for "unknown key …; nearest: …"; empty if none is near.
[[nodiscard]] std::string_view
nearest(std::string_view word, const std::string_view* first, std::size_t count);

}  // namespace estafette
