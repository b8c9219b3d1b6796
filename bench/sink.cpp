// bench_sink: a fast SMTP server that throws mail away and counts it. One thread, epoll, OpenSSL.
//
//   bench_sink --port P --cert FILE --key FILE [--implicit] [--plain] [--delay-ms N] [--greylist]
//              [--status FILE]
//
// --status names a file of seven 64-bit counters that other processes map: accepted, distinct, first and
// last time (ns), latencies recorded, connections, reserved; then the latencies (µs) of the mails whose
// header has "X-Stamp: <ns>".
// --delay-ms answers each flight of commands that much later; --greylist refuses every first try.
#include "wire.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#include <csignal>
#include <cstring>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

namespace {

using namespace bench;

constexpr std::size_t most_latencies = 4'000'000;

struct status {
    std::uint64_t accepted, distinct, first_ns, last_ns, latencies, connections, reserved;
    std::uint32_t latency_us[most_latencies];
};

struct options {
    bool implicit = false, plain = false, greylist = false;
    std::uint64_t delay_ns = 0;
};

// A set of 64-bit hashes: open addressing, grown by doubling.
class hash_set {
public:
    bool insert(std::uint64_t h) {
        h |= 1;  // 0 marks a free place
        if (count_ * 2 >= places_.size()) {
            grow();
        }
        if (!put(h)) {
            return false;
        }
        ++count_;
        return true;
    }

private:
    bool put(std::uint64_t h) {
        for (auto i = h & (places_.size() - 1);; i = (i + 1) & (places_.size() - 1)) {
            if (places_[i] == h) {
                return false;
            }
            if (places_[i] == 0) {
                places_[i] = h;
                return true;
            }
        }
    }

    void grow() {
        std::vector<std::uint64_t> old(places_.size() * 2, 0);
        old.swap(places_);
        for (const auto h : old) {
            if (h != 0) {
                put(h);
            }
        }
    }

    std::vector<std::uint64_t> places_ = std::vector<std::uint64_t>(1 << 16, 0);
    std::size_t count_ = 0;
};

std::uint64_t hash_of(std::string_view text) {
    std::uint64_t h = 14695981039346656037ull;
    for (const char c : text) {
        h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ull;
    }
    return h ^ (h >> 29);
}

class session {
public:
    session(int fd, SSL_CTX* tls, const options& o, status& s, hash_set& seen, hash_set& tried)
        : link{fd}
        , tls_{tls}
        , options_{o}
        , status_{s}
        , seen_{seen}
        , tried_{tried} {
        if (o.implicit) {
            link.start_tls(tls, true);
        }
        link.out = "220 sink.example ESMTP\r\n";
    }

    // Answers everything that came; false when the connection is over.
    bool on_input() {
        const auto state = link.read();
        std::size_t used = 0;
        while (used < link.in.size() && !wants_tls_) {
            const auto n = take(std::string_view{link.in}.substr(used));
            if (n == 0) {
                break;
            }
            used += n;
        }
        link.in.erase(0, used);
        return state != io::closed && !is_over_;
    }

    // After the answer to STARTTLS has gone.
    void after_flush() {
        if (wants_tls_) {
            wants_tls_ = false;
            link.in.clear();
            link.start_tls(tls_, true);
        }
    }

    wire link;
    std::string delayed;  // answers that wait for their time
    std::uint64_t due_ns = 0;

private:
    enum class mode { command, data, chunk };

    std::size_t take(std::string_view bytes) {
        switch (mode_) {
        case mode::data: return take_data(bytes);
        case mode::chunk: return take_chunk(bytes);
        case mode::command: break;
        }
        const auto end = bytes.find('\n');
        if (end == std::string_view::npos) {
            return 0;
        }
        auto line = bytes.substr(0, end);
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        command(line);
        return end + 1;
    }

    std::size_t take_data(std::string_view bytes) {
        if (content_ == 0) {
            look_for_stamp(bytes);
        }
        if (content_ == 0 && bytes.starts_with(".\r\n")) {
            finish_message();
            return 3;
        }
        const auto end = bytes.find("\r\n.\r\n");
        if (end != std::string_view::npos) {
            finish_message();
            return end + 5;
        }
        if (bytes.size() <= 4) {
            return 0;
        }
        content_ += bytes.size() - 4;
        return bytes.size() - 4;  // what may be the beginning of the end stays
    }

    std::size_t take_chunk(std::string_view bytes) {
        if (content_ == 0) {
            look_for_stamp(bytes);
        }
        const auto n = std::min<std::uint64_t>(bytes.size(), chunk_left_);
        chunk_left_ -= n;
        content_ += n;
        if (chunk_left_ == 0) {
            if (chunk_is_last_) {
                finish_message();
            } else {
                link_out("250 2.0.0 ok\r\n");
                mode_ = mode::command;
            }
        }
        return n;
    }

    void look_for_stamp(std::string_view bytes) {
        const auto at = bytes.substr(0, 2048).find("X-Stamp: ");
        stamp_ = at == std::string_view::npos ? 0 : std::strtoull(bytes.data() + at + 9, nullptr, 10);
    }

    void finish_message() {
        mode_ = mode::command;
        content_ = 0;
        if (!has_recipient_) {
            link_out("554 5.5.1 no valid recipients\r\n");
            return;
        }
        const auto now = now_ns();
        ++status_.accepted;
        if (seen_.insert(recipient_)) {
            ++status_.distinct;
        }
        if (status_.first_ns == 0) {
            status_.first_ns = now;
        }
        status_.last_ns = now;
        if (stamp_ != 0 && status_.latencies < most_latencies) {
            status_.latency_us[status_.latencies++] = static_cast<std::uint32_t>((now - stamp_) / 1000);
        }
        has_recipient_ = false;
        link_out("250 2.0.0 queued\r\n");
    }

    void command(std::string_view line) {
        const auto is = [&](const char* verb) {
            return ::strncasecmp(line.data(), verb, std::strlen(verb)) == 0;
        };
        if (is("MAIL")) {
            has_recipient_ = false;
            link_out("250 2.1.0 ok\r\n");
        } else if (is("RCPT")) {
            recipient_ = hash_of(line);
            if (options_.greylist && tried_.insert(recipient_)) {
                link_out("451 4.7.1 Greylisted, please try again in 5 seconds\r\n");
                return;
            }
            has_recipient_ = true;
            link_out("250 2.1.5 ok\r\n");
        } else if (is("DATA")) {
            if (!has_recipient_) {
                link_out("554 5.5.1 no valid recipients\r\n");
                return;
            }
            mode_ = mode::data;
            link_out("354 go ahead\r\n");
        } else if (is("BDAT")) {
            chunk_left_ = std::strtoull(line.data() + 5, nullptr, 10);
            chunk_is_last_ = line.find("LAST") != std::string_view::npos;
            mode_ = mode::chunk;
        } else if (is("EHLO")) {
            link_out("250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n"
            );
            link_out(link.is_tls() || options_.plain ? "" : "250-STARTTLS\r\n");
            link_out(link.is_tls() ? "250-AUTH PLAIN LOGIN\r\n" : "");
            link_out("250 SIZE 52428800\r\n");
        } else if (is("STARTTLS") && !link.is_tls()) {
            wants_tls_ = true;
            link_out("220 2.0.0 ready\r\n");
        } else if (is("AUTH")) {
            link_out("235 2.7.0 welcome\r\n");
        } else if (is("QUIT")) {
            is_over_ = true;
            link_out("221 2.0.0 bye\r\n");
        } else if (is("RSET") || is("NOOP") || is("HELO")) {
            link_out("250 2.0.0 ok\r\n");
        } else {
            link_out("502 5.5.2 what?\r\n");
        }
    }

    void link_out(std::string_view text) { (options_.delay_ns != 0 ? delayed : link.out) += text; }

    SSL_CTX* tls_;
    const options& options_;
    status& status_;
    hash_set& seen_;
    hash_set& tried_;
    mode mode_ = mode::command;
    std::uint64_t content_ = 0, chunk_left_ = 0, recipient_ = 0, stamp_ = 0;
    bool chunk_is_last_ = false, has_recipient_ = false, wants_tls_ = false, is_over_ = false;
};

class sink {
public:
    sink(int listener, SSL_CTX* tls, const options& o, status& s)
        : listener_{listener}
        , tls_{tls}
        , options_{o}
        , status_{s}
        , epoll_{::epoll_create1(EPOLL_CLOEXEC)} {
        epoll_event e{EPOLLIN, {.fd = listener_}};
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &e);
    }

    [[noreturn]] void run() {
        std::vector<epoll_event> events(256);
        for (;;) {
            const int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms());
            for (int i = 0; i < n; ++i) {
                if (events[static_cast<std::size_t>(i)].data.fd == listener_) {
                    accept_all();
                } else {
                    serve(events[static_cast<std::size_t>(i)].data.fd);
                }
            }
            release_due();
        }
    }

private:
    int wait_ms() const {
        if (waiting_.empty()) {
            return -1;
        }
        const auto now = now_ns();
        const auto due = waiting_.front().second;
        return due <= now ? 0 : static_cast<int>((due - now + 999'999) / 1'000'000);
    }

    void accept_all() {
        for (;;) {
            const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) {
                return;
            }
            ++status_.connections;
            auto& s = sessions_[fd];
            s = std::make_unique<session>(fd, tls_, options_, status_, seen_, tried_);
            epoll_event e{EPOLLIN, {.fd = fd}};
            ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &e);
            if (!options_.implicit) {
                s->link.write();
            }
        }
    }

    void serve(int fd) {
        const auto found = sessions_.find(fd);
        if (found == sessions_.end()) {
            return;
        }
        auto& s = *found->second;
        const bool goes_on = s.on_input();
        if (options_.delay_ns != 0 && !s.delayed.empty()) {
            if (s.due_ns == 0) {
                s.due_ns = now_ns() + options_.delay_ns;
                waiting_.emplace_back(fd, s.due_ns);
            }
        }
        if (s.link.write() == io::closed || !goes_on) {
            sessions_.erase(found);
            return;
        }
        if (s.delayed.empty()) {
            s.after_flush();
        }
    }

    void release_due() {
        const auto now = now_ns();
        while (!waiting_.empty() && waiting_.front().second <= now) {
            const auto [fd, due] = waiting_.front();
            waiting_.pop_front();
            const auto found = sessions_.find(fd);
            if (found == sessions_.end() || found->second->due_ns != due) {
                continue;
            }
            auto& s = *found->second;
            s.due_ns = 0;
            s.link.out += s.delayed;
            s.delayed.clear();
            s.link.write();
            s.after_flush();
        }
    }

    int listener_;
    SSL_CTX* tls_;
    const options& options_;
    status& status_;
    int epoll_;
    std::unordered_map<int, std::unique_ptr<session>> sessions_;
    std::deque<std::pair<int, std::uint64_t>> waiting_;  // fixed delay: in order of their time
    hash_set seen_, tried_;
};

status& map_status(const std::string& file) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || ::ftruncate(fd, sizeof(status)) != 0) {
        die(file.c_str());
    }
    void* at = ::mmap(nullptr, sizeof(status), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return *static_cast<status*>(at);
}

int listen_on(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::listen(fd, 1024) != 0) {
        die("listen");
    }
    return fd;
}

}  // namespace

int main(int argc, char** argv) {
    const arguments given{argc, argv};
    options o;
    o.implicit = given.has("implicit");
    o.plain = given.has("plain");
    o.greylist = given.has("greylist");
    o.delay_ns = given.number("delay-ms", 0) * 1'000'000;
    std::signal(SIGPIPE, SIG_IGN);
    SSL_CTX* tls = SSL_CTX_new(TLS_server_method());
    if (!o.plain &&
        (SSL_CTX_use_certificate_chain_file(tls, given.text("cert", "cert.pem").c_str()) != 1 ||
         SSL_CTX_use_PrivateKey_file(tls, given.text("key", "key.pem").c_str(), SSL_FILETYPE_PEM) != 1)) {
        die("certificate");
    }
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    sink s{
        listen_on(static_cast<std::uint16_t>(given.number("port", 2525))),
        tls,
        o,
        map_status(given.text("status", "/dev/shm/estafette-sink"))
    };
    s.run();
}
