# Third-party libraries (Debian 12). Their headers are system headers: their warnings are not ours.

find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Threads REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(date REQUIRED)
find_package(SQLite3 3.40 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(idn2 REQUIRED IMPORTED_TARGET libidn2)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(cares REQUIRED IMPORTED_TARGET libcares)

# Asio and Beast compiled once (Boost's "separate compilation") instead of in every unit. Each thread keeps
# so many blocks of each kind for the next coroutines and operations: a message's way needs more than two.
add_library(est_asio STATIC cmake/boost_asio.cpp)
target_compile_definitions(est_asio PUBLIC
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=32)
target_compile_options(est_asio PRIVATE -w)
target_link_libraries(est_asio PUBLIC Boost::headers OpenSSL::SSL Threads::Threads)
