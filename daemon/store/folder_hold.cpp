#include "folder_hold.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

namespace estafette::store {

open_error lock_problem(const std::string& path, const error_code& why) {
    const std::string who = why == errc::store_locked ? folder_lock::holder(path) : std::string{};
    return {why, path + ": " + why.message() + (who.empty() ? "" : ": " + who)};
}

void give_to_owner(const std::string& folder) noexcept {
    struct stat owner{};
    if (::geteuid() != 0 || ::stat(folder.c_str(), &owner) != 0) {
        return;
    }
    std::error_code failure;
    std::filesystem::recursive_directory_iterator it{folder, failure};
    for (; !failure && it != std::filesystem::recursive_directory_iterator{}; it.increment(failure)) {
        struct stat file{};
        if (::lstat(it->path().c_str(), &file) == 0 && file.st_uid != owner.st_uid) {
            (void)!::lchown(it->path().c_str(), owner.st_uid, owner.st_gid);
        }
    }
}

folder_hold::folder_hold(std::string path, folder_lock lock)
    : path_{std::move(path)}
    , lock_{std::move(lock)} {}

folder_hold::folder_hold(folder_hold&& other) noexcept
    : path_{std::exchange(other.path_, {})}
    , lock_{std::move(other.lock_)} {}

folder_hold::~folder_hold() {
    if (!path_.empty()) {
        give_to_owner(path_);
    }
}

boost::system::result<folder_hold, open_error> folder_hold::take(const std::string& path) {
    std::error_code failure;
    const bool is_store = std::filesystem::exists(path + "/ledger.db", failure) ||
                          std::filesystem::is_directory(path + "/journal", failure);
    if (!is_store) {
        return open_error{errc::not_found, path + ": there is no store"};
    }
    auto lock = folder_lock::take(path);
    if (!lock) {
        return lock_problem(path, lock.error());
    }
    return folder_hold{path, std::move(*lock)};
}

}  // namespace estafette::store
