// Return paths: whatever a text holds, only what we signed is taken, and what we sign is read back.
#include "check.hpp"

#include "estafette/mail/verp.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

using namespace estafette;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const mail::verp_keys keys{{"new", "old"}};
    const std::string text{reinterpret_cast<const char*>(data), size};
    const auto found = mail::find_verp(text, keys);
    ESTAFETTE_CHECK(!found.who || !found.is_forged);
    (void)keys.verify(text);
    message_id::bytes_type id{};
    std::copy_n(data, std::min(size, id.size()), id.begin());
    const recipient_id who{message_id{id}, size > 16 ? data[16] * 257u : 0u};
    const auto local = keys.local_part(who);
    ESTAFETTE_CHECK(local && local->size() <= 64 && keys.verify(*local) == who);
    return 0;
}
