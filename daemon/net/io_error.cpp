#include "estafette/net/drive.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace estafette::net {

namespace {

// In TLS 1.3 the server judges our certificate after our handshake is over: its alert comes with the
// first read, and is still the handshake's failure.
bool is_late_refusal(const error_code& ec) noexcept {
    switch (ERR_GET_REASON(static_cast<unsigned long>(ec.value()))) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED: return true;
    default: return false;
    }
}

}  // namespace

error_code io_error(const error_code& ec, bool deadline_passed, asio::cancellation_type cancelled) noexcept {
    namespace error = asio::error;
    if (deadline_passed || ec == error::timed_out)
        return make_error_code(errc::timeout);
    if (ec == error::operation_aborted ||
        (cancelled & asio::cancellation_type::terminal) != asio::cancellation_type::none)
        return make_error_code(errc::interrupted);
    if (ec == error::connection_refused)
        return make_error_code(errc::connection_refused);
    if (ec == error::network_unreachable || ec == error::host_unreachable || ec == error::network_down)
        return make_error_code(errc::network_unreachable);
    if (ec.category() == error::get_ssl_category() && is_late_refusal(ec))
        return make_error_code(errc::tls_handshake);
    return make_error_code(errc::connection_closed);
}

}  // namespace estafette::net
