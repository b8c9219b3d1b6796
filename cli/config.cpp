// estafette config check, show, reference: what estafetted would read, without starting it.

#include "estafette/config/config.hpp"

#include "command.hpp"

#include "estafette/base/text.hpp"

#include <boost/json/serialize.hpp>

#include <CLI/CLI.hpp>

#include <memory>

namespace estafette::cli {

namespace json = boost::json;

namespace {

constexpr const char* default_file = "/etc/estafette/estafette.yaml";

int check(const std::string& file, invocation& call) {
    const auto loaded = config::load(file);
    if (call.json) {
        json::array errors;
        if (!loaded) {
            for (const std::string& line : loaded.error()) {
                errors.emplace_back(printable(line));
            }
        }
        call.io.out << json::serialize(
                           json::value{{"file", file}, {"valid", loaded.has_value()}, {"errors", errors}}
                       )
                    << '\n';
    } else if (loaded) {
        call.io.out << printable(file) << ": valid\n";
    } else {
        for (const std::string& line : loaded.error()) {
            call.io.err << printable(line) << '\n';
        }
    }
    return static_cast<int>(loaded ? exit_code::ok : exit_code::config);
}

enum class shown : std::uint8_t { everything, changed };

int show(const std::string& file, shown what, invocation& call) {
    const auto loaded = config::load(file);
    if (!loaded) {
        return check(file, call);
    }
    if (what == shown::everything) {
        call.io.out << config::print(*loaded);
        return 0;
    }
    const auto defaults = config::parse("", "defaults");
    const config::config none;
    for (const config::difference& one : config::differences(defaults ? *defaults : none, *loaded)) {
        call.io.out << one.path << ": " << one.after << '\n';
    }
    return 0;
}

}  // namespace

void add_config(CLI::App& app, invocation& call) {
    auto file = std::make_shared<std::string>(call.io.environment("ESTAFETTE_CONFIG").value_or(default_file));
    CLI::App* config =
        app.add_subcommand("config", "Check or show the configuration, or print its reference");
    config->require_subcommand(1);
    config->footer("`check` finds what `estafetted --check-config` finds in the same files.\n"
                   "Example:\n  estafette config check && systemctl reload estafetted");

    CLI::App* command =
        config->add_subcommand("check", "Say what is wrong with it; exit code 78 if anything is");
    command->add_option("file", *file, "Instead of the default file")
        ->type_name("FILE")
        ->capture_default_str();
    command->callback([file, &call] { call.action = [file, &call] { return check(*file, call); }; });

    auto changed = std::make_shared<bool>(false);
    command = config->add_subcommand("show", "Show every option with its present value");
    command->add_option("file", *file, "Instead of the default file")
        ->type_name("FILE")
        ->capture_default_str();
    command->add_flag("--changed", *changed, "Only what differs from the defaults");
    command->callback([file, changed, &call] {
        call.action = [file, changed, &call] {
            return show(*file, *changed ? shown::changed : shown::everything, call);
        };
    });

    command = config->add_subcommand("reference", "Print every option with its default and meaning");
    command->callback([&call] {
        call.action = [&call] {
            call.io.out << config::print_reference();
            return 0;
        };
    });
}

}  // namespace estafette::cli
