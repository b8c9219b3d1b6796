// An attempt as people read it: the server's words, and what they answered.
#pragma once

#include <boost/json/value.hpp>

#include <string>

namespace estafette::cli {

// "450 4.2.0 come back later": the codes once, though the server's text repeats them; the error's sentence
// where no server answered.
[[nodiscard]] std::string answer_of(const boost::json::value& attempt);

// "RCPT TO" for phase rcpt; nothing for a phase without a command.
[[nodiscard]] std::string command_of(const boost::json::value& attempt);

}  // namespace estafette::cli
