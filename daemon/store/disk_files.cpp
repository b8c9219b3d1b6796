#include "estafette/store/file_layer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <utility>

namespace estafette::store {

namespace {

error_code last_error() noexcept {
    return {errno, boost::system::system_category()};
}

// Descriptors kept aside: connections and callers may take all that the process has, and the journal must
// still make its next segment and sync its folder.
class spare_descriptors {
public:
    spare_descriptors()
        : null_{::open("/dev/null", O_RDONLY | O_CLOEXEC)} {
        for (int& fd : kept_) {
            fd = ::fcntl(null_, F_DUPFD_CLOEXEC, 0);
        }
    }

    ~spare_descriptors() {
        while (give()) {
        }
        ::close(null_);
    }

    spare_descriptors(const spare_descriptors&) = delete;
    spare_descriptors& operator=(const spare_descriptors&) = delete;

    // Closes one, so that the next open() finds it; false if none is left.
    bool give() noexcept {
        const auto it = std::ranges::find_if(kept_, [](int fd) { return fd >= 0; });
        return it != kept_.end() && ::close(std::exchange(*it, -1)) == 0;
    }

    // Closes what is of no more use. It becomes a spare one where one is missing, and is at no moment free
    // for others to take.
    void close(int used) noexcept {
        const auto it = std::ranges::find(kept_, -1);
        if (it != kept_.end() && ::dup3(null_, used, O_CLOEXEC) == used) {
            *it = used;
        } else {
            ::close(used);
        }
    }

private:
    int null_;
    std::array<int, 8> kept_{};  // more than the journal has segments when the ledger is well behind
};

using spares = std::shared_ptr<spare_descriptors>;

class disk_file final : public file {
public:
    disk_file(int fd, spares s)
        : fd_{fd}
        , spare_{std::move(s)} {}

    ~disk_file() override { spare_->close(fd_); }

    disk_file(const disk_file&) = delete;
    disk_file& operator=(const disk_file&) = delete;

    error_code write_at(std::uint64_t offset, std::string_view bytes) override {
        while (!bytes.empty()) {
            const ssize_t written = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
            if (written < 0 && errno == EINTR) {
                continue;
            }
            if (written <= 0) {
                return last_error();
            }
            bytes.remove_prefix(static_cast<std::size_t>(written));
            offset += static_cast<std::uint64_t>(written);
        }
        return {};
    }

    error_code sync() override { return ::fdatasync(fd_) == 0 ? error_code{} : last_error(); }

    error_code allocate(std::uint64_t length) override {
        const int failure = ::posix_fallocate(fd_, 0, static_cast<off_t>(length));
        return {failure, boost::system::system_category()};
    }

    result<std::string> read_at(std::uint64_t offset, std::size_t length) const override {
        std::string bytes(length, '\0');
        std::size_t have = 0;
        while (have < length) {
            const ssize_t got =
                ::pread(fd_, bytes.data() + have, length - have, static_cast<off_t>(offset + have));
            if (got < 0 && errno == EINTR) {
                continue;
            }
            if (got < 0) {
                return last_error();
            }
            if (got == 0) {
                break;
            }
            have += static_cast<std::size_t>(got);
        }
        bytes.resize(have);
        return bytes;
    }

    result<std::uint64_t> size() const override {
        struct stat st{};
        if (::fstat(fd_, &st) != 0) {
            return last_error();
        }
        return static_cast<std::uint64_t>(st.st_size);
    }

private:
    int fd_;
    spares spare_;
};

class disk_files final : public file_layer {
public:
    result<std::unique_ptr<file>> create(const std::string& path) override {
        return opened(open_surely(path, O_RDWR | O_CREAT | O_TRUNC));
    }

    result<std::unique_ptr<file>> open(const std::string& path) override {
        return opened(open_surely(path, O_RDWR));
    }

    error_code remove(const std::string& path) override {
        return ::unlink(path.c_str()) == 0 ? error_code{} : last_error();
    }

    error_code make_folder(const std::string& path) override {
        return ::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST ? error_code{} : last_error();
    }

    result<std::vector<std::string>> list(const std::string& folder) override {
        std::vector<std::string> names;
        std::error_code failure;
        std::filesystem::directory_iterator it{folder, failure};
        for (; !failure && it != std::filesystem::directory_iterator{}; it.increment(failure)) {
            names.push_back(it->path().filename().string());
        }
        if (failure) {
            return error_code{failure};
        }
        return names;
    }

    error_code sync_folder(const std::string& folder) override {
        const int fd = open_surely(folder, O_RDONLY | O_DIRECTORY);
        if (fd < 0) {
            return last_error();
        }
        const error_code failure = ::fsync(fd) == 0 ? error_code{} : last_error();
        spare_->close(fd);
        return failure;
    }

private:
    // Nothing was done where there was no descriptor: trying again with a spare one hides no failure.
    int open_surely(const std::string& path, int how) {
        for (;;) {
            const int fd = ::open(path.c_str(), how | O_CLOEXEC, 0600);
            if (fd >= 0 || (errno != EMFILE && errno != ENFILE) || !spare_->give()) {
                return fd;
            }
        }
    }

    result<std::unique_ptr<file>> opened(int fd) {
        if (fd < 0) {
            return last_error();
        }
        return std::make_unique<disk_file>(fd, spare_);
    }

    spares spare_ = std::make_shared<spare_descriptors>();
};

}  // namespace

std::unique_ptr<file_layer> make_disk_files() {
    return std::make_unique<disk_files>();
}

}  // namespace estafette::store
