// A mail of strangers taken apart with patience: header fields, MIME parts, transfer encodings; what is
// wrong is read as far as it goes. Text comes with LF line ends. Private to the reader of reports.
#pragma once

#include "estafette/mail/dsn.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace estafette::mail::dsn {

struct field {
    std::string name;   // lower case
    std::string value;  // unfolded, trimmed
};

class fields {
public:
    // The first of the name (lower case), or empty.
    [[nodiscard]] const std::string& get(std::string_view name) const noexcept;

    [[nodiscard]] bool has(std::string_view name) const noexcept { return !get(name).empty(); }

    std::vector<field> all;
};

struct header_and_body {
    fields header;
    std::string_view body;
};

// `text` has LF line ends.
[[nodiscard]] header_and_body split(std::string_view text);

struct part {
    std::string type;  // "text/plain", lower case
    fields header;     // of the part
    std::string text;  // decoded
    std::size_t depth = 0;
    bool in_original = false;  // inside the mail that came back
};

// The leaves in order. message/rfc822 is a leaf, and its own parts follow it.
[[nodiscard]] std::vector<part> parts_of(std::string_view text, const report_limits& limits);

// CR dropped before LF and alone.
[[nodiscard]] std::string with_line_feeds(std::string_view bytes);

// A header's value with its encoded words replaced, those of careless writers too.
[[nodiscard]] std::string decode_words(const std::string& value);

[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);

}  // namespace estafette::mail::dsn
