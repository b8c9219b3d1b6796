// Mail addresses as validated values (RFC 5321 4.1.2, RFC 6531): what routes, what is written to the
// server and what people see is the same parsed value. After construction there is no CR, LF, NUL or
// other control character in it: header and command injection end here.
// Not accepted: comments, groups, source routes, encoded words, address literals.
#pragma once

#include "estafette/base/error.hpp"

#include <compare>
#include <string>
#include <string_view>

namespace estafette::mail {

class address {
public:
    // "local@domain". Local part: dot-atom or quoted-string, ≤ 64 bytes; whole ≤ 254 bytes. The domain is
    // stored as lower-case A-labels (libidn2, UTS 46 non-transitional), the local part as given.
    // errc::address_invalid, address_too_long, domain_invalid, control_character, utf8_invalid.
    [[nodiscard]] static result<address> parse(std::string_view text);

    [[nodiscard]] std::string_view local() const noexcept { return std::string_view{text_}.substr(0, at_); }

    [[nodiscard]] std::string_view domain() const noexcept { return std::string_view{text_}.substr(at_ + 1); }

    // As it is written between < and > in a command.
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

    // The local part is not ASCII: only a server with SMTPUTF8 can take it.
    [[nodiscard]] bool needs_smtputf8() const noexcept { return needs_smtputf8_; }

    auto operator<=>(const address&) const = default;

private:
    address() = default;

    std::string text_;
    std::size_t at_ = 0;
    bool needs_smtputf8_ = false;
};

// An address with the name people see: From, To, Reply-To.
struct mailbox {
    std::string name;  // valid UTF-8 without control characters; may be empty
    address addr;

    // "a@x", "<a@x>", "Ann <a@x>", "\"Ann, B.\" <a@x>".
    [[nodiscard]] static result<mailbox> parse(std::string_view text);
};

// A domain name, made lower-case A-labels; errc::domain_invalid.
[[nodiscard]] result<std::string> parse_domain(std::string_view text);

}  // namespace estafette::mail
