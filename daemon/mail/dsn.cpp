#include "estafette/mail/dsn.hpp"

#include "dsn_fields.hpp"
#include "dsn_parts.hpp"
#include "dsn_text.hpp"

#include "estafette/base/text.hpp"

#include <algorithm>
#include <array>

namespace estafette::mail {
namespace {

using dsn::fields;
using dsn::part;

bool contains_any(std::string_view text, const auto& words) {
    return std::any_of(std::begin(words), std::end(words), [&](std::string_view w) {
        return text.find(w) != std::string_view::npos;
    });
}

constexpr std::string_view auto_reply_subjects[]{
    "out of office",
    "out of the office",
    "automatic reply",
    "auto reply",
    "autoreply",
    "auto-reply",
    "auto response",
    "autoresponse",
    "auto-response",
    "vacation",
    "abwesen",
    "absence du bureau",
    "absent(e)",
    "afwezig",
    "automatisch antwoord",
    "automatische antwort",
    "reponse automatique",
    "réponse automatique",
    "away from my mail",
};

constexpr std::string_view bounce_subjects[]{
    "undeliver",
    "delivery status",
    "delivery fail",
    "delivery problem",
    "delivery report",
    "delivery notification",
    "returned mail",
    "failure notice",
    "mail failed",
    "non delivery",
    "nondeliver",
    "non-deliver",
    "delivery has failed",
    "could not send",
    "mail error",
    "user unknown",
    "returned to sender",
    "returning message",
    "delivery error",
    "mail system error",
    "message status",
    "unzustellbar",
    "nicht zugestellt",
    "non remis",
    "non distribu",
    "echec",
    "onbestelbaar",
    "bounce",
    "delivery delayed",
    "delayed",
    "delivery not",
    "not delivered",
    "rejected",
    "deliver",
};

constexpr std::string_view bounce_senders[]{
    "mailer-daemon",
    "postmaster",
    "post_master",
    "mail delivery",
    "mdaemon",
    "mailerdaemon",
    "mailer_daemon",
    "mail administrator",
    "bounce",
    "maildaemon",
    "smtp gateway",
};

// The addresses that a report in words cannot mean: its sender and its receiver.
std::vector<std::string> our_addresses(const fields& header) {
    std::vector<std::string> out;
    for (const auto* name : {"from", "reply-to", "sender", "to", "delivered-to"}) {
        for (const auto& found : dsn::find_addresses(header.get(name))) {
            out.push_back(found.address);
        }
    }
    return out;
}

std::string without_brackets(std::string_view id) {
    id = trim(id);
    const auto open = id.find('<');
    const auto close = id.find('>');
    return std::string{
        open < close && close != std::string_view::npos ? id.substr(open + 1, close - open - 1) : id
    };
}

// The header of the mail that came back, from whichever part holds it.
fields original_header(const std::vector<part>& parts) {
    for (const auto& p : parts) {
        if (p.type == "message/rfc822" || p.type == "text/rfc822-headers" || p.type == "message/global" ||
            p.type == "message/global-headers" || p.type == "text/rfc822") {
            auto header = dsn::split(p.text).header;
            if (!header.all.empty()) {
                return header;
            }
        }
    }
    for (const auto& p : parts) {
        const auto at = dsn::end_of_notice(p.text);
        if (at >= p.text.size() || !p.type.starts_with("text/")) {
            continue;
        }
        // A mark such as "--- original message follows" and blank lines stand before the header.
        std::string_view rest{p.text};
        rest.remove_prefix(at);
        for (int i = 0; i < 6 && !rest.empty(); ++i) {
            auto header = dsn::split(rest).header;
            if (header.all.size() >= 2) {
                return header;
            }
            rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
        }
    }
    return {};
}

std::string notice_of(const std::vector<part>& parts) {
    std::string out;
    for (const auto& p : parts) {
        if (!p.in_original && (p.type.starts_with("text/") || p.type.starts_with("multipart/")) &&
            out.size() < 64 * 1024 && (out.empty() || p.type == "text/plain")) {
            out += p.text;
            out += '\n';
        }
    }
    return out;
}

std::string subject_of(const fields& header) {
    return ascii_lower(dsn::decode_words(header.get("subject")));
}

// An empty return path alone is a sign of auto-replies too (RFC 3834 3.3).
bool looks_like_bounce(const fields& header) {
    const auto subject = subject_of(header);
    const auto from = ascii_lower(header.get("from"));
    const auto& path = header.get("return-path");
    return header.has("x-failed-recipients") ||
           (path == "<>" && !ascii_lower(header.get("auto-submitted")).starts_with("auto-replied")) ||
           contains_any(from, bounce_senders) || contains_any(ascii_lower(path), bounce_senders) ||
           contains_any(subject, bounce_subjects) ||
           ascii_lower(header.get("content-type")).starts_with("multipart/report");
}

bool looks_like_auto_reply(const fields& header) {
    const auto subject = subject_of(header);
    const auto submitted = ascii_lower(header.get("auto-submitted"));
    const auto precedence = ascii_lower(header.get("precedence"));
    return contains_any(subject, auto_reply_subjects) || header.has("x-autoreply") ||
           header.has("x-autorespond") || header.has("x-auto-response-from") || precedence == "auto_reply" ||
           submitted.starts_with("auto-replied");
}

void read_words(
    const fields& header, const std::vector<part>& parts, report& into, const report_limits& limits
) {
    auto notice = notice_of(parts);
    into.recipients = dsn::read_notice(notice, our_addresses(header), limits);
    std::vector<reported_recipient> named;
    for (const auto& found : dsn::find_addresses(header.get("x-failed-recipients"))) {
        reported_recipient r;
        r.address = found.address;
        for (const auto& known : into.recipients) {
            if (ascii_iequals(known.address, r.address)) {
                r = known;
            }
        }
        if (r.diagnostic.empty()) {
            r.diagnostic = dsn::words_about(notice, r.address);
            r.status = dsn::find_status(r.diagnostic);
        }
        named.push_back(std::move(r));
    }
    for (auto& known : into.recipients) {
        const bool is_new = std::none_of(named.begin(), named.end(), [&](const auto& r) {
            return ascii_iequals(r.address, known.address);
        });
        if (is_new && named.size() < limits.recipients) {
            named.push_back(std::move(known));
        }
    }
    into.recipients = std::move(named);
    const auto local = into.recipients.empty() ? dsn::lone_local_part(notice) : std::string{};
    const auto senders = dsn::find_addresses(header.get("from"));
    if (!local.empty() && !senders.empty()) {
        const auto& sender = senders.front().address;
        const auto words = dsn::words_about(notice, local);
        into.recipients.push_back(
            {local + sender.substr(sender.find('@')),
             {},
             report_action::failed,
             dsn::find_status(words),
             words,
             {}}
        );
    }
}

// Parts whose boundary is broken leave the fields of a delivery status in the text.
void read_stray_fields(std::string_view text, report& into, const report_limits& limits) {
    const auto lower = ascii_lower(text);
    const auto at = std::min(lower.find("\nfinal-recipient:"), lower.find("\noriginal-recipient:"));
    if (at == std::string::npos) {
        return;
    }
    const auto paragraph = text.rfind("\n\n", at);
    part stray;
    stray.text = text.substr(paragraph == std::string_view::npos ? at + 1 : paragraph + 2);
    dsn::read_delivery_status(stray, into, limits);
}

// Delivery-status says who and how; where it does not say why, the words beside it may.
void add_words(const std::vector<part>& parts, const std::vector<std::string>& ours, report& into) {
    std::string notice;
    for (auto& r : into.recipients) {
        if (r.address.find('@') == std::string::npos || r.address.starts_with('@')) {
            // A mailbox's path or a host: the notice may name the address it stands for.
            notice = notice.empty() ? notice_of(parts) : notice;
            const auto named = dsn::read_notice(notice, ours, {});
            r.address = named.empty() ? r.address : named.front().address;
        }
        const bool is_mute = r.diagnostic.size() < 8 || r.diagnostic.find(' ') == std::string::npos;
        if (is_mute && (r.action == report_action::failed || r.action == report_action::delayed)) {
            notice = notice.empty() ? notice_of(parts) : notice;
            r.diagnostic = dsn::words_about(notice, r.address);
        }
    }
}

}  // namespace

report read_report(std::string_view mail, const report_limits& limits) {
    report out;
    auto text = dsn::with_line_feeds(mail.substr(0, limits.bytes));
    text.erase(0, std::min(text.find_first_not_of('\n'), text.size()));
    const auto header = dsn::split(text).header;
    const auto parts = dsn::parts_of(text, limits);
    for (const auto& p : parts) {
        if (p.type == "message/delivery-status" || p.type == "message/global-delivery-status") {
            dsn::read_delivery_status(p, out, limits);
            out.kind = out.recipients.empty() ? out.kind : report_kind::delivery;
        } else if (p.type == "message/feedback-report" && !p.in_original) {
            dsn::read_feedback(p, out, limits);
            out.kind = report_kind::complaint;
        }
        if (out.kind != report_kind::other && !out.recipients.empty()) {
            break;
        }
    }
    if (out.kind == report_kind::other && looks_like_bounce(header)) {
        read_stray_fields(text, out, limits);
        out.kind = out.recipients.empty() ? out.kind : report_kind::delivery;
    }
    const auto original = original_header(parts);
    out.message_id = without_brackets(original.get("message-id"));
    if (out.kind == report_kind::delivery) {
        add_words(parts, our_addresses(header), out);
        return out;
    }
    if (out.kind == report_kind::complaint) {
        if (out.recipients.empty()) {
            for (const auto& found : dsn::find_addresses(original.get("to"))) {
                out.recipients.push_back({found.address, {}, report_action::failed, {}, {}, {}});
            }
        }
        return out;
    }
    const auto subject = subject_of(header);
    if (subject.starts_with("complaint about message from") &&
        !original.all.empty()) {  // Outlook.com's own form
        out.kind = report_kind::complaint;
        for (const auto& found : dsn::find_addresses(original.get("to"))) {
            out.recipients.push_back({found.address, {}, report_action::failed, {}, {}, {}});
        }
        return out;
    }
    if (looks_like_bounce(header) && !contains_any(subject, auto_reply_subjects)) {
        read_words(header, parts, out, limits);
        if (out.recipients.empty() && !original.all.empty()) {
            for (const auto& found : dsn::find_addresses(original.get("to"))) {
                const auto words = dsn::words_about(notice_of(parts), found.address);
                out.recipients.push_back(
                    {found.address, {}, report_action::failed, dsn::find_status(words), words, {}}
                );
            }
        }
        out.kind = out.recipients.empty() ? report_kind::other : report_kind::delivery;
    }
    if (out.kind == report_kind::other && looks_like_auto_reply(header)) {
        out.kind = report_kind::auto_reply;
    }
    return out;
}

std::string_view to_text(report_kind k) noexcept {
    switch (k) {
    case report_kind::other: return "other";
    case report_kind::delivery: return "delivery";
    case report_kind::complaint: return "complaint";
    case report_kind::auto_reply: return "auto_reply";
    }
    return "?";
}

std::string_view to_text(report_action a) noexcept {
    switch (a) {
    case report_action::failed: return "failed";
    case report_action::delayed: return "delayed";
    case report_action::delivered: return "delivered";
    case report_action::relayed: return "relayed";
    case report_action::expanded: return "expanded";
    }
    return "?";
}

}  // namespace estafette::mail
