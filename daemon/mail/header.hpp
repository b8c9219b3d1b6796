// The header of raw RFC 5322 bytes, read for what compose and sendmail -t must know. Private.
#pragma once

#include <string_view>
#include <vector>

namespace estafette::mail {

struct raw_field {
    std::string_view name;   // "Subject"
    std::string_view value;  // behind the ':', with its folding
    std::string_view whole;  // all its lines with their CRLF
};

struct raw_message {
    std::vector<raw_field> fields;  // in order
    std::string_view body;          // behind the empty line; a line that is no field begins it too
};

// Of bytes with CRLF line ends. A leading mbox line ("From ann@x …") is left out.
[[nodiscard]] raw_message split_message(std::string_view bytes);

}  // namespace estafette::mail
