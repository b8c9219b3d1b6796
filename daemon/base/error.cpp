#include "estafette/base/error.hpp"

namespace estafette {

const char* sentence(errc e) noexcept {
    switch (e) {
    case errc::address_invalid: return "not a valid mail address";
    case errc::address_too_long:
        return "the mail address is longer than 254 bytes, or its local part than 64";
    case errc::domain_invalid: return "not a valid domain name";
    case errc::header_invalid: return "not a valid header field";
    case errc::control_character: return "control characters are not allowed here";
    case errc::utf8_invalid: return "not valid UTF-8";
    case errc::base64_invalid: return "not valid base64";
    case errc::json_invalid: return "not valid JSON";
    case errc::yaml_invalid: return "not valid YAML";
    case errc::id_invalid: return "not a valid id";
    case errc::duration_invalid: return "not a duration such as 30s, 5m, 4h or 2d";
    case errc::size_invalid: return "not a size such as 512KiB or 25MiB";
    case errc::time_invalid: return "not a time such as 2026-05-01T08:00:00Z";
    case errc::cursor_invalid: return "not a cursor that this server gave out";
    case errc::too_large: return "larger than the limit";
    case errc::too_many_recipients: return "more recipients than the limit";
    case errc::too_many_items: return "more entries than the limit";
    case errc::field_missing: return "is required";
    case errc::field_unknown: return "there is no such field";
    case errc::field_type: return "has the wrong type";
    case errc::field_conflict: return "cannot go together with another field given";
    case errc::reply_malformed: return "the server's reply is not three digits and text";
    case errc::reply_too_long: return "the server's reply is longer than the limit";
    case errc::reply_unexpected: return "the server's reply does not fit the command";
    case errc::bytes_unsolicited: return "the server sent bytes that nothing asked for";
    case errc::eightbitmime_missing:
        return "the message has 8-bit content and the server does not offer 8BITMIME";
    case errc::smtputf8_missing: return "an address needs SMTPUTF8 and the server does not offer it";
    case errc::size_exceeded: return "the message is larger than the server accepts";
    case errc::starttls_missing: return "the server does not offer STARTTLS";
    case errc::starttls_refused: return "the server refused STARTTLS";
    case errc::auth_missing: return "the server offers no authentication that we may use";
    case errc::auth_refused: return "the server refused our user name or password";
    case errc::auth_challenge_invalid: return "the server's authentication challenge is not valid";
    case errc::auth_server_unproven: return "the server did not prove that it knows the password";
    case errc::requiretls_missing:
        return "the message requires TLS all the way and the server does not offer REQUIRETLS";
    case errc::timeout: return "the peer did not answer in time";
    case errc::interrupted: return "we stopped the operation ourselves";
    case errc::connection_closed: return "the peer closed the connection";
    case errc::connection_refused: return "the peer refused the connection";
    case errc::network_unreachable: return "the network or host cannot be reached";
    case errc::dns_no_such_name: return "the name does not exist";
    case errc::dns_no_address: return "the name has no address";
    case errc::dns_failure: return "the name could not be looked up";
    case errc::address_forbidden:
        return "the address is private or reserved, and allow_private of the route is off";
    case errc::tls_handshake: return "the TLS handshake failed";
    case errc::tls_untrusted: return "the server's certificate is not signed by a trusted authority";
    case errc::tls_self_signed: return "the server's certificate is self-signed";
    case errc::tls_expired: return "the server's certificate has expired";
    case errc::tls_not_yet_valid: return "the server's certificate is not yet valid";
    case errc::tls_name_mismatch: return "the server's certificate is for another name";
    case errc::tls_pin_mismatch: return "the server's key is not the pinned one";
    case errc::store_failed: return "the store failed and takes nothing more until the daemon restarts";
    case errc::store_full: return "the store has no space left for new mail";
    case errc::store_locked: return "another daemon uses this store";
    case errc::store_damaged: return "the store is damaged";
    case errc::store_newer: return "the store was written by a newer version";
    case errc::store_busy: return "the store did not answer in time";
    case errc::not_found: return "not found";
    case errc::conflict: return "in conflict with the present state";
    case errc::io: return "input or output failed";
    case errc::internal: return "an internal error";
    }
    return "unknown error";
}

namespace {

class category_type final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "estafette"; }

    std::string message(int value) const override { return sentence(static_cast<errc>(value)); }
};

}  // namespace

// One object for the whole program: a second one would make equal codes compare unequal.
const boost::system::error_category& category() noexcept {
    static const category_type instance;
    return instance;
}

}  // namespace estafette
