// The only writer of protocol bytes (RFC 5321 4.1.1 and the extensions' parameters). Arguments are
// validated types: no CR, LF or other control character can come in from outside. Each command is also
// written to a text for people, with secrets replaced; only that text may be logged or kept.
#pragma once

#include "estafette/mail/address.hpp"
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

// RFC 3461: what the sender wants to be told. Written only to servers that offer DSN.
struct dsn_request {
    enum class content : std::uint8_t { unspecified, full, headers };
    enum notify_bits : std::uint8_t { success = 1, failure = 2, delay = 4, never = 8 };

    content ret = content::unspecified;
    std::string envid;        // any text of at most 100 bytes; written as xtext, left out if longer
    std::uint8_t notify = 0;  // 0: say nothing; never excludes the others
    bool orcpt = false;       // name the recipient as we know it

    bool operator==(const dsn_request&) const = default;
};

struct mail_parameters {
    std::optional<std::uint64_t> size;
    bool eightbitmime = false;
    bool smtputf8 = false;
    bool requiretls = false;
    const dsn_request* dsn = nullptr;
};

// RFC 3461 4: everything but printable ASCII without '+' and '=' becomes "+XX".
[[nodiscard]] std::string to_xtext(std::string_view text);

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
