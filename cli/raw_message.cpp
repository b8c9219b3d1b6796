#include "raw_message.hpp"

#include "estafette/base/text.hpp"

#include <algorithm>
#include <array>

namespace estafette::cli {

namespace {

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// One field: its name, and its value with folds, up to and with its last line end.
struct field {
    std::string_view name;
    std::string_view value;
};

struct split_message {
    std::vector<field> fields;
    std::string_view rest;  // the empty line and the body; or the body at once where the line is missing
};

std::size_t end_of_line(std::string_view text, std::size_t from) {
    const std::size_t end = text.find('\n', from);
    return end == std::string_view::npos ? text.size() : end + 1;
}

// The length of a field name at the beginning, with a colon behind it; 0 where there is none.
std::size_t name_length(std::string_view line) {
    std::size_t n = 0;
    while (n < line.size() && line[n] > ' ' && line[n] < 127 && line[n] != ':') {
        ++n;
    }
    const std::size_t name = n;
    while (n < line.size() && (line[n] == ' ' || line[n] == '\t')) {
        ++n;  // "Subject : x" is obsolete syntax that readers accept
    }
    return name > 0 && n < line.size() && line[n] == ':' ? name : 0;
}

split_message split(std::string_view message) {
    split_message out;
    std::size_t at = 0;
    if (message.starts_with("From ") || message.starts_with(">From ")) {
        at = end_of_line(message, 0);
    }
    while (at < message.size()) {
        const std::size_t name = name_length(message.substr(at));
        if (name == 0) {
            break;
        }
        std::size_t end = end_of_line(message, at);
        while (end < message.size() && (message[end] == ' ' || message[end] == '\t')) {
            end = end_of_line(message, end);
        }
        const std::size_t colon = message.find(':', at + name);
        out.fields.push_back({message.substr(at, name), message.substr(colon + 1, end - colon - 1)});
        at = end;
    }
    out.rest = message.substr(at);
    return out;
}

constexpr std::array<std::string_view, 11> address_fields{
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Resent-To",
    "Resent-From",
    "Resent-Sender",
    "Resent-Cc",
    "Resent-Bcc"
};

bool holds_addresses(std::string_view name) {
    return std::ranges::any_of(address_fields, [&](std::string_view one) {
        return ascii_iequals(one, name);
    });
}

// Walks an address list once, character by character.
class list_reader {
public:
    explicit list_reader(std::string_view list)
        : list_{list} {}

    std::vector<address_span> read() {
        while (at_ < list_.size()) {
            const char c = list_[at_];
            if (c == '"') {
                mark();
                skip_quoted('"');
                last_ = at_;
            } else if (c == '(') {
                skip_comment();
            } else if (c == '<') {
                take_angle();
            } else if (c == ',' || c == ';') {
                finish();
                ++at_;
            } else if (c == ':') {
                forget();  // the name of a group
                ++at_;
            } else {
                if (!is_blank(c)) {
                    mark();
                    last_ = at_ + 1;
                }
                ++at_;
            }
        }
        finish();
        return std::move(found_);
    }

private:
    void mark() {
        first_ = std::min(first_, at_);
        has_more_ = has_angle_;  // words behind < > are no address list
    }

    void forget() {
        first_ = std::string_view::npos;
        has_angle_ = has_more_ = false;
    }

    void finish() {
        const address_span whole{first_, last_ - first_};
        const address_span& one = has_angle_ && !has_more_ ? angle_ : whole;
        if (first_ != std::string_view::npos && one.size > 0) {
            found_.push_back(one);
        }
        forget();
    }

    void skip_quoted(char end) {
        for (++at_; at_ < list_.size() && list_[at_] != end; ++at_) {
            at_ += list_[at_] == '\\' ? 1 : 0;
        }
        at_ = std::min(at_ + 1, list_.size());
    }

    void skip_comment() {
        std::size_t depth = 0;
        for (; at_ < list_.size(); ++at_) {
            if (list_[at_] == '\\') {
                ++at_;
            } else if (list_[at_] == '(') {
                ++depth;
            } else if (list_[at_] == ')' && --depth == 0) {
                ++at_;
                return;
            }
        }
        at_ = list_.size();
    }

    void take_angle() {
        first_ = std::min(first_, at_);
        std::size_t first = ++at_;
        while (at_ < list_.size() && list_[at_] != '>') {
            if (list_[at_] == '"') {
                skip_quoted('"');
            } else {
                ++at_;
            }
        }
        std::size_t end = at_;
        at_ = std::min(at_ + 1, list_.size());
        while (first < end && is_blank(list_[first])) {
            ++first;
        }
        while (end > first && is_blank(list_[end - 1])) {
            --end;
        }
        has_more_ = has_angle_;
        has_angle_ = true;
        angle_ = {first, end - first};
        last_ = at_;
    }

    std::string_view list_;
    std::size_t at_ = 0;
    std::size_t first_ = std::string_view::npos;  // of the text that may be an address
    std::size_t last_ = 0;
    address_span angle_;  // what stands in < >
    bool has_angle_ = false;
    bool has_more_ = false;
    std::vector<address_span> found_;
};

bool has_domain(std::string_view address) {
    return address.rfind('@') != std::string_view::npos && !address.ends_with('"');
}

bool has_blank(std::string_view address) {
    return !address.starts_with('"') && std::ranges::any_of(address, is_blank);
}

std::string completed(std::string_view list, const std::string& domain) {
    std::string out;
    std::size_t done = 0;
    for (const address_span& span : find_addresses(list)) {
        const std::string_view address = list.substr(span.offset, span.size);
        out += list.substr(done, span.offset + span.size - done);
        done = span.offset + span.size;
        if (!has_domain(address) && !has_blank(address)) {
            out += "@" + domain;
        }
    }
    return out + std::string{list.substr(done)};
}

}  // namespace

std::vector<address_span> find_addresses(std::string_view list) {
    return list_reader{list}.read();
}

std::string originator(std::string_view message) {
    for (const field& one : split(message).fields) {
        if (ascii_iequals(one.name, "From")) {
            const auto spans = find_addresses(one.value);
            return spans.size() == 1 ? std::string{one.value.substr(spans[0].offset, spans[0].size)} : "";
        }
    }
    return {};
}

std::string repaired(std::string_view message, const repairs& with) {
    const split_message parts = split(message);
    const std::size_t first_end = message.find('\n');
    const bool is_crlf =
        first_end != std::string_view::npos && first_end > 0 && message[first_end - 1] == '\r';
    const std::string_view newline = is_crlf ? "\r\n" : "\n";

    std::string out;
    out.reserve(message.size() + 256);
    bool has_from = false;
    for (const field& one : parts.fields) {
        has_from = has_from || ascii_iequals(one.name, "From");
        out += one.name;
        out += ':';
        const bool is_list = holds_addresses(one.name) && !with.domain.empty();
        out += is_list ? completed(one.value, with.domain) : std::string{one.value};
    }
    if (!out.empty() && !out.ends_with('\n')) {
        out += newline;  // the message ended in its header, without a line end
    }
    if (!has_from && !with.from.empty()) {
        out += "From: " + with.from;
        out += newline;
    }
    if (!parts.rest.starts_with('\n') && !parts.rest.starts_with("\r\n")) {
        out += newline;
    }
    out += parts.rest;
    return out;
}

}  // namespace estafette::cli
