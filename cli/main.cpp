// estafette(1), and sendmail(8) where it is called by that name.

#include "command.hpp"

#include "estafette/base/text.hpp"

#include <pwd.h>
#include <sys/ioctl.h>
#include <syslog.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

namespace estafette::cli {
namespace {

caller this_user() {
    const uid_t uid = getuid();
    const passwd* entry = getpwuid(uid);
    if (entry == nullptr) {
        return {std::to_string(uid), {}};
    }
    const std::string gecos = entry->pw_gecos == nullptr ? "" : entry->pw_gecos;
    return {entry->pw_name, gecos.substr(0, gecos.find(','))};
}

void to_syslog(const std::string& line) {
    syslog(LOG_INFO, "%s", printable(line).c_str());
}

std::size_t columns_of(int fd) {
    winsize size{};
    return isatty(fd) == 1 && ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

std::optional<std::string> environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>{value};
}

}  // namespace
}  // namespace estafette::cli

int main(int argc, char** argv) {
    std::ios::sync_with_stdio(false);
    namespace cli = estafette::cli;
    openlog("estafette", LOG_PID, LOG_MAIL);
    const auto now = [] {
        return std::chrono::floor<estafette::milliseconds>(std::chrono::system_clock::now());
    };
    cli::console io{
        std::cin,
        std::cout,
        std::cerr,
        cli::environment,
        now,
        cli::this_user,
        cli::to_syslog,
        isatty(STDIN_FILENO) == 1,
        cli::columns_of(STDOUT_FILENO)
    };
    int code = static_cast<int>(cli::exit_code::software);
    try {
        code = cli::run({argv, argv + argc}, io);
    } catch (const std::exception& e) {
        std::cerr << "estafette: " << estafette::printable(e.what()) << '\n';
    }
    std::cout.flush();
    if (!std::cout) {
        std::cerr << "estafette: standard output could not be written\n";
        return code == 0 ? static_cast<int>(cli::exit_code::io) : code;
    }
    return code;
}
