// What can be configured, as plain structs with their defaults. A route's object has its profile's values
// already merged in. No behaviour here; config.hpp reads and prints them, docs/configuration.md and
// conf/estafette.yaml explain them to operators. Immutable once loaded: any thread.
#pragma once

#include "estafette/base/ids.hpp"
#include "estafette/base/time.hpp"
#include "estafette/config/send_window.hpp"
#include "estafette/smtp/phase.hpp"
#include "estafette/verdict/retry.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace estafette::config {

struct listener {
    std::string unix_path = "/run/estafette/api.sock";
    std::uint32_t mode = 0660;  // of the socket file
    std::string group;          // of the socket file; empty: ours
    std::string name = "api";   // the LISTEN_FDNAMES name that replaces it under systemd
};

struct store_options {
    std::string path = "/var/lib/estafette";
    std::string engine = "local";          // local | memory (tests)
    std::uint64_t reserve = 256ull << 20;  // bytes kept for outcomes: new mail is refused below
    milliseconds retention = std::chrono::hours{24 * 30};  // timelines
    milliseconds keep_bodies = milliseconds{0};            // bodies after completion
};

enum class tls_mode : std::uint8_t { implicit, starttls, none };

enum class tls_policy : std::uint8_t {
    required_verified,    // TLS, and a certificate that names the server and that we trust
    required_unverified,  // TLS, any certificate
    opportunistic,        // TLS where offered; never with authentication in clear
    none,
};

struct endpoint {
    std::string host;  // name or address
    std::uint16_t port = 587;
    std::uint16_t priority = 10;  // lower first
    std::uint16_t weight = 10;    // within one priority

    bool operator==(const endpoint&) const = default;
};

enum class return_path_mode : std::uint8_t { verp, fixed, sender };

// A server, its credentials, its policy, its limits: one object.
struct route_options {
    route_id id;
    std::vector<endpoint> servers;
    std::string profile = "generic";
    std::string helo;  // empty: the daemon's

    tls_mode mode = tls_mode::starttls;
    tls_policy policy = tls_policy::required_verified;
    std::string ca_file;     // empty: the system's authorities
    std::string tls_name;    // name to verify; empty: the host
    std::string pin_sha256;  // base64 SPKI pin; empty: none
    std::string client_certificate, client_key;

    std::string username;                 // empty: no authentication
    std::string password_file;            // the secret's file; its last line end is dropped
    std::vector<std::string> mechanisms;  // smtp::mechanism names in order; empty: smtp::default_mechanisms()

    std::uint32_t connections = 20;
    std::uint32_t messages_per_connection = 1000;
    std::uint32_t recipients_per_message = 100;
    milliseconds idle = std::chrono::seconds{10};
    milliseconds max_age = std::chrono::minutes{30};
    std::uint32_t ready_limit = 5000;  // recipients waiting in memory
    bool pipelining = true;            // RFC 2920 where offered
    bool across_messages = true;       // the final dot and the next MAIL in one write
    bool chunking = false;             // BDAT where offered
    std::uint32_t window = 1;          // messages under way on one connection, with chunking
    std::vector<std::string> rates;    // COUNT/s, /m, /h or /d: "30/m", "10000/d"; all hold
    std::map<std::string, std::vector<std::string>> domain_rates;  // recipients' domain, or "*" → rates

    bool allow_private = false;  // private, loopback and link-local addresses may be dialled
    smtp::phase_timeouts timeouts;
    milliseconds transaction_limit = std::chrono::minutes{30};  // one transaction as a whole
    milliseconds pause = std::chrono::minutes{5};               // after a route failure, until the next probe

    return_path_mode return_path = return_path_mode::sender;
    std::string return_path_address;  // for fixed, and the domain for verp

    std::vector<std::string> sends_from;  // IP addresses and networks the mail reaches recipients from
    std::string dkim_domain;              // that the server signs for; empty: none, or not known

    bool operator==(const route_options&) const = default;
};

// Mail that comes back.
struct bounce_options {
    std::vector<std::string> secrets;  // files; the first signs return paths, all verify; none: our own
    milliseconds window = std::chrono::hours{24 * 30};  // a report that comes later changes nothing

    std::string lmtp;                // a socket's path, or a loopback address with its port; empty: none
    std::uint32_t lmtp_mode = 0660;  // of the socket file
    std::string lmtp_group;          // of the socket file; empty: ours

    // What proves the events of providers; files, and the topic's name. Empty: none are taken.
    std::string ses_certificate, ses_topic, mailgun, postmark, sendgrid, brevo;
};

// Addresses to which nothing is sent any more.
struct suppression_options {
    bool automatic = true;  // mailboxes that are not there, and complaints, put an address on the list
    milliseconds unknown_user = std::chrono::hours{24 * 90};  // how long it stays; 0: for ever
    milliseconds complaint = milliseconds{0};
};

enum class tenant_route : std::uint8_t {
    relay,  // the vendor's relay
    own,    // the tenant's own server; without one its mail is held
};

struct tenant_options {
    tenant_id id;
    tenant_route route = tenant_route::relay;
    std::optional<route_options> server;  // for own
    std::vector<std::string> rates;       // of its mail, whichever route it takes
    milliseconds expire_after = std::chrono::hours{24 * 5};
    bool hold_uncertain = false;  // mail in doubt waits for a person instead of being sent again
    verdict::retry_plan retry = verdict::retry_plan::defaults();
    std::vector<std::string> senders;                // addresses or domains of its mail
    std::string contact;                             // whom a customer's IT may ask
    zone time_zone;                                  // of its readers
    std::optional<config::send_window> send_window;  // none: at any time
    std::vector<std::string> categories_off;         // kinds of mail that are not sent
};

enum class role : std::uint8_t { submit, read, admin };  // each includes those before it… see api/peer

// Who may do what, by the caller's uid, gid and supplementary groups. The first grant that names the
// caller and the tenant with a sufficient role decides.
struct grant {
    std::optional<std::uint32_t> uid;
    std::optional<std::uint32_t> gid;
    bool anybody = false;
    role as = role::submit;
    bool all_tenants = false;
    std::vector<tenant_id> tenants;
};

struct api_limits {
    std::uint64_t body = 25ull << 20;  // bytes of a request
    std::uint32_t recipients = 100;    // per message
    std::uint32_t attachments = 50;
    std::uint32_t batch_lines = 1000;
    std::uint32_t connections = 1024;
    std::uint64_t queue_recipients = 20'000'000;  // waiting ones; above: 429
    milliseconds request_timeout = std::chrono::seconds{60};
};

struct log_options {
    std::string level = "info";   // debug | info | warning | error
    std::string target = "auto";  // auto (journal under systemd, else stderr) | stderr | journal
    bool redact_addresses = false;
};

struct config {
    std::vector<listener> listeners;  // never empty after load
    std::string hostname;             // EHLO name and Message-ID domain; empty in YAML: the machine's
    std::string default_domain;       // for bare local names given to sendmail
    std::map<std::string, std::string> aliases;  // bare local name → address ("root": "ops@example.org")
    store_options store;
    std::optional<route_options> relay;             // the vendor's relay: the default route
    std::map<std::string, tenant_options> tenants;  // always has "default"
    bounce_options bounces;
    suppression_options suppression;
    std::vector<grant> grants;  // empty in YAML: root, the daemon's own user: admin; its group: submit
    milliseconds delayed_after = std::chrono::hours{4};  // 0: nobody is told
    api_limits limits;
    log_options log;
    milliseconds shutdown_grace = std::chrono::seconds{60};

    [[nodiscard]] const tenant_options* find_tenant(const tenant_id& id) const;

    // The server that the tenant's mail leaves through; null for none.
    [[nodiscard]] const route_options* route_of(const tenant_options& tenant) const;
};

}  // namespace estafette::config
