#include "../generated_file.hpp"
#include "config_of.hpp"

#include <gmock/gmock.h>

#include <sstream>

namespace estafette::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The reference with every option in force: "#key" and "#  key" lose their "#", "# Prose" stays.
std::string uncommented(const std::string& reference) {
    std::string out;
    std::istringstream in{reference};
    for (std::string line; std::getline(in, line);) {
        const bool is_option = line.size() > 2 && line[0] == '#' && (line[1] != ' ' || line[2] == ' ');
        out += (is_option ? line.substr(1) : line) + '\n';
    }
    return out;
}

std::vector<std::string> texts(const std::vector<difference>& all) {
    std::vector<std::string> out;
    for (const difference& d : all)
        out.push_back(d.text());
    return out;
}

TEST(config_reference, reference_is_the_file) {
    expect_generated_file("conf/estafette.yaml", print_reference());
}

TEST(config_reference, changes_nothing_as_it_is) {
    EXPECT_THAT(texts(differences(config_of(""), config_of(print_reference()))), ElementsAre());
}

TEST(config_reference, says_the_defaults_when_every_option_is_uncommented) {
    const config all = config_of(uncommented(print_reference()));
    const config plain = config_of("relay: {servers: [smtp.example.org]}\n"
                                   "tenants: {example: {server: {servers: [mail.customer.example]}}}\n");
    EXPECT_THAT(texts(differences(plain, all)), ElementsAre());
}

TEST(config_reference, keeps_within_100_columns) {
    std::istringstream in{print_reference()};
    for (std::string line; std::getline(in, line);)
        EXPECT_LE(line.size(), 106u) << line;  // bytes: a few characters have more than one
}

TEST(config_print, is_read_back_as_the_same_configuration) {
    const config c = config_of(R"(
hostname: mail.example
aliases: {root: "o'ps@vendor.example"}
listen: [{unix: "/run/with space.sock", mode: "0600", group: estafette, name: x}]
relay:
  servers: [a.example:26, {host: "::1", port: 27, priority: 1, weight: 2}]
  auth: {username: "a \"quoted\\ name", password_file: /p, mechanisms: [LOGIN]}
  rates: [30/m]
  timeouts: {connect: 1500ms}
  return_path: fixed bounces@vendor.example
tenants:
  globex: {server: {servers: [b.example], tls: {mode: none}}, uncertain: hold, retry: {timeout: {delays: [90s], jitter: 0.25}}}
roles: [{user: root, role: admin, tenants: "*"}, {gid: 5, role: read, tenants: [globex]}]
)");
    EXPECT_THAT(texts(differences(c, config_of(print(c)))), ElementsAre()) << print(c);
}

TEST(config_differences, tell_what_a_reload_changes_and_what_waits_for_a_restart) {
    const config before = config_of("relay: {servers: [a.example], connections: 20}\n"
                                    "tenants: {acme: {}, gone: {expire_after: 1d}}\n");
    const config after = config_of("store: {path: /srv/queue}\n"
                                   "relay: {servers: [a.example], connections: 40}\n"
                                   "tenants: {acme: {expire_after: 2d}}\n"
                                   "log: {level: debug}\n");
    EXPECT_THAT(
        texts(differences(before, after)),
        testing::AllOf(
            testing::Contains("relay.connections: 20 → 40 (reload)"),
            testing::Contains("store.path: /var/lib/estafette → /srv/queue (restart)"),
            testing::Contains("tenants.acme.expire_after: 5d → 2d (reload)"),
            testing::Contains("tenants.gone.expire_after: 1d → (none) (reload)"),
            testing::Contains("log.level: info → debug (reload)")
        )
    );
}

TEST(config_differences, show_a_route_that_comes_or_goes) {
    const config with = config_of("relay: {servers: [a.example]}");
    EXPECT_THAT(
        texts(differences(config_of(""), with)),
        testing::Contains("relay.servers: (none) → [a.example:587] (reload)")
    );
    EXPECT_THAT(
        texts(differences(with, config_of(""))),
        testing::Contains("relay.servers: [a.example:587] → (none) (reload)")
    );
    EXPECT_THAT(differences(with, with), testing::IsEmpty());
}

TEST(config_words, are_those_of_the_file) {
    for (const auto mode : {tls_mode::starttls, tls_mode::implicit, tls_mode::none})
        EXPECT_THAT(
            print(config_of("relay: {servers: [h.example], tls: {mode: " + std::string{to_text(mode)} + "}}")
            ),
            HasSubstr("mode: " + std::string{to_text(mode)} + "\n")
        );
    for (const auto policy :
         {tls_policy::required_verified,
          tls_policy::required_unverified,
          tls_policy::opportunistic,
          tls_policy::none})
        EXPECT_THAT(
            print(config_of(
                "relay: {servers: [h.example], tls: {policy: " + std::string{to_text(policy)} + "}}"
            )),
            HasSubstr("policy: " + std::string{to_text(policy)} + "\n")
        );
    for (const auto as : {role::submit, role::read, role::admin})
        EXPECT_EQ(
            config_of("roles: [{uid: 1, role: " + std::string{to_text(as)} + ", tenants: \"*\"}]")
                .grants[0]
                .as,
            as
        );
}

}  // namespace
}  // namespace estafette::config
