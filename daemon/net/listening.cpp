#include "estafette/net/listening.hpp"

#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace estafette::net {
namespace {

constexpr int backlog = 1024;

std::string sentence(const std::string& path, const std::string& what) {
    return path + ": " + what;
}

std::string system_sentence(const std::string& path, const std::string& what) {
    return path + ": " + what + ": " + std::strerror(errno);
}

class owned_descriptor {
public:
    explicit owned_descriptor(int fd)
        : fd_{fd} {}

    ~owned_descriptor() {
        if (fd_ >= 0)
            ::close(fd_);
    }

    owned_descriptor(const owned_descriptor&) = delete;
    owned_descriptor& operator=(const owned_descriptor&) = delete;

    [[nodiscard]] int get() const noexcept { return fd_; }

    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

private:
    int fd_;
};

int new_socket() {
    return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

std::optional<sockaddr_un> address_of(const std::string& path) {
    sockaddr_un out{};
    out.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof out.sun_path)
        return std::nullopt;
    std::memcpy(out.sun_path, path.data(), path.size());
    return out;
}

const sockaddr* generic(const sockaddr_un& a) {
    return reinterpret_cast<const sockaddr*>(&a);
}

// Removes the file of a daemon that is no more. A sentence where somebody answers or it is no socket.
std::optional<std::string> remove_dead(const std::string& path, const sockaddr_un& address) {
    struct stat found{};
    if (::lstat(path.c_str(), &found) != 0)
        return errno == ENOENT ? std::nullopt : std::optional{system_sentence(path, "cannot be examined")};
    if (!S_ISSOCK(found.st_mode))
        return sentence(path, "is there already and is not a socket");
    const owned_descriptor probe{new_socket()};
    if (::connect(probe.get(), generic(address), sizeof address) == 0 || errno == EAGAIN)
        return sentence(path, "another daemon answers on this socket");
    if (errno != ECONNREFUSED)
        return system_sentence(path, "cannot be probed");
    if (::unlink(path.c_str()) != 0)
        return system_sentence(path, "the old socket cannot be removed");
    return std::nullopt;
}

std::optional<gid_t> find_group(const std::string& name) {
    std::array<char, 16 * 1024> buffer{};
    group entry{};
    group* found = nullptr;
    if (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
        return std::nullopt;
    return entry.gr_gid;
}

}  // namespace

listening_socket::listening_socket(listening_socket&& other) noexcept
    : fd_{std::exchange(other.fd_, -1)}
    , path_{std::exchange(other.path_, {})}
    , device_{other.device_}
    , inode_{other.inode_} {}

listening_socket::~listening_socket() {
    if (fd_ >= 0)
        ::close(fd_);
    struct stat now{};
    if (!path_.empty() && ::lstat(path_.c_str(), &now) == 0 && now.st_dev == device_ && now.st_ino == inode_)
        ::unlink(path_.c_str());
}

boost::system::result<listening_socket, std::string> open_listener(const config::listener& l) {
    const auto& path = l.unix_path;
    const auto address = address_of(path);
    if (!address)
        return sentence(path, "a socket's path has 1 to 107 bytes");
    if (auto why = remove_dead(path, *address))
        return std::move(*why);
    owned_descriptor fd{new_socket()};
    // Until the mode is set nobody but us can connect.
    const auto old_mask = ::umask(0177);
    const bool is_bound = ::bind(fd.get(), generic(*address), sizeof *address) == 0;
    const int bind_error = errno;
    ::umask(old_mask);
    if (!is_bound) {
        errno = bind_error;
        return system_sentence(path, "cannot be made");
    }
    struct stat made{};
    if (::lstat(path.c_str(), &made) != 0)
        return system_sentence(path, "cannot be examined");
    listening_socket out{fd.get(), path, made.st_dev, made.st_ino};
    (void)fd.release();
    if (!l.group.empty()) {
        const auto group = find_group(l.group);
        if (!group)
            return sentence(path, "there is no group " + l.group);
        if (::chown(path.c_str(), static_cast<uid_t>(-1), *group) != 0)
            return system_sentence(path, "cannot be given to the group " + l.group);
    }
    if (::chmod(path.c_str(), l.mode) != 0)
        return system_sentence(path, "its mode cannot be set");
    if (::listen(out.descriptor(), backlog) != 0)
        return system_sentence(path, "cannot be listened on");
    return out;
}

boost::system::result<listening_socket, std::string> adopt_listener(const inherited_listener& l) {
    const std::string name = "inherited socket " + (l.name.empty() ? std::to_string(l.fd) : l.name);
    listening_socket out{l.fd};
    int accepts = 0;
    socklen_t size = sizeof accepts;
    sockaddr_storage address{};
    socklen_t address_size = sizeof address;
    if (::getsockopt(l.fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &size) != 0 || accepts == 0 ||
        ::getsockname(l.fd, reinterpret_cast<sockaddr*>(&address), &address_size) != 0 ||
        address.ss_family != AF_UNIX)
        return sentence(name, "is not a listening Unix socket");
    ::fcntl(l.fd, F_SETFD, FD_CLOEXEC);
    return out;
}

boost::system::result<listening_socket, std::string> open_loopback(const std::string& endpoint) {
    const bool is_six = endpoint.starts_with("[::1]:");
    if (!is_six && !endpoint.starts_with("127.0.0.1:"))
        return sentence(endpoint, "is not a loopback address with a port");
    const auto digits = endpoint.substr(endpoint.rfind(':') + 1);
    const auto port = static_cast<std::uint16_t>(std::strtoul(digits.c_str(), nullptr, 10));
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    six.sin6_addr = in6addr_loopback;
    const int family = is_six ? AF_INET6 : AF_INET;
    listening_socket out{::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    const int on = 1;
    const auto* address =
        is_six ? reinterpret_cast<const sockaddr*>(&six) : reinterpret_cast<const sockaddr*>(&four);
    if (out.descriptor() < 0 ||
        ::setsockopt(out.descriptor(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        ::bind(out.descriptor(), address, is_six ? sizeof six : sizeof four) != 0 ||
        ::listen(out.descriptor(), backlog) != 0)
        return system_sentence(endpoint, "cannot be listened on");
    return out;
}

int family_of(int socket) noexcept {
    int family = AF_UNSPEC;
    socklen_t size = sizeof family;
    (void)::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &size);
    return family;
}

}  // namespace estafette::net
