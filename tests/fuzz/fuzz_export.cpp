// A line of an export, as import reads it.
#include "check.hpp"

#include "estafette/store/export_format.hpp"

#include <cstddef>
#include <cstdint>

using namespace estafette::store;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto parsed = parse_line({reinterpret_cast<const char*>(data), size});
    ESTAFETTE_CHECK(!parsed || std::holds_alternative<estafette::store::enqueued>(parsed->changes.front()));
    return 0;
}
