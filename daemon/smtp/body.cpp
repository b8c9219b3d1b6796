#include "estafette/smtp/body.hpp"

#include <algorithm>
#include <cstring>

namespace estafette::smtp {

namespace {

// The place of the first dot at a line start at or behind `from` (itself looked at), or the end.
std::size_t find_leading_dot(std::string_view blob, std::size_t from) noexcept {
    if (from < blob.size() && blob[from] == '.' && (from == 0 || blob[from - 1] == '\n')) {
        return from;
    }
    const std::size_t found = blob.find("\n.", from);
    return found == std::string_view::npos ? blob.size() : found + 1;
}

}  // namespace

std::string_view body_cursor::next(std::size_t limit) noexcept {
    if (is_at_end()) {
        return {};
    }
    if (how_ == stuffing::none) {
        clean_until_ = blob_.size();
    } else if (clean_until_ <= at_ && !dot_given_) {
        clean_until_ = find_leading_dot(blob_, at_);
        if (clean_until_ == at_) {
            dot_given_ = true;
            return blob_.substr(at_, 1);
        }
    } else if (dot_given_) {
        // The extra dot is out; the line itself, with its own dot, is clean until the next such line.
        dot_given_ = false;
        clean_until_ = find_leading_dot(blob_, at_ + 1);
    }
    const std::string_view span = blob_.substr(at_, std::min(limit, clean_until_ - at_));
    at_ += span.size();
    return span;
}

std::size_t body_cursor::fill(std::span<char> to) noexcept {
    std::size_t filled = 0;
    while (filled < to.size()) {
        const std::string_view span = next(to.size() - filled);
        if (span.empty()) {
            break;
        }
        std::memcpy(to.data() + filled, span.data(), span.size());
        filled += span.size();
    }
    return filled;
}

std::string_view body_cursor::terminator() const noexcept {
    return blob_.empty() || blob_.ends_with("\r\n") ? ".\r\n" : "\r\n.\r\n";
}

}  // namespace estafette::smtp
