// Where a recipient is in its life, in one word. docs/api.md has the words for people.
//
// Stored is what happened to the recipient; what follows from something else (a route that rests) is
// derived when it is read.
// Values only; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace estafette::store {

// `held` is stored only for mail in doubt and for an
// administrator's hold of single recipients; held because of a pause (pause.hpp) is derived when read.
enum class state : std::uint8_t { scheduled, queued, deferred, held, relayed, delivered, failed, cancelled };

inline constexpr std::size_t state_count = 8;

[[nodiscard]] std::string_view to_text(state s) noexcept;
[[nodiscard]] std::optional<state> parse_state(std::string_view text) noexcept;

// relayed, delivered, failed, cancelled: nothing more is sent.
[[nodiscard]] bool is_final(state s) noexcept;

}  // namespace estafette::store
