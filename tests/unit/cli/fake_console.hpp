// A run of the program in a test: its input, environment and clock are given, its output is kept.
#pragma once

#include "command.hpp"

#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace estafette::cli {

struct fake_console {
    std::map<std::string, std::string> environment;
    std::vector<std::string> logged;
    std::string out, err;
    std::size_t columns = 0;

    // 2026-05-01 08:00:00 UTC
    static wall_time now() { return wall_time{seconds{1777622400}}; }

    int run(std::vector<std::string> args, const std::string& input = "") {
        std::istringstream in{input};
        std::ostringstream out_stream, err_stream;
        console io{
            in,
            out_stream,
            err_stream,
            [this](const char* name) {
                const auto found = environment.find(name);
                return found == environment.end() ? std::nullopt : std::optional{found->second};
            },
            now,
            [] { return caller{"ann", "Ann Smith"}; },
            [this](const std::string& line) { logged.push_back(line); },
            false,
            columns
        };
        const int code = cli::run(args, io);
        out = out_stream.str();
        err = err_stream.str();
        return code;
    }
};

}  // namespace estafette::cli
