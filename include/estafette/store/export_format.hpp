// A message as one line of an export: JSON for people and other programs, and in `restore` the changes that
// make it again, as the journal writes them. Pure, bounded, fuzzed.
//
// Promise: what parse_line() returns makes the message that to_line() was given, with its recipients where
// they were and its timeline; a line that is none of ours is errc::json_invalid, too_large or store_damaged.
// Not here: its content, which is a file of its own (tools.hpp).
#pragma once

#include "estafette/store/views.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace estafette::store {

struct exported {
    message_id id;
    bool waits = false;           // some recipient of it is not done
    std::string content;          // the name of its file beside the lines; empty: there is none
    std::vector<change> changes;  // the first is enqueued, without its body
};

inline constexpr std::size_t longest_export_line = 16u << 20;

// One line with its end.
[[nodiscard]] std::string to_line(
    const message_view& of, const std::string& content, const std::string& key, const std::string& digest
);

[[nodiscard]] result<exported> parse_line(std::string_view line);

}  // namespace estafette::store
