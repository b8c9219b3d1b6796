#include "provider_events.hpp"

#include "provider_json.hpp"

#include "estafette/base/text.hpp"
#include "estafette/verdict/bounce.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace estafette::bounce {

namespace {

namespace json = boost::json;

enum class effect : std::uint8_t { delivered, failed, delayed, complained, unsubscribed };

struct event_word {
    provider from;
    std::string_view word;  // the event's type; where it has a second one: "type/second"
    effect what;
};

// What is not here says nothing about delivery: opened, clicked, processed, and what is yet to come.
constexpr event_word words[]{
    {provider::ses, "Delivery", effect::delivered},
    {provider::ses, "Bounce", effect::failed},
    {provider::ses, "DeliveryDelay", effect::delayed},
    {provider::ses, "Complaint", effect::complained},
    {provider::mailgun, "delivered", effect::delivered},
    {provider::mailgun, "failed/permanent", effect::failed},
    {provider::mailgun, "failed/temporary", effect::delayed},
    {provider::mailgun, "complained", effect::complained},
    {provider::mailgun, "unsubscribed", effect::unsubscribed},
    {provider::postmark, "Delivery", effect::delivered},
    {provider::postmark, "Bounce/HardBounce", effect::failed},
    {provider::postmark, "Bounce/SoftBounce", effect::failed},
    {provider::postmark, "Bounce/Transient", effect::delayed},
    {provider::postmark, "Bounce/DnsError", effect::failed},
    {provider::postmark, "Bounce/BadEmailAddress", effect::failed},
    {provider::postmark, "Bounce/Blocked", effect::failed},
    {provider::postmark, "Bounce/SpamNotification", effect::failed},
    {provider::postmark, "Bounce/VirusNotification", effect::failed},
    {provider::postmark, "Bounce/DMARCPolicy", effect::failed},
    {provider::postmark, "Bounce/Unknown", effect::failed},
    {provider::postmark, "SpamComplaint", effect::complained},
    {provider::postmark, "SubscriptionChange/true", effect::unsubscribed},
    {provider::sendgrid, "delivered", effect::delivered},
    {provider::sendgrid, "bounce", effect::failed},
    {provider::sendgrid, "dropped", effect::failed},
    {provider::sendgrid, "deferred", effect::delayed},
    {provider::sendgrid, "spamreport", effect::complained},
    {provider::sendgrid, "unsubscribe", effect::unsubscribed},
    {provider::sendgrid, "group_unsubscribe", effect::unsubscribed},
    {provider::brevo, "delivered", effect::delivered},
    {provider::brevo, "hard_bounce", effect::failed},
    {provider::brevo, "soft_bounce", effect::failed},
    {provider::brevo, "invalid_email", effect::failed},
    {provider::brevo, "blocked", effect::failed},
    {provider::brevo, "error", effect::failed},
    {provider::brevo, "deferred", effect::delayed},
    {provider::brevo, "spam", effect::complained},
    {provider::brevo, "unsubscribed", effect::unsubscribed},
};

std::optional<effect> effect_of(provider from, std::string_view word) {
    const auto* found =
        std::ranges::find_if(words, [&](const event_word& w) { return w.from == from && w.word == word; });
    return found == std::end(words) ? std::nullopt : std::optional{found->what};
}

// One recipient of an event, whoever tells it.
struct told {
    effect what = effect::failed;
    std::string address;
    std::string status;       // enhanced code
    std::string words;        // the receiving server's
    std::string server;       // that said them
    std::string message_id;   // of the mail's header; with or without < >
    std::string provider_id;  // the provider's own, as its answer to our mail named it
};

store::finding finding_of(effect what) noexcept {
    switch (what) {
    case effect::delivered: return store::finding::delivered;
    case effect::failed: return store::finding::failed;
    case effect::delayed: return store::finding::delayed;
    case effect::complained:
    case effect::unsubscribed: return store::finding::complained;
    }
    return store::finding::failed;
}

statement statement_of(provider from, const told& t, const verdict::classifier& rules) {
    constexpr std::size_t longest = 1024;
    statement s;
    s.what = finding_of(t.what);
    s.address = t.address;
    s.by = std::string{to_text(from)};
    s.judged.what = verdict::disposition::accepted;
    s.judged.why = verdict::reason::accepted;
    if (t.what == effect::unsubscribed) {
        s.what = store::finding::complained;
        s.only_stops = true;
        s.text = "unsubscribed";
    } else if (t.what == effect::complained) {
        s.text = "complaint: " + printable(t.words.empty() ? "abuse" : t.words, 64);
    } else {
        mail::reported_recipient r;
        r.action = t.what == effect::failed    ? mail::report_action::failed
                   : t.what == effect::delayed ? mail::report_action::delayed
                                               : mail::report_action::delivered;
        r.status = t.status;
        r.diagnostic = t.words;
        r.remote_mta = t.server;
        s.judged = verdict::judge(rules, r);
        s.text = t.words.empty() ? "status " + printable(t.status, 64) : printable(t.words, longest);
    }
    return s;
}

reading reading_of(provider from, const told& t, const json::value& event, const event_context& with) {
    reading r;
    r.kind = t.what == effect::complained || t.what == effect::unsubscribed ? mail::report_kind::complaint
                                                                            : mail::report_kind::delivery;
    r.statements.push_back(statement_of(from, t, with.rules));
    const std::string text = json::serialize(event);
    r.named = mail::find_verp(text, with.keys).who;
    std::string_view id = t.message_id;
    if (id.starts_with('<') && id.ends_with('>')) {
        id = id.substr(1, id.size() - 2);
    }
    r.message = own_id(id);
    if (!r.message && !id.empty()) {
        r.header_message_id = "<" + std::string{id} + ">";
    }
    r.provider_id = t.provider_id;
    r.proven_by = std::string{to_text(from)};
    r.evidence = evidence_of(text);
    return r;
}

std::string header_of(const json::value& headers, std::string_view name) {
    if (!headers.is_array()) {
        return {};
    }
    for (const json::value& field : headers.get_array()) {
        if (ascii_iequals(text_at(field, {"name"}), name)) {
            return text_at(field, {"value"});
        }
    }
    return {};
}

struct ses_form {
    std::string_view section, recipients;  // where its recipients are
    bool are_objects = true;
};

ses_form ses_form_of(effect what) noexcept {
    switch (what) {
    case effect::delivered: return {"delivery", "recipients", false};
    case effect::delayed: return {"deliveryDelay", "delayedRecipients"};
    case effect::complained: return {"complaint", "complainedRecipients"};
    case effect::failed:
    case effect::unsubscribed: break;
    }
    return {"bounce", "bouncedRecipients"};
}

std::vector<told> ses(const json::value& e) {
    std::string word = text_at(e, {"notificationType"});
    word = word.empty() ? text_at(e, {"eventType"}) : word;
    const auto what = effect_of(provider::ses, word);
    std::vector<told> out;
    if (!what) {
        return out;
    }
    const auto form = ses_form_of(*what);
    const auto* recipients = find(e, {form.section, form.recipients});
    if (recipients == nullptr || !recipients->is_array()) {
        return out;
    }
    told t;
    t.what = *what;
    t.provider_id = text_at(e, {"mail", "messageId"});
    if (const auto* headers = find(e, {"mail", "headers"})) {
        t.message_id = header_of(*headers, "Message-ID");
    }
    for (const json::value& r : recipients->get_array()) {
        const bool is_text = !form.are_objects && r.is_string();
        t.address = is_text ? std::string{std::string_view{r.get_string()}} : text_at(r, {"emailAddress"});
        t.status = text_at(r, {"status"});
        t.words = *what == effect::complained  ? text_at(e, {"complaint", "complaintFeedbackType"})
                  : *what == effect::delivered ? text_at(e, {"delivery", "smtpResponse"})
                                               : text_at(r, {"diagnosticCode"});
        t.server = text_at(e, {form.section, "reportingMTA"});
        if (t.words.starts_with("smtp;")) {
            t.words = std::string{trim(std::string_view{t.words}.substr(5))};
        }
        out.push_back(t);
    }
    return out;
}

std::vector<told> one(provider from, std::string_view word, told t) {
    const auto what = effect_of(from, word);
    if (!what) {
        return {};
    }
    t.what = *what;
    return {std::move(t)};
}

std::vector<told> mailgun(const json::value& e) {
    told t;
    t.address = text_at(e, {"recipient"});
    t.status = text_at(e, {"delivery-status", "enhanced-code"});
    t.words = text_at(e, {"delivery-status", "message"});
    const std::string code = text_at(e, {"delivery-status", "code"});
    if (!code.empty() && !t.words.starts_with(code)) {
        t.words = code + " " + t.words;
    }
    t.server = text_at(e, {"delivery-status", "mx-host"});
    t.message_id = text_at(e, {"message", "headers", "message-id"});
    const std::string word = text_at(e, {"event"});
    return one(provider::mailgun, word == "failed" ? word + "/" + text_at(e, {"severity"}) : word, t);
}

std::vector<told> postmark(const json::value& e) {
    told t;
    const std::string record = text_at(e, {"RecordType"});
    t.address = text_at(e, {record == "Bounce" || record == "SpamComplaint" ? "Email" : "Recipient"});
    t.words = text_at(e, {"Details"});
    if (t.words.empty() && record == "Bounce") {
        t.words = text_at(e, {"Description"});
    }
    if (t.words.starts_with("smtp;")) {
        t.words = std::string{trim(std::string_view{t.words}.substr(5))};
    }
    t.provider_id = text_at(e, {"MessageID"});
    std::string word = record;
    if (record == "Bounce") {
        word += "/" + text_at(e, {"Type"});
    } else if (record == "SubscriptionChange") {
        const auto* stops = find(e, {"SuppressSending"});
        word += stops != nullptr && stops->is_bool() && stops->get_bool() ? "/true" : "/false";
    }
    return one(provider::postmark, word, t);
}

std::vector<told> sendgrid(const json::value& e) {
    told t;
    t.address = text_at(e, {"email"});
    t.status = text_at(e, {"status"});
    t.words = text_at(e, {"reason"});
    if (t.words.empty()) {
        t.words = text_at(e, {"response"});
    }
    t.message_id = text_at(e, {"smtp-id"});
    t.provider_id = text_at(e, {"sg_message_id"});
    t.provider_id = t.provider_id.substr(0, t.provider_id.find('.'));
    return one(provider::sendgrid, text_at(e, {"event"}), t);
}

std::vector<told> brevo(const json::value& e) {
    told t;
    t.address = text_at(e, {"email"});
    t.words = text_at(e, {"reason"});
    t.message_id = text_at(e, {"message-id"});
    return one(provider::brevo, text_at(e, {"event"}), t);
}

std::vector<told> told_by(provider from, const json::value& event) {
    switch (from) {
    case provider::ses: return ses(event);
    case provider::mailgun: return mailgun(event);
    case provider::postmark: return postmark(event);
    case provider::sendgrid: return sendgrid(event);
    case provider::brevo: return brevo(event);
    }
    return {};
}

}  // namespace

std::optional<std::vector<reading>>
events_of(provider from, const json::value& event, const event_context& with) {
    if (!event.is_object()) {
        return std::nullopt;
    }
    constexpr std::size_t most = 100;
    std::vector<reading> out;
    for (const told& t : told_by(from, event)) {
        if (out.size() < most && !t.address.empty()) {
            out.push_back(reading_of(from, t, event, with));
        }
    }
    return out;
}

}  // namespace estafette::bounce
