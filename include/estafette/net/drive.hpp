// The only code that reads and writes: it performs what the session machine asks of the stream, until
// the machine asks for something that is not reading or writing.
//
// Each group of commands and each piece of content goes out as one contiguous write of at most 16 KiB
// (one TLS record); one wake-up reads as many replies as have come. A stream that can try at once
// (direct_stream) is waited for only where it would block. A terminal cancellation of the coroutine ends
// the session as errc::interrupted, a passed deadline as errc::timeout: io_error() is the one place that
// tells them apart. Instantiated for TCP, TLS and the test stream. Thread: the loop.
#pragma once

#include "estafette/net/deadline.hpp"
#include "estafette/smtp/session.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <span>

namespace estafette::net {

inline constexpr std::size_t piece_size = 16 * 1024;
inline constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

struct io_count {
    error_code error;
    std::size_t bytes = 0;
};

// Reads and writes without waiting; asio::error::would_block where it had to.
template <class Stream>
concept direct_stream = requires(Stream& s, std::span<char> to, std::span<const char> from) {
    { s.try_read(to) } -> std::same_as<io_count>;
    { s.try_write(from) } -> std::same_as<io_count>;
    { s.wait_for_more() } -> std::same_as<asio::awaitable<error_code>>;
};

// What drive() needs besides the stream and the machine. Everything outlives it.
struct driving {
    deadline& limit;
    const smtp::phase_timeouts& limits;
    std::array<char, piece_size>& buffer;
    std::string detail{};       // the transport's own words for the last failure
    bool write_failed = false;  // some bytes that the machine handed out did not leave
};

[[nodiscard]] error_code
io_error(const error_code& ec, bool deadline_passed, asio::cancellation_type cancelled) noexcept;

// After a failed write: what the server said before it stopped listening ("552 too big") is worth
// having. Short, since nothing may be there.
inline constexpr milliseconds last_words_limit{1000};

template <class Stream> asio::awaitable<io_count> read_some(Stream& stream, std::span<char> to) {
    const auto room = asio::buffer(to.data(), to.size());
    auto [ec, n] = co_await stream.async_read_some(room, use_tuple);
    co_return io_count{ec, n};
}

template <direct_stream Stream> asio::awaitable<io_count> read_some(Stream& stream, std::span<char> to) {
    for (;;) {
        const auto now = stream.try_read(to);
        if (now.error != asio::error::would_block)
            co_return now;
        const error_code failed = co_await stream.wait_for_more();
        if (failed)
            co_return io_count{failed, 0};
    }
}

template <class Stream> asio::awaitable<io_count> write_all(Stream& stream, std::span<const char> from) {
    const auto piece = asio::buffer(from.data(), from.size());
    auto [ec, n] = co_await asio::async_write(stream, piece, use_tuple);
    co_return io_count{ec, n};
}

template <direct_stream Stream>
asio::awaitable<io_count> write_all(Stream& stream, std::span<const char> from) {
    for (;;) {
        const auto now = stream.try_write(from);
        if (now.error != asio::error::would_block)
            co_return now;
        const error_code failed = co_await stream.wait_for_more();
        if (failed)
            co_return io_count{failed, 0};
    }
}

template <class Stream>
asio::awaitable<smtp::action>
read_last_words(Stream& stream, smtp::session& machine, driving& with, error_code why) {
    with.limit.start_request(last_words_limit);
    for (;;) {
        const auto came = co_await read_some(stream, with.buffer);
        if (came.error)
            co_return machine.on_broken(why);
        const auto act = machine.on_bytes({with.buffer.data(), came.bytes});
        if (act.what != smtp::todo::read && act.what != smtp::todo::write)
            co_return act;
    }
}

template <class Stream>
asio::awaitable<smtp::action>
write_failed(Stream& stream, smtp::session& machine, driving& with, error_code ec) {
    const auto state = co_await asio::this_coro::cancellation_state;
    const auto why = io_error(ec, with.limit.has_passed(), state.cancelled());
    with.detail = ec.message();
    with.write_failed = true;
    if (why != errc::connection_closed)
        co_return machine.on_broken(why);
    co_return co_await read_last_words(stream, machine, with, why);
}

// As far as it can be done at once, without a coroutine of its own.
template <class Stream> io_count read_now(Stream& stream, std::span<char> to) {
    if constexpr (direct_stream<Stream>)
        return stream.try_read(to);
    else
        return {asio::error::would_block, 0};
}

template <class Stream> io_count write_now(Stream& stream, std::span<const char> from) {
    if constexpr (direct_stream<Stream>)
        return stream.try_write(from);
    else
        return {asio::error::would_block, 0};
}

// Where drive() ends: when the machine wants neither to read nor to write, or when all is written that may
// go out without another answer.
enum class until : std::uint8_t { decided, written };

// One coroutine for both directions: each message comes through here, and one more frame would be one more
// allocation.
template <class Stream>
asio::awaitable<smtp::action>
drive(Stream& stream, smtp::session& machine, smtp::action act, driving& with, until end = until::decided) {
    auto turn = act.turn;
    with.limit.start_request(with.limits[act.at]);
    for (;;) {
        const auto state = co_await asio::this_coro::cancellation_state;
        const bool is_busy = act.what == smtp::todo::write || act.what == smtp::todo::read;
        if (is_busy &&
            (state.cancelled() & asio::cancellation_type::terminal) != asio::cancellation_type::none)
            act = machine.on_broken(make_error_code(errc::interrupted));
        if (act.turn != turn) {
            turn = act.turn;
            with.limit.start_request(with.limits[act.at]);
        }
        switch (act.what) {
        case smtp::todo::write: {
            const std::span<const char> piece{with.buffer.data(), machine.fill(with.buffer)};
            if (piece.empty()) {
                act = machine.on_written();
                break;
            }
            with.limit.start_request(with.limits[act.at]);
            auto done = write_now(stream, piece);
            if (done.error == asio::error::would_block)
                done = co_await write_all(stream, piece);
            if (done.error)
                act = co_await write_failed(stream, machine, with, done.error);
            break;
        }
        case smtp::todo::read: {
            if (end == until::written) {
                with.limit.rest();
                co_return act;
            }
            auto came = read_now(stream, std::span<char>{with.buffer});
            if (came.error == asio::error::would_block)
                came = co_await read_some(stream, with.buffer);
            if (!came.error) {
                act = machine.on_bytes({with.buffer.data(), came.bytes});
                break;
            }
            const auto now = co_await asio::this_coro::cancellation_state;
            with.detail = came.error.message();
            act = machine.on_broken(io_error(came.error, with.limit.has_passed(), now.cancelled()));
            break;
        }
        case smtp::todo::start_tls:
        case smtp::todo::ready:
        case smtp::todo::done:
        case smtp::todo::close: with.limit.rest(); co_return act;
        }
    }
}

}  // namespace estafette::net
