// bench_load: enqueues through the Unix socket and measures it. C callers, each on a connection of its
// own, each waiting for its 202 before the next; or batches (NDJSON). Prints one JSON line.
//
//   bench_load --socket PATH [--messages N] [--callers C] [--size BYTES] [--batch LINES] [--rate PER_S]
//              [--first NUMBER] [--tenant T] [--priority P] [--send-at RFC3339] [--from A] [--domain D]
//
// Every message has a recipient of its own, u<number>@<domain>, and "X-Stamp: <ns>" in its header, by which
// bench_sink knows how old it is. --rate spreads the calls evenly; without it they go as fast as they can.
#include "wire.hpp"

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

struct work {
    std::uint64_t total = 0, begun = 0, done = 0, failed = 0, first = 0, batch = 1;
    std::string from, domain, extra, text;
    std::vector<std::uint32_t> latency_us;
};

std::string message_json(const work& w, std::uint64_t number) {
    return "{\"from\":\"" + w.from + "\",\"to\":[\"u" + std::to_string(w.first + number) + "@" + w.domain +
           "\"],\"subject\":\"Load\",\"headers\":{\"X-Stamp\":\"" + std::to_string(now_ns()) + "\"}" +
           w.extra + ",\"text\":\"" + w.text + "\"}";
}

class caller {
public:
    caller(int fd, work& w)
        : link{fd}
        , work_{w} {}

    bool is_idle() const { return !is_waiting_; }

    void call() {
        const auto lines = std::min(work_.batch, work_.total - work_.begun);
        std::string body;
        for (std::uint64_t i = 0; i < lines; ++i) {
            body += message_json(work_, work_.begun++);
            if (work_.batch > 1) {
                body += '\n';
            }
        }
        link.out += "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: ";
        link.out += work_.batch > 1 ? "application/x-ndjson" : "application/json";
        link.out += "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
        lines_ = lines;
        started_ = now_ns();
        is_waiting_ = true;
    }

    // False when the connection is lost.
    bool on_event() {
        if (link.write() == io::closed) {
            return false;
        }
        const auto state = link.read();
        if (is_waiting_ && answer_is_complete()) {
            finish();
        }
        return state != io::closed;
    }

    wire link;

private:
    bool answer_is_complete() {
        const auto head = link.in.find("\r\n\r\n");
        if (head == std::string::npos) {
            return false;
        }
        const auto at = link.in.find("Content-Length: ");
        if (at == std::string::npos || at > head) {
            std::fprintf(stderr, "answer without a length: %s\n", link.in.substr(0, 200).c_str());
            std::exit(1);
        }
        return link.in.size() >= head + 4 + std::strtoull(link.in.c_str() + at + 16, nullptr, 10);
    }

    void finish() {
        const bool is_good = link.in.compare(9, 3, "202") == 0 || link.in.compare(9, 3, "200") == 0;
        std::uint64_t good = is_good ? lines_ : 0;
        if (is_good && work_.batch > 1) {
            good = 0;
            for (std::size_t at = 0; (at = link.in.find("\"status\":202", at)) != std::string::npos; ++at) {
                ++good;
            }
        }
        if (good != lines_ && work_.failed == 0) {
            std::fprintf(stderr, "refused: %s\n", link.in.substr(0, 400).c_str());
        }
        work_.done += good;
        work_.failed += lines_ - good;
        work_.latency_us.push_back(static_cast<std::uint32_t>((now_ns() - started_) / 1000));
        link.in.clear();
        is_waiting_ = false;
    }

    work& work_;
    std::uint64_t lines_ = 0, started_ = 0;
    bool is_waiting_ = false;
};

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

std::string text_of(std::size_t size) {
    std::string text;
    while (text.size() < size) {
        text += "The quick brown fox jumps over the lazy dog, again and again.\\r\\n";
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
    w.text = text_of(given.number("size", 4096));
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
    const auto path = given.text("socket", "/run/estafette/api.sock");
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    std::vector<std::unique_ptr<caller>> callers;
    for (std::uint64_t i = 0; i < given.number("callers", 16); ++i) {
        auto& c = callers.emplace_back(std::make_unique<caller>(connect_to(path), w));
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
