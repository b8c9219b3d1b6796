#include "header.hpp"

#include "characters.hpp"

#include "estafette/base/text.hpp"
#include "estafette/mail/compose.hpp"
#include "estafette/mail/encoding.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace estafette::mail {
namespace {

constexpr std::string_view line_end = "\r\n";

std::string_view first_line(std::string_view text) {
    const auto end = text.find(line_end);
    return end == std::string_view::npos ? text : text.substr(0, end + line_end.size());
}

// The name of the field that the line begins; blanks before the ':' are an old form.
std::optional<std::string_view> field_name(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos)
        return std::nullopt;
    const auto name = trim(line.substr(0, colon));
    const auto is_name_character = [](unsigned char c) { return is_ftext(c); };
    if (name.empty() || is_blank(static_cast<unsigned char>(line.front())) ||
        !std::ranges::all_of(name, is_name_character))
        return std::nullopt;
    return name;
}

}  // namespace

raw_message split_message(std::string_view bytes) {
    raw_message out;
    for (const std::string_view mbox : {"From ", ">From "})
        if (bytes.starts_with(mbox))
            bytes.remove_prefix(first_line(bytes).size());
    while (!bytes.empty()) {
        const auto line = first_line(bytes);
        if (line == line_end) {
            bytes.remove_prefix(line.size());
            break;
        }
        const auto name = field_name(line);
        if (!name)
            break;
        auto size = line.size();
        while (size < bytes.size() && is_blank(static_cast<unsigned char>(bytes[size])))
            size += first_line(bytes.substr(size)).size();
        const auto whole = bytes.substr(0, size);
        out.fields.push_back({*name, whole.substr(whole.find(':') + 1), whole});
        bytes.remove_prefix(size);
    }
    out.body = bytes;
    return out;
}

namespace {

constexpr std::size_t max_listed = 10'000;

// One pass over an address list (RFC 5322 3.4), without recursion: comments are counted, a group's name
// is forgotten at its ':', what stands in <> replaces the words before it.
class list_reader {
public:
    explicit list_reader(std::vector<std::string>& into)
        : into_{into} {}

    error_code read(std::string_view value) {
        for (std::size_t i = 0; i < value.size(); ++i) {
            const char c = value[i];
            if (c == '\\' && (in_quotes_ || comments_ != 0)) {
                keep(value.substr(i, 2));
                ++i;
            } else if (comments_ != 0) {
                comments_ += c == '(' ? 1 : c == ')' ? -1 : 0;
            } else if (in_quotes_ || c == '"') {
                in_quotes_ = in_quotes_ != (c == '"');
                keep(value.substr(i, 1));
            } else if (const auto failed = read_plain(c)) {
                return failed;
            }
        }
        if (in_quotes_ || in_angle_ || comments_ != 0)
            return errc::address_invalid;
        return end_entry();
    }

private:
    void keep(std::string_view text) {
        if (comments_ == 0)
            (in_angle_ ? angle_ : words_).append(text);
    }

    error_code read_plain(char c) {
        switch (c) {
        case '(': ++comments_; return {};
        case '<': {
            const bool is_second = in_angle_ || has_angle_;
            in_angle_ = has_angle_ = true;
            return is_second ? error_code{errc::address_invalid} : error_code{};
        }
        case '>': {
            const bool was_open = std::exchange(in_angle_, false);
            return was_open ? error_code{} : error_code{errc::address_invalid};
        }
        case ':': (in_angle_ ? angle_ : words_).clear(); return {};
        case ',':
        case ';':
            if (in_angle_)  // a source route's hosts
                return {};
            return end_entry();
        default: keep(std::string_view{&c, 1}); return {};
        }
    }

    error_code end_entry() {
        std::string unfolded;
        for (const char c : has_angle_ ? angle_ : words_)
            if (c != '\r' && c != '\n')
                unfolded += c;
        const auto entry = trim(unfolded);
        if (!entry.empty()) {
            if (into_.size() == max_listed)
                return errc::too_many_recipients;
            into_.emplace_back(entry);
        }
        words_.clear();
        angle_.clear();
        has_angle_ = false;
        return {};
    }

    std::vector<std::string>& into_;
    std::string words_;
    std::string angle_;
    int comments_ = 0;
    bool in_quotes_ = false;
    bool in_angle_ = false;
    bool has_angle_ = false;
};

}  // namespace

result<std::vector<std::string>> header_recipients(std::string_view raw) {
    const std::string bytes = to_crlf(raw);
    const auto message = split_message(bytes);
    const auto is_resent = [](const raw_field& f) {
        return ascii_iequals(f.name, "resent-to") || ascii_iequals(f.name, "resent-cc") ||
               ascii_iequals(f.name, "resent-bcc");
    };
    const bool resent = std::ranges::any_of(message.fields, is_resent);
    std::vector<std::string> out;
    for (const auto& field : message.fields) {
        const bool is_first = ascii_iequals(field.name, "to") || ascii_iequals(field.name, "cc") ||
                              ascii_iequals(field.name, "bcc");
        if (!(resent ? is_resent(field) : is_first))
            continue;
        if (const auto failed = list_reader{out}.read(field.value))
            return failed;
    }
    return out;
}

}  // namespace estafette::mail
