#include "tls_stream.hpp"

#include <boost/asio/deferred.hpp>
#include <boost/asio/ssl/error.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace estafette::net {

namespace {

// Unlike use_awaitable it needs no frame of its own for each wait.
constexpr auto in_place = asio::as_tuple(asio::deferred);

}  // namespace

// OpenSSL's view of the socket: it reads what has come, and writes to the kernel.
struct tls_stream::plumbing {
    static tls_stream& of(BIO* bio) { return *static_cast<tls_stream*>(BIO_get_data(bio)); }

    static int write(BIO* bio, const char* bytes, int size) {
        auto& self = of(bio);
        BIO_clear_retry_flags(bio);
        for (;;) {
            const auto sent = ::send(
                self.socket_.native_handle(),
                bytes,
                static_cast<std::size_t>(size),
                MSG_NOSIGNAL | MSG_DONTWAIT
            );
            if (sent >= 0)
                return static_cast<int>(sent);
            if (errno == EINTR)
                continue;
            if (errno == EAGAIN || errno == EWOULDBLOCK)
                BIO_set_retry_write(bio);
            else
                self.send_error_ = errno;
            return -1;
        }
    }

    static int read(BIO* bio, char* to, int size) {
        auto& self = of(bio);
        BIO_clear_retry_flags(bio);
        const auto n = std::min(static_cast<std::size_t>(size), self.came_end_ - self.came_at_);
        if (n == 0) {
            BIO_set_retry_read(bio);
            return -1;
        }
        std::memcpy(to, self.came_.data() + self.came_at_, n);
        self.came_at_ += n;
        return static_cast<int>(n);
    }

    static long control(BIO* /*bio*/, int what, long /*number*/, void* /*pointer*/) {
        return what == BIO_CTRL_FLUSH ? 1 : 0;
    }

    static const BIO_METHOD* method() {
        static const BIO_METHOD* const made = [] {
            auto* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "estafette socket");
            if (m == nullptr)
                throw std::bad_alloc{};
            BIO_meth_set_write(m, &write);
            BIO_meth_set_read(m, &read);
            BIO_meth_set_ctrl(m, &control);
            return m;
        }();
        return made;
    }
};

void tls_stream::free_client::operator()(ssl_st* client) const noexcept {
    SSL_free(client);
}

tls_stream::tls_stream(tcp::socket& socket, ssl_st* client)
    : socket_{socket}
    , client_{client} {
    auto* bio = BIO_new(plumbing::method());
    if (bio == nullptr)
        throw std::bad_alloc{};
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(client, bio, bio);
    SSL_set_connect_state(client);
}

tls_stream::~tls_stream() = default;

error_code tls_stream::problem(int returned) noexcept {
    wants_to_write_ = false;
    switch (SSL_get_error(client_.get(), returned)) {
    case SSL_ERROR_WANT_WRITE: wants_to_write_ = true; return asio::error::would_block;
    case SSL_ERROR_WANT_READ: return asio::error::would_block;
    case SSL_ERROR_ZERO_RETURN: return asio::error::eof;
    case SSL_ERROR_SYSCALL:
        return {send_error_ != 0 ? send_error_ : ECONNRESET, boost::system::system_category()};
    default: {
        const auto why = ERR_get_error();
        if (why == 0)
            return asio::ssl::error::stream_truncated;
        return {static_cast<int>(why), asio::error::get_ssl_category()};
    }
    }
}

io_count tls_stream::try_read(std::span<char> to) noexcept {
    if (!has_unread()) {
        wants_to_write_ = false;
        return {asio::error::would_block, 0};  // OpenSSL would find that out at length
    }
    ERR_clear_error();
    std::size_t n = 0;
    const int done = SSL_read_ex(client_.get(), to.data(), to.size(), &n);
    return done == 1 ? io_count{{}, n} : io_count{problem(done), 0};
}

io_count tls_stream::try_write(std::span<const char> from) noexcept {
    ERR_clear_error();
    std::size_t n = 0;
    const int done = SSL_write_ex(client_.get(), from.data(), from.size(), &n);
    return done == 1 ? io_count{{}, n} : io_count{problem(done), 0};
}

asio::awaitable<error_code> tls_stream::wait_for_more() {
    if (wants_to_write_) {
        auto [failed] = co_await socket_.async_wait(tcp::socket::wait_write, in_place);
        co_return failed;
    }
    const auto room = asio::buffer(came_);
    auto [ec, n] = co_await socket_.async_read_some(room, in_place);
    came_at_ = 0;
    came_end_ = n;
    co_return ec == asio::error::eof ? error_code{asio::ssl::error::stream_truncated} : error_code{ec};
}

asio::awaitable<error_code> tls_stream::shake_hands() {
    for (;;) {
        ERR_clear_error();
        const int done = SSL_do_handshake(client_.get());
        if (done == 1)
            co_return error_code{};
        error_code ec = problem(done);
        if (ec == asio::error::would_block)
            ec = co_await wait_for_more();
        if (ec)
            co_return ec;
    }
}

asio::awaitable<void> tls_stream::part() {
    for (;;) {
        ERR_clear_error();
        const int done = SSL_shutdown(client_.get());
        if (done == 1)
            co_return;
        // Ours is out, theirs is awaited: OpenSSL calls that neither done nor failed.
        const error_code ec = done == 0 ? error_code{asio::error::would_block} : problem(done);
        if (ec != asio::error::would_block)
            co_return;
        if (done == 0 && has_unread())
            continue;
        if (co_await wait_for_more())
            co_return;
    }
}

bool tls_stream::has_unread() const noexcept {
    return SSL_pending(client_.get()) > 0 || came_at_ != came_end_;
}

}  // namespace estafette::net
