// One connection to a route's server, from the name to QUIT: it joins a link, the session machine and
// drive(). The worker (route floor) is its only user.
//
// Never without the route's TLS policy, never authenticated in clear, never to a forbidden address.
// Thread: the loop. Cancellation: total lets the running transaction finish; terminal closes the socket.
#pragma once

#include "estafette/config/config.hpp"
#include "estafette/mail/message.hpp"
#include "estafette/smtp/command.hpp"
#include "estafette/smtp/outcome.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace estafette::net {

namespace asio = boost::asio;

class resolver;     // dns.hpp
class tls_context;  // tls.hpp

// One message for some of its recipients. A value: it is kept until the outcome is there.
struct transaction {
    mail::message_ptr message;
    std::vector<std::uint32_t> recipients;     // indexes into message->to, never empty
    std::optional<mail::address> return_path;  // MAIL FROM; none is <>
    std::optional<smtp::dsn_request> dsn{};    // written where the server offers DSN
    bool from_sender = false;                  // MAIL FROM is message->from; return_path is not looked at
};

struct delivery {
    std::vector<smtp::recipient_outcome> recipients;  // one per recipient of the transaction, same order
    wall_time started_at;
    milliseconds duration{0};
    bool next_begun =
        false;  // MAIL, RCPT and DATA of `next` have been sent: deliver it next, on this connection
    bool is_reusable = true;  // false after QUIT, 421, a protocol error, a broken link
};

// What a server announced and then could not take. The route remembers what fallbacks() found and gives
// it to its next connections; merge() adds.
struct server_faults {
    bool pipelining = false, across_messages = false, chunking = false;

    bool operator==(const server_faults&) const = default;

    void merge(const server_faults& other) noexcept {
        pipelining |= other.pipelining;
        across_messages |= other.across_messages;
        chunking |= other.chunking;
    }
};

class connection {
public:
    // The route's options, context and resolver outlive the connection; `known` is copied.
    connection(
        asio::any_io_executor loop,
        const config::route_options& route,
        tls_context& tls,
        resolver& dns,
        std::string helo,
        std::string password,
        server_faults known = {}
    );
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    // Until the session is ready: then the outcome is at phase::ready without an error. Else what failed
    // and where, always the route's matter. Once only.
    [[nodiscard]] asio::awaitable<smtp::outcome> open(config::endpoint server);

    // Hands a message over, while others are under way only if has_room(); both transactions live until
    // their outcome is there. If `next` is given and the server keeps step, its MAIL, RCPT and DATA travel
    // with this message's end; its content leaves only after begin(), which must then be for it.
    void begin(const transaction& now, const transaction* next = nullptr);

    // Writes what may go out without another answer.
    [[nodiscard]] asio::awaitable<void> send();

    // Another message may be begun: nothing is under way, or (with chunking) less than the route's window.
    [[nodiscard]] bool has_room() const noexcept;

    // Until the oldest message is over. A message is begun beyond the window only when the outcomes of
    // those before it are durable.
    [[nodiscard]] asio::awaitable<delivery> outcome();

    // outcome() would not wait.
    [[nodiscard]] bool has_outcome() const noexcept;

    // begin() and outcome() of the only message under way.
    [[nodiscard]] asio::awaitable<delivery> deliver(const transaction& now, const transaction* next);

    // A next message given to begin() may gain something.
    [[nodiscard]] bool announces_next() const noexcept;

    // Memory of outcomes that nobody needs any more, for the next ones.
    void recycle(std::vector<smtp::recipient_outcome> spent);

    // QUIT, without waiting long. Never fails.
    [[nodiscard]] asio::awaitable<void> quit();

    [[nodiscard]] bool is_open() const noexcept;  // deliver() makes sense

    // What ended the session: the server's 421, a protocol error, a broken link. Nothing while it goes on.
    [[nodiscard]] const smtp::outcome& failure() const noexcept;

    // True when the server said or did something while nothing was asked (421, close): do not use it again.
    [[nodiscard]] bool is_stale() const;

    [[nodiscard]] const std::string& server() const noexcept;  // "host:port" once open() began
    [[nodiscard]] const std::string& tls() const noexcept;     // "TLSv1.3 …, verified"; empty for none
    [[nodiscard]] const std::string& banner() const noexcept;  // what the server greeted us with, ≤ 512 bytes

    // The dialogue of opening and of the last delivery, ≤ 16 KiB, secrets redacted; raw: show by
    // printable(). Made when asked for.
    [[nodiscard]] std::string transcript() const;

    // What this session found beyond what it was told.
    [[nodiscard]] server_faults fallbacks() const noexcept;

    // RFC 9422 LIMITS MAILMAX and RCPTMAX of the server, where it names them; after open().
    [[nodiscard]] std::optional<std::uint32_t> mail_max() const noexcept;
    [[nodiscard]] std::optional<std::uint32_t> rcpt_max() const noexcept;

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace estafette::net
