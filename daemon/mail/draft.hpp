// A message while compose makes it: what is right so far, and everything that is wrong. Private.
#pragma once

#include "estafette/mail/compose.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace estafette::mail {

struct draft {
    const submission& given;
    const compose_options& options;
    message made;
    std::vector<field_error> errors;

    void refuse(std::string pointer, error_code why) {
        errors.push_back({std::move(pointer), why, why.message()});
    }

    void refuse(std::string pointer, error_code why, std::string detail) {
        errors.push_back({std::move(pointer), why, std::move(detail)});
    }
};

inline constexpr std::size_t max_header = 64 * 1024;
inline constexpr std::size_t max_header_line = 998;

// One line of UTF-8 without control characters, at most `limit` bytes; else an error is noted.
bool check_line(draft& d, const std::string& pointer, std::string_view text, std::size_t limit);

// RFC 6901: '~' and '/' of a key.
[[nodiscard]] std::string escape_pointer(std::string_view key);

// Sender, recipients, times, labels: all that is not content.
void compose_envelope(draft& d);

// The content; sets body, facts, subject and header_message_id.
void compose_structured(draft& d);
void compose_raw(draft& d);

}  // namespace estafette::mail
