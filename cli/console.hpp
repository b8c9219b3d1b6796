// What a command sees of the world: its streams, the environment, the clock, the user and the system
// log. main.cpp fills it from the process; tests fill it with strings.
#pragma once

#include "estafette/base/time.hpp"

#include <functional>
#include <istream>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

namespace estafette::cli {

// The calling user as the password database knows him; uid as text where it does not.
struct caller {
    std::string login;
    std::string full_name;  // the first part of the GECOS field
};

struct console {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    std::function<std::optional<std::string>(const char*)> environment;
    std::function<wall_time()> now;
    std::function<caller()> who;
    std::function<void(const std::string&)> log;  // one line to syslog, facility mail
    bool in_is_terminal = false;
    std::size_t columns = 0;  // of the terminal that `out` is; 0: it is none, lines are not broken
};

}  // namespace estafette::cli
