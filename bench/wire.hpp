// What the benchmark programs share: a non-blocking connection, plain or TLS (OpenSSL), with an output
// buffer; the clock; small option parsing. No queue, no Asio: this is the limit, not the product.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <string>
#include <string_view>

namespace bench {

// Nanoseconds of CLOCK_MONOTONIC: the same clock in every process of the machine.
inline std::uint64_t now_ns() {
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(t.tv_nsec);
}

inline double cpu_seconds() {
    timespec t{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

[[noreturn]] inline void die(const char* what) {
    std::fprintf(stderr, "%s: %s\n", what, errno != 0 ? std::strerror(errno) : "failed");
    std::exit(1);
}

enum class io { ok, again, closed };

// One connection. Input is appended to `in`; output is taken from `out` as far as the socket takes it.
class wire {
public:
    explicit wire(int fd)
        : fd_{fd} {
        const int on = 1;
        ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }

    ~wire() {
        if (ssl_ != nullptr) {
            SSL_free(ssl_);
        }
        ::close(fd_);
    }

    wire(const wire&) = delete;
    wire& operator=(const wire&) = delete;

    void start_tls(SSL_CTX* context, bool as_server) {
        ssl_ = SSL_new(context);
        SSL_set_fd(ssl_, fd_);
        as_server ? SSL_set_accept_state(ssl_) : SSL_set_connect_state(ssl_);
    }

    [[nodiscard]] bool is_tls() const { return ssl_ != nullptr; }

    [[nodiscard]] int fd() const { return fd_; }

    // Reads all there is.
    io read() {
        for (;;) {
            const auto before = in.size();
            in.resize(before + chunk);
            const long n = ssl_ != nullptr ? SSL_read(ssl_, in.data() + before, chunk)
                                           : ::recv(fd_, in.data() + before, chunk, 0);
            in.resize(before + static_cast<std::size_t>(n > 0 ? n : 0));
            if (n > 0) {
                if (ssl_ == nullptr && n < static_cast<long>(chunk)) {
                    return quickack(io::again);
                }
                continue;
            }
            return quickack(wants_more(n) ? io::again : io::closed);
        }
    }

    // Writes what it can of `out`.
    io write() {
        while (sent_ < out.size()) {
            const auto left = out.size() - sent_;
            const long n = ssl_ != nullptr ? SSL_write(ssl_, out.data() + sent_, static_cast<int>(left))
                                           : ::send(fd_, out.data() + sent_, left, MSG_NOSIGNAL);
            if (n <= 0) {
                return wants_more(n) ? io::again : io::closed;
            }
            sent_ += static_cast<std::size_t>(n);
        }
        out.clear();
        sent_ = 0;
        return io::ok;
    }

    std::string in, out;

private:
    static constexpr std::size_t chunk = 16 * 1024;

    [[nodiscard]] bool wants_more(long n) const {
        if (ssl_ == nullptr) {
            return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        }
        const int e = SSL_get_error(ssl_, static_cast<int>(n));
        ERR_clear_error();
        return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE;
    }

    // With delayed acknowledgements the peer would lose 40 ms a mail, which would flatter us.
    io quickack(io result) const {
        const int on = 1;
        ::setsockopt(fd_, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
        return result;
    }

    int fd_;
    SSL* ssl_ = nullptr;
    std::size_t sent_ = 0;
};

// "--name value" pairs and bare "--name" flags.
class arguments {
public:
    arguments(int argc, char** argv) {
        for (int i = 1; i < argc; ++i) {
            std::string_view name{argv[i]};
            if (!name.starts_with("--")) {
                std::fprintf(stderr, "unexpected argument %s\n", argv[i]);
                std::exit(64);
            }
            name.remove_prefix(2);
            const bool has_value = i + 1 < argc && std::string_view{argv[i + 1]}.substr(0, 2) != "--";
            values_[std::string{name}] = has_value ? argv[++i] : "";
        }
    }

    [[nodiscard]] bool has(const char* name) const { return values_.contains(name); }

    [[nodiscard]] std::string text(const char* name, std::string fallback) const {
        const auto found = values_.find(name);
        return found == values_.end() ? fallback : found->second;
    }

    [[nodiscard]] std::uint64_t number(const char* name, std::uint64_t fallback) const {
        const auto found = values_.find(name);
        return found == values_.end() ? fallback : std::strtoull(found->second.c_str(), nullptr, 10);
    }

private:
    std::map<std::string, std::string> values_;
};

}  // namespace bench
