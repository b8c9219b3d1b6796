# The compiler, its warnings, sanitizers and ccache.

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  message(FATAL_ERROR
    "g++ ${CMAKE_CXX_COMPILER_VERSION} destroys temporaries twice in statements that contain co_await "
    "(fixed in 13). Use clang++-19: cmake --preset dev")
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

set(ESTAFETTE_SANITIZE "" CACHE STRING "sanitizers to build with, for example address,undefined")
option(ESTAFETTE_BENCH "build the benchmarks" OFF)
option(ESTAFETTE_FUZZ "build the libFuzzer programs of tests/fuzz" OFF)
option(ESTAFETTE_COVERAGE "build with source-based coverage" OFF)

find_program(CCACHE ccache)
if(CCACHE)
  # Paths relative to the source tree, so that two checkouts share one cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
endif()

add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor -Wswitch-enum -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_link_options(-fuse-ld=lld)
  add_compile_options(-fcolor-diagnostics -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
endif()
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -D_FORTIFY_SOURCE=2 -fstack-protector-strong")
if(ESTAFETTE_SANITIZE)
  add_compile_options(-O1 -fno-omit-frame-pointer -fsanitize=${ESTAFETTE_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ESTAFETTE_SANITIZE})
else()
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  add_link_options(-Wl,-z,relro,-z,now)
endif()
if(ESTAFETTE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(ESTAFETTE_COVERAGE)
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()
