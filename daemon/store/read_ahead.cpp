#include "estafette/store/read_ahead.hpp"

#include <algorithm>

namespace estafette::store {

namespace {
constexpr std::uint64_t widest_gap = 4096;  // bytes between two bodies: the record of what came between them
}

result<std::string> read_ahead::read(
    std::int64_t segment, const file& f, std::uint64_t offset, std::size_t length, std::uint64_t end
) {
    const bool is_in_a_row = segment == segment_ && offset >= next_ && offset - next_ <= widest_gap;
    if (segment != segment_) {
        forget(segment_);
        segment_ = segment;
    }
    next_ = offset + length;
    if (!has(segment, offset, length) && is_in_a_row && length < piece && next_ <= end) {
        auto read = f.read_at(offset, static_cast<std::size_t>(std::min<std::uint64_t>(piece, end - offset)));
        if (read) {
            begin_ = offset;
            bytes_ = std::move(*read);
        }
    }
    if (has(segment, offset, length)) {
        return bytes_.substr(static_cast<std::size_t>(offset - begin_), length);
    }
    bytes_.clear();
    return f.read_at(offset, length);
}

void read_ahead::forget(std::int64_t segment) {
    if (segment == segment_) {
        *this = read_ahead{};
    }
}

bool read_ahead::has(std::int64_t segment, std::uint64_t offset, std::size_t length) const noexcept {
    return segment == segment_ && offset >= begin_ && offset + length <= begin_ + bytes_.size();
}

}  // namespace estafette::store
