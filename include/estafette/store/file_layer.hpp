// What the journal asks of a filesystem, as an interface: the disk behind it in the daemon; in tests a
// layer that fails at the n-th call, is full, or loses what was not synced.
//
// Promise of the disk's layer: each call is one system call or a loop of one; nothing is retried after an
// error. Errors are system errors (ENOSPC matters), or generic ones.
// Thread: the store's.
#pragma once

#include "estafette/base/error.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace estafette::store {

class file {
public:
    virtual ~file() = default;

    [[nodiscard]] virtual error_code write_at(std::uint64_t offset, std::string_view bytes) = 0;
    [[nodiscard]] virtual error_code sync() = 0;  // fdatasync: the bytes, and the length where it changed

    // Gives the file `length` bytes of its own: zeros, and no later write into them lacks space.
    [[nodiscard]] virtual error_code allocate(std::uint64_t length) = 0;

    // Up to `length` bytes: fewer at the end of the file.
    [[nodiscard]] virtual result<std::string> read_at(std::uint64_t offset, std::size_t length) const = 0;

    [[nodiscard]] virtual result<std::uint64_t> size() const = 0;
};

class file_layer {
public:
    virtual ~file_layer() = default;

    // New and empty; an old file of the name is emptied.
    [[nodiscard]] virtual result<std::unique_ptr<file>> create(const std::string& path) = 0;

    [[nodiscard]] virtual result<std::unique_ptr<file>> open(const std::string& path) = 0;
    [[nodiscard]] virtual error_code remove(const std::string& path) = 0;
    [[nodiscard]] virtual error_code make_folder(const std::string& path) = 0;  // no error if it is there

    // The names in it, without . and .., in no order.
    [[nodiscard]] virtual result<std::vector<std::string>> list(const std::string& folder) = 0;

    // The names of the folder as they are now outlive a loss of power.
    [[nodiscard]] virtual error_code sync_folder(const std::string& folder) = 0;
};

// The disk.
[[nodiscard]] std::unique_ptr<file_layer> make_disk_files();

}  // namespace estafette::store
