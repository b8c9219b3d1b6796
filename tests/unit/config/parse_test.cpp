#include "config_of.hpp"

#include "estafette/smtp/auth.hpp"

#include <gmock/gmock.h>

namespace estafette::config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;

constexpr std::string_view whole = R"(
hostname: Mail.Vendor.Example
default_domain: vendor.example
aliases: {root: ops@vendor.example, Postmaster: ops@vendor.example}
listen:
  - {unix: /run/a.sock, mode: "0600", group: estafette}
  - {unix: /run/b.sock, name: second}
store: {path: /srv/queue, engine: memory, reserve: 1GiB, retention: 90d, keep_bodies: 1h}
relay:
  servers: [smtp.vendor.example:2525, {host: backup.vendor.example, priority: 20}, "[2001:db8::1]:26", 192.0.2.1]
  helo: out.vendor.example
  tls: {mode: implicit, policy: required-unverified, ca_file: /ca.pem, name: other.example, pin_sha256: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
  auth: {username: vendor, password_file: /secret, mechanisms: [plain, LOGIN]}
  connections: 7
  messages_per_connection: 50
  recipients_per_message: 10
  idle: 2s
  max_age: 1h
  ready_limit: 100
  pipelining: false
  across_messages: false
  chunking: true
  window: 4
  rates: ["30/m", 10000/d]
  domain_rates: {Example.ORG: [10/s, 500/h], "*": [60/m]}
  allow_private: true
  timeouts: {connect: 3s, dot: 20m, transaction: 1h}
  pause: 1m
  return_path: verp Bounces.Vendor.Example
  sends_from: [192.0.2.10, "2001:db8::/48"]
  dkim_domain: Vendor.example
tenants:
  acme: {senders: [badges@Vendor.Example, vendor.example], contact: Support, time_zone: Europe/Paris, send_window: {hours: "08:00-19:00"}}
  globex:
    server: {servers: [mx.globex.example], return_path: "fixed Bounces@Globex.example"}
    expire_after: 2d
    rates: [100/h]
    uncertain: hold
    retry: {default: {delays: [1m, 5m]}, greylisted: {delays: [30s], jitter: 0.5}}
  closed: {route: own}
roles:
  - {user: root, role: admin, tenants: "*"}
  - {group: estafette, role: submit, tenants: [acme, default]}
  - {uid: 1000, role: read, tenants: [globex]}
  - {anybody: true, role: submit, tenants: []}
limits: {body: 1MiB, recipients: 5, attachments: 0, batch_lines: 10, connections: 20, queue_recipients: 1000, request_timeout: 5s}
log: {level: debug, target: journal, redact_addresses: true}
shutdown: {grace: 5s}
)";

TEST(config_parse, reads_every_option_of_the_daemon) {
    const config c = config_of(whole);
    EXPECT_EQ(c.hostname, "mail.vendor.example");
    EXPECT_EQ(c.default_domain, "vendor.example");
    EXPECT_EQ(c.aliases.at("postmaster"), "ops@vendor.example");
    ASSERT_EQ(c.listeners.size(), 2u);
    EXPECT_EQ(c.listeners[0].unix_path, "/run/a.sock");
    EXPECT_EQ(c.listeners[0].mode, 0600u);
    EXPECT_EQ(c.listeners[0].group, "estafette");
    EXPECT_EQ(c.listeners[1].name, "second");
    EXPECT_EQ(c.store.path, "/srv/queue");
    EXPECT_EQ(c.store.engine, "memory");
    EXPECT_EQ(c.store.reserve, 1ull << 30);
    EXPECT_EQ(c.store.retention, hours{24 * 90});
    EXPECT_EQ(c.store.keep_bodies, hours{1});
    EXPECT_EQ(c.limits.body, 1ull << 20);
    EXPECT_EQ(c.limits.attachments, 0u);
    EXPECT_EQ(c.limits.queue_recipients, 1000u);
    EXPECT_EQ(c.limits.request_timeout, seconds{5});
    EXPECT_EQ(c.log.level, "debug");
    EXPECT_EQ(c.log.target, "journal");
    EXPECT_TRUE(c.log.redact_addresses);
    EXPECT_EQ(c.shutdown_grace, seconds{5});
}

TEST(config_parse, reads_every_option_of_a_route) {
    const config c = config_of(whole);
    ASSERT_TRUE(c.relay);
    const route_options& o = *c.relay;
    EXPECT_EQ(o.id, route_id{"relay"});
    ASSERT_EQ(o.servers.size(), 4u);
    EXPECT_EQ(o.servers[0].host, "smtp.vendor.example");
    EXPECT_EQ(o.servers[0].port, 2525);
    EXPECT_EQ(o.servers[1].priority, 20);
    EXPECT_EQ(o.servers[1].port, 465) << "the port of implicit TLS";
    EXPECT_EQ(o.servers[2].host, "2001:db8::1");
    EXPECT_EQ(o.servers[2].port, 26);
    EXPECT_EQ(o.servers[3].host, "192.0.2.1");
    EXPECT_EQ(o.helo, "out.vendor.example");
    EXPECT_EQ(o.mode, tls_mode::implicit);
    EXPECT_EQ(o.policy, tls_policy::required_unverified);
    EXPECT_EQ(o.tls_name, "other.example");
    EXPECT_EQ(o.pin_sha256.size(), 44u);
    EXPECT_EQ(o.username, "vendor");
    EXPECT_EQ(o.password_file, "/secret");
    EXPECT_THAT(o.mechanisms, ElementsAre("PLAIN", "LOGIN"));
    EXPECT_EQ(o.connections, 7u);
    EXPECT_EQ(o.messages_per_connection, 50u);
    EXPECT_EQ(o.recipients_per_message, 10u);
    EXPECT_EQ(o.idle, seconds{2});
    EXPECT_EQ(o.max_age, hours{1});
    EXPECT_EQ(o.ready_limit, 100u);
    EXPECT_FALSE(o.pipelining);
    EXPECT_FALSE(o.across_messages);
    EXPECT_TRUE(o.chunking);
    EXPECT_EQ(o.window, 4u);
    EXPECT_THAT(o.rates, ElementsAre("30/m", "10000/d"));
    EXPECT_THAT(o.domain_rates.at("example.org"), ElementsAre("10/s", "500/h"));
    EXPECT_THAT(o.domain_rates.at("*"), ElementsAre("60/m"));
    EXPECT_TRUE(o.allow_private);
    EXPECT_EQ(o.timeouts[smtp::phase::connect], seconds{3});
    EXPECT_EQ(o.timeouts[smtp::phase::dot], minutes{20});
    EXPECT_EQ(o.timeouts[smtp::phase::mail], smtp::default_timeout(smtp::phase::mail));
    EXPECT_EQ(o.transaction_limit, hours{1});
    EXPECT_EQ(o.pause, minutes{1});
    EXPECT_EQ(o.return_path, return_path_mode::verp);
    EXPECT_EQ(o.return_path_address, "bounces.vendor.example");
    EXPECT_THAT(o.sends_from, ElementsAre("192.0.2.10", "2001:db8::/48"));
    EXPECT_EQ(o.dkim_domain, "vendor.example");
}

TEST(config_parse, reads_the_sending_hours_of_a_tenant) {
    const config c =
        config_of("tenants:\n"
                  "  acme:\n"
                  "    send_window: {days: [mon-wed, fri], hours: \"08:30-19:00\", time_zone: Europe/Paris, "
                  "applies_to: [bulk, transactional]}\n"
                  "    categories_off: [surveys, reminders]\n"
                  "  globex: {send_window: {days: [sat-mon], hours: \"22:00-06:00\"}}\n"
                  "  open: {send_window: none}\n");
    const tenant_options& acme = *c.find_tenant(tenant_id{"acme"});
    ASSERT_TRUE(acme.send_window);
    EXPECT_EQ(to_text(*acme.send_window), "mon-wed,fri 08:30-19:00 Europe/Paris");
    EXPECT_TRUE(acme.send_window->bulk && acme.send_window->transactional);
    EXPECT_THAT(acme.categories_off, ElementsAre("surveys", "reminders"));
    const tenant_options& globex = *c.find_tenant(tenant_id{"globex"});
    ASSERT_TRUE(globex.send_window);
    EXPECT_EQ(to_text(*globex.send_window), "mon,sat-sun 22:00-06:00 UTC");
    EXPECT_TRUE(globex.send_window->bulk && !globex.send_window->transactional);
    EXPECT_FALSE(c.find_tenant(tenant_id{"open"})->send_window);
    const config again = config_of(print(c));
    EXPECT_EQ(again.find_tenant(tenant_id{"acme"})->send_window, acme.send_window);
    EXPECT_EQ(again.find_tenant(tenant_id{"globex"})->send_window, globex.send_window);
}

TEST(config_parse, refuses_hours_that_are_none) {
    for (const char* window :
         {"always",
          "{days: []}",
          "{days: [someday]}",
          "{days: mon}",
          "{hours: \"8-19\"}",
          "{hours: \"08:00-08:00\"}",
          "{hours: \"08:00-25:00\"}",
          "{hours: \"24:00-08:00\"}",
          "{hours: \"08:60-19:00\"}",
          "{time_zone: CEST}",
          "{applies_to: [all]}",
          "{applies_to: []}",
          "{weekdays: [mon]}"}) {
        const auto parsed = parse(std::string{"tenants: {acme: {send_window: "} + window + "}}\n", "t.yaml");
        EXPECT_TRUE(parsed.has_error()) << window;
    }
}

TEST(config_parse, reads_tenants) {
    const config c = config_of(whole);
    EXPECT_EQ(c.tenants.size(), 4u);
    ASSERT_NE(c.find_tenant(default_tenant()), nullptr);
    EXPECT_EQ(c.find_tenant(tenant_id{"nobody"}), nullptr);
    EXPECT_EQ(c.find_tenant(tenant_id{"acme"})->route, tenant_route::relay);
    const tenant_options& globex = *c.find_tenant(tenant_id{"globex"});
    EXPECT_EQ(globex.route, tenant_route::own) << "a server makes it the tenant's own";
    ASSERT_TRUE(globex.server);
    EXPECT_EQ(globex.server->id, route_id{"tenant:globex"});
    EXPECT_EQ(globex.server->servers[0].port, 587);
    EXPECT_EQ(globex.server->return_path, return_path_mode::fixed);
    EXPECT_THAT(c.tenants.at("acme").senders, ElementsAre("badges@vendor.example", "vendor.example"));
    EXPECT_EQ(c.tenants.at("acme").contact, "Support");
    EXPECT_EQ(c.tenants.at("acme").time_zone.name(), "Europe/Paris");
    EXPECT_EQ(c.tenants.at("acme").send_window->where.name(), "Europe/Paris") << "unless it names another";
    EXPECT_EQ(globex.time_zone.name(), "UTC");
    EXPECT_EQ(c.route_of(globex), &*globex.server);
    EXPECT_EQ(c.route_of(c.tenants.at("acme")), &*c.relay);
    EXPECT_EQ(c.route_of(c.tenants.at("closed")), nullptr) << "its mail is held";
    EXPECT_EQ(globex.server->return_path_address, "Bounces@globex.example");
    EXPECT_FALSE(globex.server->allow_private);
    EXPECT_EQ(globex.expire_after, hours{48});
    EXPECT_THAT(globex.rates, ElementsAre("100/h"));
    EXPECT_TRUE(globex.hold_uncertain);
    EXPECT_THAT(globex.retry.standard.delays, ElementsAre(minutes{1}, minutes{5}));
    EXPECT_THAT(globex.retry.of(verdict::reason::greylisted).delays, ElementsAre(seconds{30}));
    EXPECT_EQ(globex.retry.of(verdict::reason::greylisted).jitter, 0.5);
    EXPECT_EQ(
        globex.retry.of(verdict::reason::mailbox_full).delays,
        verdict::retry_plan::defaults().of(verdict::reason::mailbox_full).delays
    );
    const tenant_options& closed = *c.find_tenant(tenant_id{"closed"});
    EXPECT_EQ(closed.route, tenant_route::own);
    EXPECT_FALSE(closed.server) << "its mail is held, not sent elsewhere";
}

TEST(config_parse, reads_roles_by_name_and_number) {
    const config c = config_of(whole);
    ASSERT_EQ(c.grants.size(), 4u);
    EXPECT_EQ(c.grants[0].uid, 0u);
    EXPECT_EQ(c.grants[0].as, role::admin);
    EXPECT_TRUE(c.grants[0].all_tenants);
    EXPECT_EQ(c.grants[1].gid, 991u);
    EXPECT_FALSE(c.grants[1].uid);
    EXPECT_THAT(c.grants[1].tenants, ElementsAre(tenant_id{"acme"}, tenant_id{"default"}));
    EXPECT_EQ(c.grants[2].uid, 1000u);
    EXPECT_EQ(c.grants[2].as, role::read);
    EXPECT_TRUE(c.grants[3].anybody);
    EXPECT_TRUE(c.grants[3].tenants.empty());
}

TEST(config_parse, gives_an_empty_file_usable_defaults) {
    for (const std::string_view nothing :
         {"", "# nothing\n", "store:\nrelay:\ntenants:\n", "{}", "roles: []"}) {
        const config c = config_of(nothing);
        EXPECT_EQ(c.hostname, "host.example");
        ASSERT_EQ(c.listeners.size(), 1u);
        EXPECT_EQ(c.listeners[0].unix_path, "/run/estafette/api.sock");
        EXPECT_EQ(c.listeners[0].mode, 0660u);
        EXPECT_EQ(c.store.path, "/var/lib/estafette");
        EXPECT_FALSE(c.relay);
        ASSERT_EQ(c.tenants.size(), 1u);
        EXPECT_EQ(c.tenants.at("default").id, default_tenant());
        ASSERT_EQ(c.grants.size(), 3u);
        EXPECT_EQ(c.grants[0].uid, 0u);
        EXPECT_EQ(c.grants[1].uid, 990u);
        EXPECT_EQ(c.grants[1].as, role::admin);
        EXPECT_EQ(c.grants[2].gid, 991u);
        EXPECT_EQ(c.grants[2].as, role::submit);
    }
}

TEST(config_parse, lets_mode_and_policy_of_tls_imply_each_other) {
    const auto relay = [](std::string_view tls) {
        return *config_of("relay: {servers: [h.example], tls: {" + std::string{tls} + "}}").relay;
    };
    EXPECT_EQ(relay("").policy, tls_policy::required_verified);
    EXPECT_EQ(relay("").mode, tls_mode::starttls);
    EXPECT_EQ(relay("mode: none").policy, tls_policy::none);
    EXPECT_EQ(relay("mode: none").servers[0].port, 25);
    EXPECT_EQ(relay("policy: none").mode, tls_mode::none);
    EXPECT_EQ(relay("mode: implicit").policy, tls_policy::required_verified);
    EXPECT_EQ(relay("policy: opportunistic").mode, tls_mode::starttls);
}

TEST(config_parse, takes_a_client_certificate_in_place_of_a_password) {
    const config c = config_of("relay:\n"
                               "  servers: [h.example]\n"
                               "  tls: {client_certificate: /c.pem, client_key: /k.pem}\n"
                               "  auth: {mechanisms: [EXTERNAL]}\n");
    EXPECT_THAT(c.relay->mechanisms, ElementsAre("EXTERNAL"));
}

TEST(config_parse, knows_every_mechanism_that_the_session_speaks) {
    for (std::size_t i = 0; i < smtp::mechanism_count; ++i) {
        const auto name = smtp::to_text(static_cast<smtp::mechanism>(i));
        const config c = config_of(
            "relay: {servers: [h.example], tls: {client_certificate: /c, client_key: /k}, auth: {mechanisms: "
            "[" +
            std::string{name} + "]}}"
        );
        EXPECT_THAT(c.relay->mechanisms, ElementsAre(name));
    }
}

TEST(config_parse, says_no_invalid_machine_name_to_servers) {
    machine m = test_machine();
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"tower", "tower"}, {"Tower.Example", "tower.example"}, {"", "localhost"}, {"a b", "localhost"}
    };
    for (const auto& [name, expected] : cases) {
        m.hostname = name;
        EXPECT_EQ(parse("", "FILE", m)->hostname, expected);
    }
}

TEST(config_parse, takes_hosts_as_operators_write_them) {
    for (const std::string_view host : {"localhost", "127.0.0.1", "tower", "mail-1.example.org", "::1"}) {
        const config c = config_of("relay: {servers: [{host: \"" + std::string{host} + "\"}]}");
        ASSERT_TRUE(c.relay) << host;
        EXPECT_EQ(c.relay->servers.at(0).host, host);
    }
    EXPECT_EQ(config_of("relay: {servers: [\"localhost:2525\"]}").relay->servers.at(0).port, 2525);
}

TEST(config_parse, has_room_for_large_files) {
    std::string text = "# " + std::string(1'200'000, 'x') + "\ntenants:\n";
    for (int i = 0; i < 200; ++i)
        text += "  customer-" + std::to_string(i) +
                ": {server: {servers: [mx.example], idle: 1s}, expire_after: 2d}\n";
    EXPECT_EQ(config_of(text).tenants.size(), 201u);
}

}  // namespace
}  // namespace estafette::config
