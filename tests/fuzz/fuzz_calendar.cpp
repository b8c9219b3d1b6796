// Distances on the calendar: whatever the text, what is read lies within a hundred years, and a time moved
// by it stays on the calendar.
#include "estafette/base/calendar.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace estafette;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    (void)parse_time_of_day(text);
    (void)parse_day(text);
    const auto distance = calendar_distance::parse(text);
    if (!distance) {
        return 0;
    }
    const wall_time start{milliseconds{1'777'622'400'000}};
    const auto century = std::chrono::hours{24 * 366 * 101};
    const auto moved = move_by(start, *distance, std::chrono::minutes{540}, zone{});
    if (moved < start - century || moved > start + century) {
        std::abort();
    }
    return 0;
}
