#include "estafette/verdict/bounce.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

namespace estafette::verdict {
namespace {

struct found_code {
    int code = 0;
    std::size_t at = 0;
};

// The first reply code in the words: "550 5.1.1 no", "host said: 550 no", "smtp;550 no".
std::optional<found_code> find_code(std::string_view words) {
    constexpr std::string_view before = " ;:([\n<\"";
    constexpr std::string_view behind = " -\n#";
    for (std::size_t i = 0; i + 3 <= words.size(); ++i) {
        const bool begins = i == 0 || before.find(words[i - 1]) != std::string_view::npos;
        const bool ends = i + 3 == words.size() || behind.find(words[i + 3]) != std::string_view::npos;
        if (begins && ends && (words[i] == '4' || words[i] == '5') && words[i + 1] >= '0' &&
            words[i + 1] <= '5' && words[i + 2] >= '0' && words[i + 2] <= '9') {
            found_code found;
            std::from_chars(words.data() + i, words.data() + i + 3, found.code);
            found.at = i;
            return found;
        }
    }
    return std::nullopt;
}

// The server's own words: what the reporting server wrote around them goes, and so do the codes that
// unfolding left in the middle ("does not exist. Please 550-5.1.1 try").
std::string words_of_server(std::string_view words, const std::optional<found_code>& code) {
    if (code) {
        words = words.substr(code->at);
    }
    if (const auto at = words.find("(in reply to "); at != std::string_view::npos) {
        words = words.substr(0, at);
    }
    std::string out{words};
    if (code && words.size() > 10) {
        const auto repeated = std::string{words.substr(0, 3)};
        for (auto at = out.find(repeated, 4); at != std::string::npos; at = out.find(repeated, at + 1)) {
            const bool is_code =
                at + 3 < out.size() && (out[at + 3] == '-' || out[at + 3] == ' ') && out[at - 1] == ' ';
            if (is_code) {
                out[at - 1] = '\n';  // a line's start again: folding drops the codes there
            }
        }
    }
    return out;
}

std::optional<smtp::enhanced_code> enhanced_of(std::string_view words, std::string_view status) {
    const auto space = words.find_first_of(" -#");
    const auto rest = space == std::string_view::npos ? std::string_view{} : words.substr(space + 1);
    const auto bare = rest.substr(rest.starts_with('#') ? 1 : 0);
    const auto end = std::min(bare.find_first_of(" \n"), bare.size());
    if (auto own = smtp::enhanced_code::parse(bare.substr(0, end))) {
        return own;
    }
    return smtp::enhanced_code::parse(status);
}

}  // namespace

verdict judge(const classifier& c, const mail::reported_recipient& reported) {
    using mail::report_action;
    verdict v;
    if (reported.action != report_action::failed && reported.action != report_action::delayed) {
        v.why = reason::accepted;
        v.what = disposition::accepted;
        v.certain = reported.action == report_action::delivered;
        return v;
    }
    smtp::outcome what;
    what.at = smtp::phase::rcpt;
    smtp::reply answer;
    const auto code = find_code(reported.diagnostic);
    answer.text = words_of_server(reported.diagnostic, code);
    answer.enhanced =
        code ? enhanced_of(answer.text, reported.status) : smtp::enhanced_code::parse(reported.status);
    const bool is_late =
        reported.action == report_action::delayed || (answer.enhanced && answer.enhanced->klass == 4);
    answer.code = code ? code->code : is_late ? 450 : 550;
    what.answer = std::move(answer);
    v = c.classify({what, reported.remote_mta, {}});
    v.what = reported.action == report_action::failed ? disposition::fail : disposition::retry;
    v.retry_hint.reset();
    return v;
}

}  // namespace estafette::verdict
