#include "attempt.hpp"

#include "fields.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace estafette::cli {

namespace {

constexpr std::array<std::pair<std::string_view, const char*>, 9> commands{{
    {"ehlo", "EHLO"},
    {"helo", "HELO"},
    {"starttls", "STARTTLS"},
    {"auth", "AUTH"},
    {"mail", "MAIL FROM"},
    {"rcpt", "RCPT TO"},
    {"data", "DATA"},
    {"body", "DATA"},
    {"dot", "DATA"},
}};

}  // namespace

std::string answer_of(const boost::json::value& attempt) {
    const std::string words = text(attempt, "text");
    const auto code = number(attempt, "code");
    if (!code || *code == 0) {
        return words;
    }
    std::string out = std::to_string(*code);
    if (words.starts_with(out)) {
        return words;
    }
    const std::string enhanced = text(attempt, "enhanced");
    if (!enhanced.empty() && !words.starts_with(enhanced)) {
        out += " " + enhanced;
    }
    return words.empty() ? out : out + " " + words;
}

std::string command_of(const boost::json::value& attempt) {
    const std::string phase = text(attempt, "phase");
    for (const auto& [name, command] : commands) {
        if (name == phase) {
            return command;
        }
    }
    return {};
}

}  // namespace estafette::cli
