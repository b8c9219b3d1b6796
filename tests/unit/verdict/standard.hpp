// The embedded rules, compiled once for all tests of the program.
#pragma once

#include "estafette/verdict/classifier.hpp"

namespace estafette::verdict {

inline const classifier& standard_rules() {
    static const classifier c = classifier::standard();
    return c;
}

}  // namespace estafette::verdict
