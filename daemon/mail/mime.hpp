// MIME parts (RFC 2045, 2046, 2387): each is its header and its encoded body. Private.
#pragma once

#include "estafette/mail/compose.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace estafette::mail {

struct mime_part {
    std::string header;  // complete fields with CRLF
    std::string body;    // 7-bit, CRLF line ends
};

// 7bit where the text is fit for it, else quoted-printable or base64, the smaller.
[[nodiscard]] mime_part text_part(std::string_view type, std::string_view utf8);

enum class placement : std::uint8_t { attached, in_text };

// `content_type` as content_type_of() gave it.
[[nodiscard]] mime_part
file_part(const attachment& a, const std::string& content_type, std::string_view bytes, placement where);

// "type/subtype; name=value" checked and in one form; errc::header_invalid.
[[nodiscard]] result<std::string> content_type_of(std::string_view given);

// Boundaries are made of the random bytes and a counter; one that occurs in a part is passed over.
class boundary_source {
public:
    explicit boundary_source(std::array<std::uint8_t, 16> random);

    // `type` is "multipart/mixed" and may have parameters.
    [[nodiscard]] mime_part join(std::string_view type, std::vector<mime_part> parts);

private:
    [[nodiscard]] std::string next(const std::vector<mime_part>& parts);

    std::string random_;
    unsigned count_ = 0;
};

}  // namespace estafette::mail
