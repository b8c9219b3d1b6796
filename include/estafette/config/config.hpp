// Reads the configuration (YAML files → structs), compares two, prints the reference. Every option is a
// row of one table in daemon/config: its path, its member, its help.
//
// All or nothing: what load() gives is complete and consistent, or there are errors. It reads files and
// account names, so it is for start and reload; parse() is for texts. Secrets are never part of it: a
// password is named by its file. Thread: any, but the account look-ups may block.
#pragma once

#include "estafette/base/error.hpp"
#include "estafette/config/options.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace estafette::config {

using config_ptr = std::shared_ptr<const config>;

// What the configuration takes from the machine; tests bring their own.
struct machine {
    std::string hostname;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::function<std::optional<std::uint32_t>(const std::string&)> find_user;
    std::function<std::optional<std::uint32_t>(const std::string&)> find_group;

    [[nodiscard]] static machine this_one();
};

// Reads FILE, conf.d/*.yaml beside it (sorted; a later file's value wins, maps merge) and the provider
// profiles: our own, and profiles/*.yaml beside it. Each error is one line "FILE:LINE: what is wrong",
// all that were found, in order. The files of secrets must be there, and not readable by everybody; a
// relative password_file is looked for in $CREDENTIALS_DIRECTORY, else in credentials/ beside FILE.
[[nodiscard]] boost::system::result<config, std::vector<std::string>> load(const std::string& file);

// The same from memory, without a look at other files. `name` stands for the file in errors.
[[nodiscard]] boost::system::result<config, std::vector<std::string>>
parse(std::string_view yaml, const std::string& name, const machine& host = machine::this_one());

// The commented reference that conf/estafette.yaml is generated from.
[[nodiscard]] std::string print_reference();

// Every option with its present value, as YAML that parse() reads back.
[[nodiscard]] std::string print(const config& c);

// What a reload changes. Options marked `restart` keep their old value until the daemon restarts.
struct difference {
    std::string path;           // "relay.connections", "tenants.acme.expire_after"
    std::string before, after;  // as YAML; empty: not there
    bool needs_restart = false;

    [[nodiscard]] std::string text() const;  // "relay.connections: 20 → 40 (reload)"
};

[[nodiscard]] std::vector<difference> differences(const config& before, const config& after);

// A password or token from its file, without its last line end; errc::io, errc::too_large (above 4 KiB).
[[nodiscard]] result<std::string> read_secret(const std::string& file);

struct profile_summary {
    std::string name;         // "microsoft365"
    std::string description;  // one line
};

// The provider profiles compiled into the program.
[[nodiscard]] std::vector<profile_summary> profiles();

[[nodiscard]] std::string_view to_text(tls_mode m) noexcept;
[[nodiscard]] std::string_view to_text(tls_policy p) noexcept;
[[nodiscard]] std::string_view to_text(role r) noexcept;

}  // namespace estafette::config
