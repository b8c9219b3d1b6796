// What went wrong with a call, in one sentence for people, with the exit code that fits: the one table
// from HTTP statuses and socket errors to sysexits.
#pragma once

#include "client.hpp"
#include "console.hpp"
#include "exit_code.hpp"

#include <boost/json/value.hpp>
#include <boost/system/result.hpp>

#include <string>

namespace estafette::cli {

struct failure {
    exit_code code = exit_code::software;
    std::string text;     // one line, printable
    std::string problem;  // the daemon's problem+json on one line, where it sent one
};

// An answer that is not 2xx.
[[nodiscard]] failure failure_of(const answer& what);

// The call did not come to an answer.
[[nodiscard]] failure failure_of(error_code e, const std::string& socket);

// A JSON answer, or what went wrong.
[[nodiscard]] boost::system::result<boost::json::value, failure> ask(const client& api, const request& what);

// Whether failures and results are printed for people or for programs.
enum class style : std::uint8_t { words, json };

// Says it on the error stream: "estafette: …", or as one JSON object; returns the exit code.
int report(console& io, const failure& what, style how);

}  // namespace estafette::cli
