#include "tables.hpp"
#include "values.hpp"

#include "estafette/mail/address.hpp"

#include <array>
#include <charconv>

namespace estafette::config {

namespace {

constexpr std::array<std::pair<std::string_view, tls_mode>, 3> tls_modes{{
    {"starttls", tls_mode::starttls},
    {"implicit", tls_mode::implicit},
    {"none", tls_mode::none},
}};

constexpr std::array<std::pair<std::string_view, tls_policy>, 4> tls_policies{{
    {"required-verified", tls_policy::required_verified},
    {"required-unverified", tls_policy::required_unverified},
    {"opportunistic", tls_policy::opportunistic},
    {"none", tls_policy::none},
}};

// "host", "host:587", "[2001:db8::1]:587"; port 0: not given.
std::optional<endpoint> parse_endpoint(std::string_view text) {
    endpoint e;
    e.port = 0;
    std::string_view port;
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos)
            return std::nullopt;
        e.host = text.substr(1, end - 1);
        port = text.substr(end + 1);
    } else {
        const std::size_t colon = text.find(':');
        e.host = text.substr(0, colon);
        port = colon == std::string_view::npos ? "" : text.substr(colon);
    }
    if (check_host(e.host) != nullptr)
        return std::nullopt;
    if (port.empty())
        return e;
    const auto [stop, failed] = std::from_chars(port.data() + 1, port.data() + port.size(), e.port);
    if (port.front() != ':' || failed != std::errc{} || stop != port.data() + port.size() || e.port == 0)
        return std::nullopt;
    return e;
}

struct servers_value {
    using object = route_options;

    static void read(const yaml::node& n, const std::string& path, object& o, reading& r) {
        static constexpr std::string_view wanted = "not a list of servers such as [smtp.example.org:587]";
        if (!n.is_sequence() || n.items().empty())
            return r.errors.add(n, path, wanted);
        o.servers.clear();
        for (std::size_t i = 0; i < n.items().size(); ++i) {
            const yaml::node& item = n.items()[i];
            const std::string at = path + '[' + std::to_string(i) + ']';
            endpoint server;
            server.port = 0;
            if (item.is_map()) {
                read_table(item, at, endpoint_table(), server, r);
                if (item.find("host") == nullptr)
                    r.errors.add(item, at, "has no host");
            } else if (const auto parsed = parse_endpoint(item.scalar()); item.is_scalar() && parsed) {
                server = *parsed;
            } else {
                r.errors.add(item, at, "not a server such as smtp.example.org:587");
            }
            o.servers.push_back(std::move(server));
        }
    }

    static std::string write(const object& o) {
        std::string out = "[";
        for (const endpoint& e : o.servers) {
            const endpoint usual;
            out.append(out.size() > 1 ? ", " : "");
            const bool is_number = e.host.find(':') != std::string::npos;
            if (e.priority == usual.priority && e.weight == usual.weight && !is_number) {
                out += e.host + ':' + std::to_string(e.port);
                continue;
            }
            out += '{';
            for (const auto& row : endpoint_table())
                out.append(out.back() == '{' ? "" : ", ").append(row.path).append(": ").append(row.write(e));
            out += '}';
        }
        return out + ']';
    }
};

struct timeouts_value {
    using object = route_options;

    static constexpr std::array<smtp::phase, 15> phases{
        smtp::phase::resolve,
        smtp::phase::connect,
        smtp::phase::handshake,
        smtp::phase::banner,
        smtp::phase::ehlo,
        smtp::phase::helo,
        smtp::phase::starttls,
        smtp::phase::auth,
        smtp::phase::mail,
        smtp::phase::rcpt,
        smtp::phase::data,
        smtp::phase::body,
        smtp::phase::dot,
        smtp::phase::rset,
        smtp::phase::quit,
    };
    static constexpr std::string_view transaction = "transaction";

    static void read(const yaml::node& n, const std::string& path, object& o, reading& r) {
        if (!n.is_map())
            return r.errors.add(n, path, "not a section of keys and values");
        std::vector<std::string_view> known;
        for (const smtp::phase p : phases)
            known.push_back(smtp::label(p));
        known.push_back(transaction);
        r.errors.add_unknown_keys(n, path, known);
        const auto limit = [&](std::string_view key) -> std::optional<milliseconds> {
            const yaml::node* value = n.find(key);
            if (value == nullptr)
                return std::nullopt;
            return read_duration(*value, yaml::join(path, key), r, milliseconds{100}, milliseconds{one_day});
        };
        for (const smtp::phase p : phases) {
            if (const auto d = limit(smtp::label(p)))
                o.timeouts.set(p, *d);
        }
        if (const auto d = limit(transaction))
            o.transaction_limit = *d;
    }

    static std::string write(const object& o) {
        std::string out = "{";
        for (const smtp::phase p : phases)
            out.append(smtp::label(p)).append(": ").append(format_duration(o.timeouts[p])).append(", ");
        return out.append(transaction).append(": ").append(format_duration(o.transaction_limit)) + '}';
    }
};

struct domain_rates_value {
    using object = route_options;

    static void read(const yaml::node& n, const std::string& path, object& o, reading& r) {
        if (!n.is_map())
            return r.errors.add(n, path, "not a section of domains and lists of rates");
        std::map<std::string, std::vector<std::string>> found;
        for (const yaml::member& m : n.members()) {
            std::string domain = m.key;
            const std::string at = yaml::join(path, m.key);
            if (domain != "*" && (domain.empty() || check_domain(domain) != nullptr)) {
                r.errors.add(m.value, at, "not a domain such as example.org, nor \"*\" for every other one");
                continue;
            }
            read_rates(m.value, at, found[domain], r);
        }
        o.domain_rates = std::move(found);
    }

    static void
    read_rates(const yaml::node& n, const std::string& path, std::vector<std::string>& to, reading& r) {
        if (!n.is_sequence())
            return r.errors.add(n, path, "not a list such as [10/s, 1000/h]");
        for (std::size_t i = 0; i < n.items().size(); ++i) {
            std::string text = n.items()[i].scalar();
            if (const char* wrong = check_rate(text))
                return r.errors.add(n.items()[i], path + '[' + std::to_string(i) + ']', wrong);
            to.push_back(std::move(text));
        }
    }

    static std::string write(const object& o) {
        std::string out = "{";
        for (const auto& [domain, rates] : o.domain_rates) {
            out.append(out.size() > 1 ? ", " : "").append(quoted(domain)).append(": [");
            for (const std::string& rate : rates)
                out.append(out.back() == '[' ? "" : ", ").append(rate);
            out += ']';
        }
        return out + '}';
    }
};

struct return_path_value {
    using object = route_options;

    static void read(const yaml::node& n, const std::string& path, object& o, reading& r) {
        const std::size_t space = n.scalar().find(' ');
        const std::string word = n.scalar().substr(0, space);
        std::string rest = space == std::string::npos ? "" : std::string{trim(n.scalar().substr(space))};
        if (word == "sender" && rest.empty()) {
            o.return_path = return_path_mode::sender;
        } else if (word == "verp" && !rest.empty() && check_domain(rest) == nullptr) {
            o.return_path = return_path_mode::verp;
        } else if (const auto address = mail::address::parse(rest); word == "fixed" && address) {
            o.return_path = return_path_mode::fixed;
            rest = address->text();
        } else {
            return r.errors.add(
                n, path, "not one of sender, \"verp bounces.example.org\", \"fixed bounces@example.org\""
            );
        }
        o.return_path_address = rest;
    }

    static std::string write(const object& o) {
        switch (o.return_path) {
        case return_path_mode::sender: return "sender";
        case return_path_mode::verp: return quoted("verp " + o.return_path_address);
        case return_path_mode::fixed: return quoted("fixed " + o.return_path_address);
        }
        return "sender";
    }
};

using route = route_options;

constexpr std::array endpoint_rows{
    row<text_value<member<&endpoint::host>, check_host>>("host", "A name or an address."),
    row<number_value<member<&endpoint::port>, 1, 65535>>(
        "port", "Without one: 587 for starttls, 465 for implicit TLS, 25 without TLS."
    ),
    row<number_value<member<&endpoint::priority>, 0, 65535>>("priority", "The lowest is tried first."),
    row<number_value<member<&endpoint::weight>, 1, 65535>>("weight", "The share among equal priorities."),
};

constexpr std::array route_rows{
    row<servers_value>(
        "servers",
        "Where the mail goes: host:port, or {host, port, priority, weight}; the lowest priority first. "
        "Required."
    ),
    row<text_value<member<&route::profile>>>(
        "profile",
        "What is known of the provider: defaults for the options below. microsoft365, google-workspace, "
        "google-relay, ses, mailgun, postmark, sendgrid, brevo, postfix, generic, or one of your own in "
        "profiles/NAME.yaml beside this file."
    ),
    row<text_value<member<&route::helo>, check_domain>>("helo", "The EHLO name; empty: hostname."),
    row<choice_value<member<&route::mode>, tls_modes>>(
        "tls.mode", "starttls, implicit (TLS from the first byte, port 465) or none."
    ),
    row<choice_value<member<&route::policy>, tls_policies>>(
        "tls.policy",
        "required-verified: only to a server whose certificate names it and is trusted. "
        "required-unverified: TLS with any certificate, open to a man in the middle. opportunistic: TLS "
        "where offered. none: only with mode none."
    ),
    row<text_value<member<&route::ca_file>, check_optional_path>>(
        "tls.ca_file", "PEM file of the authorities to trust; empty: the system's."
    ),
    row<text_value<member<&route::tls_name>, check_domain>>(
        "tls.name", "The name that the certificate must carry; empty: the server's host."
    ),
    row<text_value<member<&route::pin_sha256>, check_pin>>(
        "tls.pin_sha256",
        "Base64 of the SHA-256 of the server's public key (SPKI), required besides the policy; empty: none."
    ),
    row<text_value<member<&route::client_certificate>, check_optional_path>>(
        "tls.client_certificate", "PEM file of our certificate with its chain; empty: none."
    ),
    row<text_value<member<&route::client_key>, check_optional_path>>(
        "tls.client_key", "PEM file of its key; not readable by everybody."
    ),
    row<text_value<member<&route::username>>>(
        "auth.username", "The user name; empty: no authentication. Never sent without TLS."
    ),
    row<text_value<member<&route::password_file>, check_file_name>>(
        "auth.password_file",
        "The file that holds the password, or the token for XOAUTH2, on one line; not readable by "
        "everybody. A relative name is a systemd credential ($CREDENTIALS_DIRECTORY), or a file in "
        "credentials/ beside this file."
    ),
    row<text_list_value<member<&route::mechanisms>, check_mechanism>>(
        "auth.mechanisms",
        "SCRAM-SHA-256-PLUS, SCRAM-SHA-256, PLAIN, LOGIN, CRAM-MD5, EXTERNAL, XOAUTH2, OAUTHBEARER, in the "
        "order of preference; the first that the server offers is used. Empty: strongest first, passwords "
        "only."
    ),
    row<number_value<member<&route::connections>, 1, 10000>>(
        "connections", "Most connections at a time. More than the provider allows costs refusals, not speed."
    ),
    row<number_value<member<&route::messages_per_connection>, 1, 1000000>>(
        "messages_per_connection", "Then the connection is closed and another one takes over."
    ),
    row<number_value<member<&route::recipients_per_message>, 1, 10000>>(
        "recipients_per_message", "Most recipients in one transaction; the rest follows in further ones."
    ),
    row<duration_value<member<&route::idle>, 0, one_day>>(
        "idle",
        "How long an unused connection is kept. Raise it only for your own relay: other people's servers "
        "count idle clients against you."
    ),
    row<duration_value<member<&route::max_age>, one_second, one_day>>(
        "max_age", "Then a connection is replaced although it works, so that changes of DNS are seen."
    ),
    row<number_value<member<&route::ready_limit>, 1, 10000000>>(
        "ready_limit", "Most recipients that wait in memory for a connection; the others wait in the store."
    ),
    row<flag_value<member<&route::pipelining>>>(
        "pipelining", "Send several commands at once where the server offers it (RFC 2920)."
    ),
    row<flag_value<member<&route::across_messages>>>(
        "across_messages",
        "Send the next message's commands together with the end of this one: one round trip a message. "
        "Turned off by itself for a server that reacts badly."
    ),
    row<flag_value<member<&route::chunking>>>(
        "chunking",
        "Send content by BDAT where the server offers it (RFC 3030): commands and content are one group. "
        "Turned off by itself for a server that reacts badly."
    ),
    row<number_value<member<&route::window>, 1, 64>>(
        "window",
        "With chunking and pipelining: messages under way on one connection. After a crash, or where the "
        "connection breaks, each of them may be sent twice."
    ),
    row<text_list_value<member<&route::rates>, check_rate>>(
        "rates",
        "Most messages in any second, minute, hour or day: \"10/s\", \"30/m\", \"10000/d\"; all hold."
    ),
    row<domain_rates_value>(
        "domain_rates",
        "The same for the recipients of one domain behind the server: {example.org: [10/s, 500/h]}; \"*\" "
        "stands "
        "for each domain that is not named."
    ),
    row<flag_value<member<&route::allow_private>>>(
        "allow_private",
        "Private, loopback and link-local addresses may be dialled. Leave it off for servers that "
        "customers name: they could reach your own network through it."
    ),
    row<timeouts_value>(
        "timeouts",
        "How long each phase of the dialogue may take, and a transaction as a whole. Shorter than RFC 5321 "
        "4.5.3.2 (dot: 10m) risks mail sent twice."
    ),
    row<duration_value<member<&route::pause>, one_second, one_day>>(
        "pause", "After a failure of the route (refused password, no connection): until the next probe."
    ),
    row<return_path_value>(
        "return_path",
        "Where bounces go: sender (as submitted), \"verp bounces.example.org\" (one address per recipient, "
        "so one recipient a transaction) or \"fixed bounces@example.org\"."
    ),
    row<text_list_value<member<&route::sends_from>, check_network>>(
        "sends_from",
        "IP addresses and networks from which the server delivers to recipients. Only for the allow-list "
        "page "
        "(estafette allowlist)."
    ),
    row<text_value<member<&route::dkim_domain>, check_domain>>(
        "dkim_domain", "The domain whose DKIM signature the server adds. Only for the allow-list page."
    ),
};

// The place of an option in the file, for errors of what is said together.
const yaml::node& place_of(const yaml::node& route_node, std::string_view section, std::string_view key) {
    const yaml::node* in = section.empty() ? &route_node : route_node.find(section);
    const yaml::node* found = in == nullptr ? nullptr : in->find(key);
    return found != nullptr ? *found : in != nullptr ? *in : route_node;
}

bool is_given(const yaml::node& route_node, std::string_view section, std::string_view key) {
    const yaml::node* in = route_node.find(section);
    return in != nullptr && in->find(key) != nullptr;
}

void check_tls(const yaml::node& n, const std::string& path, route_options& o, reading& r) {
    if (o.mode == tls_mode::none && !is_given(n, "tls", "policy"))
        o.policy = tls_policy::none;
    if (o.policy == tls_policy::none && !is_given(n, "tls", "mode"))
        o.mode = tls_mode::none;
    const bool is_unclear = (o.mode == tls_mode::none) != (o.policy == tls_policy::none) ||
                            (o.mode == tls_mode::implicit && o.policy == tls_policy::opportunistic);
    if (is_unclear)
        r.errors.add(
            place_of(n, "tls", "policy"),
            yaml::join(path, "tls.policy"),
            std::string{to_text(o.policy)} + " contradicts mode " + std::string{to_text(o.mode)}
        );
    if (o.client_certificate.empty() != o.client_key.empty())
        r.errors.add(
            place_of(n, "tls", o.client_key.empty() ? "client_certificate" : "client_key"),
            yaml::join(path, "tls"),
            "client_certificate and client_key go together"
        );
}

void check_auth(const yaml::node& n, const std::string& path, const route_options& o, reading& r) {
    const yaml::node& place = place_of(n, "auth", "username");
    const std::string at = yaml::join(path, "auth");
    const bool is_external =
        std::find(o.mechanisms.begin(), o.mechanisms.end(), "EXTERNAL") != o.mechanisms.end();
    if (!o.username.empty() && o.password_file.empty() && !is_external)
        r.errors.add(place, at, "username without password_file");
    if (o.username.empty() && !o.password_file.empty())
        r.errors.add(place, at, "password_file without username");
    if (is_external && o.client_certificate.empty())
        r.errors.add(place_of(n, "auth", "mechanisms"), at, "EXTERNAL needs tls.client_certificate");
    if (o.mode == tls_mode::none && (!o.username.empty() || !o.password_file.empty()))
        r.errors.add(place, at, "needs TLS: a password is never sent in clear");
}

}  // namespace

table<route_options> route_table() noexcept {
    return route_rows;
}

table<endpoint> endpoint_table() noexcept {
    return endpoint_rows;
}

std::string_view to_text(tls_mode m) noexcept {
    switch (m) {
    case tls_mode::starttls: return "starttls";
    case tls_mode::implicit: return "implicit";
    case tls_mode::none: return "none";
    }
    return {};
}

std::string_view to_text(tls_policy p) noexcept {
    switch (p) {
    case tls_policy::required_verified: return "required-verified";
    case tls_policy::required_unverified: return "required-unverified";
    case tls_policy::opportunistic: return "opportunistic";
    case tls_policy::none: return "none";
    }
    return {};
}

std::optional<route_options> read_route(const yaml::node& n, const std::string& path, reading& r) {
    if (!n.is_map()) {
        r.errors.add(n, path, "not a section of keys and values");
        return std::nullopt;
    }
    route_options o;
    const yaml::node* name = n.find("profile");
    const profile* known = r.profiles.find(name == nullptr ? o.profile : name->scalar());
    if (known == nullptr && name != nullptr && name->is_scalar()) {
        std::vector<std::string_view> names;
        for (const auto& [other, profile] : r.profiles.all())
            names.push_back(other);
        const std::string_view near = nearest(name->scalar(), names.data(), names.size());
        std::string what = "unknown profile " + printable(name->scalar(), 64);
        r.errors.add(
            *name, yaml::join(path, "profile"), near.empty() ? what : what + "; nearest: " + std::string{near}
        );
    }
    const yaml::node whole = known == nullptr ? n : yaml::merged(known->defaults, n);
    const std::size_t faults = r.errors.lines().size();
    read_table(whole, path, route_table(), o, r);
    if (whole.find("servers") == nullptr)
        r.errors.add(n, yaml::join(path, "servers"), "missing: a route needs at least one server");
    if (r.errors.lines().size() > faults)
        return o;  // what is said together means little while single values are wrong
    check_tls(whole, path, o, r);
    check_auth(whole, path, o, r);
    for (endpoint& server : o.servers) {
        if (server.port == 0)
            server.port = o.mode == tls_mode::starttls ? 587 : o.mode == tls_mode::implicit ? 465 : 25;
    }
    return o;
}

}  // namespace estafette::config
