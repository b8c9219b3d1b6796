// The wire: bytes out of the machine, answers into it, and which action comes next.
#include "estafette/smtp/session.hpp"

#include "session_state.hpp"
#include "transcript.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>

namespace estafette::smtp {

std::string_view to_text(misbehaviour m) noexcept {
    switch (m) {
    case misbehaviour::none: return "none";
    case misbehaviour::pipelining: return "pipelining";
    case misbehaviour::across_messages: return "across_messages";
    case misbehaviour::chunking: return "chunking";
    }
    return "none";
}

session::state::state(session_options o)
    : options{std::move(o)}
    , parser{options.replies} {
    if (auto parsed = helo_name::parse(options.helo)) {
        name = std::move(*parsed);
    }
    options.window = std::max(options.window, 1u);
}

// --- out

std::size_t session::state::fill(std::span<char> to) {
    std::size_t filled = 0;
    while (filled < to.size()) {
        if (wire_at < wire.size()) {
            const std::size_t n = std::min(to.size() - filled, wire.size() - wire_at);
            std::memcpy(to.data() + filled, wire.data() + wire_at, n);
            filled += n;
            wire_at += n;
            if (dotted != nullptr && wire_at >= dot_end) {
                dotted->is_dot_sent = true;
                dotted = nullptr;
            }
        } else if (content != nullptr) {
            const std::size_t n = body.fill(to.subspan(filled));
            filled += n;
            if (n == 0) {
                end_content();
            } else if (body.is_at_end() && content->mode == content_mode::bdat) {
                content->is_dot_sent = true;
            }
        } else {
            break;
        }
    }
    return filled;
}

// The content is out; what ends it follows, and with it the next message's commands.
void session::state::end_content() {
    flight& f = *content;
    content = nullptr;
    wire_is_out();
    f.shown += "C: [";
    f.shown += std::to_string(f.view.message->body->size());
    f.shown += " bytes of content]\n";
    if (f.mode == content_mode::bdat) {
        f.is_dot_sent = true;
        content_sent(f);
        return;
    }
    if (parser.is_partial()) {
        // An answer has begun that nothing asked for; sent now, the dot would be answered by it.
        break_down({.at = phase::body, .answer = {}, .error = errc::bytes_unsolicited});
        return;
    }
    wire += body.terminator();
    f.shown += "C: .\n";
    dotted = &f;
    dot_end = wire.size();
    content_sent(f);
    begin_next();
}

void session::state::wire_is_out() {
    if (at == stage::opening && opening_at == phase::auth) {
        OPENSSL_cleanse(wire.data(), wire.size());
    }
    wire.clear();
    wire_at = 0;
}

// --- in

bool session::state::expects_reply() const noexcept {
    switch (at) {
    case stage::opening: return !has_output();
    case stage::open: return waiting_flight() != nullptr;
    case stage::quitting: return true;
    case stage::fresh:
    case stage::handshake:
    case stage::over: break;
    }
    return false;
}

action session::state::take_bytes(std::string_view bytes) {
    while (!bytes.empty() && at != stage::over) {
        const auto used = parser.feed(bytes);
        if (!used) {
            fail(used.error());
            break;
        }
        bytes.remove_prefix(*used);
        if (parser.is_complete()) {
            take_reply(parser.whole());
            parser.release();
        } else if (!expects_reply() && at != stage::open) {
            break_down({.at = whereabouts(), .answer = {}, .error = errc::bytes_unsolicited});
        }
    }
    return next_action();
}

void session::state::take_reply(const reply& answer) {
    ++turn;
    if (!expects_reply()) {
        take_stray(answer);
        return;
    }
    switch (at) {
    case stage::opening: opening_reply(answer); break;
    case stage::open: transaction_reply(*waiting_flight(), answer); break;
    case stage::quitting: at = stage::over; break;
    case stage::fresh:
    case stage::handshake:
    case stage::over: break;
    }
}

// An answer that nothing asked for: a server may say 421 before it closes, and may refuse content while
// it is being sent. Anything else could be taken for the answer to what we say next.
void session::state::take_stray(const reply& answer) {
    const bool in_content = content != nullptr;
    const bool is_usable_answer = answer.code == 421 || (in_content && answer.code >= 400);
    if (in_content) {
        show_reply(content->shown, answer);
    }
    const error_code why = is_usable_answer ? error_code{}
                           : in_content     ? error_code{errc::reply_unexpected}
                                            : error_code{errc::bytes_unsolicited};
    break_down({.at = whereabouts(), .answer = answer, .error = why});
}

phase session::state::whereabouts() const noexcept {
    if (at != stage::open) {
        return at == stage::fresh ? last.at : opening_at;
    }
    if (content != nullptr || dotted != nullptr) {
        return phase::body;
    }
    const flight* const f = waiting_flight();
    return f != nullptr ? f->to_receive() : phase::ready;
}

// The transport or the parser gave up.
void session::state::fail(error_code why) {
    const flight* const f = at == stage::open ? waiting_flight() : nullptr;
    if (f != nullptr && why != errc::interrupted && misbehaved == misbehaviour::none) {
        misbehaved = suspect(*f);
    }
    break_down({.at = at == stage::handshake ? phase::handshake : whereabouts(), .answer = {}, .error = why});
}

action session::state::next_action() {
    const flight* const front =
        !flights.empty() && flights.front()->is_begun ? flights.front().get() : nullptr;
    action a{.what = todo::read, .at = phase::ready, .turn = turn};
    if (has_output() && at != stage::over) {
        a.what = todo::write;
        a.at = content != nullptr ? phase::body : write_phase;
    } else if (front != nullptr && front->is_over()) {
        a.what = todo::done;
    } else {
        switch (at) {
        case stage::fresh: a.at = phase::connect; break;
        case stage::opening: a.at = opening_at; break;
        case stage::handshake:
            a.what = todo::start_tls;
            a.at = phase::handshake;
            break;
        case stage::open:
            a.what = front == nullptr ? todo::ready : todo::read;
            a.at = front == nullptr ? phase::ready : front->to_receive();
            break;
        case stage::quitting: a.at = phase::quit; break;
        case stage::over:
            a.what = todo::close;
            a.at = failure.at;
            break;
        }
    }
    last = a;
    return a;
}

void session::state::break_down(const outcome& what) {
    if (at == stage::over) {
        return;
    }
    at = stage::over;
    failure = what;
    wire.clear();
    wire_at = 0;
    content = dotted = nullptr;
    exchange.reset();
    const flight* const answering = what.answer ? waiting_flight() : nullptr;
    drop_unbegun();
    bool is_behind = false;
    for (const auto& f : flights) {
        if (!f->is_over()) {
            settle_broken(*f, what, f.get() == answering, is_behind);
            f->abandon();
            is_behind = true;
        }
    }
}

// What a broken connection leaves of one transaction. `is_answering`: the answer in `what` was given to
// it; `is_behind`: another message in flight is the one that failed.
void session::state::settle_broken(flight& f, const outcome& what, bool is_answering, bool is_behind) {
    // A server that does not know BDAT after all has not taken what it carried.
    const bool is_unknown_bdat = f.mode == content_mode::bdat && what.answer && what.answer->is_permanent() &&
                                 what.answer->code != 503;
    const bool is_decided = is_answering && (what.at == phase::dot || !what.error);
    if (f.is_dot_sent && !is_decided) {
        const error_code why = what.error ? what.error : error_code{errc::connection_closed};
        f.settle_rest({.at = phase::dot, .error = why, .dot_sent = true});
    } else if (is_behind || what.error == errc::interrupted || is_worn_out(f) ||
               (f.is_across && misbehaved != misbehaviour::none)) {
        f.settle_untried();
    } else {
        f.settle_rest(
            {.at = what.at,
             .answer = what.answer ? &*what.answer : nullptr,
             .error = what.error,
             .dot_sent = f.is_dot_sent && what.at == phase::dot && !is_unknown_bdat}
        );
    }
}

// --- the public face

session::session(session_options options)
    : state_{std::make_unique<state>(std::move(options))} {}

session::~session() = default;
session::session(session&&) noexcept = default;
session& session::operator=(session&&) noexcept = default;

action session::on_connected() {
    state_->start(false, {});
    return state_->next_action();
}

action session::on_connected(tls_facts tls) {
    state_->start(true, std::move(tls));
    return state_->next_action();
}

action session::on_tls(tls_facts tls) {
    if (state_->at == state::stage::handshake) {
        state_->resume_in_tls(std::move(tls));
    }
    return state_->next_action();
}

action session::on_written() {
    state_->wire_is_out();
    ++state_->turn;
    return state_->next_action();
}

action session::on_bytes(std::string_view bytes) {
    return state_->take_bytes(bytes);
}

action session::on_broken(error_code why) {
    state& s = *state_;
    if (s.at == state::stage::quitting) {
        s.at = state::stage::over;
        return s.next_action();
    }
    s.fail(why);
    return s.next_action();
}

std::size_t session::fill(std::span<char> to) {
    return state_->fill(to);
}

action session::begin(const transaction_view& now) {
    state_->begin(now);
    return state_->next_action();
}

void session::offer_next(const transaction_view& next) {
    state_->offered = next;
}

bool session::is_next_begun() const noexcept {
    const auto& flights = state_->flights;
    return !flights.empty() && !flights.back()->is_begun;
}

bool session::has_room() const noexcept {
    const state& s = *state_;
    return s.is_usable() && !s.has_output() && !is_next_begun() &&
           (s.flights.empty() ||
            (s.mode() == content_mode::bdat && s.may_pipeline() && s.flights.size() < s.options.window));
}

std::vector<recipient_outcome> session::take_outcome(std::vector<recipient_outcome> recycled) {
    state& s = *state_;
    if (s.flights.empty() || !s.flights.front()->is_begun || !s.flights.front()->is_over()) {
        return {};
    }
    std::unique_ptr<flight> over = std::move(s.flights.front());
    s.flights.erase(s.flights.begin());
    std::vector<recipient_outcome> what = over->take(std::move(recycled));
    s.last_shown.swap(over->shown);
    s.spare.push_back(std::move(over));
    s.offered.reset();
    (void)s.next_action();
    return what;
}

action session::quit() {
    state& s = *state_;
    const bool is_idle =
        s.at == state::stage::open && s.flights.empty() && !s.has_output() && !s.parser.is_partial();
    if (!is_idle && !(s.at == state::stage::over && s.may_say_quit)) {
        s.break_down({.at = phase::ready, .answer = {}, .error = errc::interrupted});
        return s.next_action();
    }
    s.may_say_quit = false;
    s.at = state::stage::quitting;
    s.write_phase = phase::quit;
    command_writer{s.wire, s.shown}.quit();
    return s.next_action();
}

action session::current() const noexcept {
    return state_->last;
}

bool session::is_usable() const noexcept {
    return state_->is_usable();
}

bool session::is_encrypted() const noexcept {
    return state_->is_encrypted;
}

const outcome& session::failure() const noexcept {
    return state_->failure;
}

misbehaviour session::misbehaved() const noexcept {
    return state_->misbehaved;
}

const capabilities& session::offers() const noexcept {
    return state_->offers;
}

const std::string& session::banner() const noexcept {
    return state_->banner;
}

std::uint32_t session::transactions() const noexcept {
    return state_->mails_sent;
}

std::string session::transcript() const {
    const bool is_running = state_->last_shown.empty() && !state_->flights.empty();
    return state_->shown + (is_running ? state_->flights.front()->shown : state_->last_shown);
}

}  // namespace estafette::smtp
