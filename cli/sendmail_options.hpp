// The command line of sendmail(8), as callers of forty years write it: clustered letters, values with
// and without a space, options nobody needs any more. Pure.
//
// Promises: nothing it reads makes the program write a file or run another one: -X, -C, -O, -oQ and
// their like are only listed as ignored (PHPMailer's CVE-2016-10033 lived on them).
#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace estafette::cli {

enum class sendmail_mode : std::uint8_t {
    deliver,  // -bm: a message on standard input
    smtp,     // -bs: SMTP on standard input and output
    list,     // -bp: the queue
    aliases,  // -bi: nothing to do
    flush,    // -q alone: nothing to do, the daemon keeps its own time
};

struct sendmail_options {
    sendmail_mode mode = sendmail_mode::deliver;
    bool recipients_from_header = false;        // -t
    bool dot_ends_input = true;                 // not with -i, -oi
    bool verbose = false;                       // -v
    std::optional<std::string> sender;          // -f, -r; empty: the null sender
    std::string full_name;                      // -F
    std::string body_type;                      // -B: 7BIT, 8BITMIME
    std::string notify, returned, envelope_id;  // -N, -R, -V (RFC 3461), as the API takes them
    std::vector<std::string> recipients;
    std::vector<std::string> ignored;  // as written
};

// The options, or one sentence saying what is wrong. `args` is argv without the program's name.
[[nodiscard]] boost::system::result<sendmail_options, std::string>
parse_sendmail(const std::vector<std::string>& args);

}  // namespace estafette::cli
