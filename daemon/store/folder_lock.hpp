// The store's folder belongs to one process: a lock on a file in it, held as long as the object lives.
#pragma once

#include "estafette/base/error.hpp"

#include <string>

namespace estafette::store {

class folder_lock {
public:
    folder_lock() = default;
    folder_lock(folder_lock&& other) noexcept;
    folder_lock& operator=(folder_lock&& other) noexcept;
    ~folder_lock();

    // Makes the folder if it is missing. errc::store_locked, io.
    [[nodiscard]] static result<folder_lock> take(const std::string& folder);

    // Who has it, for people: "process 1234 (estafetted)", or empty where that is not known.
    [[nodiscard]] static std::string holder(const std::string& folder);

private:
    int fd_ = -1;
};

}  // namespace estafette::store
