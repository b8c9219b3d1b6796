// Transactions: how far commands may run ahead, what each answer means, what is sent with what.
#include "session_state.hpp"
#include "transcript.hpp"

namespace estafette::smtp {

bool session::state::is_usable() const noexcept {
    // Half an answer that nothing asked for: what it wants to be will be seen, but nothing is sent before.
    if (at != stage::open || (waiting == 0 && parser.is_partial())) {
        return false;
    }
    return (
        !offers.mail_max || mails_sent < *offers.mail_max || (!flights.empty() && !flights.back()->is_begun)
    );
}

bool session::state::may_pipeline() const noexcept {
    return options.pipelining && offers.pipelining;
}

content_mode session::state::mode() const noexcept {
    return options.chunking && offers.chunking ? content_mode::bdat : content_mode::data;
}

flight& session::state::add_flight() {
    if (spare.empty()) {
        spare.reserve(flights.size() + 1);  // for all there are: giving one back allocates nothing
        spare.push_back(std::make_unique<flight>());
    }
    flights.push_back(std::move(spare.back()));
    spare.pop_back();
    return *flights.back();
}

void session::state::drop_unbegun() {
    while (!flights.empty() && !flights.back()->is_begun) {
        spare.push_back(std::move(flights.back()));
        flights.pop_back();
    }
}

void session::state::begin(const transaction_view& now) {
    offered.reset();
    last_shown.clear();
    if (!flights.empty() && !flights.back()->is_begun) {
        flight& f = *flights.back();
        if (f.is_for(now)) {
            f.view = now;
            f.is_begun = true;
            send_more();
            return;
        }
        // Commands of another message have left, which nothing can take back.
        break_down({.at = phase::ready, .answer = {}, .error = errc::interrupted});
    }
    begin_anew(now);
}

void session::state::begin_anew(const transaction_view& now) {
    const bool usable = is_usable();
    flight& f = add_flight();
    f.prepare(now, {offers, is_encrypted && tls.verified}, mode(), reset_needed);
    f.is_begun = true;
    if (!usable) {
        f.settle_untried();
        if (parser.is_partial()) {
            break_down({.at = phase::ready, .answer = {}, .error = errc::bytes_unsolicited});
        }
        return;
    }
    if (!f.is_over()) {
        reset_needed = false;
        send_more();
    }
}

// The final dot of the message before is in `wire`: the offered message's commands join it.
void session::state::begin_next() {
    if (!offered || !options.across_messages || !may_pipeline() || misbehaved != misbehaviour::none ||
        mode() == content_mode::bdat || (offers.mail_max && mails_sent >= *offers.mail_max)) {
        return;
    }
    flight& f = add_flight();
    f.prepare(*offered, {offers, is_encrypted && tls.verified}, content_mode::data, false);
    offered.reset();
    if (f.is_over()) {
        drop_unbegun();  // it cannot go to this server: begin() will say so
        return;
    }
    f.is_across = true;
    send_commands(f);
}

// In lockstep every answer is waited for; ahead of answers only a bounded number of commands is sent, so
// that neither side can block the other by full buffers (RFC 2920 3.1).
bool session::state::must_wait() const noexcept {
    return waiting != 0 && (!may_pipeline() || waiting >= options.group_limit);
}

// Goes on with what was begun, oldest first, as far as it may go without further answers.
void session::state::send_more() {
    for (const auto& f : flights) {
        if (!f->is_begun) {
            break;
        }
        send_commands(*f);
        if (!f->is_all_sent()) {
            break;
        }
    }
}

void session::state::send_commands(flight& f) {
    if (wire_at == wire.size()) {
        write_phase = f.to_send();
    }
    while (content == nullptr && !f.is_all_sent() && !must_wait()) {
        const phase p = f.to_send();
        if (p != phase::rset && p != phase::mail && p != phase::rcpt && f.is_envelope_answered() &&
            !f.has_accepted() && !f.is_lone_dot_due()) {
            f.stop();
        } else if (p != phase::dot) {
            send_command(f, p);
        } else if (!f.is_begun || !start_content(f)) {
            break;
        }
    }
}

void session::state::send_command(flight& f, phase p) {
    command_writer write{wire, f.shown};
    if (p == phase::rset) {
        write.rset();
    } else if (p == phase::mail) {
        send_mail(f);
    } else if (p == phase::rcpt) {
        write.rcpt(f.recipient_to_send(), offers.dsn ? f.view.dsn : nullptr);
    } else {
        write.data();
    }
    f.step_sent();
    ++waiting;
}

void session::state::send_mail(flight& f) {
    const mail::body_facts& facts = f.view.message->facts;
    mail_parameters with;
    if (offers.size) {
        with.size = facts.size;
    }
    with.eightbitmime = offers.eightbitmime && (facts.eight_bit || facts.utf8_header);
    with.smtputf8 = f.needs_smtputf8();
    with.requiretls = f.view.message->require_tls;
    with.dsn = offers.dsn ? f.view.dsn : nullptr;
    command_writer{wire, f.shown}.mail(f.view.return_path, with);
    ++mails_sent;
}

// False: 354 has not come.
bool session::state::start_content(flight& f) {
    const std::string& blob = *f.view.message->body;
    if (f.mode == content_mode::bdat) {
        command_writer{wire, f.shown}.bdat_last(blob.size());
        body = body_cursor{blob, stuffing::none};
        content = &f;
        return true;
    }
    if (f.is_waiting()) {
        return false;
    }
    if (f.is_lone_dot_due()) {
        // RFC 2920 3.1: the server took DATA although it refused everybody. An empty content, for nobody.
        wire += ".\r\n";
        f.shown += "C: .\n";
        write_phase = phase::dot;
        content_sent(f);
        return true;
    }
    body = body_cursor{blob, f.view.message->facts.leading_dot ? stuffing::dots : stuffing::none};
    content = &f;
    return true;
}

void session::state::content_sent(flight& f) {
    f.step_sent();
    ++waiting;
}

flight* session::state::waiting_flight() const noexcept {
    for (const auto& f : flights) {
        if (f->is_waiting()) {
            return f.get();
        }
    }
    return nullptr;
}

void session::state::transaction_reply(flight& f, const reply& answer) {
    show_reply(f.shown, answer);
    keep_within(f.shown, flight_shown_limit);
    const phase p = f.to_receive();
    const fit how = judge(p, answer);
    if (how == fit::closing || (how == fit::no && p == phase::rset)) {
        break_down({.at = p, .answer = answer, .error = {}, .dot_sent = f.is_dot_sent});
        return;
    }
    if (f.is_moot()) {
        f.answer_ignored(how == fit::yes);
    } else if (how == fit::astray || (how == fit::no && is_complaint(f, p, answer))) {
        astray(f, answer);
        return;
    } else if (how == fit::yes) {
        note_progress(f, p);
        f.answered_yes(answer);
    } else {
        f.answered_no(answer);
    }
    --waiting;
    send_more();
    if (f.is_over()) {
        reset_needed = f.leaves_open();
        carried_mail = carried_mail || !f.is_mail_refused();
    }
}

// A refusal of how we speak, not of what we ask.
bool session::state::is_complaint(const flight& f, phase p, const reply& answer) const {
    if (f.mode == content_mode::bdat && p == phase::dot) {
        return answer.code >= 500 && answer.code <= 504;
    }
    return may_pipeline() && p == phase::mail && is_sync_complaint(answer, f.is_across);
}

void session::state::note_progress(const flight& f, phase answered) {
    across_proven = across_proven || (f.is_across && answered == phase::data);
}

// What a failure while waiting for this transaction's answer speaks against. Closing or silence is
// common; but where commands have left with a content for the first time, they may be the reason.
misbehaviour session::state::suspect(const flight& f) const noexcept {
    return f.is_across && !across_proven ? misbehaviour::across_messages : misbehaviour::none;
}

void session::state::astray(flight& f, const reply& answer) {
    const phase p = f.to_receive();
    if (f.is_across) {
        misbehaved = misbehaviour::across_messages;
    } else if (f.mode == content_mode::bdat && p == phase::dot) {
        misbehaved = misbehaviour::chunking;
    } else if (waiting > 1) {
        misbehaved = misbehaviour::pipelining;
    }
    break_down({.at = p, .answer = answer, .error = errc::reply_unexpected, .dot_sent = f.is_dot_sent});
}

// A connection that has carried mail and fails before the next MAIL was answered says nothing about that
// next message: servers end connections after a number of messages, and idle ones.
bool session::state::is_worn_out(const flight& f) const noexcept {
    return carried_mail && !f.is_mail_answered();
}

}  // namespace estafette::smtp
