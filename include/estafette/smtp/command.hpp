// The only writer of protocol bytes (RFC 5321 4.1.1 and the extensions' parameters). Arguments are
// validated types: no CR, LF or other control character can come in from outside. Each command is also
// written to a text for people, with secrets replaced; only that text may be logged or kept.
#pragma once

#include "estafette/mail/address.hpp"
#include "estafette/mail/dsn_request.hpp"
#include "estafette/smtp/auth.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace estafette::smtp {

// The name we give in EHLO: a host name or an address literal.
class helo_name {
public:
    // errc::domain_invalid
    [[nodiscard]] static result<helo_name> parse(std::string_view text);

    [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
    explicit helo_name(std::string text)
        : text_{std::move(text)} {}

    std::string text_;
};

using mail::dsn_request;  // written only to servers that offer DSN

struct mail_parameters {
    std::optional<std::uint64_t> size;
    bool eightbitmime = false;
    bool smtputf8 = false;
    bool requiretls = false;
    const dsn_request* dsn = nullptr;
};

// Appends to two strings that outlive it: the bytes for the wire, and the lines for people ("C: …\n").
class command_writer {
public:
    command_writer(std::string& wire, std::string& shown) noexcept
        : wire_{wire}
        , shown_{shown} {}

    void ehlo(const helo_name& name);
    void helo(const helo_name& name);
    void starttls();
    void auth(mechanism m, const std::optional<std::string>& initial);  // the response before base64
    void auth_response(std::string_view response);                      // before base64
    void auth_cancel();
    void mail(const mail::address* from, const mail_parameters& with);  // null: <>
    void rcpt(const mail::address& to, const dsn_request* dsn);
    void data();
    void bdat_last(std::uint64_t size);
    void rset();
    void quit();

private:
    void line(std::string_view text);
    void secret(std::string_view shown, std::string_view bytes);
    void show_from(std::size_t begin);

    std::string& wire_;
    std::string& shown_;
};

}  // namespace estafette::smtp
