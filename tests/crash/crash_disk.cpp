// crash_disk: an nbdkit plugin, a disk with a volatile cache. What was written stays in the cache until it is
// flushed. When the power goes, each 4 KiB piece in the cache reaches the image or not, in any order, and
// some are torn between sectors; then every request fails.
//
//   nbdkit crash_disk.so image=FILE cut=FILE seed=N
//
// The power goes with the first request after the file `cut` has come, or at the end.
#define NBDKIT_API_VERSION 2
#include <fcntl.h>
#include <nbdkit-plugin.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#define THREAD_MODEL NBDKIT_THREAD_MODEL_SERIALIZE_ALL_REQUESTS

namespace {

constexpr std::size_t piece = 4096, sector = 512;

struct cached {
    std::uint64_t offset;
    std::string bytes;
};

struct disk {
    std::string image, cut;
    int fd = -1;
    std::int64_t size = 0;
    bool is_dead = false;
    std::vector<cached> cache;  // in the order of the writes
    std::mt19937_64 random;

    bool write(std::uint64_t offset, std::string_view bytes) const {
        return ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)) ==
               static_cast<ssize_t>(bytes.size());
    }

    bool flush() {
        const bool all =
            std::ranges::all_of(cache, [this](const cached& c) { return write(c.offset, c.bytes); });
        cache.clear();
        return all;
    }

    // Later writes to a place do not come before earlier ones there in any disk: each place gets its pieces
    // in their order, but which of them get there is chance.
    void lose_power() {
        is_dead = true;
        const auto one_in = [this](std::uint64_t n) { return random() % n == 0; };
        for (const cached& c : cache) {
            for (std::size_t at = 0; at < c.bytes.size(); at += piece) {
                auto part = std::string_view{c.bytes}.substr(at, piece);
                if (one_in(2)) {
                    continue;
                }
                if (one_in(5)) {
                    part = part.substr(0, random() % (part.size() / sector + 1) * sector);
                }
                (void)write(c.offset + at, part);
            }
        }
        cache.clear();
    }

    bool has_power() {
        struct stat st{};
        if (!is_dead && ::stat(cut.c_str(), &st) == 0) {
            lose_power();
        }
        if (is_dead) {
            nbdkit_error("no power");
            nbdkit_set_error(EIO);
        }
        return !is_dead;
    }
};

disk& the_disk() {
    static disk d;  // nbdkit serves one, and its calls carry no pointer of ours
    return d;
}

int configure(const char* key, const char* value) {
    const std::string_view name{key};
    disk& d = the_disk();
    if (name == "image") {
        d.image = value;
    } else if (name == "cut") {
        d.cut = value;
    } else if (name == "seed") {
        d.random.seed(std::strtoull(value, nullptr, 10));
    } else {
        nbdkit_error("unknown parameter %s", key);
        return -1;
    }
    return 0;
}

int get_ready() {
    disk& d = the_disk();
    struct stat st{};
    d.fd = ::open(d.image.c_str(), O_RDWR | O_CLOEXEC);
    if (d.fd < 0 || ::fstat(d.fd, &st) != 0) {
        nbdkit_error("%s: %s", d.image.c_str(), std::strerror(errno));
        return -1;
    }
    d.size = st.st_size;
    return 0;
}

void unload() {
    disk& d = the_disk();
    if (d.fd >= 0) {
        if (!d.is_dead) {
            d.lose_power();
        }
        ::close(d.fd);
    }
}

void* open_handle(int) {
    return NBDKIT_HANDLE_NOT_NEEDED;
}

std::int64_t get_size(void*) {
    return the_disk().size;
}

int can_flush(void*) {
    return 1;
}

int can_fua(void*) {
    return NBDKIT_FUA_EMULATE;
}

int read(void*, void* to, std::uint32_t count, std::uint64_t offset, std::uint32_t) {
    disk& d = the_disk();
    if (!d.has_power() ||
        ::pread(d.fd, to, count, static_cast<off_t>(offset)) != static_cast<ssize_t>(count)) {
        return -1;
    }
    for (const cached& c : d.cache) {
        const auto begin = std::max(c.offset, offset),
                   end = std::min(c.offset + c.bytes.size(), offset + count);
        if (begin < end) {
            std::memcpy(
                static_cast<char*>(to) + (begin - offset), c.bytes.data() + (begin - c.offset), end - begin
            );
        }
    }
    return 0;
}

int write(void*, const void* from, std::uint32_t count, std::uint64_t offset, std::uint32_t) {
    disk& d = the_disk();
    if (!d.has_power()) {
        return -1;
    }
    d.cache.push_back({offset, std::string{static_cast<const char*>(from), count}});
    return 0;
}

int flush(void*, std::uint32_t) {
    disk& d = the_disk();
    return d.has_power() && d.flush() ? 0 : -1;
}

nbdkit_plugin described() {
    nbdkit_plugin p{};
    p.name = "crash-disk";
    p.longname = "a disk that loses its cache";
    p.unload = unload;
    p.config = configure;
    p.get_ready = get_ready;
    p.open = open_handle;
    p.get_size = get_size;
    p.can_flush = can_flush;
    p.can_fua = can_fua;
    p.pread = read;
    p.pwrite = write;
    p.flush = flush;
    return p;
}

nbdkit_plugin plugin = described();

}  // namespace

NBDKIT_REGISTER_PLUGIN(plugin)
