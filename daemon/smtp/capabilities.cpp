#include "estafette/smtp/capabilities.hpp"

#include "estafette/base/text.hpp"

#include <charconv>

namespace estafette::smtp {

namespace {

// The next word of `text`, cut off it; words stand apart by spaces or tabs.
std::string_view take_word(std::string_view& text) noexcept {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) {
        text = {};
        return {};
    }
    text.remove_prefix(begin);
    const std::string_view word = text.substr(0, text.find_first_of(" \t"));
    text.remove_prefix(word.size());
    return word;
}

template <class Number> std::optional<Number> number_of(std::string_view text) noexcept {
    Number value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

void read_auth(capabilities& into, std::string_view words) {
    for (std::string_view word = take_word(words); !word.empty(); word = take_word(words)) {
        if (const auto m = parse_mechanism(word)) {
            into.auth.add(*m);
        }
    }
}

void read_size(capabilities& into, std::string_view words) {
    const auto limit = number_of<std::uint64_t>(take_word(words));
    into.size = true;
    // RFC 1870 4: 0 says that there is no fixed limit.
    if (limit && *limit != 0) {
        into.size_limit = limit;
    }
}

// RFC 9422 4: "MAILMAX=100 RCPTMAX=500"; 0 is not a limit anybody can work with.
void read_limits(capabilities& into, std::string_view words) {
    for (std::string_view word = take_word(words); !word.empty(); word = take_word(words)) {
        const std::size_t equals = word.find('=');
        if (equals == std::string_view::npos) {
            continue;
        }
        const auto value = number_of<std::uint32_t>(word.substr(equals + 1));
        if (!value || *value == 0) {
            continue;
        }
        const std::string_view name = word.substr(0, equals);
        if (ascii_iequals(name, "MAILMAX")) {
            into.mail_max = value;
        } else if (ascii_iequals(name, "RCPTMAX")) {
            into.rcpt_max = value;
        } else if (ascii_iequals(name, "RCPTDOMAINMAX")) {
            into.rcpt_domain_max = value;
        }
    }
}

struct flag_word {
    std::string_view word;
    bool capabilities::* flag;
};

constexpr flag_word flag_words[] = {
    {"PIPELINING", &capabilities::pipelining},
    {"STARTTLS", &capabilities::starttls},
    {"8BITMIME", &capabilities::eightbitmime},
    {"SMTPUTF8", &capabilities::smtputf8},
    {"CHUNKING", &capabilities::chunking},
    {"DSN", &capabilities::dsn},
    {"REQUIRETLS", &capabilities::requiretls},
    {"ENHANCEDSTATUSCODES", &capabilities::enhanced},
};

void read_line(capabilities& into, std::string_view line) {
    const std::string_view word = take_word(line);
    for (const flag_word& known : flag_words) {
        if (ascii_iequals(word, known.word)) {
            into.*known.flag = true;
            return;
        }
    }
    if (ascii_iequals(word, "SIZE")) {
        read_size(into, line);
    } else if (ascii_iequals(word, "AUTH")) {
        read_auth(into, line);
    } else if (word.size() > 5 && ascii_iequals(word.substr(0, 5), "AUTH=")) {
        // The form of before RFC 2554, still sent beside the other.
        read_auth(into, word.substr(5));
        read_auth(into, line);
    } else if (ascii_iequals(word, "LIMITS")) {
        read_limits(into, line);
    }
}

}  // namespace

capabilities parse_capabilities(const reply& ehlo) {
    capabilities found;
    found.esmtp = true;
    std::string_view text = ehlo.text;
    std::size_t end = text.find('\n');  // the first line is the server's name
    while (end != std::string_view::npos) {
        text.remove_prefix(end + 1);
        end = text.find('\n');
        read_line(found, text.substr(0, end));
    }
    return found;
}

}  // namespace estafette::smtp
