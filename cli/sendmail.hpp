// sendmail(8): a message on standard input, handed to the daemon. What PHP, cron, git and mutt call.
//
// Promises: 0 only when the daemon has the message on its disk; 75 where the caller may try again.
// It never writes a file, starts a program or needs more rights than its caller.
#pragma once

#include "console.hpp"

#include <string>
#include <vector>

namespace estafette::cli {

// `args` is argv without the program's name.
[[nodiscard]] int run_sendmail(const std::vector<std::string>& args, console& io);

// Standard input up to its end, or to a line with only a dot where `dot_ends` says so.
enum class input_end : std::uint8_t { end_of_file, lone_dot };
[[nodiscard]] std::string read_message(std::istream& in, input_end where);

}  // namespace estafette::cli
