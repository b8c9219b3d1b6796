#include "draft.hpp"
#include "header.hpp"

#include "estafette/base/text.hpp"
#include "estafette/mail/encoding.hpp"

#include <algorithm>

namespace estafette::mail {
namespace {

constexpr std::size_t max_subject = 250;

// The first field of that name, or null.
const raw_field* find(const raw_message& m, std::string_view name) {
    const auto found =
        std::ranges::find_if(m.fields, [&](const raw_field& f) { return ascii_iequals(f.name, name); });
    return found == m.fields.end() ? nullptr : &*found;
}

std::string default_from(const draft& d) {
    return d.made.from ? d.made.from->text() : "MAILER-DAEMON@" + d.options.message_id_domain;
}

// "<left@right>" as it stands, if it is fit to be kept, shown and searched for.
std::string readable_message_id(const raw_field* field) {
    const std::string text = field != nullptr ? decode_header(field->value) : std::string{};
    const bool is_fit = text.size() > 2 && text.size() <= 250 && text.front() == '<' && text.back() == '>' &&
                        is_ascii(text) && text.find(' ') == std::string::npos;
    return is_fit ? printable(text) : std::string{};
}

bool check_header(draft& d, const std::string& pointer, const raw_message& m) {
    std::size_t size = 0;
    for (const auto& field : m.fields) {
        size += field.whole.size();
        if (facts_of(field.whole).longest_line <= max_header_line)
            continue;
        d.refuse(pointer, errc::header_invalid, "the header has a line of more than 998 bytes");
        return false;
    }
    if (size <= max_header)
        return true;
    d.refuse(pointer, errc::too_large, "the header is larger than 64 KiB");
    return false;
}

std::string rebuild(const draft& d, const raw_message& m, const std::string& new_id) {
    std::string out;
    out.reserve(m.body.size() + max_header);
    const auto is_dropped = [](const raw_field& f) {
        return ascii_iequals(f.name, "bcc") || ascii_iequals(f.name, "resent-bcc");
    };
    if (find(m, "date") == nullptr)
        out += field("Date", to_rfc5322(d.options.now));
    if (find(m, "from") == nullptr)
        out += field("From", default_from(d));
    if (!new_id.empty())
        out += field("Message-ID", new_id);
    for (const auto& f : m.fields) {
        // An unusable Message-ID is replaced: two of them would be worse than a new one.
        if (is_dropped(f) || (!new_id.empty() && ascii_iequals(f.name, "message-id")))
            continue;
        out.append(f.whole);
        if (!f.whole.ends_with("\r\n"))
            out += "\r\n";
    }
    out.append("\r\n").append(m.body);
    if (!out.ends_with("\r\n"))
        out += "\r\n";
    return out;
}

}  // namespace

void compose_raw(draft& d) {
    const std::string pointer = d.given.raw ? "/raw" : "";
    std::string given;
    if (d.given.raw) {
        auto decoded = base64_decode(*d.given.raw);
        if (!decoded) {
            d.refuse(pointer, decoded.error());
            return;
        }
        given = std::move(*decoded);
    }
    const std::string_view bytes = d.given.raw ? std::string_view{given} : *d.given.raw_bytes;
    if (bytes.find('\0') != std::string_view::npos) {
        d.refuse(pointer, errc::control_character, "NUL is not allowed in a message");
        return;
    }
    const std::string lines = to_crlf(bytes);
    const auto parts = split_message(lines);
    if (!check_header(d, pointer, parts))
        return;

    auto& m = d.made;
    m.header_message_id = readable_message_id(find(parts, "message-id"));
    std::string new_id;
    if (m.header_message_id.empty()) {
        new_id = "<" + d.options.id.text() + "@" + d.options.message_id_domain + ">";
        m.header_message_id = new_id;
    }
    if (const auto* subject = find(parts, "subject"))
        m.subject = printable(decode_header(subject->value), max_subject);
    auto body = std::make_shared<const std::string>(rebuild(d, parts, new_id));
    m.facts = facts_of(*body);
    m.body = std::move(body);
}

}  // namespace estafette::mail
