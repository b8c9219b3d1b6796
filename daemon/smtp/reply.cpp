#include "estafette/smtp/reply.hpp"

#include <charconv>

namespace estafette::smtp {

namespace {

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

// A number of one to three digits at the front of `text`, cut off it.
std::optional<std::uint16_t> take_number(std::string_view& text) noexcept {
    std::size_t n = 0;
    while (n < text.size() && n < 4 && is_digit(text[n])) {
        ++n;
    }
    if (n == 0 || n > 3) {
        return std::nullopt;
    }
    std::uint16_t value = 0;
    std::from_chars(text.data(), text.data() + n, value);
    text.remove_prefix(n);
    return value;
}

bool take_dot(std::string_view& text) noexcept {
    if (!text.starts_with('.')) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

// [2-5][0-5][0-9] at the front of `line`.
int code_of(std::string_view line) noexcept {
    if (line.size() < 3 || line[0] < '2' || line[0] > '5' || line[1] < '0' || line[1] > '5' ||
        !is_digit(line[2])) {
        return 0;
    }
    return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

}  // namespace

std::optional<enhanced_code> enhanced_code::parse(std::string_view text) {
    const auto klass = take_number(text);
    if (!klass || (*klass != 2 && *klass != 4 && *klass != 5) || !take_dot(text)) {
        return std::nullopt;
    }
    const auto subject = take_number(text);
    if (!subject || !take_dot(text)) {
        return std::nullopt;
    }
    const auto detail = take_number(text);
    if (!detail || !text.empty()) {
        return std::nullopt;
    }
    return enhanced_code{*klass, *subject, *detail};
}

std::string enhanced_code::text() const {
    return std::to_string(klass) + '.' + std::to_string(subject) + '.' + std::to_string(detail);
}

result<std::size_t> reply_parser::feed(std::string_view bytes) {
    std::size_t used = 0;
    while (!complete_ && used < bytes.size()) {
        const std::string_view rest = bytes.substr(used);
        const std::size_t end = rest.find('\n');
        const std::size_t taken = end == std::string_view::npos ? rest.size() : end + 1;
        used += taken;
        total_ += taken;
        if (line_.size() + taken > limits_.line || total_ > limits_.total) {
            return errc::reply_too_long;
        }
        if (end == std::string_view::npos) {
            line_.append(rest);
            break;
        }
        // A line that came whole is read where it lies.
        std::string_view line = rest.substr(0, end);
        if (!line_.empty()) {
            line_.append(line);
            line = line_;
        }
        // The line end is CRLF; a bare LF is tolerated, since servers that send it mean nothing else.
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        const error_code bad = take_line(line);
        line_.clear();
        if (bad) {
            return bad;
        }
    }
    return used;
}

error_code reply_parser::take_line(std::string_view line) {
    const int code = code_of(line);
    const bool has_mark = line.size() > 3;
    if (code == 0 || (has_mark && line[3] != ' ' && line[3] != '-') || (lines_ != 0 && code != reply_.code)) {
        return errc::reply_malformed;
    }
    reply_.code = code;
    const std::string_view text = has_mark ? line.substr(4) : std::string_view{};
    if (!reply_.enhanced) {
        const auto found = enhanced_code::parse(text.substr(0, text.find(' ')));
        if (found && found->klass == code / 100) {
            reply_.enhanced = found;
        }
    }
    reply_.truncated = reply_.truncated || lines_ >= limits_.kept_lines ||
                       reply_.text.size() + text.size() + 1 > limits_.kept_bytes;
    if (!reply_.truncated) {
        if (lines_ != 0) {
            reply_.text += '\n';
        }
        reply_.text += text;
    }
    ++lines_;
    complete_ = !has_mark || line[3] == ' ';
    return {};
}

void reply_parser::release() noexcept {
    reply_.code = 0;
    reply_.enhanced.reset();
    reply_.text.clear();
    reply_.truncated = false;
    total_ = 0;
    lines_ = 0;
    complete_ = false;
}

reply reply_parser::take() {
    reply taken = std::move(reply_);
    release();
    return taken;
}

}  // namespace estafette::smtp
