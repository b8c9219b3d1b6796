// A tool's hold on a store: the folder's lock, and at the end every file of it belongs to the folder's
// owner again, so that the daemon can open what root looked at.
#pragma once

#include "folder_lock.hpp"

#include "estafette/store/engine.hpp"

#include <string>

namespace estafette::store {

class folder_hold {
public:
    // errc::not_found where there is no store, store_locked with who has it, io.
    [[nodiscard]] static boost::system::result<folder_hold, open_error> take(const std::string& path);

    folder_hold(folder_hold&&) noexcept;
    folder_hold& operator=(folder_hold&&) = delete;
    ~folder_hold();

private:
    folder_hold(std::string path, folder_lock lock);

    std::string path_;
    folder_lock lock_;
};

// For root: gives the folder's files and folders to the folder's owner. For others: nothing.
void give_to_owner(const std::string& folder) noexcept;

// The locked store's sentence, with who has it.
[[nodiscard]] open_error lock_problem(const std::string& path, const error_code& why);

}  // namespace estafette::store
