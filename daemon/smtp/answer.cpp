#include "answer.hpp"

#include "estafette/base/text.hpp"

namespace estafette::smtp {

namespace {

// 2yz codes that answer some other command than ours: help, greeting, goodbye, login.
bool is_foreign(int code) noexcept {
    return code == 211 || code == 214 || code == 220 || code == 221 || code == 235;
}

fit judge_positive(phase at, int code) noexcept {
    switch (at) {
    case phase::banner:
    case phase::starttls: return code == 220 ? fit::yes : fit::astray;
    case phase::auth: return code == 235 ? fit::yes : code == 334 ? fit::more : fit::astray;
    // Any 3yz but AUTH's: some servers do not answer 354 to the letter.
    case phase::data: return code >= 300 && code != 334 ? fit::yes : fit::astray;
    case phase::ehlo:
    case phase::helo:
    case phase::mail:
    case phase::rcpt:
    case phase::dot:
    case phase::rset: return code < 300 && !is_foreign(code) ? fit::yes : fit::astray;
    case phase::quit: return fit::yes;
    case phase::resolve:
    case phase::connect:
    case phase::handshake:
    case phase::ready:
    case phase::body: break;
    }
    return fit::astray;
}

}  // namespace

fit judge(phase at, const reply& answer) noexcept {
    if (answer.code == 421) {
        return fit::closing;
    }
    if (answer.code < 400) {
        return judge_positive(at, answer.code);
    }
    // "Bad sequence of commands", when ours was right: the server has lost its place, or we have.
    const bool in_transaction =
        at == phase::mail || at == phase::rcpt || at == phase::data || at == phase::dot;
    return answer.code == 503 && in_transaction ? fit::astray : fit::no;
}

bool is_sync_complaint(const reply& answer, bool across) {
    if (answer.code == 503) {
        return true;
    }
    if (!answer.is_permanent()) {
        return false;
    }
    const std::string text = ascii_lower(answer.text);
    if (text.find("synchroni") != std::string::npos || text.find("pipelin") != std::string::npos) {
        return true;
    }
    // A refusal of the sender or the like says so by its enhanced code; without one we ask again in
    // lockstep, where a real refusal will be given again.
    const bool is_about_syntax = answer.code >= 500 && answer.code <= 504;
    const bool is_unexplained = answer.code == 554 && (!answer.enhanced || answer.enhanced->subject == 5);
    return across && (is_about_syntax || is_unexplained);
}

}  // namespace estafette::smtp
