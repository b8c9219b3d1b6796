#include "flight.hpp"

namespace estafette::smtp {

void flight::prepare(const transaction_view& of, const facts& server, content_mode how, bool reset_first) {
    view = of;
    mode = how;
    is_begun = is_across = is_dot_sent = false;
    shown.clear();
    id_ = of.message->id;
    accepted_ = 0;
    stopped_ = mail_accepted_ = mail_refused_ = content_answered_ = lone_dot_due_ = false;
    reset_first_ = reset_first;

    reset_outcomes();
    needs_smtputf8_ =
        of.message->facts.utf8_header || (of.return_path != nullptr && of.return_path->needs_smtputf8());

    if (const error_code bad = check_message(server)) {
        settle_rest({.at = phase::mail, .error = bad});
        stopped_ = true;
    } else {
        check_recipients(server.offers);
    }
    sent_ = received_ = passed_over(0);
}

void flight::reset_outcomes() {
    constexpr std::size_t kept = 128;
    for (recipient_outcome& old : outcomes_) {
        if (old.what.answer && spare_texts_.size() < kept) {
            spare_texts_.push_back(std::move(old.what.answer->text));
        }
    }
    outcomes_.clear();
    for (const std::uint32_t index : view.recipients) {
        outcomes_.push_back({.index = index, .tried = false, .what = {}});
    }
    known_.assign(outcomes_.size(), knowledge::open);
}

error_code flight::check_message(const facts& server) const {
    const mail::body_facts& body = view.message->facts;
    const capabilities& offers = server.offers;
    if (offers.size_limit && body.size > *offers.size_limit) {
        return errc::size_exceeded;
    }
    if (body.eight_bit && !offers.eightbitmime) {
        return errc::eightbitmime_missing;
    }
    if (needs_smtputf8_ && !offers.smtputf8) {
        return errc::smtputf8_missing;
    }
    if (view.message->require_tls && !(offers.requiretls && server.is_trusted)) {
        return errc::requiretls_missing;
    }
    return {};
}

// A recipient that the server cannot take, or not in one transaction with so many others, gets no RCPT.
void flight::check_recipients(const capabilities& offers) {
    std::uint32_t room = offers.rcpt_max.value_or(static_cast<std::uint32_t>(outcomes_.size()));
    std::uint32_t kept = 0;
    for (std::size_t i = 0; i < outcomes_.size(); ++i) {
        const bool is_utf8 = view.message->to[outcomes_[i].index].needs_smtputf8();
        if (is_utf8 && !offers.smtputf8) {
            settle(i, {.at = phase::rcpt, .error = errc::smtputf8_missing});
            known_[i] = knowledge::passed;
        } else if (room == 0) {
            known_[i] = knowledge::passed;  // untried: its turn is the next transaction
        } else {
            --room;
            ++kept;
            needs_smtputf8_ = needs_smtputf8_ || is_utf8;
        }
    }
    stopped_ = kept == 0;
}

phase flight::phase_of(std::uint32_t step) const noexcept {
    if (step == 0) {
        return phase::rset;
    }
    if (step == 1) {
        return phase::mail;
    }
    if (step < data_step()) {
        return phase::rcpt;
    }
    return step == data_step() ? phase::data : phase::dot;
}

std::uint32_t flight::passed_over(std::uint32_t step) const noexcept {
    if (step == 0 && !reset_first_) {
        step = 1;
    }
    while (step >= 2 && step < data_step() && known_[step - 2] == knowledge::passed) {
        ++step;
    }
    if (step == data_step() && mode == content_mode::bdat) {
        ++step;
    }
    return step;
}

const mail::address& flight::recipient_to_send() const noexcept {
    return view.message->to[outcomes_[sent_ - 2].index];
}

void flight::answered_yes(const reply& answer) {
    switch (to_receive()) {
    case phase::mail: mail_accepted_ = true; break;
    case phase::rcpt:
        known_[received_ - 2] = knowledge::accepted;
        ++accepted_;
        break;
    case phase::dot:
        content_answered_ = true;
        settle_rest({.at = phase::dot, .answer = &answer, .dot_sent = true});
        break;
    case phase::resolve:
    case phase::connect:
    case phase::handshake:
    case phase::banner:
    case phase::ehlo:
    case phase::helo:
    case phase::starttls:
    case phase::auth:
    case phase::ready:
    case phase::data:
    case phase::body:
    case phase::rset:
    case phase::quit: break;
    }
    step_received();
}

bool flight::is_moot() const noexcept {
    return mail_refused_ || (received_ >= data_step() && accepted_ == 0);
}

void flight::answer_ignored(bool is_positive) noexcept {
    const phase at = to_receive();
    step_received();
    if (at == phase::data) {
        lone_dot_due_ = is_positive;
        stopped_ = !is_positive;
    } else if (at == phase::dot) {
        // The lone dot ends the transaction whatever the answer.
        content_answered_ = mode == content_mode::data;
    }
}

void flight::answered_no(const reply& answer) {
    const phase at = to_receive();
    const finding what{.at = at, .answer = &answer, .dot_sent = at == phase::dot};
    if (at == phase::rcpt) {
        settle(received_ - 2, what);
    } else {
        // MAIL, DATA or content: what is refused here is refused for everybody.
        mail_refused_ = mail_refused_ || at == phase::mail;
        // After a refused BDAT the server's state is unclear (RFC 3030 3): it is reset.
        content_answered_ = at == phase::dot && mode == content_mode::data;
        settle_rest(what);
        stopped_ = true;
    }
    step_received();
}

void flight::settle(std::size_t recipient, const finding& what) {
    known_[recipient] = knowledge::settled;
    recipient_outcome& one = outcomes_[recipient];
    one.tried = true;
    one.what.at = what.at;
    one.what.error = what.error;
    one.what.dot_sent = what.dot_sent;
    if (what.answer != nullptr) {
        reply& answer = one.what.answer.emplace();
        if (!spare_texts_.empty()) {
            answer.text = std::move(spare_texts_.back());
            spare_texts_.pop_back();
        }
        answer = *what.answer;
    }
}

void flight::settle_rest(const finding& what) {
    for (std::size_t i = 0; i < outcomes_.size(); ++i) {
        if (known_[i] == knowledge::open || known_[i] == knowledge::accepted) {
            settle(i, what);
        }
    }
    accepted_ = 0;
}

void flight::settle_untried() {
    for (std::size_t i = 0; i < outcomes_.size(); ++i) {
        if (known_[i] == knowledge::open || known_[i] == knowledge::accepted) {
            known_[i] = knowledge::passed;
        }
    }
    accepted_ = 0;
    stopped_ = true;
}

std::vector<recipient_outcome> flight::take(std::vector<recipient_outcome> recycled) {
    recycled.swap(outcomes_);
    return recycled;
}

bool flight::is_for(const transaction_view& other) const noexcept {
    return other.message->id == id_ && other.recipients.size() == outcomes_.size();
}

}  // namespace estafette::smtp
