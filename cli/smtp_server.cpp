#include "smtp_server.hpp"

#include "estafette/base/text.hpp"

#include <optional>

namespace estafette::cli {

namespace {

constexpr std::size_t line_limit = 4096;
constexpr std::size_t content_limit = 25u << 20;  // what the daemon takes by default
constexpr std::size_t recipient_limit = 1000;

constexpr std::string_view bad_sequence = "503 5.5.1 Out of order\r\n";

struct path_and_parameters {
    std::string path;
    std::string_view parameters;
};

// "FROM:<a@x> SIZE=3" behind MAIL; a space behind the colon and missing < > are forgiven.
std::optional<path_and_parameters> parse_path(std::string_view rest, std::string_view keyword) {
    rest = trim(rest);
    if (rest.size() < keyword.size() || !ascii_iequals(rest.substr(0, keyword.size()), keyword)) {
        return std::nullopt;
    }
    rest = trim(rest.substr(keyword.size()));
    if (!rest.starts_with('<')) {
        const std::size_t end = rest.find(' ');
        if (rest.empty()) {
            return std::nullopt;
        }
        return path_and_parameters{
            std::string{rest.substr(0, end)}, end == std::string_view::npos ? "" : rest.substr(end)
        };
    }
    bool is_quoted = false;
    for (std::size_t i = 1; i < rest.size(); ++i) {
        if (rest[i] == '\\') {
            ++i;
        } else if (rest[i] == '"') {
            is_quoted = !is_quoted;
        } else if (rest[i] == '>' && !is_quoted) {
            return path_and_parameters{std::string{rest.substr(1, i - 1)}, rest.substr(i + 1)};
        }
    }
    return std::nullopt;
}

// What the caller did wrong with MAIL's parameters; empty: nothing.
std::string_view check_parameters(std::string_view parameters) {
    parameters = trim(parameters);
    while (!parameters.empty()) {
        const std::size_t end = parameters.find(' ');
        const std::string_view one = parameters.substr(0, end);
        const std::string_view name = one.substr(0, one.find('='));
        if (ascii_iequals(name, "SIZE")) {
            const auto size = parse_size(one.substr(std::min(one.size(), std::size_t{5})));
            if (size && *size > content_limit) {
                return "552 5.3.4 The message is larger than 25 MiB\r\n";
            }
        } else if (!ascii_iequals(name, "BODY") && !ascii_iequals(name, "SMTPUTF8")) {
            return "555 5.5.4 Unknown parameter\r\n";
        }
        parameters = end == std::string_view::npos ? "" : trim(parameters.substr(end));
    }
    return {};
}

std::string reply_of(const failure& wrong) {
    const std::string words = printable(wrong.text, 400) + "\r\n";
    switch (wrong.code) {
    case exit_code::data: return "554 5.6.0 " + words;
    case exit_code::no_permission: return "550 5.7.1 " + words;
    case exit_code::no_such: return "550 5.1.0 " + words;
    case exit_code::ok:
    case exit_code::usage:
    case exit_code::no_input:
    case exit_code::unavailable:
    case exit_code::software:
    case exit_code::io:
    case exit_code::temporary:
    case exit_code::protocol:
    case exit_code::config: break;
    }
    return "451 4.3.0 " + words;
}

}  // namespace

std::string smtp_server::greeting() const {
    return "220 " + name_ + " ESMTP Estafette\r\n";
}

std::string smtp_server::take(std::string_view line) {
    switch (phase_) {
    case phase::content: return take_content(line);
    case phase::command: return take_command(line);
    case phase::closed: break;
    }
    return {};
}

std::string smtp_server::take_command(std::string_view line) {
    if (line.size() > line_limit) {
        return "500 5.5.2 The line is too long\r\n";
    }
    const std::size_t space = line.find(' ');
    const std::string_view verb = line.substr(0, space);
    const std::string_view rest = space == std::string_view::npos ? "" : line.substr(space + 1);
    if (ascii_iequals(verb, "EHLO") || ascii_iequals(verb, "HELO")) {
        return hello(verb, trim(rest));
    }
    if (ascii_iequals(verb, "MAIL")) {
        return mail(rest);
    }
    if (ascii_iequals(verb, "RCPT")) {
        return rcpt(rest);
    }
    if (ascii_iequals(verb, "DATA")) {
        return data();
    }
    if (ascii_iequals(verb, "RSET")) {
        reset();
        return "250 2.0.0 Ok\r\n";
    }
    if (ascii_iequals(verb, "NOOP")) {
        return "250 2.0.0 Ok\r\n";
    }
    if (ascii_iequals(verb, "VRFY")) {
        return "252 2.0.0 Send it and see\r\n";
    }
    if (ascii_iequals(verb, "HELP")) {
        return "214 2.0.0 EHLO HELO MAIL RCPT DATA RSET NOOP VRFY QUIT\r\n";
    }
    if (ascii_iequals(verb, "QUIT")) {
        phase_ = phase::closed;
        return "221 2.0.0 Bye\r\n";
    }
    return "500 5.5.2 Unknown command\r\n";
}

std::string smtp_server::hello(std::string_view verb, std::string_view name) {
    if (name.empty()) {
        return "501 5.5.4 Say who you are\r\n";
    }
    reset();
    greeted_ = true;
    if (ascii_iequals(verb, "HELO")) {
        return "250 " + name_ + "\r\n";
    }
    return "250-" + name_ + "\r\n250-PIPELINING\r\n250-SIZE " + std::to_string(content_limit) +
           "\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES\r\n";
}

std::string smtp_server::mail(std::string_view rest) {
    if (!greeted_ || has_sender_) {
        return std::string{bad_sequence};
    }
    const auto parsed = parse_path(rest, "FROM:");
    if (!parsed) {
        return "501 5.5.4 Syntax: MAIL FROM:<address>\r\n";
    }
    if (const std::string_view wrong = check_parameters(parsed->parameters); !wrong.empty()) {
        return std::string{wrong};
    }
    if (!parsed->path.empty() && !is_address_(parsed->path)) {
        return "553 5.1.7 Not a valid address\r\n";
    }
    envelope_.from = parsed->path;
    has_sender_ = true;
    return "250 2.1.0 Ok\r\n";
}

std::string smtp_server::rcpt(std::string_view rest) {
    if (!has_sender_) {
        return std::string{bad_sequence};
    }
    const auto parsed = parse_path(rest, "TO:");
    if (!parsed) {
        return "501 5.5.4 Syntax: RCPT TO:<address>\r\n";
    }
    if (!trim(parsed->parameters).empty()) {
        return "555 5.5.4 Unknown parameter\r\n";
    }
    if (!is_address_(parsed->path)) {
        return "553 5.1.3 Not a valid address\r\n";
    }
    if (envelope_.to.size() == recipient_limit) {
        return "452 4.5.3 Too many recipients\r\n";
    }
    envelope_.to.push_back(parsed->path);
    return "250 2.1.5 Ok\r\n";
}

std::string smtp_server::data() {
    if (envelope_.to.empty()) {
        return std::string{bad_sequence};
    }
    phase_ = phase::content;
    return "354 End with a dot on a line of its own\r\n";
}

std::string smtp_server::take_content(std::string_view line) {
    if (line == ".") {
        phase_ = phase::command;
        return end_of_content();
    }
    if (line.starts_with('.')) {
        line.remove_prefix(1);
    }
    if (too_large_ || content_.size() + line.size() > content_limit) {
        too_large_ = true;
        content_.clear();
        return {};
    }
    content_ += line;
    content_ += "\r\n";
    return {};
}

std::string smtp_server::end_of_content() {
    if (too_large_) {
        reset();
        return "552 5.3.4 The message is larger than 25 MiB\r\n";
    }
    const auto id = deliver_(envelope_, content_);
    reset();
    return id ? "250 2.0.0 Ok: queued as " + *id + "\r\n" : reply_of(id.error());
}

void smtp_server::reset() {
    has_sender_ = false;
    too_large_ = false;
    envelope_ = {};
    content_.clear();
}

}  // namespace estafette::cli
