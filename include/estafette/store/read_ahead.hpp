// Content that is asked for in the order in which it was written is read in large pieces: mail mostly leaves
// in the order in which it came, and a system call costs more than the bytes it brings.
//
// Thread: the store's.
#pragma once

#include "estafette/store/file_layer.hpp"

#include <cstdint>
#include <string>

namespace estafette::store {

class read_ahead {
public:
    static constexpr std::size_t piece = 64 * 1024;  // bytes

    // As file::read_at(). `end`: what lies behind it in the segment may still change.
    [[nodiscard]] result<std::string>
    read(std::int64_t segment, const file& f, std::uint64_t offset, std::size_t length, std::uint64_t end);

    // The segment goes.
    void forget(std::int64_t segment);

private:
    [[nodiscard]] bool has(std::int64_t segment, std::uint64_t offset, std::size_t length) const noexcept;

    std::int64_t segment_ = 0;
    std::uint64_t begin_ = 0;  // of bytes_ in the segment
    std::string bytes_;
    std::uint64_t next_ = 0;  // where the last read ended
};

}  // namespace estafette::store
