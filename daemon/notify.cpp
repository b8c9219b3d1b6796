#include "notify.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>

namespace estafette {

namespace {

std::optional<std::int64_t> number_from_environment(const char* name) {
    const char* text = std::getenv(name);
    if (text == nullptr) {
        return std::nullopt;
    }
    std::int64_t value = 0;
    const auto [end, ec] = std::from_chars(text, text + std::strlen(text), value);
    return ec == std::errc{} && *end == '\0' ? std::optional{value} : std::nullopt;
}

}  // namespace

notifier::notifier() {
    if (const char* path = std::getenv("NOTIFY_SOCKET");
        path != nullptr && (path[0] == '/' || path[0] == '@')) {
        path_ = path;
        socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    }
    const auto pid = number_from_environment("WATCHDOG_PID");
    const auto usec = number_from_environment("WATCHDOG_USEC");
    if (usec && *usec > 0 && (!pid || *pid == ::getpid())) {
        watchdog_ = std::chrono::duration_cast<milliseconds>(std::chrono::microseconds{*usec} / 2);
    }
}

notifier::~notifier() {
    if (socket_ >= 0) {
        ::close(socket_);
    }
}

void notifier::send(std::string_view lines) const {
    if (socket_ < 0) {
        return;
    }
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    if (path_.size() >= sizeof to.sun_path) {
        return;
    }
    std::memcpy(to.sun_path, path_.data(), path_.size());
    if (path_.front() == '@') {
        to.sun_path[0] = '\0';  // the abstract namespace
    }
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
    (void)::sendto(
        socket_, lines.data(), lines.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), length
    );
}

std::vector<inherited_socket> take_inherited_sockets() {
    constexpr int first = 3;  // SD_LISTEN_FDS_START
    std::vector<inherited_socket> sockets;
    const auto pid = number_from_environment("LISTEN_PID");
    const auto count = number_from_environment("LISTEN_FDS");
    if (pid && *pid == ::getpid() && count && *count > 0 && *count < 1024) {
        const char* text = std::getenv("LISTEN_FDNAMES");
        std::string names = text != nullptr ? text : "";
        for (int i = 0; i < *count; ++i) {
            const auto colon = names.find(':');
            auto name = names.substr(0, colon);
            names = colon == std::string::npos ? std::string{} : names.substr(colon + 1);
            ::fcntl(first + i, F_SETFD, FD_CLOEXEC);
            sockets.push_back({first + i, name.empty() ? "unknown" : name});
        }
    }
    ::unsetenv("LISTEN_PID");
    ::unsetenv("LISTEN_FDS");
    ::unsetenv("LISTEN_FDNAMES");
    return sockets;
}

}  // namespace estafette
