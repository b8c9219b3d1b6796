// Errors of the whole house: one enum with a sentence per value, one category, result<T>.
//
// A failed operation is an error_code or a result<T>. What the world answered (a 4xx, a timeout) is
// data and travels as evidence (verdict/verdict.hpp). Nothing compares message texts.
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

namespace estafette {

using error_code = boost::system::error_code;

template <class T> using result = boost::system::result<T>;

enum class errc {
    // Input from callers, files and peers
    address_invalid = 1,
    address_too_long,
    domain_invalid,
    header_invalid,
    control_character,
    utf8_invalid,
    base64_invalid,
    json_invalid,
    yaml_invalid,
    id_invalid,
    duration_invalid,
    size_invalid,
    time_invalid,
    cursor_invalid,
    too_large,
    too_many_recipients,
    too_many_items,
    field_missing,
    field_unknown,
    field_type,
    field_conflict,

    // The dialogue with a server
    reply_malformed,
    reply_too_long,
    reply_unexpected,
    bytes_unsolicited,
    eightbitmime_missing,
    smtputf8_missing,
    size_exceeded,
    starttls_missing,
    starttls_refused,
    auth_missing,
    auth_refused,
    auth_challenge_invalid,
    auth_server_unproven,
    requiretls_missing,

    // The network
    timeout,
    interrupted,
    connection_closed,
    connection_refused,
    network_unreachable,
    dns_no_such_name,
    dns_no_address,
    dns_failure,
    address_forbidden,
    tls_handshake,
    tls_untrusted,
    tls_self_signed,
    tls_expired,
    tls_not_yet_valid,
    tls_name_mismatch,
    tls_pin_mismatch,

    // The store
    store_failed,
    store_full,
    store_locked,
    store_damaged,
    store_newer,
    store_busy,
    not_found,
    conflict,

    // Ourselves
    io,
    internal,
};

[[nodiscard]] const boost::system::error_category& category() noexcept;

// The sentence of the value, lower case, without a full stop.
[[nodiscard]] const char* sentence(errc e) noexcept;

[[nodiscard]] inline error_code make_error_code(errc e) noexcept {
    return {static_cast<int>(e), category()};
}

}  // namespace estafette

template <> struct boost::system::is_error_code_enum<estafette::errc> : std::true_type {};
