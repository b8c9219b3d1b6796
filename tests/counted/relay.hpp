// A server for one connection on a thread of its own, over implicit TLS or in clear, that takes everything as
// fast as it comes and answers a group of commands at once.
#pragma once

#include "../unit/net/certificates.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace counted {

enum class security : std::uint8_t { clear, tls };

class relay {
public:
    relay(security how, std::string extensions)
        : extensions_{std::move(extensions)}
        , listening_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes farewells to those who have left
        sockaddr_in here{};
        here.sin_family = AF_INET;
        here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof here;
        if (::bind(listening_, reinterpret_cast<sockaddr*>(&here), size) != 0 ||
            ::listen(listening_, 4) != 0 ||
            ::getsockname(listening_, reinterpret_cast<sockaddr*>(&here), &size) != 0) {
            throw std::runtime_error{"no socket"};
        }
        port_ = ntohs(here.sin_port);
        if (how == security::tls) {
            context_ = SSL_CTX_new(TLS_server_method());
            key_ = testing_net::make_key();
            const testing_net::authority root{"root"};
            certificate_ = root.issue({.names = {"IP:127.0.0.1"}}, key_.get());
            SSL_CTX_use_certificate(context_, certificate_.get());
            SSL_CTX_use_PrivateKey(context_, key_.get());
        }
        runner_ = std::thread{[this] { run(); }};
    }

    // After the client has gone.
    ~relay() {
        ::shutdown(listening_, SHUT_RDWR);
        runner_.join();
        ::close(listening_);
        SSL_CTX_free(context_);
    }

    relay(const relay&) = delete;
    relay& operator=(const relay&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

private:
    void run() {
        for (int fd = 0; (fd = ::accept(listening_, nullptr, nullptr)) >= 0; ::close(fd)) {
            if (context_ == nullptr) {
                serve(
                    [&](char* to, int n) {
                        return static_cast<int>(::recv(fd, to, static_cast<std::size_t>(n), 0));
                    },
                    [&](std::string_view text) { (void)::send(fd, text.data(), text.size(), MSG_NOSIGNAL); }
                );
                continue;
            }
            SSL* tls = SSL_new(context_);
            SSL_set_fd(tls, fd);
            if (SSL_accept(tls) == 1) {
                serve(
                    [&](char* to, int n) { return SSL_read(tls, to, n); },
                    [&](std::string_view text) {
                        (void)SSL_write(tls, text.data(), static_cast<int>(text.size()));
                    }
                );
                SSL_shutdown(tls);
            }
            SSL_free(tls);
        }
    }

    template <class Read, class Write> void serve(Read read, Write write) {
        std::array<char, 16 * 1024> buffer{};
        std::string in, out;
        bool in_content = false;
        write("220 relay.example\r\n");
        for (int n = 0; (n = read(buffer.data(), static_cast<int>(buffer.size()))) > 0;) {
            in.append(buffer.data(), static_cast<std::size_t>(n));
            std::size_t at = 0;
            for (std::size_t end = 0; (end = in.find("\r\n", at)) != std::string::npos; at = end + 2) {
                const auto line = std::string_view{in}.substr(at, end - at);
                if (in_content) {
                    in_content = line != ".";
                    out += in_content ? "" : "250 2.0.0 Ok: queued as 4XyZ3k1Qv7z9W\r\n";
                } else if (line == "DATA") {
                    in_content = true;
                    out += "354 End data with <CR><LF>.<CR><LF>\r\n";
                } else if (line.starts_with("EHLO")) {
                    out += "250-relay.example\r\n" + extensions_ + "250 8BITMIME\r\n";
                } else {
                    out += line == "QUIT" ? "221 2.0.0 Bye\r\n" : "250 2.1.5 A long sentence to say yes\r\n";
                }
            }
            in.erase(0, at);
            if (!out.empty()) {
                write(out);
                out.clear();
            }
        }
    }

    std::string extensions_;
    int listening_;
    std::uint16_t port_ = 0;
    SSL_CTX* context_ = nullptr;
    testing_net::key_ptr key_;
    testing_net::certificate_ptr certificate_;
    std::thread runner_;
};

}  // namespace counted
