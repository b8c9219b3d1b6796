// Files of the tree that are generated: a test compares them with what the program prints, and
// scripts/generate (ESTAFETTE_REGENERATE=1) writes them.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace estafette {

inline void expect_generated_file(const std::string& path_in_tree, const std::string& expected) {
    const std::string path = std::string{ESTAFETTE_SOURCE_DIR} + '/' + path_in_tree;
    if (std::getenv("ESTAFETTE_REGENERATE") != nullptr)
        std::ofstream{path} << expected;
    std::ostringstream found;
    found << std::ifstream{path}.rdbuf();
    EXPECT_EQ(found.str(), expected) << path_in_tree
                                     << " is not what the program prints: run scripts/generate";
}

}  // namespace estafette
