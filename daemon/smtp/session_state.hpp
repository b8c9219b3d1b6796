// The inside of a session, in three parts: the wire (session.cpp), from the banner to ready
// (opening.cpp), transactions (transactions.cpp).
#pragma once

#include "answer.hpp"
#include "flight.hpp"

#include "estafette/smtp/body.hpp"
#include "estafette/smtp/session.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace estafette::smtp {

struct session::state {
    enum class stage : std::uint8_t {
        fresh,
        opening,
        handshake,  // start_tls was returned
        open,
        quitting,
        over,
    };

    explicit state(session_options o);

    // --- the wire
    [[nodiscard]] std::size_t fill(std::span<char> to);
    [[nodiscard]] action take_bytes(std::string_view bytes);
    [[nodiscard]] action next_action();
    void take_reply(const reply& answer);
    void fail(error_code why);
    void take_stray(const reply& answer);
    [[nodiscard]] phase whereabouts() const noexcept;
    [[nodiscard]] bool expects_reply() const noexcept;
    [[nodiscard]] bool has_output() const noexcept { return wire_at < wire.size() || content != nullptr; }
    void wire_is_out();
    void end_content();

    // The connection is of no more use. `what` is why, for the session and for every transaction that
    // nothing else is known of.
    void break_down(const outcome& what);
    void settle_broken(flight& f, const outcome& what, bool is_answering, bool is_behind);

    // --- opening
    void start(bool with_tls, tls_facts facts);
    void resume_in_tls(tls_facts facts);
    void opening_reply(reply answer);
    void say(phase at);
    void after_ehlo(const reply& answer, fit how);
    void after_capabilities();
    void log_in();
    void answer_challenge(const reply& answer);
    void cancel_auth(error_code why);
    void after_auth(const reply& answer);
    void redact(reply& answer) const;
    [[nodiscard]] std::optional<mechanism> choose_mechanism() const;
    [[nodiscard]] bool wants_auth() const;
    [[nodiscard]] bool may_use(mechanism m) const;
    [[nodiscard]] std::span<const mechanism> allowed_mechanisms() const;
    void opened();

    // --- transactions
    [[nodiscard]] bool is_usable() const noexcept;
    [[nodiscard]] bool may_pipeline() const noexcept;
    [[nodiscard]] content_mode mode() const noexcept;
    void begin(const transaction_view& now);
    void begin_anew(const transaction_view& now);
    void begin_next();
    void send_commands(flight& f);
    void send_more();
    [[nodiscard]] bool must_wait() const noexcept;
    void send_command(flight& f, phase p);
    void send_mail(flight& f);
    [[nodiscard]] bool start_content(flight& f);
    void content_sent(flight& f);
    void transaction_reply(flight& f, const reply& answer);
    void astray(flight& f, const reply& answer);
    [[nodiscard]] bool is_complaint(const flight& f, phase p, const reply& answer) const;
    void note_progress(const flight& f, phase answered);
    [[nodiscard]] misbehaviour suspect(const flight& f) const noexcept;
    [[nodiscard]] bool is_worn_out(const flight& f) const noexcept;
    [[nodiscard]] flight* waiting_flight() const noexcept;
    [[nodiscard]] flight& add_flight();
    void drop_unbegun();

    session_options options;
    std::optional<helo_name> name;
    capabilities offers;
    std::string banner;
    tls_facts tls;
    bool is_encrypted = false;
    stage at = stage::fresh;
    action last;
    std::uint32_t turn = 0;
    outcome failure;

    std::string wire;  // commands to be written, from wire_at on
    std::size_t wire_at = 0;
    std::size_t dot_end = 0;    // where in `wire` the final dot of `content`'s message ends; 0: not in it
    flight* content = nullptr;  // whose content follows `wire`
    flight* dotted = nullptr;   // whose final dot is in `wire`
    body_cursor body;
    reply_parser parser;
    phase write_phase = phase::ehlo;

    phase opening_at = phase::banner;
    std::string shown;  // the opening's part of the transcript
    std::optional<auth_exchange> exchange;
    mechanism_set refused_mechanisms;  // by 504: known by name only
    error_code auth_cancelled;
    std::uint32_t challenges = 0;
    bool may_say_quit = false;

    std::vector<std::unique_ptr<flight>> flights;  // oldest first
    std::vector<std::unique_ptr<flight>> spare;
    std::optional<transaction_view> offered;
    std::string last_shown;  // of the transaction whose outcome was taken last
    std::uint32_t mails_sent = 0;
    std::uint32_t waiting = 0;  // commands sent and not answered
    bool reset_needed = false;
    bool carried_mail = false;   // a transaction got as far as a positive answer to MAIL, and ended
    bool across_proven = false;  // commands sent with a content were understood
    misbehaviour misbehaved = misbehaviour::none;
};

}  // namespace estafette::smtp
