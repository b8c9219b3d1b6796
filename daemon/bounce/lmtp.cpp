#include "estafette/bounce/lmtp.hpp"

#include "estafette/base/text.hpp"

#include <utility>

namespace estafette::bounce {

namespace {

constexpr std::size_t longest_address = 320;

// "FROM:<ann@x> BODY=8BITMIME" behind the verb: the path without < >, or none.
std::optional<std::string> path_of(std::string_view rest, std::string_view keyword) {
    if (rest.size() < keyword.size() || !ascii_iequals(rest.substr(0, keyword.size()), keyword)) {
        return std::nullopt;
    }
    rest = trim(rest.substr(keyword.size()));
    if (!rest.starts_with('<')) {
        return std::nullopt;
    }
    bool is_quoted = false;
    for (std::size_t i = 1; i < rest.size(); ++i) {
        const auto c = static_cast<unsigned char>(rest[i]);
        if (c < 0x20 || c == 0x7F) {
            return std::nullopt;
        }
        if (is_quoted && c == '\\') {
            ++i;
        } else if (c == '"') {
            is_quoted = !is_quoted;
        } else if (c == '>' && !is_quoted) {
            const bool ends = i + 1 == rest.size() || rest[i + 1] == ' ';
            return ends && i <= longest_address ? std::optional{std::string{rest.substr(1, i - 1)}}
                                                : std::nullopt;
        }
    }
    return std::nullopt;
}

}  // namespace

lmtp::lmtp(std::string hostname, lmtp_limits limits)
    : hostname_{std::move(hostname)}
    , limits_{limits} {}

std::string lmtp::greeting() const {
    return "220 " + hostname_ + " LMTP for mail that came back\r\n";
}

lmtp::step lmtp::feed(std::string_view bytes) {
    step s;
    while (s.used < bytes.size() && !s.ends && !s.mail && phase_ != phase::answering) {
        const auto rest = bytes.substr(s.used);
        if (phase_ == phase::content) {
            s.used += take_content(rest, s);
            continue;
        }
        const auto end = rest.find('\n');
        const auto part = rest.substr(0, end);
        if (line_.size() + part.size() > limits_.line) {
            is_too_long_ = true;
        } else if (!is_too_long_) {
            line_ += part;
        }
        s.used += end == std::string_view::npos ? rest.size() : end + 1;
        if (end == std::string_view::npos) {
            break;
        }
        if (line_.ends_with('\r')) {
            line_.pop_back();
        }
        const std::string line = std::exchange(line_, {});
        if (std::exchange(is_too_long_, false)) {
            refuse("500 5.5.6 the line is too long\r\n", s);
        } else {
            take_line(line, s);
        }
    }
    return s;
}

void lmtp::take_line(std::string_view line, step& s) {
    const auto space = line.find(' ');
    const auto verb = line.substr(0, space);
    const auto rest = space == std::string_view::npos ? std::string_view{} : trim(line.substr(space));
    take_command(verb, rest, s);
}

void lmtp::take_command(std::string_view verb, std::string_view rest, step& s) {
    if (ascii_iequals(verb, "QUIT")) {
        s.out += "221 2.0.0 bye\r\n";
        s.ends = true;
    } else if (ascii_iequals(verb, "NOOP")) {
        s.out += "250 2.0.0 ok\r\n";
    } else if (ascii_iequals(verb, "VRFY")) {
        s.out += "252 2.0.0 send it and see\r\n";
    } else if (ascii_iequals(verb, "LHLO")) {
        if (rest.empty()) {
            return refuse("501 5.5.4 LHLO needs a name\r\n", s);
        }
        forget();
        phase_ = phase::idle;
        s.out += "250-" + hostname_ +
                 "\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n";
    } else if (ascii_iequals(verb, "RSET")) {
        forget();
        s.out += "250 2.0.0 ok\r\n";
    } else if (ascii_iequals(verb, "MAIL")) {
        take_mail(rest, s);
    } else if (ascii_iequals(verb, "RCPT")) {
        take_recipient(rest, s);
    } else if (ascii_iequals(verb, "DATA")) {
        if (phase_ != phase::recipients) {
            return refuse("503 5.5.1 no recipient yet\r\n", s);
        }
        phase_ = phase::content;
        s.out += "354 the mail, ended by a dot\r\n";
    } else if (ascii_iequals(verb, "HELO") || ascii_iequals(verb, "EHLO")) {
        refuse("500 5.5.1 this is LMTP: say LHLO\r\n", s);
    } else {
        refuse("500 5.5.2 there is no such command\r\n", s);
    }
}

void lmtp::take_mail(std::string_view rest, step& s) {
    if (phase_ != phase::idle) {
        return refuse("503 5.5.1 not now\r\n", s);
    }
    if (!path_of(rest, "FROM:")) {
        return refuse("501 5.1.7 MAIL FROM:<address>\r\n", s);
    }
    phase_ = phase::sender;
    s.out += "250 2.1.0 ok\r\n";
}

void lmtp::take_recipient(std::string_view rest, step& s) {
    if (phase_ != phase::sender && phase_ != phase::recipients) {
        return refuse("503 5.5.1 MAIL first\r\n", s);
    }
    auto path = path_of(rest, "TO:");
    if (!path || path->empty()) {
        return refuse("501 5.1.3 RCPT TO:<address>\r\n", s);
    }
    if (mail_.to.size() == limits_.recipients) {
        s.out += "452 4.5.3 too many recipients\r\n";
        return;
    }
    mail_.to.push_back(std::move(*path));
    phase_ = phase::recipients;
    s.out += "250 2.1.5 ok\r\n";
}

void lmtp::keep(char c) {
    if (mail_.content.size() < limits_.kept) {
        mail_.content += c;
    }
}

// The states of `end_`: 0 within a line, 1 CR, 2 CRLF, 3 CRLF ".", 4 CRLF "." CR. A dot that begins a line is
// kept back until it is clear that more than CRLF follows; then it is the sender's second one, or stays away.
std::size_t lmtp::take_content(std::string_view bytes, step& s) {
    std::size_t used = 0;
    for (const char c : bytes) {
        ++used;
        if (++seen_ > limits_.mail) {
            s.out += "552 5.3.4 the mail is too long\r\n";
            s.ends = true;
            return used;
        }
        if (end_ == 4 && c == '\n') {
            if (mail_.content.empty()) {
                mail_.content = "\r\n";
            }
            phase_ = phase::answering;
            s.mail = std::move(mail_);
            return used;
        }
        if (end_ == 2 && c == '.') {
            end_ = 3;
            continue;
        }
        if (end_ == 3 && c == '\r') {
            end_ = 4;
            continue;
        }
        if (end_ == 4) {
            keep('\r');  // behind a dot that is transparency's, a lone CR
        }
        keep(c);
        end_ = c == '\n' && end_ == 1 ? 2 : c == '\r' ? 1 : 0;
    }
    return used;
}

std::string lmtp::answer(const std::vector<std::string>& replies) {
    std::string out;
    for (const std::string& reply : replies) {
        out += reply + "\r\n";
    }
    forget();
    return out;
}

void lmtp::refuse(const char* reply, step& s) {
    s.out += reply;
    if (++wrong_ > limits_.wrong_commands) {
        s.out += "421 4.7.0 too many wrong commands\r\n";
        s.ends = true;
    }
}

void lmtp::forget() {
    mail_ = {};
    seen_ = 0;
    end_ = 2;
    if (phase_ != phase::new_connection) {
        phase_ = phase::idle;
    }
}

}  // namespace estafette::bounce
