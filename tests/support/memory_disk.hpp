// A filesystem in memory that does what real ones may do: it keeps apart what was written and what would
// outlive a loss of power, and it fails where it is told to.
#pragma once

#include "estafette/store/file_layer.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>

namespace estafette::test {

using store::file;
using store::file_layer;

struct disk {
    struct node {
        std::string written;  // what a reader sees
        std::string synced;   // what a loss of power leaves
    };

    using node_ptr = std::shared_ptr<node>;
    using folder = std::map<std::string, node_ptr>;

    std::map<std::string, folder> folders;         // as a reader sees them
    std::map<std::string, folder> synced_folders;  // as a loss of power leaves them

    std::size_t calls = 0;
    std::size_t fail_at = 0;  // the n-th call, from 1; 0: none
    bool fails_for_good = false;
    error_code failure{EIO, boost::system::system_category()};
    bool ignores_sync = false;         // negative control
    bool ignores_folder_sync = false;  // negative control

    // Counts the call; the error if it is its turn.
    [[nodiscard]] error_code call() {
        ++calls;
        const bool fails = fail_at != 0 && (calls == fail_at || (fails_for_good && calls > fail_at));
        return fails ? failure : error_code{};
    }

    // What was not synced is gone; of each file's unsynced bytes `keep` says which 512-byte sectors
    // reached the disk all the same.
    void lose_power(const std::function<bool()>& keep) {
        folders = synced_folders;
        for (auto& [path, names] : folders) {
            for (auto& [name, n] : names) {
                std::string left = n->synced;
                left.resize(std::max(n->synced.size(), n->written.size()), '\0');
                for (std::size_t at = 0; at < n->written.size(); at += 512) {
                    if (keep()) {
                        const std::size_t length = std::min<std::size_t>(512, n->written.size() - at);
                        left.replace(at, length, n->written, at, length);
                    }
                }
                if (n->synced.empty() && !keep()) {
                    left.clear();  // its length was not synced either
                }
                n->written = left;
                n->synced = left;
            }
        }
        synced_folders = folders;
    }
};

using disk_ptr = std::shared_ptr<disk>;

class memory_file final : public file {
public:
    memory_file(disk_ptr d, disk::node_ptr n)
        : disk_{std::move(d)}
        , node_{std::move(n)} {}

    error_code write_at(std::uint64_t offset, std::string_view bytes) override {
        if (const auto ec = disk_->call()) {
            // A failed write may leave a part of itself.
            put(offset, bytes.substr(0, bytes.size() / 2));
            return ec;
        }
        put(offset, bytes);
        return {};
    }

    error_code sync() override {
        if (const auto ec = disk_->call()) {
            return ec;
        }
        if (!disk_->ignores_sync) {
            node_->synced = node_->written;
        }
        return {};
    }

    error_code allocate(std::uint64_t length) override {
        if (const auto ec = disk_->call()) {
            return ec;
        }
        node_->written.resize(std::max<std::size_t>(node_->written.size(), length), '\0');
        return {};
    }

    result<std::string> read_at(std::uint64_t offset, std::size_t length) const override {
        return offset < node_->written.size() ? node_->written.substr(offset, length) : std::string{};
    }

    result<std::uint64_t> size() const override { return std::uint64_t{node_->written.size()}; }

private:
    void put(std::uint64_t offset, std::string_view bytes) {
        node_->written.resize(std::max<std::size_t>(node_->written.size(), offset + bytes.size()), '\0');
        node_->written.replace(offset, bytes.size(), bytes);
    }

    disk_ptr disk_;
    disk::node_ptr node_;
};

class memory_disk final : public file_layer {
public:
    explicit memory_disk(disk_ptr d)
        : disk_{std::move(d)} {}

    result<std::unique_ptr<file>> create(const std::string& path) override {
        if (const auto ec = disk_->call()) {
            return ec;
        }
        auto& n = disk_->folders[folder_of(path)][name_of(path)];
        n = std::make_shared<disk::node>();
        return std::make_unique<memory_file>(disk_, n);
    }

    result<std::unique_ptr<file>> open(const std::string& path) override {
        if (const auto ec = disk_->call()) {
            return ec;
        }
        auto& names = disk_->folders[folder_of(path)];
        const auto it = names.find(name_of(path));
        if (it == names.end()) {
            return error_code{ENOENT, boost::system::system_category()};
        }
        return std::make_unique<memory_file>(disk_, it->second);
    }

    error_code remove(const std::string& path) override {
        if (const auto ec = disk_->call()) {
            return ec;
        }
        return disk_->folders[folder_of(path)].erase(name_of(path)) != 0
                   ? error_code{}
                   : error_code{ENOENT, boost::system::system_category()};
    }

    error_code make_folder(const std::string& path) override {
        disk_->folders[path];
        return {};
    }

    result<std::vector<std::string>> list(const std::string& folder) override {
        std::vector<std::string> names;
        for (const auto& [name, n] : disk_->folders[folder]) {
            names.push_back(name);
        }
        return names;
    }

    error_code sync_folder(const std::string& folder) override {
        if (const auto ec = disk_->call()) {
            return ec;
        }
        if (!disk_->ignores_folder_sync) {
            disk_->synced_folders[folder] = disk_->folders[folder];
        }
        return {};
    }

private:
    [[nodiscard]] static std::string folder_of(const std::string& path) {
        return path.substr(0, path.rfind('/'));
    }

    [[nodiscard]] static std::string name_of(const std::string& path) {
        return path.substr(path.rfind('/') + 1);
    }

    disk_ptr disk_;
};

}  // namespace estafette::test
