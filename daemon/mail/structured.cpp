#include "characters.hpp"
#include "draft.hpp"
#include "mime.hpp"

#include "estafette/base/text.hpp"
#include "estafette/mail/encoding.hpp"

#include <algorithm>
#include <array>

namespace estafette::mail {
namespace {

constexpr std::size_t max_line = 16 * 1024;  // of a subject or a custom field, before encoding
constexpr std::size_t max_subject_kept = 250;
constexpr std::size_t max_file_name = 255;
constexpr std::size_t max_field_name = 76;

std::string written(const mailbox& m) {
    return m.name.empty() ? m.addr.text() : phrase(m.name) + " <" + m.addr.text() + ">";
}

// Only Reply-To refuses its entries here: those of To, Cc and Bcc were refused as recipients, unless the
// envelope named the recipients.
std::string written(draft& d, const std::string& field_pointer, const address_list& list, bool report) {
    std::string out;
    for (std::size_t i = 0; i < list.items.size(); ++i) {
        auto parsed = mailbox::parse(list.items[i]);
        if (!parsed) {
            if (report)
                d.refuse(
                    list.is_array ? field_pointer + "/" + std::to_string(i) : field_pointer, parsed.error()
                );
            continue;
        }
        out.append(out.empty() ? "" : ", ").append(written(*parsed));
    }
    return out;
}

bool is_made_by_us(std::string_view name) {
    constexpr std::array<std::string_view, 11> ours{
        "date",
        "from",
        "to",
        "cc",
        "bcc",
        "reply-to",
        "subject",
        "message-id",
        "mime-version",
        "received",
        "return-path"
    };
    const auto lower = ascii_lower(name);
    return std::ranges::find(ours, lower) != ours.end() || lower.starts_with("content-") ||
           lower.starts_with("resent-");
}

std::string custom_field(draft& d, const std::string& name, const std::string& value) {
    const auto pointer = "/headers/" + escape_pointer(name);
    const auto is_name_character = [](unsigned char c) { return is_ftext(c); };
    if (name.empty() || name.size() > max_field_name || !std::ranges::all_of(name, is_name_character)) {
        d.refuse(pointer, errc::header_invalid, "not a valid name of a header field");
        return {};
    }
    if (is_made_by_us(name)) {
        d.refuse(pointer, errc::header_invalid, "this field is made from other fields or by the daemon");
        return {};
    }
    if (!check_line(d, pointer, value, max_line))
        return {};
    if (trim(value).empty()) {
        d.refuse(pointer, errc::header_invalid, "the value is empty");
        return {};
    }
    // ASCII stays as it is: the caller may have encoded it, or it may be an id or a URL.
    auto made = field(name, is_ascii(value) ? value : encoded_words(trim(value)));
    if (facts_of(made).longest_line > max_header_line) {
        d.refuse(pointer, errc::header_invalid, "a word of the value is longer than a header line may be");
        return {};
    }
    return made;
}

std::string make_header(draft& d) {
    const auto& s = d.given;
    std::string out = field("Date", to_rfc5322(d.options.now));
    if (!s.from) {
        d.refuse("/from", errc::field_missing);
    } else if (auto from = mailbox::parse(*s.from)) {
        out += field("From", written(*from));
    } else {
        d.refuse("/from", from.error());
    }
    const bool by_envelope = s.envelope && s.envelope->to;
    if (s.to.items.size() + s.cc.items.size() + s.bcc.items.size() <= d.options.max_recipients) {
        const auto to = written(d, "/to", s.to, by_envelope);
        const auto cc = written(d, "/cc", s.cc, by_envelope);
        if (!to.empty())
            out += field("To", to);
        if (!cc.empty())
            out += field("Cc", cc);
        if (to.empty() && cc.empty())
            out += field("To", "undisclosed-recipients:;");
    } else if (by_envelope) {
        d.refuse("/to", errc::too_many_recipients);
    }
    if (s.reply_to.items.size() > d.options.max_recipients)
        d.refuse("/reply_to", errc::too_many_items);
    else if (const auto reply_to = written(d, "/reply_to", s.reply_to, true); !reply_to.empty())
        out += field("Reply-To", reply_to);
    if (s.subject && check_line(d, "/subject", *s.subject, max_line)) {
        const auto subject = trim(*s.subject);
        if (!subject.empty())
            out += field("Subject", unstructured(subject));
        d.made.subject = printable(subject, max_subject_kept);
    }
    d.made.header_message_id = "<" + d.options.id.text() + "@" + d.options.message_id_domain + ">";
    out += field("Message-ID", d.made.header_message_id);
    for (const auto& [name, value] : s.headers)
        out += custom_field(d, name, value);
    return out += "MIME-Version: 1.0\r\n";
}

bool check_text(draft& d, const char* pointer, const std::optional<std::string>& text) {
    if (!text)
        return false;
    if (!is_valid_utf8(*text))
        d.refuse(pointer, errc::utf8_invalid);
    else if (text->find('\0') != std::string::npos)
        d.refuse(pointer, errc::control_character, "NUL is not allowed in a message");
    else
        return true;
    return false;
}

bool is_content_id(std::string_view id) {
    const auto fits = [](unsigned char c) { return c > 0x20 && c < 0x7F && c != '<' && c != '>'; };
    return id.size() <= 250 && std::ranges::all_of(id, fits);
}

struct files {
    std::vector<mime_part> attached;
    std::vector<mime_part> in_text;
};

files read_files(draft& d) {
    files out;
    const auto& given = d.given.attachments;
    if (given.size() > d.options.max_attachments) {
        d.refuse(
            "/attachments",
            errc::too_many_items,
            "more attachments than the limit of " + std::to_string(d.options.max_attachments)
        );
        return out;
    }
    for (std::size_t i = 0; i < given.size(); ++i) {
        const auto pointer = "/attachments/" + std::to_string(i);
        const auto before = d.errors.size();
        check_line(d, pointer + "/filename", given[i].filename, max_file_name);
        const auto type = content_type_of(given[i].content_type);
        if (!type)
            d.refuse(pointer + "/content_type", type.error(), "not a media type such as application/pdf");
        const auto bytes = base64_decode(given[i].content);
        if (!bytes)
            d.refuse(pointer + "/content", bytes.error());
        if (!is_content_id(given[i].content_id))
            d.refuse(pointer + "/content_id", errc::header_invalid, "not a valid content id");
        if (d.errors.size() != before)
            continue;
        const bool in_text = d.given.html && !given[i].content_id.empty();
        auto& into = in_text ? out.in_text : out.attached;
        into.push_back(file_part(given[i], *type, *bytes, in_text ? placement::in_text : placement::attached)
        );
    }
    return out;
}

// mixed( alternative( text, related( html, pictures ) ), files ), without the levels that hold one part.
mime_part make_content(draft& d) {
    boundary_source boundaries{d.options.random};
    auto joined = [&](std::string_view type, std::vector<mime_part> parts) {
        return parts.size() == 1 ? std::move(parts.front()) : boundaries.join(type, std::move(parts));
    };
    if (!d.given.text && !d.given.html)
        d.refuse("/text", errc::field_missing, "at least one of text and html is required");
    std::vector<mime_part> alternatives;
    if (check_text(d, "/text", d.given.text))
        alternatives.push_back(text_part("text/plain", *d.given.text));
    auto found = read_files(d);
    if (check_text(d, "/html", d.given.html)) {
        std::vector<mime_part> related;
        related.push_back(text_part("text/html", *d.given.html));
        std::ranges::move(found.in_text, std::back_inserter(related));
        alternatives.push_back(joined("multipart/related; type=\"text/html\"", std::move(related)));
    }
    if (!d.errors.empty())
        return {};
    std::vector<mime_part> mixed;
    mixed.push_back(joined("multipart/alternative", std::move(alternatives)));
    std::ranges::move(found.attached, std::back_inserter(mixed));
    return joined("multipart/mixed", std::move(mixed));
}

}  // namespace

void compose_structured(draft& d) {
    auto header = make_header(d);
    auto content = make_content(d);
    if (header.size() > max_header)
        d.refuse("", errc::too_large, "the header would be larger than 64 KiB");
    if (!d.errors.empty())
        return;
    header.append(content.header).append("\r\n").append(content.body);
    if (!header.ends_with("\r\n"))
        header += "\r\n";
    auto body = std::make_shared<const std::string>(std::move(header));
    d.made.facts = facts_of(*body);
    d.made.body = std::move(body);
}

}  // namespace estafette::mail
