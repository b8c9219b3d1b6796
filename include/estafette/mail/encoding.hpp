// The encodings that make mail pass any server: quoted-printable and base64 bodies (RFC 2045 6), encoded
// words in headers (RFC 2047), parameters (RFC 2231), folding (RFC 5322 2.2.3).
//
// What the encoders write is ASCII with CRLF line ends and lines of at most 76 (bodies) or 78 bytes
// (headers, unless one word is longer). Decoders are for what others wrote: they never fail, they leave
// what they do not understand. No charset but UTF-8, ASCII, ISO-8859-1 and Windows-1252 is known.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace estafette::mail {

// Every line end (CRLF, LF, CR, and CRs before a LF) becomes CRLF.
[[nodiscard]] std::string to_crlf(std::string_view text);

// Text with CRLF line ends. A line never begins with '.' or "From ", nor ends in a blank.
[[nodiscard]] std::string quoted_printable(std::string_view text);
[[nodiscard]] std::string quoted_printable_decode(std::string_view encoded);
[[nodiscard]] std::size_t quoted_printable_size(std::string_view text);

// Any bytes, in lines of 76 characters, each ended by CRLF.
[[nodiscard]] std::string base64_lines(std::string_view bytes);
[[nodiscard]] constexpr std::size_t base64_lines_size(std::size_t bytes) noexcept {
    const std::size_t letters = (bytes + 2) / 3 * 4;
    return letters + (letters + 75) / 76 * 2;
}

// UTF-8 text as encoded words of at most 62 characters, one space between them; Q or B, the shorter.
[[nodiscard]] std::string encoded_words(std::string_view utf8);

// A header's value in which encoded words are replaced by what they say, in UTF-8; folding removed.
[[nodiscard]] std::string decode_header(std::string_view value);

// Subject and the like: as it is where that is ASCII and cannot be taken for an encoded word.
[[nodiscard]] std::string unstructured(std::string_view utf8);

// A display name: atoms, a quoted string, or encoded words.
[[nodiscard]] std::string phrase(std::string_view utf8);

// `; name=value`, with RFC 2231 where the value is not ASCII or is long; its pieces are separated by
// spaces at which the field may be folded.
[[nodiscard]] std::string parameter(std::string_view name, std::string_view utf8);

// "Name: value" folded at spaces to lines of at most 78 bytes where words allow it, and CRLF.
[[nodiscard]] std::string field(std::string_view name, std::string_view value);

}  // namespace estafette::mail
