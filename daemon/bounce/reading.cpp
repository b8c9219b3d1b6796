#include "estafette/bounce/reading.hpp"

#include "estafette/base/text.hpp"
#include "estafette/smtp/command.hpp"
#include "estafette/verdict/bounce.hpp"

#include <algorithm>

namespace estafette::bounce {

namespace {

constexpr std::size_t most_evidence = 16u << 10;
constexpr std::size_t longest_line = 998;
constexpr std::size_t longest_words = 1024;
constexpr std::string_view not_proven = " (matched by message and address, not proven)";

std::optional<store::finding> finding_of(mail::report_action action) noexcept {
    switch (action) {
    case mail::report_action::failed: return store::finding::failed;
    case mail::report_action::delayed: return store::finding::delayed;
    case mail::report_action::delivered: return store::finding::delivered;
    case mail::report_action::relayed:
    case mail::report_action::expanded: return std::nullopt;
    }
    return std::nullopt;
}

std::string words_of(const mail::reported_recipient& r) {
    if (!r.diagnostic.empty()) {
        return printable(r.diagnostic, longest_words);
    }
    return r.status.empty() ? "the report gives no reason" : "status " + printable(r.status, 64);
}

std::string speaker_of(const mail::reported_recipient& r, const mail::report& report) {
    const std::string& name = r.remote_mta.empty() ? report.reporting_mta : r.remote_mta;
    return name.empty() ? "report" : printable(name, 255);
}

std::vector<statement> statements_of(const mail::report& report, const verdict::classifier& rules) {
    std::vector<statement> out;
    if (report.kind == mail::report_kind::complaint) {
        statement s;
        s.what = store::finding::complained;
        s.judged.what = verdict::disposition::accepted;
        s.judged.why = verdict::reason::accepted;
        s.by = report.reporting_mta.empty() ? "feedback report" : printable(report.reporting_mta, 255);
        s.text = "complaint: " + printable(report.feedback_type.empty() ? "abuse" : report.feedback_type, 64);
        for (const auto& r : report.recipients) {
            s.address = r.address;
            s.original = r.original;
            out.push_back(s);
        }
        if (out.empty()) {  // its address was taken out; a tag may still name it
            out.push_back(std::move(s));
        }
        return out;
    }
    for (const auto& r : report.recipients) {
        const auto what = finding_of(r.action);
        if (what) {
            out.push_back({*what, judge(rules, r), r.address, r.original, speaker_of(r, report), words_of(r)}
            );
        }
    }
    return out;
}

mail::verp_match
tag_of(std::string_view raw, const std::vector<std::string>& to, const mail::verp_keys& keys) {
    mail::verp_match found;
    for (const std::string& address : to) {
        const auto local = std::string_view{address}.substr(0, address.rfind('@'));
        if (mail::looks_like_verp(local)) {
            found.who = keys.verify(local);
            found.is_forged = !found.who;
            return found;
        }
    }
    constexpr std::size_t searched = 1u << 20;  // as much as the report's reader looks at
    return mail::find_verp(raw.substr(0, searched), keys);
}

// Servers keep the letters of a local part or fold them; two mailboxes that differ in nothing else do not
// share a message. An ORCPT comes back as it was written (RFC 3461 4.2) from servers that do not decode it.
bool is_same(std::string_view text, const std::string& address) {
    if (ascii_iequals(text, address) || ascii_iequals(text, mail::to_xtext(address))) {
        return true;
    }
    const auto parsed = mail::address::parse(text);
    return parsed && ascii_iequals(parsed->text(), address);
}

bool speaks_of(const statement& s, const std::string& address) {
    return (!s.original.empty() && is_same(s.original, address)) ||
           (!s.address.empty() && is_same(s.address, address));
}

// A tag names one recipient. The report may name others, to whom its mail was forwarded: theirs counts as
// its own, a failure first.
const statement* choose(const std::vector<statement>& all, const std::string& address) {
    const statement* best = nullptr;
    for (const statement& s : all) {
        if (speaks_of(s, address)) {
            return &s;
        }
        if (best == nullptr || (s.what == store::finding::failed && best->what != store::finding::failed)) {
            best = &s;
        }
    }
    return best;
}

store::corrected
change_of(const statement& s, const reading& r, recipient_id who, wall_time now, std::string_view proof) {
    return {who, now, s.what, s.judged, s.by, s.text + std::string{proof}, r.evidence};
}

}  // namespace

std::optional<message_id> own_id(std::string_view text) {
    constexpr std::size_t length = 36;
    const bool ends = text.size() == length || (text.size() > length && text[length] == '@');
    const auto id = ends ? message_id::parse(text.substr(0, length)) : result<message_id>{errc::id_invalid};
    return id ? std::optional{*id} : std::nullopt;
}

std::string evidence_of(std::string_view raw) {
    std::string out;
    while (!raw.empty() && out.size() < most_evidence) {
        const auto end = raw.find('\n');
        auto line = raw.substr(0, end);
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        out += printable(line, std::min(longest_line, most_evidence - out.size()));
        out += '\n';
        raw.remove_prefix(end == std::string_view::npos ? raw.size() : end + 1);
    }
    if (out.size() > most_evidence) {
        out.erase(out.rfind('\n', most_evidence - 1) + 1);
    }
    return out;
}

reading read(
    std::string_view raw,
    const std::vector<std::string>& to,
    const mail::verp_keys& keys,
    const verdict::classifier& rules
) {
    reading r;
    const auto report = mail::read_report(raw);
    r.kind = report.kind;
    if (report.kind != mail::report_kind::delivery && report.kind != mail::report_kind::complaint) {
        return r;
    }
    r.statements = statements_of(report, rules);
    const auto tag = tag_of(raw, to, keys);
    r.named = tag.who;
    r.is_forged = tag.is_forged;
    r.message = own_id(report.envelope_id);
    if (!r.message) {
        r.message = own_id(report.message_id);
    }
    if (!r.message && !report.message_id.empty()) {
        r.header_message_id = "<" + report.message_id + ">";
    }
    r.evidence = evidence_of(raw);
    return r;
}

std::vector<store::corrected> changes_of(const reading& r, const store::message_view& m, wall_time now) {
    std::vector<store::corrected> out;
    if (r.named) {
        const bool is_there = r.named->message == m.message.id && r.named->index < m.recipients.size();
        const auto* s = is_there ? choose(r.statements, m.recipients[r.named->index].address) : nullptr;
        if (s != nullptr) {
            out.push_back(change_of(*s, r, *r.named, now, ""));
        }
        return out;
    }
    const std::string_view proof = r.proven_by.empty() ? not_proven : "";
    for (const auto& recipient : m.recipients) {
        const auto fits = std::ranges::find_if(r.statements, [&](const statement& s) {
            return speaks_of(s, recipient.address);
        });
        if (fits != r.statements.end()) {
            out.push_back(change_of(*fits, r, recipient.id, now, proof));
        }
    }
    return out;
}

}  // namespace estafette::bounce
