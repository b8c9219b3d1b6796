// sd_notify(3) without a library: one datagram to $NOTIFY_SOCKET, a path or an abstract name.
// Where systemd did not start us it does nothing.
#pragma once

#include "estafette/base/time.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace estafette {

class notifier {
public:
    // From the environment: NOTIFY_SOCKET, WATCHDOG_USEC with WATCHDOG_PID.
    notifier();
    ~notifier();
    notifier(const notifier&) = delete;
    notifier& operator=(const notifier&) = delete;

    // "READY=1\nSTATUS=…": lines as sd_notify(3) names them.
    void send(std::string_view lines) const;

    // How often to send WATCHDOG=1: half of what systemd waits for; none: it does not watch.
    [[nodiscard]] std::optional<milliseconds> watchdog_interval() const noexcept { return watchdog_; }

private:
    int socket_ = -1;
    std::string path_;
    std::optional<milliseconds> watchdog_;
};

// Sockets handed over by systemd (LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES), taken out of the environment.
struct inherited_socket {
    int fd = -1;
    std::string name;
};

[[nodiscard]] std::vector<inherited_socket> take_inherited_sockets();

}  // namespace estafette
