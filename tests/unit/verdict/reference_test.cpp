#include "estafette/verdict/reference.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace estafette::verdict {
namespace {

TEST(reference, the_reasons_are_documented_as_they_are) {
    const std::string path = ESTAFETTE_SOURCE_DIR "/docs/reasons.md";
    const auto text = reasons_reference();
    if (std::getenv("ESTAFETTE_REGENERATE")) {
        std::ofstream{path} << text;
    }
    std::ifstream file{path};
    const std::string written{std::istreambuf_iterator<char>{file}, {}};
    EXPECT_TRUE(written == text) << "docs/reasons.md is out of date: run scripts/generate and read the diff";
}

}  // namespace
}  // namespace estafette::verdict
