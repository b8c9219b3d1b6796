// A finished message as a caller of sendmail(8) hands it in, with the small repairs that such callers
// count on. Pure: bytes in, bytes out.
//
// Does not: check the message, remove Bcc, add Date or Message-ID (mail/compose.hpp does, in the daemon).
// Sources: RFC 5322 2.2, 3.4; the addresses' syntax is mail/address.hpp's.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace estafette::cli {

// A place in an address list: where the address itself stands, without name, comments and < >.
struct address_span {
    std::size_t offset = 0;
    std::size_t size = 0;
};

// The addresses in the value of a field such as To. Quoted strings, comments, groups and folds are
// understood; what cannot be an address is given as it stands, for the daemon to refuse.
[[nodiscard]] std::vector<address_span> find_addresses(std::string_view list);

// The address of the From field, where it is one; else nothing.
[[nodiscard]] std::string originator(std::string_view message);

struct repairs {
    std::string from;    // the From field's value where there is none; empty: none is added
    std::string domain;  // appended to addresses without one in originator and destination fields
};

// The message with an mbox "From " line dropped, an end of the header where there was none, From added,
// bare addresses ("root") completed. Line ends stay as they are.
[[nodiscard]] std::string repaired(std::string_view message, const repairs& with);

}  // namespace estafette::cli
