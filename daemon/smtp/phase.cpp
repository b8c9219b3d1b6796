#include "estafette/smtp/phase.hpp"

namespace estafette::smtp {

namespace {

using std::chrono::minutes;

struct row {
    milliseconds limit;
    std::string_view words;
    std::string_view label;
};

row row_of(phase p) noexcept {
    switch (p) {
    case phase::resolve: return {seconds{30}, "looking up the server's name", "resolve"};
    case phase::connect: return {seconds{30}, "connecting", "connect"};
    case phase::handshake: return {seconds{60}, "making the TLS handshake", "handshake"};
    case phase::banner: return {minutes{5}, "waiting for the server's greeting", "banner"};
    case phase::ehlo: return {minutes{5}, "sending EHLO", "ehlo"};
    case phase::helo: return {minutes{5}, "sending HELO", "helo"};
    case phase::starttls: return {minutes{5}, "asking for TLS", "starttls"};
    case phase::auth: return {minutes{5}, "logging in", "auth"};
    case phase::ready: return {minutes{5}, "waiting between two messages", "ready"};
    case phase::mail: return {minutes{5}, "naming the sender", "mail"};
    case phase::rcpt: return {minutes{5}, "naming a recipient", "rcpt"};
    case phase::data: return {minutes{2}, "asking to send the message", "data"};
    case phase::body: return {minutes{3}, "sending the message", "body"};
    case phase::dot: return {minutes{10}, "sending end of data; the message may be sent twice", "dot"};
    case phase::rset: return {seconds{20}, "resetting the session", "rset"};
    case phase::quit: return {seconds{5}, "saying goodbye", "quit"};
    }
    return {minutes{5}, "in an unknown phase", "unknown"};
}

}  // namespace

milliseconds default_timeout(phase p) noexcept {
    return row_of(p).limit;
}

std::string_view words(phase p) noexcept {
    return row_of(p).words;
}

std::string_view label(phase p) noexcept {
    return row_of(p).label;
}

phase_timeouts::phase_timeouts() {
    for (std::size_t i = 0; i < phase_count; ++i) {
        limits_[i] = default_timeout(static_cast<phase>(i));
    }
}

}  // namespace estafette::smtp
