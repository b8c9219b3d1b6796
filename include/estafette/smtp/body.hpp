// A message's bytes on their way to the server: spans of the blob, dots doubled at line starts (RFC 5321
// 4.5.2), the state carried across spans. Nothing is copied but by fill(), which flattens for TLS; where
// no line starts with '.', the blob is one span. The blob outlives the cursor.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace estafette::smtp {

enum class stuffing : std::uint8_t {
    none,  // BDAT, or a body known to have no line that starts with '.'
    dots,
};

class body_cursor {
public:
    body_cursor() = default;

    body_cursor(std::string_view blob, stuffing how) noexcept
        : blob_{blob}
        , how_{how} {}

    // The next bytes to send, at most `limit` (> 0); empty at the end.
    [[nodiscard]] std::string_view next(std::size_t limit) noexcept;

    // As many of the next bytes as fit; 0 at the end.
    [[nodiscard]] std::size_t fill(std::span<char> to) noexcept;

    [[nodiscard]] bool is_at_end() const noexcept { return at_ == blob_.size(); }

    // What ends the content behind DATA: the final dot, on a line of its own.
    [[nodiscard]] std::string_view terminator() const noexcept;

private:
    std::string_view blob_;
    std::size_t at_ = 0;
    std::size_t clean_until_ = 0;  // no dot needs doubling before this
    stuffing how_ = stuffing::none;
    bool dot_given_ = false;  // the extra dot in front of blob_[at_] has been given out
};

}  // namespace estafette::smtp
