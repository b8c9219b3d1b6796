#include "characters.hpp"
#include "draft.hpp"

#include "estafette/base/text.hpp"

#include <algorithm>
#include <unordered_set>

namespace estafette::mail {
namespace {

constexpr std::size_t max_label_size = 255;
constexpr std::size_t max_tags = 50;
constexpr std::size_t max_metadata = 4096;

std::string entry_pointer(const std::string& field, const address_list& list, std::size_t i) {
    return list.is_array ? field + "/" + std::to_string(i) : field;
}

class recipient_collector {
public:
    explicit recipient_collector(draft& d)
        : draft_{d} {}

    // Counted before they are read: a million addresses cost nothing.
    bool fits(const std::string& field, std::size_t more) {
        given_ += more;
        if (given_ <= draft_.options.max_recipients)
            return true;
        draft_.refuse(
            field,
            errc::too_many_recipients,
            "more recipients than the limit of " + std::to_string(draft_.options.max_recipients)
        );
        return false;
    }

    void add(const std::string& pointer, result<address> parsed) {
        if (!parsed)
            draft_.refuse(pointer, parsed.error());
        else if (seen_.insert(parsed->text()).second)
            draft_.made.to.push_back(std::move(*parsed));
    }

    [[nodiscard]] std::size_t given() const noexcept { return given_; }

private:
    draft& draft_;
    std::size_t given_ = 0;
    std::unordered_set<std::string> seen_;
};

void collect_listed(draft& d, recipient_collector& recipients) {
    const auto& s = d.given;
    const std::pair<const char*, const address_list*> fields[]{
        {"/to", &s.to}, {"/cc", &s.cc}, {"/bcc", &s.bcc}
    };
    for (const auto& [field, list] : fields) {
        if (!recipients.fits(field, list->items.size()))
            return;
        for (std::size_t i = 0; i < list->items.size(); ++i) {
            auto parsed = mailbox::parse(list->items[i]);
            recipients.add(
                entry_pointer(field, *list, i),
                parsed ? result<address>{std::move(parsed->addr)} : result<address>{parsed.error()}
            );
        }
    }
    if (recipients.given() == 0)
        d.refuse("/to", errc::field_missing, "at least one recipient in to, cc or bcc is required");
}

void collect_enveloped(draft& d, recipient_collector& recipients) {
    const auto& to = *d.given.envelope->to;
    if (!recipients.fits("/envelope/to", to.size()))
        return;
    for (std::size_t i = 0; i < to.size(); ++i)
        recipients.add("/envelope/to/" + std::to_string(i), address::parse(to[i]));
    if (to.empty())
        d.refuse("/envelope/to", errc::field_missing, "at least one recipient is required");
}

void set_recipients(draft& d) {
    recipient_collector recipients{d};
    const bool is_raw = d.given.raw || d.given.raw_bytes;
    if (d.given.envelope && d.given.envelope->to)
        collect_enveloped(d, recipients);
    else if (is_raw)
        d.refuse("/envelope/to", errc::field_missing);
    else
        collect_listed(d, recipients);
}

void set_sender(draft& d) {
    const bool is_raw = d.given.raw || d.given.raw_bytes;
    if (d.given.envelope && d.given.envelope->from) {
        if (d.given.envelope->from->empty())
            return;  // the null sender
        if (auto parsed = address::parse(*d.given.envelope->from))
            d.made.from = std::move(*parsed);
        else
            d.refuse("/envelope/from", parsed.error());
    } else if (is_raw) {
        d.refuse("/envelope/from", errc::field_missing);
    } else if (d.given.from) {
        // A wrong one is refused where the header is made.
        if (auto parsed = mailbox::parse(*d.given.from))
            d.made.from = std::move(parsed->addr);
    }
}

std::optional<wall_time> read_time(draft& d, const char* pointer, const std::optional<std::string>& text) {
    if (!text)
        return std::nullopt;
    auto parsed = parse_rfc3339(*text);
    if (parsed)
        return *parsed;
    d.refuse(pointer, parsed.error());
    return std::nullopt;
}

void set_times(draft& d) {
    auto& m = d.made;
    const auto now = d.options.now;
    m.accepted_at = now;
    m.due_at = std::max(now, read_time(d, "/send_at", d.given.send_at).value_or(now));
    const auto expires = read_time(d, "/expires_at", d.given.expires_at);
    m.expires_at = expires.value_or(m.due_at + d.options.expire_after);
    if (expires && *expires <= m.due_at)
        d.refuse("/expires_at", errc::time_invalid, "is not after the time of sending");
}

void set_labels(draft& d) {
    const auto& s = d.given;
    auto& m = d.made;
    if (check_line(d, "/category", s.category, max_label_size))
        m.category = s.category;
    if (check_line(d, "/group", s.group, max_label_size))
        m.group = s.group;
    if (check_line(d, "/key", s.key, max_label_size))
        m.key = s.key;
    if (s.tags.size() > max_tags)
        d.refuse("/tags", errc::too_many_items, "more tags than the limit of 50");
    for (std::size_t i = 0; i < std::min(s.tags.size(), max_tags); ++i)
        if (check_line(d, "/tags/" + std::to_string(i), s.tags[i], max_label_size))
            m.tags.push_back(s.tags[i]);
    if (s.metadata.size() > max_metadata)
        d.refuse("/metadata", errc::too_large, "larger than the limit of 4 KiB");
    m.metadata = s.metadata;
    if (!s.priority || *s.priority == to_text(priority::transactional))
        m.precedence = priority::transactional;
    else if (*s.priority == to_text(priority::bulk))
        m.precedence = priority::bulk;
    else
        d.refuse("/priority", errc::field_type, "is neither \"transactional\" nor \"bulk\"");
    m.require_tls = s.require_tls;
    m.ignore_suppression = s.ignore_suppression;
    if (m.ignore_suppression && m.precedence == priority::bulk)
        d.refuse(
            "/ignore_suppression", errc::field_conflict, "bulk mail may not ignore the suppression list"
        );
}

std::uint8_t notify_of(draft& d, const address_list& words) {
    unsigned all = 0;
    for (std::size_t i = 0; i < words.items.size(); ++i) {
        const auto one = parse_notify(words.items[i]);
        if (!one)
            d.refuse(
                entry_pointer("/dsn/notify", words, i),
                errc::field_type,
                "is none of \"success\", \"failure\", \"delay\" and \"never\""
            );
        all |= one.value_or(0);
    }
    if (words.items.empty())
        d.refuse("/dsn/notify", errc::field_missing, "at least one word is required");
    if ((all & dsn_request::never) != 0 && all != dsn_request::never)
        d.refuse("/dsn/notify", errc::field_conflict, "\"never\" goes with no other word");
    return static_cast<std::uint8_t>(all);
}

void set_reports(draft& d) {
    if (!d.given.dsn)
        return;
    const auto& s = *d.given.dsn;
    auto& r = d.made.reports;
    if (s.notify)
        r.notify = notify_of(d, *s.notify);
    if (s.content) {
        if (const auto parsed = parse_dsn_content(*s.content))
            r.ret = *parsed;
        else
            d.refuse("/dsn/return", errc::field_type, "is neither \"headers\" nor \"full\"");
    }
    // RFC 3461 4.4: printable US-ASCII, since a report repeats it in a field of its own.
    if (s.envelope_id && check_line(d, "/dsn/envelope_id", *s.envelope_id, envid_limit)) {
        if (std::ranges::any_of(*s.envelope_id, [](char c) { return c < ' ' || c > '~'; }))
            d.refuse("/dsn/envelope_id", errc::field_type, "has other characters than printable ASCII");
        else if (to_xtext(*s.envelope_id).size() > envid_limit)
            d.refuse(
                "/dsn/envelope_id", errc::too_large, "longer than 100 bytes once it is encoded (RFC 3461)"
            );
        else
            r.envid = *s.envelope_id;
    }
}

}  // namespace

bool check_line(draft& d, const std::string& pointer, std::string_view text, std::size_t limit) {
    const auto before = d.errors.size();
    if (text.size() > limit)
        d.refuse(pointer, errc::too_large, "longer than the limit of " + std::to_string(limit) + " bytes");
    else if (!is_valid_utf8(text))
        d.refuse(pointer, errc::utf8_invalid);
    else if (has_control(text))
        d.refuse(pointer, errc::control_character);
    return d.errors.size() == before;
}

std::string escape_pointer(std::string_view key) {
    std::string out;
    for (const char c : key) {
        if (c == '~')
            out += "~0";
        else if (c == '/')
            out += "~1";
        else
            out += c;
    }
    return out;
}

void compose_envelope(draft& d) {
    set_sender(d);
    set_recipients(d);
    set_times(d);
    set_labels(d);
    set_reports(d);
}

}  // namespace estafette::mail
