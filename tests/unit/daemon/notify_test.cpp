#include "notify.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace estafette {
namespace {

// What systemd has at the other end of $NOTIFY_SOCKET.
class receiver {
public:
    explicit receiver(const std::string& path)
        : fd_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)} {
        sockaddr_un at{};
        at.sun_family = AF_UNIX;
        std::memcpy(at.sun_path, path.data(), path.size());
        if (path.front() == '@') {
            at.sun_path[0] = '\0';
        }
        const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
        EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&at), length), 0);
    }

    ~receiver() { ::close(fd_); }

    receiver(const receiver&) = delete;
    receiver& operator=(const receiver&) = delete;

    std::string receive() {
        char text[512];
        const auto n = ::recv(fd_, text, sizeof text, 0);
        return n < 0 ? "" : std::string{text, static_cast<std::size_t>(n)};
    }

private:
    int fd_;
};

class notify : public ::testing::Test {
protected:
    void TearDown() override {
        for (const auto* name :
             {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"
             }) {
            ::unsetenv(name);
        }
    }
};

TEST_F(notify, reaches_a_socket_by_its_path_and_by_an_abstract_name) {
    const auto path = std::filesystem::temp_directory_path() / ("notify-test-" + std::to_string(::getpid()));
    for (const auto& name : {path.string(), "@notify-test-" + std::to_string(::getpid())}) {
        receiver r{name};
        ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
        notifier{}.send("READY=1\nSTATUS=up");
        EXPECT_EQ(r.receive(), "READY=1\nSTATUS=up") << name;
    }
    std::filesystem::remove(path);
}

TEST_F(notify, without_systemd_says_nothing_and_fails_nothing) {
    notifier n;
    n.send("READY=1");
    EXPECT_FALSE(n.watchdog_interval());
}

TEST_F(notify, pings_twice_in_the_time_that_systemd_waits) {
    ::setenv("WATCHDOG_USEC", "30000000", 1);
    EXPECT_EQ(notifier{}.watchdog_interval(), seconds{15});
}

TEST_F(notify, a_watchdog_of_another_process_is_not_ours) {
    ::setenv("WATCHDOG_USEC", "30000000", 1);
    ::setenv("WATCHDOG_PID", "1", 1);
    EXPECT_FALSE(notifier{}.watchdog_interval());
}

TEST_F(notify, takes_the_sockets_meant_for_it_with_their_names_and_once) {
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", "2", 1);
    ::setenv("LISTEN_FDNAMES", "api:", 1);
    const auto sockets = take_inherited_sockets();
    ASSERT_EQ(sockets.size(), 2u);
    EXPECT_EQ(sockets[0].fd, 3);
    EXPECT_EQ(sockets[0].name, "api");
    EXPECT_EQ(sockets[1].name, "unknown");
    EXPECT_TRUE(take_inherited_sockets().empty());
}

TEST_F(notify, sockets_of_another_process_are_left_alone) {
    ::setenv("LISTEN_PID", "1", 1);
    ::setenv("LISTEN_FDS", "2", 1);
    EXPECT_TRUE(take_inherited_sockets().empty());
}

}  // namespace
}  // namespace estafette
