// The space on the disk: a reserve kept aside, so that outcomes can be recorded when other programs have
// filled the disk, and the answer to "may new mail come in".
// Thread: the store's.
#pragma once

#include <cstdint>
#include <string>

namespace estafette::store {

class space {
public:
    // Takes `reserve` bytes into a file of the folder, as far as they can be had. `needed` must be free
    // beside it for new mail.
    space(std::string folder, std::uint64_t reserve, std::uint64_t needed);

    // The reserve is whole and there is room beside it. Refills the reserve when space is back.
    [[nodiscard]] bool is_enough();

    // Gives half of what is kept aside to whoever writes next; false: nothing is left.
    [[nodiscard]] bool release();

private:
    [[nodiscard]] std::uint64_t free_bytes() const;
    void refill();

    std::string folder_;
    std::uint64_t reserve_;
    std::uint64_t needed_;
    std::uint64_t kept_ = 0;
};

}  // namespace estafette::store
