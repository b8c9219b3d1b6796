// The marks in a record's payload (docs/journal.md): what change follows, and a message's flags. Their
// numbers are on disks: none is ever given away again.
#pragma once

#include <cstdint>

namespace estafette::store {

enum class change_tag : std::uint8_t {
    enqueued = 1,
    attempted = 2,
    cancelled = 3,
    held = 4,
    released = 5,
    expired = 6,
    corrected_0_1 = 7,  // read only
    route_paused = 8,
    route_resumed = 9,
    delayed = 10,
    corrected = 11,
    withheld = 12,
    suppressed = 13,
    unsuppressed = 14,
    category_off = 16,
    category_on = 17,
    erased = 18,
    paused = 20,
    resumed = 21,
    acted = 22,
    answered = 23,
};

enum message_flag : std::uint16_t {
    is_claimed = 1,
    has_sender = 2,
    is_bulk = 4,
    wants_tls = 8,
    is_eight_bit = 16,
    has_utf8_header = 32,
    has_leading_dot = 64,
    has_body = 128,
    ignores_suppression = 256,
    wants_reports = 512,
};

}  // namespace estafette::store
