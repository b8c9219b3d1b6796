// Files of conf/ compiled into the programs, so that they run uninstalled (cmake/embed.cmake).
#pragma once

#include <span>
#include <string_view>

namespace estafette {

struct embedded_file {
    std::string_view path;     // as in the source tree, "conf/rules/10-generic.yaml"
    std::string_view content;  // lives as long as the program
};

}  // namespace estafette
