// Exit codes of the programs: those of sysexits.h, which callers of sendmail(8) understand, each with
// what it tells the caller. `estafette health` alone answers as monitoring plugins do (0 to 3).
#pragma once

namespace estafette::cli {

enum class exit_code : int {
    ok = 0,
    usage = 64,          // the command line is wrong
    data = 65,           // the message or a value in it is wrong: sending it again is no use
    no_input = 66,       // a file named on the command line cannot be read
    no_such = 67,        // no such message, address, route or tenant (for this caller)
    unavailable = 69,    // it cannot be done now or any more: nothing was left to cancel
    software = 70,       // a fault of the program
    io = 74,             // reading or writing failed
    temporary = 75,      // the daemon is away or full: try again later
    protocol = 76,       // what answers on the socket is not the daemon
    no_permission = 77,  // this user may not do it
    config = 78,         // the configuration is wrong
};

}  // namespace estafette::cli
