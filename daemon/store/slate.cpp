#include "estafette/store/slate.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <utility>

namespace estafette::store {

namespace {

// The file: one header page, then the slots (docs/journal.md). Numbers as the machine has them: the file
// never leaves it.
constexpr std::array<char, 8> magic{'E', 'S', 'T', 'S', 'L', 'A', 'T', 'E'};
constexpr std::uint32_t version = 1;
constexpr std::size_t header_size = 4096;
constexpr std::size_t slot_size = 512;
constexpr std::uint32_t kept_indices = 123;
constexpr std::uint32_t more_than_kept = 0xFFFFFFFFu;

struct slot_bytes {
    std::uint32_t count;  // 0: free; written last, so that a torn mark is no mark
    std::array<std::uint8_t, 16> message;
    std::array<std::uint32_t, kept_indices> indices;
};

static_assert(sizeof(slot_bytes) == slot_size);

struct header_bytes {
    std::array<char, 8> magic;
    std::uint32_t version;
    std::uint32_t slots;
};

}  // namespace

struct slate::mapping {
    void* base = MAP_FAILED;
    std::size_t length = 0;
    std::vector<recipient_id> in_doubt;
    std::vector<std::size_t> old_marks;  // places that stay reserved until forget()
    std::vector<std::size_t> free;

    mapping() = default;
    mapping(const mapping&) = delete;
    mapping& operator=(const mapping&) = delete;

    ~mapping() {
        if (base != MAP_FAILED) {
            ::munmap(base, length);
        }
    }

    [[nodiscard]] slot_bytes& at(std::size_t place) const noexcept {
        return *reinterpret_cast<slot_bytes*>(static_cast<char*>(base) + header_size + place * slot_size);
    }

    [[nodiscard]] std::size_t slots() const noexcept { return (length - header_size) / slot_size; }

    void read_marks() {
        for (std::size_t place = slots(); place-- > 0;) {
            const slot_bytes& s = at(place);
            if (s.count == 0) {
                free.push_back(place);
                continue;
            }
            old_marks.push_back(place);
            const message_id message{s.message};
            if (s.count > kept_indices) {
                in_doubt.push_back({message, all_recipients});
                continue;
            }
            for (std::uint32_t i = 0; i < s.count; ++i) {
                in_doubt.push_back({message, s.indices[i]});
            }
        }
        std::sort(in_doubt.begin(), in_doubt.end());
        in_doubt.erase(std::unique(in_doubt.begin(), in_doubt.end()), in_doubt.end());
    }
};

namespace {

struct descriptor {
    int fd = -1;

    ~descriptor() {
        if (fd >= 0) {
            ::close(fd);
        }
    }
};

error_code write_header(int fd, std::size_t slots) {
    const header_bytes h{magic, version, static_cast<std::uint32_t>(slots)};
    return ::pwrite(fd, &h, sizeof h, 0) == static_cast<ssize_t>(sizeof h) ? error_code{} : errc::io;
}

// The number of slots of an existing file; 0 for a new one.
result<std::size_t> read_header(int fd) {
    struct stat st{};
    header_bytes h{};
    if (::fstat(fd, &st) != 0) {
        return errc::io;
    }
    if (st.st_size == 0) {
        return std::size_t{0};
    }
    if (::pread(fd, &h, sizeof h, 0) != static_cast<ssize_t>(sizeof h)) {
        return errc::store_damaged;
    }
    if (h.magic == decltype(h.magic){}) {
        return std::size_t{0};  // the power went before the first header was synced
    }
    if (h.magic != magic) {
        return errc::store_damaged;
    }
    if (h.version > version) {
        return errc::store_newer;
    }
    const auto in_file = (static_cast<std::size_t>(st.st_size) -
                          std::min<std::size_t>(static_cast<std::size_t>(st.st_size), header_size)) /
                         slot_size;
    return std::min<std::size_t>(h.slots, in_file);
}

}  // namespace

result<slate> slate::open(const std::string& path, std::size_t slots) {
    const descriptor file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    if (file.fd < 0) {
        return errc::io;
    }
    const auto old = read_header(file.fd);
    if (!old) {
        return old.error();
    }
    const std::size_t count = std::max(slots, *old);
    auto m = std::make_unique<mapping>();
    m->length = header_size + count * slot_size;
    // Every block is there before the first mark: a full disk may not turn a mark into SIGBUS.
    if (::posix_fallocate(file.fd, 0, static_cast<off_t>(m->length)) != 0) {
        return errc::io;
    }
    // The header is synced, so that a loss of power leaves a slate: perhaps an old one, never half of one.
    if (count != *old && (write_header(file.fd, count) || ::fdatasync(file.fd) != 0)) {
        return errc::io;
    }
    m->base = ::mmap(nullptr, m->length, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd, 0);
    if (m->base == MAP_FAILED) {
        return errc::io;
    }
    m->read_marks();
    return slate{std::move(m)};
}

error_code slate::check(const std::string& path) {
    const descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.fd < 0) {
        return errno == ENOENT ? error_code{} : make_error_code(errc::io);
    }
    const auto slots = read_header(file.fd);
    return slots ? error_code{} : slots.error();
}

slate slate::in_memory(std::size_t slots) {
    auto m = std::make_unique<mapping>();
    m->length = header_size + slots * slot_size;
    m->base = ::mmap(nullptr, m->length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m->base == MAP_FAILED) {
        throw std::bad_alloc{};
    }
    m->read_marks();
    return slate{std::move(m)};
}

slate::slate(std::unique_ptr<mapping> m) noexcept
    : mapping_{std::move(m)} {}

slate::slate(slate&&) noexcept = default;
slate& slate::operator=(slate&&) noexcept = default;
slate::~slate() = default;

const std::vector<recipient_id>& slate::in_doubt() const noexcept {
    return mapping_->in_doubt;
}

void slate::forget() noexcept {
    for (const std::size_t place : mapping_->old_marks) {
        mapping_->at(place).count = 0;
        mapping_->free.push_back(place);
    }
    mapping_->old_marks.clear();
    mapping_->in_doubt.clear();
}

slate::slot slate::take() noexcept {
    if (mapping_->free.empty()) {
        return {};
    }
    const std::size_t place = mapping_->free.back();
    mapping_->free.pop_back();
    return {*mapping_, place};
}

bool slate::is_exhausted() const noexcept {
    return mapping_->free.empty();
}

slate::slot::slot(slot&& other) noexcept
    : owner_{std::exchange(other.owner_, nullptr)}
    , place_{other.place_} {}

slate::slot& slate::slot::operator=(slot&& other) noexcept {
    std::swap(owner_, other.owner_);
    std::swap(place_, other.place_);
    return *this;
}

slate::slot::~slot() {
    // A place that is still marked is not given to another connection: its mail is in doubt.
    if (owner_ && owner_->at(place_).count == 0) {
        owner_->free.push_back(place_);
    }
}

void slate::slot::mark(std::span<const recipient_id> recipients) noexcept {
    clear();
    if (!owner_ || recipients.empty()) {
        return;
    }
    slot_bytes& s = owner_->at(place_);
    s.message = recipients.front().message.bytes();
    const bool fits = recipients.size() <= kept_indices;
    for (std::size_t i = 0; fits && i < recipients.size(); ++i) {
        s.indices[i] = recipients[i].index;
    }
    const auto count = fits ? static_cast<std::uint32_t>(recipients.size()) : more_than_kept;
    std::atomic_ref{s.count}.store(count, std::memory_order_release);
}

void slate::slot::clear() noexcept {
    if (owner_) {
        std::atomic_ref{owner_->at(place_).count}.store(0, std::memory_order_release);
    }
}

}  // namespace estafette::store
