// The machine of one connection to a server: from the banner to QUIT. No I/O, no clock, no log, no throw;
// whoever owns the socket performs the action that each event returns, and reports what came of it.
//
// Promises: never AUTH in clear, nothing in clear where TLS is required; a recipient is accepted only by
// the 2yz to its message's final dot; the content of a message leaves only after begin() was called for
// it; after a protocol error the connection is not used again; memory is bounded whatever the server sends.
// Lockstep, pipelining (RFC 2920) and pipelining across messages are one path: commands are sent as far
// as the mode allows (the `sent` cursor), answers are matched in order (the `received` cursor).
// With CHUNKING (RFC 3030) up to `window` messages may be in flight. Thread: its owner's.
#pragma once

#include "estafette/mail/message.hpp"
#include "estafette/smtp/auth.hpp"
#include "estafette/smtp/capabilities.hpp"
#include "estafette/smtp/command.hpp"
#include "estafette/smtp/outcome.hpp"
#include "estafette/smtp/phase.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace estafette::smtp {

enum class starttls_use : std::uint8_t { never, if_offered, required };

struct session_options {
    std::string helo;
    starttls_use starttls = starttls_use::required;  // moot where on_connected() brings TLS
    credentials login;                  // empty username: no AUTH, unless EXTERNAL is among the mechanisms
    std::vector<mechanism> mechanisms;  // in order of preference; empty: default_mechanisms()
    std::string nonce;                  // ≥ 18 random printable characters without ',', for SCRAM
    bool pipelining = true;             // each is used only where the server offers it
    bool across_messages = true;        // needs pipelining
    bool chunking = false;              // BDAT instead of DATA
    std::uint32_t window = 1;           // messages in flight, with chunking
    std::uint32_t group_limit = 128;    // commands sent ahead of their answers
    reply_limits replies;
};

// The TLS connection under us, as its owner knows it.
struct tls_facts {
    bool verified = false;  // the certificate names the server and we trust it
    channel_binding binding;
};

// One message for some of its recipients. What it points to lives until the outcome was taken; for an
// offered next one, until deliver-and-take of the current one, and again from begin() on.
struct transaction_view {
    const mail::message* message = nullptr;      // with its body
    std::span<const std::uint32_t> recipients;   // indexes into message->to, never empty
    const mail::address* return_path = nullptr;  // none: <>
    const dsn_request* dsn = nullptr;
};

enum class todo : std::uint8_t {
    write,      // write all that fill() gives until it gives 0; then on_written()
    read,       // read some bytes; then on_bytes()
    start_tls,  // make the TLS handshake; then on_tls()
    ready,      // nothing is under way: begin(), quit(), or leave it idle
    done,       // the oldest transaction is over: take_outcome(), then see current()
    close,      // close the socket; unless quit() was called, failure() says why
};

struct action {
    todo what = todo::close;
    phase at = phase::connect;  // whose time limit holds
    std::uint32_t turn = 0;     // another number is another request: the time limit starts anew

    bool operator==(const action&) const = default;
};

// A server that announced an extension and reacted badly to it. The owner remembers it for the route and
// opens the next sessions without.
enum class misbehaviour : std::uint8_t { none, pipelining, across_messages, chunking };

[[nodiscard]] std::string_view to_text(misbehaviour m) noexcept;

class session {
public:
    explicit session(session_options options);
    ~session();
    session(session&&) noexcept;
    session& operator=(session&&) noexcept;

    // --- events of the connection
    [[nodiscard]] action on_connected();               // TCP is up, in clear
    [[nodiscard]] action on_connected(tls_facts tls);  // TLS is up from the start
    [[nodiscard]] action on_tls(tls_facts tls);        // after start_tls
    [[nodiscard]] action on_written();
    [[nodiscard]] action on_bytes(std::string_view bytes);  // may be called at any time; takes them all
    // Reading, writing or the handshake failed: errc::connection_closed at end of file, errc::timeout,
    // errc::interrupted if we stopped it, or what the transport says.
    [[nodiscard]] action on_broken(error_code why);

    // The next bytes to write, flattened; 0 when there are none left. Handing out the final dot counts as
    // having sent it.
    [[nodiscard]] std::size_t fill(std::span<char> to);

    // --- transactions
    // Sends the message, or goes on with it if it is the one begun before. Where the session cannot be
    // used (any more), or the message cannot go to this server, the outcome is `done` at once.
    // While another message is in flight, only if has_room().
    [[nodiscard]] action begin(const transaction_view& now);

    // The message that begin() will be called for next. If the server keeps step, its MAIL, RCPT and DATA
    // leave together with the current one's final dot. To be called between begin() and the dot.
    void offer_next(const transaction_view& next);

    // Commands of the offered message have left: begin() it next, or close the connection.
    [[nodiscard]] bool is_next_begun() const noexcept;

    // Another message may be begun before the outcome of the last is known (chunking with a window).
    [[nodiscard]] bool has_room() const noexcept;

    // After `done`: one outcome per recipient of the oldest transaction, in its order. Outcomes of before
    // that are no longer needed may be given back: with their memory, nothing is allocated for a message.
    [[nodiscard]] std::vector<recipient_outcome> take_outcome(std::vector<recipient_outcome> recycled = {});

    // QUIT where it can be said in order, else `close`.
    [[nodiscard]] action quit();

    // --- what is known
    [[nodiscard]] action
    current() const noexcept;  // what the last event returned, or what follows take_outcome()
    [[nodiscard]] bool is_usable() const noexcept;  // begin() makes sense
    [[nodiscard]] bool is_encrypted() const noexcept;
    [[nodiscard]] const outcome& failure() const noexcept;  // why the session did not open, or ended
    [[nodiscard]] misbehaviour misbehaved() const noexcept;
    [[nodiscard]] const capabilities& offers() const noexcept;
    [[nodiscard]] const std::string& banner() const noexcept;   // raw, ≤ 512 bytes; may have come in clear
    [[nodiscard]] std::uint32_t transactions() const noexcept;  // MAIL commands sent

    // The dialogue of opening and of the transaction whose outcome was taken last (or, before, of the
    // oldest one): raw but for secrets, ≤ 16 KiB. Never shows another message's addresses.
    [[nodiscard]] std::string transcript() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace estafette::smtp
