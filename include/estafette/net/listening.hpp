// Listening sockets: Unix ones made by us, with mode and group, or inherited; loopback ones. A dead socket
// file is replaced; one that answers belongs to another daemon and is refused.
// Thread: any; the file's mode is set under a changed umask of the process.
#pragma once

#include "estafette/config/config.hpp"

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

namespace estafette::net {

// A listening socket that somebody else opened (systemd).
struct inherited_listener {
    int fd = -1;
    std::string name;  // replaces the configured listener of this name
};

// A listening socket. If we made its file, it goes with it, unless another daemon has taken the path.
class listening_socket {
public:
    explicit listening_socket(int fd)
        : fd_{fd} {}

    listening_socket(int fd, std::string path, dev_t device, ino_t inode)
        : fd_{fd}
        , path_{std::move(path)}
        , device_{device}
        , inode_{inode} {}

    listening_socket(listening_socket&& other) noexcept;
    listening_socket& operator=(listening_socket&&) = delete;
    ~listening_socket();

    [[nodiscard]] int descriptor() const noexcept { return fd_; }

    // The descriptor, no longer ours to close.
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

private:
    int fd_;
    std::string path_;  // empty: not ours to remove
    dev_t device_ = 0;
    ino_t inode_ = 0;
};

// A sentence with the path, where it cannot be had.
[[nodiscard]] boost::system::result<listening_socket, std::string> open_listener(const config::listener& l);

// Checks that it is a listening Unix stream socket. It is ours to close from here on.
[[nodiscard]] boost::system::result<listening_socket, std::string> adopt_listener(const inherited_listener& l
);

// "127.0.0.1:2424" or "[::1]:2424"; no other address.
[[nodiscard]] boost::system::result<listening_socket, std::string> open_loopback(const std::string& endpoint);

// AF_UNIX, AF_INET or AF_INET6.
[[nodiscard]] int family_of(int socket) noexcept;

}  // namespace estafette::net
