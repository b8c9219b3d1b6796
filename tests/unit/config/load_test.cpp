#include "estafette/config/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace estafette::config {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class config_load : public testing::Test {
protected:
    config_load()
        : folder_{
              fs::temp_directory_path() / ("estafette-config-" + std::to_string(::getpid()) + '-' +
                                           testing::UnitTest::GetInstance()->current_test_info()->name())
          } {
        fs::remove_all(folder_);
        fs::create_directories(folder_);
        ::unsetenv("CREDENTIALS_DIRECTORY");
    }

    ~config_load() override { fs::remove_all(folder_); }

    std::string write(const std::string& name, std::string_view content, mode_t mode = 0600) const {
        const fs::path file = folder_ / name;
        fs::create_directories(file.parent_path());
        std::ofstream{file} << content;
        ::chmod(file.c_str(), mode);
        return file.string();
    }

    [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }

    [[nodiscard]] config good() const {
        auto c = load(path("estafette.yaml"));
        EXPECT_TRUE(c) << (c ? "" : c.error().front());
        return c ? *std::move(c) : config{};
    }

    [[nodiscard]] std::vector<std::string> errors() const {
        const auto c = load(path("estafette.yaml"));
        return c ? std::vector<std::string>{} : c.error();
    }

private:
    fs::path folder_;
};

TEST_F(config_load, merges_the_files_of_conf_d_in_the_order_of_their_names) {
    write(
        "estafette.yaml",
        "hostname: a.example\nrelay: {servers: [a.example], connections: 1, recipients_per_message: 2}\n"
    );
    write("conf.d/20-b.yaml", "relay: {connections: 3}\ntenants: {two: {}}\n");
    write("conf.d/10-a.yaml", "relay: {connections: 2, idle: 1s}\ntenants: {one: {}}\n");
    write("conf.d/ignored.yaml~", "nonsense");
    write("conf.d/.hidden.yaml", "nonsense");
    const config c = good();
    EXPECT_EQ(c.hostname, "a.example");
    EXPECT_EQ(c.relay->connections, 3u);
    EXPECT_EQ(c.relay->idle, seconds{1});
    EXPECT_EQ(c.relay->recipients_per_message, 2u);
    EXPECT_TRUE(c.tenants.contains("one") && c.tenants.contains("two"));
}

TEST_F(config_load, names_the_file_that_is_wrong) {
    write("estafette.yaml", "store: {retention: x}\n");
    const auto other = write("conf.d/10-a.yaml", "\nlog: {levle: debug}\n");
    const auto broken = write("conf.d/20-b.yaml", "- a\n");
    EXPECT_THAT(
        errors(),
        testing::UnorderedElementsAre(
            path("estafette.yaml") + ":1: store.retention: not a duration such as 30s, 5m, 4h or 2d",
            other + ":2: unknown key log.levle; nearest: log.level",
            broken + ":1: not a section of keys and values"
        )
    );
}

TEST_F(config_load, says_that_a_file_cannot_be_read) {
    EXPECT_THAT(
        errors(), ElementsAre(path("estafette.yaml") + ": cannot be read: No such file or directory")
    );
}

TEST_F(config_load, takes_an_empty_file) {
    write("estafette.yaml", "");
    EXPECT_FALSE(good().relay);
}

TEST_F(config_load, wants_secrets_hidden_and_there) {
    const std::pair<std::string, std::string> cases[] = {
        {write("fine", "secret\n", 0640), ""},
        {write("open", "secret\n", 0644), ": readable by everybody; chmod 0600 it"},
        {write("empty", "\n"), ": is empty"},
        {write("large", std::string(5000, 'x')), ": larger than the limit"},
        {path("missing"), ": No such file or directory"},
        {path(""), ": not a regular file"},
    };
    for (const auto& [file, fault] : cases) {
        write(
            "estafette.yaml",
            "relay:\n  servers: [a.example]\n  auth: {username: u, password_file: " + file + "}\n"
        );
        if (fault.empty())
            EXPECT_THAT(errors(), IsEmpty());
        else
            EXPECT_THAT(
                errors(),
                ElementsAre(path("estafette.yaml") + ":3: relay.auth.password_file: " + file + fault)
            );
    }
}

TEST_F(config_load, wants_the_files_of_tls_there) {
    write(
        "estafette.yaml",
        "tenants: {acme: {server: {servers: [a.example], tls: {ca_file: /nonexistent/ca.pem}}}}\n"
    );
    EXPECT_THAT(
        errors(),
        ElementsAre(
            path("estafette.yaml") +
            ":1: tenants.acme.server.tls.ca_file: /nonexistent/ca.pem: No such file or directory"
        )
    );
}

TEST_F(config_load, finds_relative_secrets_among_the_credentials) {
    write(
        "estafette.yaml",
        "relay: {servers: [a.example], auth: {username: u, password_file: relay.password}}\n"
    );
    write("credentials/relay.password", "beside\n");
    EXPECT_EQ(read_secret(good().relay->password_file).value(), "beside");
    write("run/relay.password", "by systemd");
    ::setenv("CREDENTIALS_DIRECTORY", path("run").c_str(), 1);
    EXPECT_EQ(read_secret(good().relay->password_file).value(), "by systemd");
    ::unsetenv("CREDENTIALS_DIRECTORY");
}

TEST_F(config_load, takes_profiles_of_the_operator) {
    write("profiles/house.yaml", "description: ours\ndefaults: {connections: 5, tls: {mode: implicit}}\n");
    write("profiles/ses.yaml", "description: replaced\ndefaults: {connections: 6}\n");
    write(
        "estafette.yaml",
        "relay: {servers: [a.example], profile: house}\n"
        "tenants: {acme: {server: {servers: [b.example], profile: ses, connections: 9}}}\n"
    );
    const config c = good();
    EXPECT_EQ(c.relay->connections, 5u);
    EXPECT_EQ(c.relay->servers[0].port, 465);
    EXPECT_EQ(c.tenants.at("acme").server->connections, 9u)
        << "the operator's value goes before the profile's";
}

TEST_F(config_load, tells_where_a_profile_is_wrong) {
    const auto house =
        write("profiles/house.yaml", "defaults:\n  conections: 5\n  servers: [evil.example]\nmore: 1\n");
    write("estafette.yaml", "relay: {servers: [a.example], profile: house}\n");
    EXPECT_THAT(
        errors(),
        testing::UnorderedElementsAre(
            house + ":2: unknown key relay.conections; nearest: relay.connections",
            house + ":3: defaults.servers: not for a profile to say",
            house + ":4: unknown key more"
        )
    );
}

TEST_F(config_load, resolves_accounts_of_this_machine) {
    write(
        "estafette.yaml",
        "roles: [{user: root, role: admin, tenants: \"*\"}, {group: no-such-group, role: read, tenants: "
        "\"*\"}]\n"
    );
    EXPECT_THAT(
        errors(), ElementsAre(path("estafette.yaml") + ":1: roles[1].group: no such group: no-such-group")
    );
    write("estafette.yaml", "roles: [{user: root, role: admin, tenants: \"*\"}]\n");
    EXPECT_EQ(good().grants.at(0).uid, 0u);
}

TEST_F(config_load, reads_a_secret_without_its_last_line_end) {
    EXPECT_EQ(read_secret(write("a", "pass word")).value(), "pass word");
    EXPECT_EQ(read_secret(write("b", "pass\n")).value(), "pass");
    EXPECT_EQ(read_secret(write("c", "pass\r\n")).value(), "pass");
    EXPECT_EQ(read_secret(write("d", "pass\n\n")).value(), "pass\n");
    EXPECT_EQ(read_secret(write("e", std::string(4096, 'x'))).value().size(), 4096u);
    EXPECT_EQ(read_secret(write("f", std::string(4097, 'x'))).error(), errc::too_large);
    EXPECT_EQ(read_secret(path("none")).error(), errc::io);
}

}  // namespace
}  // namespace estafette::config
