#include "estafette/bounce/provider.hpp"

#include "proof.hpp"
#include "provider_events.hpp"
#include "provider_json.hpp"

#include "estafette/base/text.hpp"

#include <array>
#include <utility>

namespace estafette::bounce {

namespace {

namespace json = boost::json;

constexpr std::array<std::pair<provider, std::string_view>, 5> names{{
    {provider::ses, "ses"},
    {provider::mailgun, "mailgun"},
    {provider::postmark, "postmark"},
    {provider::sendgrid, "sendgrid"},
    {provider::brevo, "brevo"},
}};

constexpr std::size_t most_events = 1000;  // of one request

const std::string& field(const webhook& w, const char* name) {
    static const std::string none;
    const auto found = w.fields.find(name);
    return found == w.fields.end() ? none : found->second;
}

// What SNS signs: names and values of these members, a line each, in this order.
std::optional<std::string> signed_text(const json::value& envelope) {
    const std::string type = text_at(envelope, {"Type"});
    std::string out;
    const auto add = [&](std::string_view name) {
        out.append(name).append("\n").append(text_at(envelope, {name})).append("\n");
    };
    add("Message");
    add("MessageId");
    if (type == "Notification") {
        if (find(envelope, {"Subject"}) != nullptr) {
            add("Subject");
        }
        add("Timestamp");
    } else if (type == "SubscriptionConfirmation" || type == "UnsubscribeConfirmation") {
        add("SubscribeURL");
        add("Timestamp");
        add("Token");
    } else {
        return std::nullopt;
    }
    add("TopicArn");
    add("Type");
    return out;
}

bool is_proven_by_sns(const json::value& envelope, const provider_secrets& secrets, wall_time now) {
    const auto text = signed_text(envelope);
    const auto signature = base64_decode(text_at(envelope, {"Signature"}));
    const std::string version = text_at(envelope, {"SignatureVersion"});
    const auto at = parse_rfc3339(text_at(envelope, {"Timestamp"}));
    // SNS repeats for an hour and signs once.
    constexpr milliseconds window = std::chrono::hours{2};
    return text && signature && at && *at + window >= now && *at <= now + window &&
           text_at(envelope, {"TopicArn"}) == secrets.ses_topic && (version == "1" || version == "2") &&
           is_signed_by_certificate(
               secrets.ses_certificate,
               *text,
               *signature,
               version == "1" ? digest_kind::sha1 : digest_kind::sha256
           );
}

bool is_proven_by_mailgun(const json::value& body, const std::string& key, wall_time now) {
    const std::string at = text_at(body, {"signature", "timestamp"});
    const std::string mac = hmac_sha256_hex(key, at + text_at(body, {"signature", "token"}));
    return is_same_secret(text_at(body, {"signature", "signature"}), mac) && is_recent(at, now);
}

bool is_proven_by_sendgrid(const webhook& w, const std::string& key, wall_time now) {
    const std::string& at = field(w, "x-twilio-email-event-webhook-timestamp");
    const auto signature = base64_decode(field(w, "x-twilio-email-event-webhook-signature"));
    const auto spki = base64_decode(key);
    return signature && spki && !signature->empty() && is_recent(at, now) &&
           is_signed_by_key(*spki, at + w.body, *signature);
}

bool is_basic(const webhook& w, const std::string& expected) {
    constexpr std::string_view scheme = "Basic ";
    const std::string_view given = field(w, "authorization");
    if (given.size() <= scheme.size() || !ascii_iequals(given.substr(0, scheme.size()), scheme)) {
        return false;
    }
    const auto pair = base64_decode(given.substr(scheme.size()));
    return pair && is_same_secret(*pair, expected);
}

bool is_bearer(const webhook& w, const std::string& expected) {
    constexpr std::string_view scheme = "Bearer ";
    std::string_view given = field(w, "authorization");
    if (given.size() > scheme.size() && ascii_iequals(given.substr(0, scheme.size()), scheme)) {
        given.remove_prefix(scheme.size());
    } else {
        given = field(w, "x-webhook-token");
    }
    return is_same_secret(given, expected);
}

bool is_configured(provider from, const provider_secrets& s) {
    switch (from) {
    case provider::ses: return !s.ses_certificate.empty() && !s.ses_topic.empty();
    case provider::mailgun: return !s.mailgun_key.empty();
    case provider::postmark: return !s.postmark_token.empty();
    case provider::sendgrid: return !s.sendgrid_key.empty();
    case provider::brevo: return !s.brevo_token.empty();
    }
    return false;
}

// Those whose proof is in the header are proven before their body is looked at.
bool is_proven(
    provider from,
    const webhook& w,
    const std::optional<json::value>& body,
    const provider_secrets& s,
    wall_time now
) {
    switch (from) {
    case provider::ses: return body && is_proven_by_sns(*body, s, now);
    case provider::mailgun: return body && is_proven_by_mailgun(*body, s.mailgun_key, now);
    case provider::postmark: return is_basic(w, s.postmark_token);
    case provider::sendgrid: return is_proven_by_sendgrid(w, s.sendgrid_key, now);
    case provider::brevo: return is_bearer(w, s.brevo_token);
    }
    return false;
}

// The events of a body, whose form differs: wrapped by SNS and Mailgun, an array of SendGrid and Brevo.
boost::system::result<std::vector<json::value>, webhook_fault> unwrap(provider from, json::value body) {
    std::vector<json::value> events;
    if (from == provider::ses) {
        auto inner = parse_provider_json(text_at(body, {"Message"}));
        if (!inner) {
            return webhook_fault::unreadable;
        }
        events.push_back(std::move(*inner));
    } else if (from == provider::mailgun) {
        const auto* inner = find(body, {"event-data"});
        if (inner == nullptr) {
            return webhook_fault::unreadable;
        }
        events.push_back(*inner);
    } else if (body.is_array()) {
        for (json::value& one : body.get_array()) {
            if (events.size() < most_events) {
                events.push_back(std::move(one));
            }
        }
    } else {
        events.push_back(std::move(body));
    }
    return events;
}

}  // namespace

std::string_view to_text(provider p) noexcept {
    for (const auto& [value, name] : names) {
        if (value == p) {
            return name;
        }
    }
    return "unknown";
}

std::optional<provider> parse_provider(std::string_view text) noexcept {
    for (const auto& [value, name] : names) {
        if (name == text) {
            return value;
        }
    }
    return std::nullopt;
}

boost::system::result<provider_events, webhook_fault> read_webhook(
    provider from,
    const webhook& w,
    const provider_secrets& secrets,
    const mail::verp_keys& keys,
    const verdict::classifier& rules,
    wall_time now
) {
    if (!is_configured(from, secrets)) {
        return webhook_fault::not_configured;
    }
    auto body = parse_provider_json(w.body);
    if (!is_proven(from, w, body, secrets, now)) {
        return webhook_fault::not_proven;
    }
    provider_events out;
    if (!body) {
        return webhook_fault::unreadable;
    }
    if (from == provider::ses && text_at(*body, {"Type"}) != "Notification") {
        out.confirm_url = printable(text_at(*body, {"SubscribeURL"}), 2048);
        return out;
    }
    const auto events = unwrap(from, std::move(*body));
    if (!events) {
        return events.error();
    }
    const event_context with{keys, rules};
    for (const json::value& event : *events) {
        auto readings = events_of(from, event, with);
        if (!readings) {
            return webhook_fault::unreadable;
        }
        for (reading& r : *readings) {
            out.readings.push_back(std::move(r));
        }
    }
    return out;
}

}  // namespace estafette::bounce
