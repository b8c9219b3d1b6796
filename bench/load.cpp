// bench_load: enqueues through the Unix socket and measures it. C callers, each on a connection of its
// own, each waiting for its 202 before the next; or batches (NDJSON). With --smtp it hands the same mail to
// an MTA on the loopback instead. Prints one JSON line.
//
//   bench_load --socket PATH | --smtp PORT [--messages N] [--callers C] [--size BYTES] [--batch LINES]
//   [--rate PER_S]
//              [--first NUMBER] [--tenant T] [--priority P] [--send-at RFC3339] [--from A] [--domain D]
//
// Every message has a recipient of its own, u<number>@<domain>, and "X-Stamp: <ns>" in its header, by which
// bench_sink knows how old it is. --rate spreads the calls evenly; without it they go as fast as they can.
#include "callers.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/un.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <memory>
#include <vector>

namespace {

using namespace bench;

int connect_to(const std::string& path) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::strncpy(to.sun_path, path.c_str(), sizeof to.sun_path - 1);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
        die(path.c_str());
    }
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

int connect_to(std::uint64_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
        die("the MTA");
    }
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

std::unique_ptr<caller> make_caller(const arguments& given, work& w) {
    if (given.has("smtp")) {
        return std::make_unique<smtp_caller>(connect_to(given.number("smtp", 25)), w);
    }
    return std::make_unique<http_caller>(connect_to(given.text("socket", "/run/estafette/api.sock")), w);
}

std::string text_of(std::size_t size, const char* line_end) {
    std::string text;
    while (text.size() < size) {
        text += "The quick brown fox jumps over the lazy dog, again and again.";
        text += line_end;
    }
    return text;
}

double percentile(std::vector<std::uint32_t>& sorted, double p) {
    return sorted.empty()
               ? 0
               : sorted[static_cast<std::size_t>(p * static_cast<double>(sorted.size() - 1))] / 1000.0;
}

}  // namespace

int main(int argc, char** argv) {
    const arguments given{argc, argv};
    work w;
    w.total = given.number("messages", 10000);
    w.first = given.number("first", 0);
    w.batch = std::max<std::uint64_t>(1, given.number("batch", 1));
    w.from = given.text("from", "load@example.org");
    w.domain = given.text("domain", "example.org");
    w.text = text_of(given.number("size", 4096), given.has("smtp") ? "\r\n" : "\\r\\n");
    for (const auto* name : {"tenant", "priority"}) {
        if (given.has(name)) {
            w.extra += std::string{",\""} + name + "\":\"" + given.text(name, "") + "\"";
        }
    }
    if (given.has("send-at")) {
        w.extra += ",\"send_at\":\"" + given.text("send-at", "") + "\"";
    }
    std::signal(SIGPIPE, SIG_IGN);
    const auto rate = given.number("rate", 0);
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    std::vector<std::unique_ptr<caller>> callers;
    for (std::uint64_t i = 0; i < given.number("callers", 16); ++i) {
        auto& c = callers.emplace_back(make_caller(given, w));
        epoll_event e{EPOLLIN | EPOLLOUT | EPOLLET, {.u64 = i}};
        ::epoll_ctl(epoll, EPOLL_CTL_ADD, c->link.fd(), &e);
    }
    const auto started = now_ns();
    std::vector<epoll_event> events(64);
    while (w.done + w.failed < w.total) {
        int wait = 30'000;
        for (auto& c : callers) {
            if (!c->is_idle() || w.begun == w.total) {
                continue;
            }
            if (rate != 0 && now_ns() < started + w.begun * 1'000'000'000u / rate) {
                wait = 1;
                break;
            }
            c->call();
            if (!c->on_event()) {
                die("the server closed the connection");
            }
        }
        const int n = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), wait);
        if (n == 0 && wait == 30'000) {
            std::fputs("no answer for 30 s\n", stderr);
            return 1;
        }
        for (int i = 0; i < n; ++i) {
            if (!callers[events[static_cast<std::size_t>(i)].data.u64]->on_event()) {
                die("the server closed the connection");
            }
        }
    }
    const double seconds = static_cast<double>(now_ns() - started) / 1e9;
    std::sort(w.latency_us.begin(), w.latency_us.end());
    std::printf(
        "{\"messages\":%llu,\"failed\":%llu,\"seconds\":%.4f,\"per_second\":%.0f,\"p50_ms\":%.3f,\"p99_ms\":%"
        ".3f,"
        "\"cpu_seconds\":%.4f}\n",
        static_cast<unsigned long long>(w.done),
        static_cast<unsigned long long>(w.failed),
        seconds,
        static_cast<double>(w.done) / seconds,
        percentile(w.latency_us, 0.5),
        percentile(w.latency_us, 0.99),
        cpu_seconds()
    );
    return w.failed == 0 ? 0 : 1;
}
