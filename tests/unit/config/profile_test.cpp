#include "config_of.hpp"

#include <gmock/gmock.h>

#include <set>

namespace estafette::config {
namespace {

using testing::ElementsAre;

route_options relay_with(const std::string& profile, const std::string& more = {}) {
    const config c = config_of("relay: {servers: [smtp.provider.example], profile: " + profile + more + "}");
    return c.relay.value_or(route_options{});
}

TEST(profiles, are_valid_and_named) {
    std::vector<std::string> names;
    for (const profile_summary& p : profiles()) {
        EXPECT_FALSE(p.description.empty()) << p.name;
        EXPECT_THAT(
            errors_of("relay: {servers: [smtp.provider.example], profile: " + p.name + "}"),
            testing::IsEmpty()
        );
        names.push_back(p.name);
    }
    EXPECT_THAT(
        names,
        ElementsAre(
            "brevo",
            "generic",
            "google-relay",
            "google-workspace",
            "mailgun",
            "microsoft365",
            "postfix",
            "postmark",
            "sendgrid",
            "ses"
        )
    );
}

TEST(profiles, never_weaken_tls_or_open_the_network) {
    for (const profile_summary& p : profiles()) {
        const route_options o = relay_with(p.name);
        EXPECT_EQ(o.policy, tls_policy::required_verified) << p.name;
        EXPECT_FALSE(o.allow_private) << p.name;
    }
}

TEST(profiles, set_what_the_operator_leaves_open) {
    const route_options o = relay_with("microsoft365");
    EXPECT_EQ(o.connections, 3u);
    EXPECT_THAT(o.rates, ElementsAre("30/m"));
    EXPECT_THAT(o.mechanisms, ElementsAre("LOGIN"));
    EXPECT_EQ(o.recipients_per_message, 500u);
    EXPECT_EQ(relay_with("ses").recipients_per_message, 50u);
}

TEST(profiles, give_way_to_the_operator_value_by_value) {
    const route_options o = relay_with(
        "microsoft365", ", connections: 2, auth: {mechanisms: [XOAUTH2], username: u, password_file: p}"
    );
    EXPECT_EQ(o.connections, 2u);
    EXPECT_THAT(o.mechanisms, ElementsAre("XOAUTH2"));
    EXPECT_THAT(o.rates, ElementsAre("30/m"));
    EXPECT_EQ(o.username, "u");
}

TEST(profiles, that_say_nothing_leave_the_defaults) {
    const config plain = config_of("relay: {servers: [a.example]}");
    const config generic = config_of("relay: {servers: [a.example], profile: generic}");
    EXPECT_THAT(differences(plain, generic), testing::IsEmpty());
    EXPECT_EQ(plain.relay->profile, "generic");
}

}  // namespace
}  // namespace estafette::config
