#include "folder_lock.hpp"

#include "estafette/base/text.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <utility>

namespace estafette::store {

folder_lock::folder_lock(folder_lock&& other) noexcept
    : fd_{std::exchange(other.fd_, -1)} {}

folder_lock& folder_lock::operator=(folder_lock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

folder_lock::~folder_lock() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

result<folder_lock> folder_lock::take(const std::string& folder) {
    std::error_code failure;
    if (const std::filesystem::path parent = std::filesystem::path{folder}.parent_path(); !parent.empty()) {
        std::filesystem::create_directories(parent, failure);
    }
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
        return errc::io;
    }
    folder_lock lock;
    lock.fd_ = ::open((folder + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock.fd_ < 0) {
        return errc::io;
    }
    if (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK ? errc::store_locked : errc::io;
    }
    // For whoever finds it locked; a disk that is full costs the name, not the lock.
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(lock.fd_, 0) == 0) {
        (void)!::pwrite(lock.fd_, pid.data(), pid.size(), 0);
    }
    return lock;
}

std::string folder_lock::holder(const std::string& folder) {
    long pid = 0;
    std::string name;
    if (!(std::ifstream{folder + "/lock"} >> pid)) {
        return {};
    }
    std::getline(std::ifstream{"/proc/" + std::to_string(pid) + "/comm"}, name);
    return "process " + std::to_string(pid) + (name.empty() ? "" : " (" + printable(name, 32) + ")");
}

}  // namespace estafette::store
