// Peer text folded for matching: lower case, accents dropped, typographic quotes and dashes plain,
// line breaks and runs of blanks one space, and the codes that servers repeat at the start of each
// line ("550-5.1.1 …") removed. What is not valid UTF-8 is read as Windows-1252. Pure, bounded.
#pragma once

#include <string>
#include <string_view>

namespace estafette::verdict {

// Always valid UTF-8. Text beyond `limit` bytes is not looked at. The answer takes over the memory of
// `storage`, so that a caller who gives the last answer back needs no more.
[[nodiscard]] std::string fold(std::string_view text, std::string storage = {}, std::size_t limit = 4096);

// Folded text with what changes from one mail to the next made equal: addresses become a@b.c, IPv4
// numbers 1.2.3.4, and long ids of letters and digits x0. So a reply is known again, and a word inside
// somebody's address is not read as the server's.
[[nodiscard]] std::string mask(std::string_view folded, std::string storage = {});

// A pattern's letters made fit for folded text; its syntax (all of it ASCII) stays.
[[nodiscard]] std::string fold_pattern(std::string_view pattern);

}  // namespace estafette::verdict
