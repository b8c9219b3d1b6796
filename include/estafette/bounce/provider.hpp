// What providers say by webhook of the mail that they relayed: each one's proof of origin, and its events as
// the same readings that a bounce gives.
//
// Promises: nothing is read before the request is proven to be the provider's; any bytes cost bounded time.
// Sources: Amazon SNS "Verifying message signatures" and SES notification contents, Mailgun "Securing
// webhooks", Postmark "Bounce webhook", SendGrid "Event webhook security", Brevo "Secure webhooks".
// Pure; any thread.
#pragma once

#include "estafette/bounce/reading.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace estafette::bounce {

enum class provider : std::uint8_t { ses, mailgun, postmark, sendgrid, brevo };

[[nodiscard]] std::string_view to_text(provider p) noexcept;
[[nodiscard]] std::optional<provider> parse_provider(std::string_view text) noexcept;

// What proves each one's requests; the content of files. Empty: none is taken.
struct provider_secrets {
    std::string ses_certificate;  // PEM, of SNS in the topic's region
    std::string ses_topic;        // its ARN: anybody can have a topic that SNS signs for
    std::string mailgun_key;      // the webhook signing key
    std::string postmark_token;   // "user:password" of basic authentication
    std::string sendgrid_key;     // base64 of the public key
    std::string brevo_token;      // of the bearer or X-Webhook-Token
};

struct webhook {
    std::string body;
    std::map<std::string, std::string> fields;  // of the HTTP header, names in lower case
};

struct provider_events {
    std::vector<reading> readings;
    std::string confirm_url;  // of a subscription that a person must confirm
};

enum class webhook_fault : std::uint8_t {
    not_configured,  // no secret for this provider
    not_proven,      // the signature or the token is missing or wrong, or too old
    unreadable,      // proven, and not what the provider's documentation says
};

[[nodiscard]] boost::system::result<provider_events, webhook_fault> read_webhook(
    provider from,
    const webhook& w,
    const provider_secrets& secrets,
    const mail::verp_keys& keys,
    const verdict::classifier& rules,
    wall_time now
);

}  // namespace estafette::bounce
