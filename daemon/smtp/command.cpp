#include "estafette/smtp/command.hpp"

#include "estafette/base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace estafette::smtp {

namespace {

bool is_name_character(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

bool is_literal_character(char c) noexcept {
    return is_name_character(c) || c == ':';
}

void append_number(std::string& to, std::uint64_t value) {
    std::array<char, 20> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    to.append(digits.data(), end);
}

// RFC 3461 4.1: NEVER excludes the others.
void append_notify(std::string& to, std::uint8_t notify) {
    struct word {
        std::uint8_t bit;
        std::string_view text;
    };

    constexpr std::array<word, 3> words{
        {{dsn_request::success, "SUCCESS"}, {dsn_request::failure, "FAILURE"}, {dsn_request::delay, "DELAY"}}
    };

    if ((notify & dsn_request::never) != 0) {
        to += " NOTIFY=NEVER";
        return;
    }
    char before = '=';
    for (const word& w : words) {
        if ((notify & w.bit) != 0) {
            to += before == '=' ? " NOTIFY" : "";
            to += before;
            to += w.text;
            before = ',';
        }
    }
}

constexpr std::size_t auth_line_limit = 510;  // a longer initial response waits for the server's 334

}  // namespace

result<helo_name> helo_name::parse(std::string_view text) {
    const bool is_literal = text.size() > 2 && text.front() == '[' && text.back() == ']';
    const std::string_view inner = is_literal ? text.substr(1, text.size() - 2) : text;
    const bool fits =
        !inner.empty() && inner.size() <= 255 &&
        std::all_of(inner.begin(), inner.end(), is_literal ? is_literal_character : is_name_character);
    if (!fits) {
        return errc::domain_invalid;
    }
    return helo_name{std::string{text}};
}

void command_writer::line(std::string_view text) {
    wire_ += text;
    wire_ += "\r\n";
    shown_ += "C: ";
    shown_ += text;
    shown_ += '\n';
}

void command_writer::secret(std::string_view shown, std::string_view bytes) {
    wire_ += bytes;
    wire_ += "\r\n";
    shown_ += "C: ";
    shown_ += shown;
    shown_ += '\n';
}

void command_writer::ehlo(const helo_name& name) {
    line("EHLO " + name.text());
}

void command_writer::helo(const helo_name& name) {
    line("HELO " + name.text());
}

void command_writer::starttls() {
    line("STARTTLS");
}

void command_writer::auth(mechanism m, const std::optional<std::string>& initial) {
    std::string text = "AUTH ";
    text += to_text(m);
    if (!initial) {
        line(text);
        return;
    }
    // RFC 4954 4: an empty initial response is written "=".
    const std::string response = initial->empty() ? "=" : base64_encode(*initial);
    if (text.size() + 1 + response.size() > auth_line_limit) {
        line(text);
        return;
    }
    secret(text + " [secret]", text + ' ' + response);
}

void command_writer::auth_response(std::string_view response) {
    secret("[secret]", base64_encode(response));
}

void command_writer::auth_cancel() {
    line("*");
}

// The commands of a message are written in place: this is the hot path.
void command_writer::mail(const mail::address* from, const mail_parameters& with) {
    const std::size_t begin = wire_.size();
    wire_ += "MAIL FROM:<";
    if (from != nullptr) {
        wire_ += from->text();
    }
    wire_ += '>';
    if (with.size) {
        wire_ += " SIZE=";
        append_number(wire_, *with.size);
    }
    if (with.eightbitmime) {
        wire_ += " BODY=8BITMIME";
    }
    if (with.smtputf8) {
        wire_ += " SMTPUTF8";
    }
    if (with.requiretls) {
        wire_ += " REQUIRETLS";
    }
    if (with.dsn != nullptr) {
        switch (with.dsn->ret) {
        case dsn_request::content::unspecified: break;
        case dsn_request::content::full: wire_ += " RET=FULL"; break;
        case dsn_request::content::headers: wire_ += " RET=HDRS"; break;
        }
        if (!with.dsn->envid.empty() && mail::xtext_size(with.dsn->envid) <= mail::envid_limit) {
            wire_ += " ENVID=";
            mail::append_xtext(wire_, with.dsn->envid);
        }
    }
    show_from(begin);
}

void command_writer::rcpt(const mail::address& to, const dsn_request* dsn) {
    const std::size_t begin = wire_.size();
    wire_ += "RCPT TO:<";
    wire_ += to.text();
    wire_ += '>';
    if (dsn != nullptr) {
        append_notify(wire_, dsn->notify);
        if (dsn->orcpt && !to.needs_smtputf8()) {
            wire_ += " ORCPT=rfc822;";
            mail::append_xtext(wire_, to.text());
        }
    }
    show_from(begin);
}

// Ends the command that was written in place since `begin`.
void command_writer::show_from(std::size_t begin) {
    shown_ += "C: ";
    shown_.append(wire_, begin);
    shown_ += '\n';
    wire_ += "\r\n";
}

void command_writer::data() {
    line("DATA");
}

void command_writer::bdat_last(std::uint64_t size) {
    const std::size_t begin = wire_.size();
    wire_ += "BDAT ";
    append_number(wire_, size);
    wire_ += " LAST";
    show_from(begin);
}

void command_writer::rset() {
    line("RSET");
}

void command_writer::quit() {
    line("QUIT");
}

}  // namespace estafette::smtp
