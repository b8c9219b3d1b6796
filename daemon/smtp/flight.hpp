// One transaction under way: which of its steps were sent, which were answered, what is known of each
// recipient. Steps are counted: RSET, MAIL, one RCPT per recipient, DATA, content. Both cursors only go
// forward; steps that this transaction does not have are passed over by both.
#pragma once

#include "estafette/mail/message.hpp"
#include "estafette/smtp/capabilities.hpp"
#include "estafette/smtp/outcome.hpp"
#include "estafette/smtp/session.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace estafette::smtp {

enum class content_mode : std::uint8_t { data, bdat };

class flight {
public:
    // An outcome before it is written down.
    struct finding {
        phase at;
        const reply* answer = nullptr;
        error_code error = {};
        bool dot_sent = false;
    };

    struct facts {
        const capabilities& offers;
        bool is_trusted = false;  // TLS with a verified certificate
    };

    // Everything anew, memory kept. What this server cannot take is settled at once.
    void prepare(const transaction_view& view, const facts& server, content_mode mode, bool reset_first);

    // --- steps
    [[nodiscard]] bool is_waiting() const noexcept { return received_ < sent_; }

    [[nodiscard]] phase phase_of(std::uint32_t step) const noexcept;

    [[nodiscard]] phase to_send() const noexcept { return phase_of(sent_); }

    [[nodiscard]] phase to_receive() const noexcept { return phase_of(received_); }

    void step_sent() noexcept { sent_ = passed_over(sent_ + 1); }

    [[nodiscard]] const mail::address& recipient_to_send() const noexcept;

    // Nothing more is to be sent, and everything sent was answered.
    [[nodiscard]] bool is_over() const noexcept { return received_ >= sent_ && is_all_sent(); }

    [[nodiscard]] bool is_all_sent() const noexcept { return stopped_ || sent_ >= end(); }

    void stop() noexcept { stopped_ = true; }

    // The connection is gone: no answer is waited for any more.
    void abandon() noexcept {
        stopped_ = true;
        received_ = sent_;
    }

    // --- answers: to the step at `to_receive()`
    void answered_yes(const reply& answer);
    void answered_no(const reply& answer);

    // Once MAIL or every recipient was refused, what else was sent can only be refused too.
    [[nodiscard]] bool is_moot() const noexcept;
    void answer_ignored(bool is_positive) noexcept;

    // DATA was taken although everybody was refused: only an empty content gets us out.
    [[nodiscard]] bool is_lone_dot_due() const noexcept { return lone_dot_due_; }

    // --- what is known
    [[nodiscard]] bool is_mail_refused() const noexcept { return mail_refused_; }

    // Some recipient waits for the content.
    [[nodiscard]] bool has_accepted() const noexcept { return accepted_ != 0; }

    // All commands before DATA were answered.
    [[nodiscard]] bool is_envelope_answered() const noexcept { return received_ >= data_step(); }

    // The server holds a transaction that nothing has ended: RSET before the next.
    [[nodiscard]] bool leaves_open() const noexcept { return mail_accepted_ && !content_answered_; }

    [[nodiscard]] bool is_mail_answered() const noexcept { return mail_accepted_ || mail_refused_; }

    // Everybody of whom nothing is known yet.
    void settle_rest(const finding& what);
    void settle_untried();

    // The outcomes; `recycled` is memory for the next ones.
    [[nodiscard]] std::vector<recipient_outcome> take(std::vector<recipient_outcome> recycled);

    [[nodiscard]] bool is_for(const transaction_view& view) const noexcept;

    [[nodiscard]] bool needs_smtputf8() const noexcept { return needs_smtputf8_; }

    transaction_view view;
    content_mode mode = content_mode::data;
    bool is_begun = false;   // begin() was called for it: its content may leave
    bool is_across = false;  // its commands left with the content of the message before
    bool is_dot_sent = false;
    std::string shown;  // its part of the transcript

private:
    enum class knowledge : std::uint8_t { open, accepted, settled, passed };

    [[nodiscard]] std::uint32_t data_step() const noexcept {
        return static_cast<std::uint32_t>(outcomes_.size()) + 2;
    }

    [[nodiscard]] std::uint32_t end() const noexcept { return data_step() + 2; }

    [[nodiscard]] std::uint32_t passed_over(std::uint32_t step) const noexcept;
    void step_received() noexcept { received_ = passed_over(received_ + 1); }
    void settle(std::size_t recipient, const finding& what);
    void reset_outcomes();
    void check_recipients(const capabilities& offers);
    [[nodiscard]] error_code check_message(const facts& server) const;

    message_id id_;
    std::vector<recipient_outcome> outcomes_;
    std::vector<knowledge> known_;
    std::vector<std::string> spare_texts_;  // of answers that were recycled
    std::uint32_t sent_ = 0, received_ = 0;
    std::uint32_t accepted_ = 0;
    bool reset_first_ = false;
    bool stopped_ = false;
    bool mail_accepted_ = false, mail_refused_ = false;
    bool content_answered_ = false;
    bool needs_smtputf8_ = false;
    bool lone_dot_due_ = false;
};

}  // namespace estafette::smtp
