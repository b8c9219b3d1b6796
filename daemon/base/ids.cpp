#include "estafette/base/ids.hpp"

#include <charconv>
#include <cstring>

namespace estafette {

namespace {

constexpr std::string_view digits = "0123456789abcdef";

constexpr int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

constexpr bool is_hyphen_place(std::size_t i) noexcept {
    return i == 8 || i == 13 || i == 18 || i == 23;
}

constexpr std::size_t text_size = 36;

}  // namespace

message_id message_id::make(wall_time now, std::array<std::uint8_t, 10> random) noexcept {
    bytes_type b{};
    auto ms = static_cast<std::uint64_t>(to_unix_ms(now));
    for (std::size_t i = 6; i-- > 0; ms >>= 8)
        b[i] = static_cast<std::uint8_t>(ms & 0xFF);
    std::memcpy(b.data() + 6, random.data(), random.size());
    b[6] = static_cast<std::uint8_t>(0x70 | (b[6] & 0x0F));
    b[8] = static_cast<std::uint8_t>(0x80 | (b[8] & 0x3F));
    return message_id{b};
}

result<message_id> message_id::parse(std::string_view text) {
    if (text.size() != text_size)
        return errc::id_invalid;
    bytes_type b{};
    std::size_t nibble = 0;
    for (std::size_t i = 0; i < text_size; ++i) {
        if (is_hyphen_place(i)) {
            if (text[i] != '-')
                return errc::id_invalid;
            continue;
        }
        const int v = hex_value(text[i]);
        if (v < 0)
            return errc::id_invalid;
        b[nibble / 2] = static_cast<std::uint8_t>((b[nibble / 2] << 4) | v);
        ++nibble;
    }
    return message_id{b};
}

std::string message_id::text() const {
    std::string out;
    append_to(out);
    return out;
}

void message_id::append_to(std::string& out) const {
    const std::size_t begin = out.size();
    out.resize(begin + text_size, '-');
    std::size_t nibble = 0;
    for (std::size_t i = 0; i < text_size; ++i) {
        if (is_hyphen_place(i))
            continue;
        const unsigned byte = bytes_[nibble / 2];
        out[begin + i] = digits[nibble % 2 == 0 ? byte >> 4 : byte & 0x0F];
        ++nibble;
    }
}

result<recipient_id> recipient_id::parse(std::string_view text) {
    if (text.size() < text_size + 2 || text[text_size] != '.')
        return errc::id_invalid;
    auto message = message_id::parse(text.substr(0, text_size));
    if (!message)
        return message.error();
    const std::string_view number = text.substr(text_size + 1);
    if (number.size() > 1 && number.front() == '0')
        return errc::id_invalid;  // one text per id
    std::uint32_t index = 0;
    const char* end = number.data() + number.size();
    const auto [stop, failed] = std::from_chars(number.data(), end, index);
    if (failed != std::errc{} || stop != end)
        return errc::id_invalid;
    return recipient_id{*message, index};
}

std::string recipient_id::text() const {
    return message.text() + '.' + std::to_string(index);
}

const tenant_id& default_tenant() {
    static const tenant_id id{"default"};
    return id;
}

}  // namespace estafette

std::size_t std::hash<estafette::message_id>::operator()(const estafette::message_id& id) const noexcept {
    // The last eight bytes are random in a UUIDv7; the first eight keep made-up ids of tests apart.
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::memcpy(&first, id.bytes().data(), 8);
    std::memcpy(&last, id.bytes().data() + 8, 8);
    return static_cast<std::size_t>(last ^ (first * 0x9E3779B97F4A7C15u));
}
