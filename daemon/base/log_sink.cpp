#include "log_sink.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace estafette::log {

namespace {

class standard_error_sink final : public sink {
public:
    standard_error_sink()
        : logger_{"estafette", std::make_shared<spdlog::sinks::stderr_sink_mt>()} {
        logger_.set_formatter(std::make_unique<spdlog::pattern_formatter>(
            "%Y-%m-%dT%H:%M:%S.%eZ level=%l %v", spdlog::pattern_time_type::utc
        ));
        logger_.set_level(spdlog::level::trace);
        // What cannot be written cannot be reported either: a closed stderr must not stop the daemon.
        logger_.set_error_handler([](const std::string&) {});
    }

    bool write(const entry& e) override {
        static constexpr spdlog::level::level_enum levels[]{
            spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err
        };
        logger_.log(levels[static_cast<std::size_t>(e.importance)], spdlog::string_view_t{e.line()});
        return true;
    }

private:
    spdlog::logger logger_;
};

// systemd's "Journal Native Protocol". Never blocks: a full journal costs the entry, not the mail.
class journal_sink final : public sink {
public:
    journal_sink(int socket, std::string program)
        : socket_{socket}
        , program_{std::move(program)} {}

    ~journal_sink() override { ::close(socket_); }

    journal_sink(const journal_sink&) = delete;
    journal_sink& operator=(const journal_sink&) = delete;

    bool write(const entry& e) override {
        const std::string datagram = journal_datagram(e, program_);
        ssize_t sent = 0;
        do {
            sent = ::send(socket_, datagram.data(), datagram.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        } while (sent < 0 && errno == EINTR);
        return sent == static_cast<ssize_t>(datagram.size());
    }

private:
    int socket_;
    std::string program_;
};

// syslog(3): err 3, warning 4, info 6, debug 7.
int priority(level l) noexcept {
    switch (l) {
    case level::debug: return 7;
    case level::info: return 6;
    case level::warning: return 4;
    case level::error: return 3;
    }
    return 6;
}

// Journal field names: upper-case letters, digits, underscores; at most 64.
std::string journal_name(std::string_view key) {
    std::string out = "ESTAFETTE_";
    for (const char c : key.substr(0, 64 - out.size())) {
        const bool is_lower = c >= 'a' && c <= 'z';
        const bool is_fine = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        out += is_lower ? static_cast<char>(c - 'a' + 'A') : is_fine ? c : '_';
    }
    return out;
}

}  // namespace

std::unique_ptr<sink> open_standard_error() {
    return std::make_unique<standard_error_sink>();
}

std::unique_ptr<sink> open_journal(const std::string& socket, const std::string& program) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    if (socket.size() >= sizeof to.sun_path)
        return nullptr;
    std::memcpy(to.sun_path, socket.data(), socket.size());
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return nullptr;
    const int wanted = 8 << 20;  // as systemd's own client asks for; less is granted without complaint
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof wanted);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
        ::close(fd);
        return nullptr;
    }
    return std::make_unique<journal_sink>(fd, program);
}

bool is_standard_error_the_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");  // "device:inode"
    struct stat status{};
    if (stream == nullptr || ::fstat(STDERR_FILENO, &status) != 0)
        return false;
    return std::to_string(status.st_dev) + ':' + std::to_string(status.st_ino) == stream;
}

std::string journal_datagram(const entry& e, const std::string& program) {
    std::string out = "MESSAGE=" + e.line() + "\nPRIORITY=" + std::to_string(priority(e.importance)) +
                      "\nSYSLOG_IDENTIFIER=" + program + "\nESTAFETTE_EVENT=" + std::string{e.name} + '\n';
    if (!e.catalogue_id.empty())
        out.append("MESSAGE_ID=").append(e.catalogue_id).append("\n");
    for (const auto& [key, value] : e.fields)  // values are printable: no line break in them
        out.append(journal_name(key)).append("=").append(value).append("\n");
    return out;
}

}  // namespace estafette::log
