// From the banner to ready: EHLO or HELO, STARTTLS, EHLO again, AUTH.
#include "session_state.hpp"
#include "transcript.hpp"

#include "estafette/base/text.hpp"

#include <openssl/crypto.h>

#include <algorithm>

namespace estafette::smtp {

namespace {

constexpr std::uint32_t challenge_limit = 8;
constexpr std::size_t banner_limit = 512;
constexpr std::size_t shortest_secret = 4;  // a shorter one cannot be told from other text

void replace_all(std::string& text, std::string_view what, std::string_view with) {
    if (what.size() < shortest_secret) {
        return;
    }
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
        text.replace(at, what.size(), with);
    }
}

}  // namespace

void session::state::start(bool with_tls, tls_facts facts) {
    is_encrypted = with_tls;
    tls = std::move(facts);
    at = stage::opening;
    opening_at = phase::banner;
    if (!name) {
        break_down({.at = phase::ehlo, .answer = {}, .error = errc::domain_invalid});
    }
}

void session::state::resume_in_tls(tls_facts facts) {
    is_encrypted = true;
    tls = std::move(facts);
    offers = {};  // what was said in clear may have been said by anybody
    at = stage::opening;
    shown += "   (TLS)\n";
    say(phase::ehlo);
}

// Writes the command of an opening phase and waits for its answer.
void session::state::say(phase p) {
    command_writer write{wire, shown};
    opening_at = p;
    write_phase = p;
    if (p == phase::ehlo) {
        write.ehlo(*name);
    } else if (p == phase::helo) {
        write.helo(*name);
    } else if (p == phase::starttls) {
        write.starttls();
    }
}

void session::state::opening_reply(reply answer) {
    if (opening_at == phase::auth) {
        redact(answer);
    }
    show_reply(shown, answer);
    keep_within(shown, opening_shown_limit);
    const fit how = judge(opening_at, answer);
    if (how == fit::astray) {
        break_down({.at = opening_at, .answer = std::move(answer), .error = errc::reply_unexpected});
        return;
    }
    if (opening_at == phase::ehlo) {
        after_ehlo(answer, how);
        return;
    }
    if (opening_at == phase::auth) {
        after_auth(answer);
        return;
    }
    if (how != fit::yes) {
        if (opening_at == phase::starttls && how == fit::no && options.starttls == starttls_use::if_offered) {
            log_in();
            return;
        }
        const bool closing = how == fit::closing;
        break_down({.at = opening_at, .answer = std::move(answer), .error = {}});
        may_say_quit = !closing;
        return;
    }
    if (opening_at == phase::banner) {
        banner = answer.text.substr(0, banner_limit);
        say(phase::ehlo);
    } else if (opening_at == phase::starttls) {
        at = stage::handshake;
    } else {
        offers = {};
        after_capabilities();
    }
}

void session::state::after_ehlo(const reply& answer, fit how) {
    if (how == fit::yes) {
        offers = parse_capabilities(answer);
        after_capabilities();
    } else if (how == fit::no && answer.is_permanent()) {
        say(phase::helo);
    } else {
        break_down({.at = phase::ehlo, .answer = answer, .error = {}});
        may_say_quit = how == fit::no;
    }
}

void session::state::after_capabilities() {
    if (!is_encrypted && options.starttls != starttls_use::never) {
        if (offers.starttls) {
            say(phase::starttls);
            return;
        }
        if (options.starttls == starttls_use::required) {
            break_down({.at = phase::starttls, .answer = {}, .error = errc::starttls_missing});
            may_say_quit = true;
            return;
        }
    }
    log_in();
}

std::span<const mechanism> session::state::allowed_mechanisms() const {
    return options.mechanisms.empty() ? default_mechanisms() : std::span<const mechanism>{options.mechanisms};
}

bool session::state::wants_auth() const {
    const auto allowed = allowed_mechanisms();
    return !options.login.username.empty() ||
           std::find(allowed.begin(), allowed.end(), mechanism::external) != allowed.end();
}

bool session::state::may_use(mechanism m) const {
    if (!offers.auth.has(m) || refused_mechanisms.has(m)) {
        return false;
    }
    if (m == mechanism::scram_sha_256_plus) {
        return !tls.binding.empty();
    }
    return m == mechanism::external || !options.login.username.empty();
}

std::optional<mechanism> session::state::choose_mechanism() const {
    for (const mechanism m : allowed_mechanisms()) {
        if (may_use(m)) {
            return m;
        }
    }
    return std::nullopt;
}

void session::state::log_in() {
    if (!wants_auth()) {
        opened();
        return;
    }
    opening_at = write_phase = phase::auth;
    const auto chosen = is_encrypted ? choose_mechanism() : std::nullopt;
    if (!chosen) {
        break_down({.at = phase::auth, .answer = {}, .error = errc::auth_missing});
        may_say_quit = true;
        return;
    }
    const auto allowed = allowed_mechanisms();
    const bool may_bind =
        std::find(allowed.begin(), allowed.end(), mechanism::scram_sha_256_plus) != allowed.end();
    exchange.emplace(
        *chosen,
        options.login,
        may_bind ? tls.binding : channel_binding{},
        options.nonce,
        offers.auth.has(mechanism::scram_sha_256_plus)
    );
    command_writer{wire, shown}.auth(*chosen, exchange->initial());
}

void session::state::after_auth(const reply& answer) {
    const fit how = judge(phase::auth, answer);
    if (how == fit::more && !auth_cancelled) {
        answer_challenge(answer);
        return;
    }
    const bool is_done = how == fit::yes && !auth_cancelled;
    const error_code unproven = is_done ? exchange->finish() : error_code{};
    if (is_done && !unproven) {
        exchange.reset();
        opened();
        return;
    }
    // 504: the server does not know the mechanism after all. Any other refusal is about our credentials:
    // offering them again in a weaker wrapping would only help who wants to see them.
    if (how == fit::no && answer.code == 504 && !auth_cancelled) {
        refused_mechanisms.add(exchange->which());
        if (choose_mechanism()) {
            log_in();
            return;
        }
    }
    const error_code why = auth_cancelled ? auth_cancelled : unproven;
    break_down({.at = phase::auth, .answer = answer, .error = why});
    may_say_quit = how != fit::closing;
}

void session::state::answer_challenge(const reply& answer) {
    const auto challenge = base64_decode(answer.text);
    if (!challenge || answer.truncated || ++challenges > challenge_limit) {
        cancel_auth(errc::auth_challenge_invalid);
        return;
    }
    const auto response = exchange->next(*challenge);
    if (!response) {
        cancel_auth(response.error());
        return;
    }
    command_writer{wire, shown}.auth_response(*response);
}

// RFC 4954 4: "*" ends the exchange; the server answers 501.
void session::state::cancel_auth(error_code why) {
    auth_cancelled = why;
    command_writer{wire, shown}.auth_cancel();
}

// A server that repeats our commands in its answer must not bring the secret into logs.
void session::state::redact(reply& answer) const {
    replace_all(answer.text, options.login.secret, "[secret]");
    replace_all(answer.text, base64_encode(options.login.secret), "[secret]");
    if (exchange) {
        if (const auto initial = exchange->initial()) {
            replace_all(answer.text, base64_encode(*initial), "[secret]");
        }
    }
}

void session::state::opened() {
    at = stage::open;
}

}  // namespace estafette::smtp
