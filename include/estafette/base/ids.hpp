// Strong identifiers. A message_id is a UUIDv7 (RFC 9562 5.7): sortable by time, unguessable enough to
// be unique, and never a proof of authorisation.
#pragma once

#include "estafette/base/error.hpp"
#include "estafette/base/time.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace estafette {

class message_id {
public:
    using bytes_type = std::array<std::uint8_t, 16>;

    constexpr message_id() = default;

    explicit constexpr message_id(bytes_type bytes) noexcept
        : bytes_{bytes} {}

    // A UUIDv7 of the given time; the caller brings the 10 random bytes.
    [[nodiscard]] static message_id make(wall_time now, std::array<std::uint8_t, 10> random) noexcept;

    // The canonical 36 characters, either case; errc::id_invalid otherwise.
    [[nodiscard]] static result<message_id> parse(std::string_view text);

    [[nodiscard]] std::string text() const;
    void append_to(std::string& out) const;  // text(), behind what is there

    [[nodiscard]] constexpr const bytes_type& bytes() const noexcept { return bytes_; }

    [[nodiscard]] constexpr bool is_null() const noexcept { return bytes_ == bytes_type{}; }

    constexpr auto operator<=>(const message_id&) const = default;

private:
    bytes_type bytes_{};
};

// A recipient of a message: its place in the envelope, counted from 0. Text: "<message id>.<index>".
struct recipient_id {
    message_id message;
    std::uint32_t index = 0;

    [[nodiscard]] static result<recipient_id> parse(std::string_view text);
    [[nodiscard]] std::string text() const;

    constexpr auto operator<=>(const recipient_id&) const = default;
};

// A name given by the operator: 1 to 64 characters of a-z 0-9 - _ . (config checks).
template <class Tag> class name_id {
public:
    name_id() = default;

    explicit name_id(std::string text)
        : text_{std::move(text)} {}

    [[nodiscard]] const std::string& text() const noexcept { return text_; }

    [[nodiscard]] bool empty() const noexcept { return text_.empty(); }

    auto operator<=>(const name_id&) const = default;

private:
    std::string text_;
};

using tenant_id = name_id<struct tenant_tag>;
using route_id =
    name_id<struct route_tag>;  // the vendor's relay is "relay"; a tenant's own server "tenant:<tenant>"

// The tenant of callers that name none.
[[nodiscard]] const tenant_id& default_tenant();

}  // namespace estafette

template <> struct std::hash<estafette::message_id> {
    std::size_t operator()(const estafette::message_id& id) const noexcept;
};

template <> struct std::hash<estafette::recipient_id> {
    std::size_t operator()(const estafette::recipient_id& id) const noexcept {
        return std::hash<estafette::message_id>{}(id.message) ^ (id.index * 0x9E3779B97F4A7C15u);
    }
};

template <class Tag> struct std::hash<estafette::name_id<Tag>> {
    std::size_t operator()(const estafette::name_id<Tag>& id) const noexcept {
        return std::hash<std::string>{}(id.text());
    }
};
