// SMTP on standard input and output (sendmail -bs): as much of RFC 5321 as callers such as mutt, git
// send-email and msmtp-like wrappers speak. A machine without I/O: a line in, the reply out.
//
// Promises: 250 to the final dot only when the message was taken over. Lines and messages are bounded.
// Does not: authenticate, offer TLS, relay by itself. Sources: RFC 5321, 1870, 2034, 2920, 6152, 6531.
#pragma once

#include "failure.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace estafette::cli {

class smtp_server {
public:
    struct envelope {
        std::string from;  // empty: the null sender
        std::vector<std::string> to;
    };

    using check = std::function<bool(std::string_view address)>;

    // The message's id, or why it was not taken.
    using deliver =
        std::function<boost::system::result<std::string, failure>(const envelope&, std::string_view bytes)>;

    smtp_server(std::string name, check is_address, deliver take_over)
        : name_{std::move(name)}
        , is_address_{std::move(is_address)}
        , deliver_{std::move(take_over)} {}

    [[nodiscard]] std::string greeting() const;

    // One line without its line end; the reply with CRLF, or nothing while content is read.
    [[nodiscard]] std::string take(std::string_view line);

    // Until QUIT.
    [[nodiscard]] bool is_open() const noexcept { return phase_ != phase::closed; }

private:
    enum class phase : std::uint8_t { command, content, closed };

    std::string take_command(std::string_view line);
    std::string take_content(std::string_view line);
    std::string hello(std::string_view verb, std::string_view name);
    std::string mail(std::string_view rest);
    std::string rcpt(std::string_view rest);
    std::string data();
    std::string end_of_content();
    void reset();

    std::string name_;
    check is_address_;
    deliver deliver_;
    phase phase_ = phase::command;
    bool greeted_ = false;
    bool has_sender_ = false;
    bool too_large_ = false;
    envelope envelope_;
    std::string content_;
};

}  // namespace estafette::cli
