#include "config_of.hpp"

#include <gmock/gmock.h>

namespace estafette::config {
namespace {

using testing::ElementsAre;

// What stands under `relay:` with a server given, and the one error it must give.
constexpr std::pair<std::string_view, std::string_view> bad_routes[]{
    {"conections: 3", "unknown key relay.conections; nearest: relay.connections"},
    {"tls: {polcy: none}", "unknown key relay.tls.polcy; nearest: relay.tls.policy"},
    {"connections: 0", "relay.connections: not a whole number from 1 to 10000"},
    {"connections: many", "relay.connections: not a whole number from 1 to 10000"},
    {"connections: \"3\"", "relay.connections: not a whole number from 1 to 10000"},
    {"connections:", "relay.connections: has no value"},
    {"idle: 10", "relay.idle: not a duration such as 30s, 5m, 4h or 2d"},
    {"max_age: 0", "relay.max_age: not from 1s to 1d"},
    {"pipelining: yes", "relay.pipelining: not true or false"},
    {"tls: required", "relay.tls: not a section of keys and values"},
    {"tls: {mode: ssl}", "relay.tls.mode: not one of starttls, implicit, none"},
    {"tls: {policy: verified}",
     "relay.tls.policy: not one of required-verified, required-unverified, opportunistic, none"},
    {"tls: {mode: none, policy: required-verified}",
     "relay.tls.policy: required-verified contradicts mode none"},
    {"tls: {mode: starttls, policy: none}", "relay.tls.policy: none contradicts mode starttls"},
    {"tls: {mode: implicit, policy: opportunistic}",
     "relay.tls.policy: opportunistic contradicts mode implicit"},
    {"tls: {ca_file: ca.pem}", "relay.tls.ca_file: not an absolute path"},
    {"tls: {name: \"a b\"}", "relay.tls.name: not a valid domain name"},
    {"tls: {pin_sha256: c2hvcnQ=}", "relay.tls.pin_sha256: not the base64 of a SHA-256 (44 characters)"},
    {"tls: {client_key: /k.pem}", "relay.tls: client_certificate and client_key go together"},
    {"auth: {username: u}", "relay.auth: username without password_file"},
    {"auth: {password_file: p}", "relay.auth: password_file without username"},
    {"auth: {username: u, password: secret}",
     "unknown key relay.auth.password; nearest: relay.auth.password_file"},
    {"auth: {mechanisms: [DIGEST-MD5]}",
     "relay.auth.mechanisms[0]: not a mechanism that we know, such as PLAIN, LOGIN or XOAUTH2"},
    {"auth: {mechanisms: PLAIN}", "relay.auth.mechanisms: not a list such as [a, b]"},
    {"auth: {mechanisms: [EXTERNAL]}", "relay.auth: EXTERNAL needs tls.client_certificate"},
    {"{auth: {username: u, password_file: p}, tls: {mode: none}}",
     "relay.auth: needs TLS: a password is never sent in clear"},
    {"rates: [30/minute]", "relay.rates[0]: not a rate such as 10/s, 30/m, 1000/h or 10000/d"},
    {"rates: [30/m, 0/m]", "relay.rates[1]: not a rate such as 10/s, 30/m, 1000/h or 10000/d"},
    {"domain_rates: [10/s]", "relay.domain_rates: not a section of domains and lists of rates"},
    {"domain_rates: {example.org: 10/s}", "relay.domain_rates.example.org: not a list such as [10/s, 1000/h]"
    },
    {"domain_rates: {example.org: [10/s, often]}",
     "relay.domain_rates.example.org[1]: not a rate such as 10/s, 30/m, 1000/h or 10000/d"},
    {"domain_rates: {\"a b\": [10/s]}",
     "relay.domain_rates.a b: not a domain such as example.org, nor \"*\" for every other one"},
    {"timeouts: {conect: 3s}", "unknown key relay.timeouts.conect; nearest: relay.timeouts.connect"},
    {"timeouts: {dot: 10}", "relay.timeouts.dot: not a duration such as 30s, 5m, 4h or 2d"},
    {"return_path: fixed",
     "relay.return_path: not one of sender, \"verp bounces.example.org\", \"fixed bounces@example.org\""},
    {"return_path: verp",
     "relay.return_path: not one of sender, \"verp bounces.example.org\", \"fixed bounces@example.org\""},
    {"sends_from: [192.0.2.0/33]",
     "relay.sends_from[0]: not an IP address, or a network such as 192.0.2.0/24 or 2001:db8::/48"},
    {"sends_from: [smtp.vendor.example]",
     "relay.sends_from[0]: not an IP address, or a network such as 192.0.2.0/24 or 2001:db8::/48"},
    {"dkim_domain: \"a b\"", "relay.dkim_domain: not a valid domain name"},
    {"profile: microsoft356", "relay.profile: unknown profile microsoft356; nearest: microsoft365"},
    {"helo: \"mail.example\\r\\nRSET\"", "relay.helo: not a valid domain name"},
};

TEST(config_errors, name_the_route_option_that_is_wrong) {
    for (const auto& [yaml, expected] : bad_routes) {
        std::string text{yaml};
        text = text.starts_with('{') ? "{servers: [h.example], " + text.substr(1)
                                     : "{servers: [h.example], " + text + "}";
        EXPECT_THAT(errors_of("\nrelay: " + text), ElementsAre("FILE:2: " + std::string{expected})) << yaml;
    }
}

TEST(config_errors, name_the_server_that_is_wrong) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"servers: []", "relay.servers: not a list of servers such as [smtp.example.org:587]"},
        {"servers: h.example", "relay.servers: not a list of servers such as [smtp.example.org:587]"},
        {"servers: [\"h.example:0\"]", "relay.servers[0]: not a server such as smtp.example.org:587"},
        {"servers: [\"h.example:65536\"]", "relay.servers[0]: not a server such as smtp.example.org:587"},
        {"servers: [\"h.example:\"]", "relay.servers[0]: not a server such as smtp.example.org:587"},
        {"servers: [\"h.example:25x\"]", "relay.servers[0]: not a server such as smtp.example.org:587"},
        {"servers: [\"[::1\"]", "relay.servers[0]: not a server such as smtp.example.org:587"},
        {"servers: [\"a b:25\"]", "relay.servers[0]: not a server such as smtp.example.org:587"},
        {"servers: [{port: 25}]", "relay.servers[0]: has no host"},
        {"servers: [{host: h.example, prot: 25}]",
         "unknown key relay.servers[0].prot; nearest: relay.servers[0].port"},
        {"connections: 3", "relay.servers: missing: a route needs at least one server"},
    };
    for (const auto& [yaml, expected] : cases)
        EXPECT_THAT(
            errors_of("relay: {" + std::string{yaml} + "}"), ElementsAre("FILE:1: " + std::string{expected})
        );
}

constexpr std::pair<std::string_view, std::string_view> bad_configs[]{
    {"store: {pth: x}", "unknown key store.pth; nearest: store.path"},
    {"stroe: {path: /x}", "unknown key stroe; nearest: store"},
    {"path: /x", "unknown key path"},
    {"store: /var/lib", "store: not a section of keys and values"},
    {"store: {path: var/lib}", "store.path: not an absolute path"},
    {"store: {engine: sqlite}", "store.engine: not one of local, memory"},
    {"store: {reserve: 256M}", "store.reserve: not a size such as 512KiB or 25MiB"},
    {"store: {retention: 30}", "store.retention: not a duration such as 30s, 5m, 4h or 2d"},
    {"store: {retention: [1d]}", "store.retention: not a duration such as 30s, 5m, 4h or 2d"},
    {"store: {retention: 1d, retention: 2d}", "duplicate key retention"},
    {"hostname: \"-bad-\"", "hostname: not a valid domain name"},
    {"default_domain: [a]", "default_domain: not a text"},
    {"aliases: {root: nobody}", "aliases.root: not a valid mail address"},
    {"aliases: {\"a@b\": c@d.example}", "aliases.a@b: not a bare local name"},
    {"listen: []", "listen: not a list such as [{unix: /run/estafette/api.sock}]"},
    {"listen: [{mode: \"0660\"}]", "listen[0]: has no unix: the socket's path"},
    {"listen: [{unix: api.sock}]", "listen[0].unix: not an absolute path of at most 107 bytes"},
    {"listen: [{unix: /a, mode: 660x}]", "listen[0].mode: not a file mode such as \"0660\""},
    {"listen: [{unix: /a, mode: \"4755\"}]", "listen[0].mode: not a file mode such as \"0660\""},
    {"listen: [{unix: /a, group: nobodys}]", "listen[0].group: no such group: nobodys"},
    {"listen: [{unix: /a}, {unix: /a, name: b}]", "listen[1]: the same socket twice: /a"},
    {"listen: [{unix: /a}, {unix: /b}]", "listen[1]: the same name twice: api"},
    {"tenants: [acme]", "tenants: not a section of tenants by name"},
    {"tenants: {Acme: {}}", "tenants.Acme: not a name of a-z, 0-9, -, _ and . (64 at most)"},
    {"tenants: {acme: {expires_after: 1d}}",
     "unknown key tenants.acme.expires_after; nearest: tenants.acme.expire_after"},
    {"tenants: {acme: {route: theirs}}", "tenants.acme.route: not one of relay, own"},
    {"tenants: {acme: {route: relay, server: {servers: [h.example]}}}",
     "tenants.acme.route: relay contradicts the server that is given"},
    {"tenants: {acme: {server: {servers: [h.example], idle: x}}}",
     "tenants.acme.server.idle: not a duration such as 30s, 5m, 4h or 2d"},
    {"tenants: {acme: {server: }}", "tenants.acme.server: not a section of keys and values"},
    {"tenants: {acme: {time_zone: Europe/Gent}}",
     "tenants.acme.time_zone: not a time zone such as Europe/Paris"},
    {"tenants: {acme: {uncertain: drop}}", "tenants.acme.uncertain: not one of resend, hold"},
    {"tenants: {acme: {retry: {greylistd: {}}}}",
     "unknown key tenants.acme.retry.greylistd; nearest: tenants.acme.retry.greylisted"},
    {"tenants: {acme: {retry: {default: {delays: []}}}}",
     "tenants.acme.retry.default.delays: not a list of durations such as [1m, 5m, 15m, 1h, 4h]"},
    {"tenants: {acme: {retry: {default: {delays: [1m, 0]}}}}",
     "tenants.acme.retry.default.delays[1]: not from 1s to 30d"},
    {"tenants: {acme: {retry: {default: {jitter: 0.6}}}}",
     "tenants.acme.retry.default.jitter: not a number from 0 to 0.5"},
    {"tenants: {acme: {retry: {default: [1m]}}}",
     "tenants.acme.retry.default: not a section with delays and jitter"},
    {"roles: {user: root}", "roles: not a list such as [{user: root, role: admin, tenants: \"*\"}]"},
    {"roles: [root]", "roles[0]: not a map such as {user: root, role: admin, tenants: \"*\"}"},
    {"roles: [{role: admin, tenants: \"*\"}]", "roles[0]: has none of user, uid, group, gid, anybody"},
    {"roles: [{user: root, uid: 0, role: admin, tenants: \"*\"}]",
     "roles[0]: more than one of user, uid, group, gid, anybody"},
    {"roles: [{user: nobody-here, role: admin, tenants: \"*\"}]", "roles[0].user: no such user: nobody-here"},
    {"roles: [{group: nobodys, role: admin, tenants: \"*\"}]", "roles[0].group: no such group: nobodys"},
    {"roles: [{uid: -1, role: admin, tenants: \"*\"}]", "roles[0].uid: not a number of an account"},
    {"roles: [{uid: 4294967295, role: admin, tenants: \"*\"}]", "roles[0].uid: not a number of an account"},
    {"roles: [{anybody: false, role: admin, tenants: \"*\"}]", "roles[0].anybody: not true"},
    {"roles: [{user: root, tenants: \"*\"}]", "roles[0]: has no role: submit, read or admin"},
    {"roles: [{user: root, role: root, tenants: \"*\"}]", "roles[0].role: not one of submit, read, admin"},
    {"roles: [{user: root, role: admin}]", "roles[0].tenants: neither \"*\" nor a list of tenants"},
    {"roles: [{user: root, role: admin, tenants: [defualt]}]",
     "roles[0].tenants: unknown tenant defualt; nearest: default"},
    {"roles: [{user: root, rolle: admin, role: read, tenants: \"*\"}]",
     "unknown key roles[0].rolle; nearest: roles[0].role"},
    {"limits: {recipients: 0}", "limits.recipients: not a whole number from 1 to 100000"},
    {"limits: {body: big}", "limits.body: not a size such as 512KiB or 25MiB"},
    {"log: {level: loud}", "log.level: not one of debug, info, warning, error"},
    {"log: {target: syslog}", "log.target: not one of auto, stderr, journal"},
    {"shutdown: {grace: 2h}", "shutdown.grace: not from 0 to 1h"},
    {"[a, b]", "not a section of keys and values"},
    {"just words", "not a section of keys and values"},
};

TEST(config_errors, are_one_line_with_file_and_line) {
    for (const auto& [yaml, expected] : bad_configs)
        EXPECT_THAT(
            errors_of("# comment\n" + std::string{yaml} + "\n"),
            ElementsAre("FILE:2: " + std::string{expected})
        ) << yaml;
}

TEST(config_errors, are_all_told_in_the_order_of_the_file) {
    EXPECT_THAT(
        errors_of("store:\n  retention: x\n  path: y\nrelay:\n  servers: [a.example]\n  nonsense: 1\nbad: 1\n"
        ),
        ElementsAre(
            "FILE:2: store.retention: not a duration such as 30s, 5m, 4h or 2d",
            "FILE:3: store.path: not an absolute path",
            "FILE:6: unknown key relay.nonsense",
            "FILE:7: unknown key bad"
        )
    );
}

TEST(config_errors, cannot_forge_lines_by_what_they_quote) {
    const auto errors = errors_of("\"a\\nFILE:9: b\": 1\n");
    ASSERT_EQ(errors.size(), 1u);
    EXPECT_EQ(errors.front().find('\n'), std::string::npos);
}

TEST(config_errors, include_the_syntax_of_yaml) {
    const auto errors = errors_of("store:\n  path: [\n");
    ASSERT_EQ(errors.size(), 1u);
    EXPECT_THAT(errors.front(), testing::MatchesRegex("FILE:[0-9]+: not valid YAML at column [0-9]+: .*"));
}

}  // namespace
}  // namespace estafette::config
