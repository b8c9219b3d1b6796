// Hints in replies: whatever the text, what is read lies within its bounds.
#include "estafette/verdict/hint.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace estafette;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const wall_time now{milliseconds{1'777'622'400'000}};
    for (const auto hint : {verdict::retry_hint(text), verdict::retry_hint(text, now)})
        if (hint && (*hint < seconds{1} || *hint > seconds{30 * 86400}))
            std::abort();
    return 0;
}
