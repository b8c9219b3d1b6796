// TLS over a TCP socket, without a detour: what OpenSSL encrypts goes to the kernel from where it lies,
// what the kernel has is decrypted from one small buffer. Asio's own stream moves each record through a
// pair of buffers and allocates for each step.
//
// try_read() and try_write() do what can be done at once and never wait; would_block says that nothing
// could, and wait_for_more() waits for what they lack. The socket outlives it. Private to this folder.
// Thread: the loop.
#pragma once

#include "estafette/base/error.hpp"
#include "estafette/net/drive.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <memory>
#include <span>

struct ssl_st;

namespace estafette::net {

class tls_stream {
public:
    using tcp = asio::ip::tcp;

    // `client` is taken over.
    tls_stream(tcp::socket& socket, ssl_st* client);
    ~tls_stream();
    tls_stream(const tls_stream&) = delete;
    tls_stream& operator=(const tls_stream&) = delete;

    [[nodiscard]] asio::awaitable<error_code> shake_hands();

    // Says goodbye and waits for theirs; the owner's deadline bounds it.
    [[nodiscard]] asio::awaitable<void> part();

    // Some decrypted bytes. asio::error::would_block, eof after their goodbye, an error of TLS or TCP.
    [[nodiscard]] io_count try_read(std::span<char> to) noexcept;

    // All of `from` (not empty, one record at most) or, with would_block, none: call again with the same.
    [[nodiscard]] io_count try_write(std::span<const char> from) noexcept;

    // After would_block: until more has come, or more can go.
    [[nodiscard]] asio::awaitable<error_code> wait_for_more();

    // Something came with the last read that nobody has asked for.
    [[nodiscard]] bool has_unread() const noexcept;

    [[nodiscard]] ssl_st* native_handle() const noexcept { return client_.get(); }

private:
    struct plumbing;
    struct free_client {
        void operator()(ssl_st* client) const noexcept;
    };

    [[nodiscard]] error_code problem(int returned) noexcept;

    tcp::socket& socket_;
    std::unique_ptr<ssl_st, free_client> client_;
    std::array<char, 4096> came_{};  // from the kernel, still encrypted
    std::size_t came_at_ = 0, came_end_ = 0;
    int send_error_ = 0;  // errno of the last send
    bool wants_to_write_ = false;
};

}  // namespace estafette::net
