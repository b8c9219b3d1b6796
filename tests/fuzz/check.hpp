// An invariant of a fuzz target: holds in every build, and stops the program where it does not.
#pragma once

#include <cstdio>
#include <cstdlib>

#define ESTAFETTE_CHECK(condition)                                                                           \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);              \
            std::abort();                                                                                    \
        }                                                                                                    \
    } while (false)
