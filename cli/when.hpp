// Points in time as people write them on a command line.
#pragma once

#include "estafette/base/time.hpp"

#include <string_view>

namespace estafette::cli {

// "2026-05-01T08:00:00Z" (RFC 3339), "2026-05-01 10:00" or "2026-05-01 10:00:00" in the local zone, "+2h"
// from now, "now". errc::time_invalid otherwise.
[[nodiscard]] result<wall_time> parse_when(std::string_view text, wall_time now);

}  // namespace estafette::cli
