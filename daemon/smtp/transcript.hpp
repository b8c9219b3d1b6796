// The dialogue for people: bounded text, the middle left out where it grows too long.
#pragma once

#include "estafette/smtp/reply.hpp"

#include <string>

namespace estafette::smtp {

inline constexpr std::size_t opening_shown_limit = 4 * 1024;
inline constexpr std::size_t flight_shown_limit = 12 * 1024;

// Appends the reply's lines, each as "S: 250 text".
void show_reply(std::string& shown, const reply& r);

// Cuts lines out of the middle until `shown` is within `limit`.
void keep_within(std::string& shown, std::size_t limit);

}  // namespace estafette::smtp
