// bench_limit: the bare client, the limit of this machine. One thread, no queue, no disk: it sends the
// same message again and again over N connections and prints one JSON line.
//
//   bench_limit --port P --mode lockstep|classic|across|bdat [--connections N] [--messages M]
//               [--size BYTES] [--window W] [--plain] [--implicit]
#include "wire.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/epoll.h>

#include <csignal>
#include <cstring>
#include <memory>
#include <vector>

namespace {

using namespace bench;

enum class mode { lockstep, classic, across, bdat };

struct work {
    mode how = mode::across;
    std::uint64_t total = 0, begun = 0, done = 0;
    std::uint32_t window = 4;
    bool plain = false, implicit = false;
    std::string body;

    std::uint64_t first_ns = 0, last_ns = 0;
};

std::string make_body(std::size_t size) {
    std::string body = "From: limit@example.org\r\nTo: you@example.org\r\nSubject: limit\r\n\r\n";
    while (body.size() < size) {
        body += "The quick brown fox jumps over the lazy dog, and then again, and again.\r\n";
    }
    return body;
}

class client {
public:
    client(int fd, SSL_CTX* tls, work& w)
        : link{fd}
        , tls_{tls}
        , work_{w} {
        if (w.implicit) {
            link.start_tls(tls, false);
        }
    }

    // False when it is done or the server closed.
    bool on_input() {
        const auto state = link.read();
        std::size_t used = 0;
        for (;;) {
            const auto end = link.in.find('\n', used);
            if (end == std::string::npos) {
                break;
            }
            const bool is_last = end - used >= 4 && link.in[used + 3] == ' ';
            const char first = link.in[used];
            used = end + 1;
            if (is_last) {
                on_reply(first);
            }
        }
        link.in.erase(0, used);
        const auto written = link.write();
        return state != io::closed && written != io::closed && stage_ != stage::over;
    }

    wire link;

private:
    enum class stage { banner, ehlo, starttls, ehlo_again, mail, rcpt, data, dot, over };

    void on_reply(char first) {
        switch (stage_) {
        case stage::banner:
            say("EHLO limit.example\r\n", link.is_tls() ? stage::ehlo_again : stage::ehlo);
            return;
        case stage::ehlo:
            if (work_.plain) {
                begin();
            } else {
                say("STARTTLS\r\n", stage::starttls);
            }
            return;
        case stage::starttls:
            link.start_tls(tls_, false);
            say("EHLO limit.example\r\n", stage::ehlo_again);
            return;
        case stage::ehlo_again: begin(); return;
        case stage::mail:
        case stage::rcpt:
        case stage::data:
        case stage::dot: on_transaction_reply(first); return;
        case stage::over: return;
        }
    }

    void on_transaction_reply(char first) {
        if (first != '2' && first != '3') {
            std::fprintf(stderr, "refused in stage %d\n", static_cast<int>(stage_));
            std::exit(1);
        }
        switch (stage_) {
        case stage::mail:
            stage_ = stage::rcpt;
            if (work_.how == mode::lockstep) {
                link.out += rcpt_;
            }
            return;
        case stage::rcpt:
            stage_ = work_.how == mode::bdat ? stage::dot : stage::data;
            if (work_.how == mode::lockstep) {
                link.out += "DATA\r\n";
            }
            return;
        case stage::data:
            link.out += work_.body;
            link.out += ".\r\n";
            stage_ = stage::dot;
            if (work_.how == mode::across) {
                send_envelope();
            }
            return;
        case stage::dot:
            if (work_.first_ns == 0) {
                work_.first_ns = now_ns();
            }
            work_.last_ns = now_ns();
            ++work_.done;
            --in_flight_;
            stage_ = stage::mail;
            if (work_.how != mode::across || in_flight_ == 0) {
                send_envelope();
            }
            if (in_flight_ == 0) {
                say("QUIT\r\n", stage::over);
            }
            return;
        case stage::banner:
        case stage::ehlo:
        case stage::starttls:
        case stage::ehlo_again:
        case stage::over: return;
        }
    }

    void begin() {
        stage_ = stage::mail;
        for (std::uint32_t i = 0; i < (work_.how == mode::bdat ? work_.window : 1); ++i) {
            send_envelope();
        }
        if (in_flight_ == 0) {
            say("QUIT\r\n", stage::over);
        }
    }

    void send_envelope() {
        if (work_.begun == work_.total) {
            return;
        }
        ++in_flight_;
        char rcpt[80];
        std::snprintf(
            rcpt,
            sizeof rcpt,
            "RCPT TO:<u%llu@example.org>\r\n",
            static_cast<unsigned long long>(++work_.begun)
        );
        link.out += "MAIL FROM:<limit@example.org>\r\n";
        if (work_.how == mode::lockstep) {
            rcpt_ = rcpt;
            return;
        }
        link.out += rcpt;
        if (work_.how == mode::bdat) {
            link.out += "BDAT " + std::to_string(work_.body.size()) + " LAST\r\n" + work_.body;
        } else {
            link.out += "DATA\r\n";
        }
    }

    void say(const char* line, stage next) {
        link.out += line;
        stage_ = next;
    }

    SSL_CTX* tls_;
    work& work_;
    stage stage_ = stage::banner;
    std::string rcpt_;
    std::uint32_t in_flight_ = 0;
};

int connect_to(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
        die("connect");
    }
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

mode parse_mode(const std::string& text) {
    if (text == "lockstep")
        return mode::lockstep;
    if (text == "classic")
        return mode::classic;
    if (text == "bdat")
        return mode::bdat;
    return mode::across;
}

}  // namespace

int main(int argc, char** argv) {
    const arguments given{argc, argv};
    work w;
    w.how = parse_mode(given.text("mode", "across"));
    w.total = given.number("messages", 20000);
    w.window = static_cast<std::uint32_t>(given.number("window", 4));
    w.plain = given.has("plain");
    w.implicit = given.has("implicit");
    w.body = make_body(given.number("size", 4096));
    std::signal(SIGPIPE, SIG_IGN);
    SSL_CTX* tls = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    std::vector<std::unique_ptr<client>> clients;
    const auto started = now_ns();
    for (std::uint64_t i = 0; i < given.number("connections", 20); ++i) {
        const int fd = connect_to(static_cast<std::uint16_t>(given.number("port", 2525)));
        auto& c = clients.emplace_back(std::make_unique<client>(fd, tls, w));
        epoll_event e{EPOLLIN | EPOLLOUT | EPOLLET, {.u64 = i}};
        ::epoll_ctl(epoll, EPOLL_CTL_ADD, c->link.fd(), &e);
    }
    std::size_t open = clients.size();
    std::vector<epoll_event> events(256);
    while (open != 0) {
        const int n = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 30'000);
        if (n == 0) {
            std::fputs("no answer for 30 s\n", stderr);
            return 1;
        }
        for (int i = 0; i < n; ++i) {
            auto& c = clients[events[static_cast<std::size_t>(i)].data.u64];
            if (c && !c->on_input()) {
                c.reset();
                --open;
            }
        }
    }
    const double span = static_cast<double>(w.last_ns - w.first_ns) / 1e9;
    std::printf(
        "{\"messages\":%llu,\"seconds\":%.4f,\"per_second\":%.0f,\"cpu_seconds\":%.4f,\"elapsed\":%.4f}\n",
        static_cast<unsigned long long>(w.done),
        span,
        static_cast<double>(w.done) / span,
        cpu_seconds(),
        static_cast<double>(now_ns() - started) / 1e9
    );
    return w.done == w.total ? 0 : 1;
}
