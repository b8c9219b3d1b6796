#include "space.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace estafette::store {

namespace {
constexpr std::uint64_t least_released = 1u << 20;
}

space::space(std::string folder, std::uint64_t reserve, std::uint64_t needed)
    : folder_{std::move(folder)}
    , reserve_{reserve}
    , needed_{reserve == 0 ? 0 : needed} {
    refill();
}

bool space::is_enough() {
    if (kept_ < reserve_ && free_bytes() >= reserve_ - kept_ + needed_) {
        refill();
    }
    return kept_ == reserve_ && (needed_ == 0 || free_bytes() >= needed_);
}

bool space::release() {
    if (kept_ == 0) {
        return false;
    }
    const std::uint64_t left = kept_ / 2 < least_released ? 0 : kept_ / 2;
    if (::truncate((folder_ + "/reserve").c_str(), static_cast<off_t>(left)) != 0) {
        return false;
    }
    kept_ = left;
    return true;
}

std::uint64_t space::free_bytes() const {
    struct statvfs fs{};
    return ::statvfs(folder_.c_str(), &fs) == 0 ? static_cast<std::uint64_t>(fs.f_bavail) * fs.f_frsize
                                                : UINT64_MAX;
}

void space::refill() {
    const int fd = ::open((folder_ + "/reserve").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return;
    }
    const bool is_shorter_now = ::ftruncate(fd, static_cast<off_t>(reserve_)) == 0;
    if (is_shorter_now && (reserve_ == 0 || ::posix_fallocate(fd, 0, static_cast<off_t>(reserve_)) == 0)) {
        kept_ = reserve_;
    } else {
        kept_ = 0;
        (void)!::ftruncate(fd, 0);
    }
    ::close(fd);
}

}  // namespace estafette::store
