// Little-endian numbers and counted strings, for the journal's payload.
#pragma once

#include "estafette/base/error.hpp"
#include "estafette/base/time.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace estafette::store {

class encoder {
public:
    explicit encoder(std::string& out)
        : out_{out} {}

    void put(std::uint8_t v) { out_.push_back(static_cast<char>(v)); }
    void put(std::uint16_t v) { put_bytes(v, 2); }
    void put(std::uint32_t v) { put_bytes(v, 4); }
    void put(std::uint64_t v) { put_bytes(v, 8); }
    void put(wall_time t) { put(static_cast<std::uint64_t>(to_unix_ms(t))); }
    void put_raw(std::string_view bytes) { out_.append(bytes); }

    void put(std::string_view text) {
        put(static_cast<std::uint32_t>(text.size()));
        out_.append(text);
    }

    void put(const std::optional<wall_time>& t) {
        put(static_cast<std::uint8_t>(t ? 1 : 0));
        put(t.value_or(wall_time{}));
    }

    [[nodiscard]] std::size_t size() const noexcept { return out_.size(); }

private:
    void put_bytes(std::uint64_t v, std::size_t count) {
        std::array<char, sizeof v> bytes{};
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            bytes[i] = static_cast<char>(v >> (8 * i));
        }
        out_.append(bytes.data(), count);
    }

    std::string& out_;
};

// Reads the same; thrown at the first thing that does not fit, caught in decode_record.
struct bad_encoding {};

class decoder {
public:
    explicit decoder(std::string_view bytes)
        : begin_{bytes.data()}
        , rest_{bytes} {}

    [[nodiscard]] std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
    [[nodiscard]] std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
    [[nodiscard]] std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
    [[nodiscard]] std::uint64_t u64() { return number(8); }
    [[nodiscard]] wall_time time() { return from_unix_ms(static_cast<std::int64_t>(number(8))); }

    [[nodiscard]] std::optional<wall_time> maybe_time() {
        const bool has = u8() != 0;
        const wall_time t = time();
        return has ? std::optional{t} : std::nullopt;
    }

    [[nodiscard]] std::string_view raw(std::size_t length) {
        if (rest_.size() < length) {
            throw bad_encoding{};
        }
        const std::string_view bytes = rest_.substr(0, length);
        rest_.remove_prefix(length);
        return bytes;
    }

    [[nodiscard]] std::string_view text() { return raw(u32()); }

    [[nodiscard]] std::string string() { return std::string{text()}; }

    [[nodiscard]] bool is_at_end() const noexcept { return rest_.empty(); }

    [[nodiscard]] std::size_t offset() const noexcept {
        return static_cast<std::size_t>(rest_.data() - begin_);
    }

private:
    [[nodiscard]] std::uint64_t number(std::size_t count) {
        const std::string_view bytes = raw(count);
        std::uint64_t v = 0;
        for (std::size_t i = 0; i < count; ++i) {
            v |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes[i])) << (8 * i);
        }
        return v;
    }

    const char* begin_;
    std::string_view rest_;
};

}  // namespace estafette::store
