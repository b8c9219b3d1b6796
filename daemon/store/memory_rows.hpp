// A message as the engine of tests keeps it, and what can be said of one row alone.
#pragma once

#include "transition.hpp"

#include "estafette/store/views.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace estafette::store::memory {

struct recipient_row {
    standing at;
    std::optional<attempt> last;
    std::uint64_t order = 0;
    bool is_erased = false;  // its address is a pseudonym
};

struct message_row {
    mail::message_ptr message;  // its body null once dropped
    std::vector<recipient_row> recipients;
    std::vector<std::uint64_t> timeline;  // event sequences
    std::vector<std::string> keys;        // of the requests that name it
    bool is_erased = false;
};

[[nodiscard]] std::optional<wall_time> completed_at(const message_row& m);
void drop_body(message_row& m);
[[nodiscard]] std::string sender_of(const message_row& m);  // empty: the null sender
[[nodiscard]] recipient_view view_of(const message_row& m, std::uint32_t place);
[[nodiscard]] due_entry due_entry_of(const message_row& m, std::uint32_t place);
[[nodiscard]] bool matches(const query& q, const message_row& m, std::uint32_t place);

// Done by then, and nothing of it is still to end.
[[nodiscard]] bool was_over(const action& a, wall_time then);

}  // namespace estafette::store::memory
