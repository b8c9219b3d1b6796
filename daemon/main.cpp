// estafetted: the command line, and one line on stderr when it cannot start.
#include "app.hpp"

#include "estafette/config/config.hpp"

#include <getopt.h>
#include <sysexits.h>

#include <cstdio>
#include <exception>
#include <string>

namespace {

constexpr const char* help = R"(usage: estafetted [--config FILE]

  --config FILE             the configuration (default /etc/estafette/estafette.yaml,
                            or $ESTAFETTE_CONFIG)
  --check-config            check the configuration and exit: 0 good, 78 bad
  --print-config-reference  print the commented configuration reference
  --version                 print the version
  --help                    print this

Exit codes: 0 after a clean stop, 64 wrong usage, 71 the system refused something,
73 a file or socket cannot be created, 74 the store cannot be read or is damaged,
78 the configuration is wrong. See estafetted(8).
)";

struct arguments {
    std::string config = "/etc/estafette/estafette.yaml";
    bool check_only = false;
};

// The exit code where nothing is left to do.
std::optional<int> parse(int argc, char** argv, arguments& into) {
    enum : int { config = 1, check, reference, version, show_help };
    static const option options[] = {
        {"config", required_argument, nullptr, config},
        {"check-config", no_argument, nullptr, check},
        {"print-config-reference", no_argument, nullptr, reference},
        {"version", no_argument, nullptr, version},
        {"help", no_argument, nullptr, show_help},
        {nullptr, 0, nullptr, 0},
    };
    if (const char* file = std::getenv("ESTAFETTE_CONFIG"); file != nullptr && *file != '\0') {
        into.config = file;
    }
    for (int which; (which = ::getopt_long(argc, argv, "", options, nullptr)) != -1;) {
        switch (which) {
        case config: into.config = optarg; break;
        case check: into.check_only = true; break;
        case reference: std::fputs(estafette::config::print_reference().c_str(), stdout); return EX_OK;
        case version: std::puts("estafetted " ESTAFETTE_VERSION); return EX_OK;
        case show_help: std::fputs(help, stdout); return EX_OK;
        default: std::fputs(help, stderr); return EX_USAGE;
        }
    }
    if (optind < argc) {
        std::fprintf(stderr, "estafetted: unexpected argument %s\n", argv[optind]);
        return EX_USAGE;
    }
    return std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
    arguments given;
    if (const auto code = parse(argc, argv, given)) {
        return *code;
    }
    auto loaded = estafette::config::load(given.config);
    if (!loaded) {
        for (const auto& line : loaded.error()) {
            std::fprintf(stderr, "%s\n", line.c_str());
        }
        return EX_CONFIG;
    }
    if (given.check_only) {
        std::printf("%s: good\n", given.config.c_str());
        return EX_OK;
    }
    try {
        estafette::app daemon{given.config, std::move(*loaded)};
        daemon.run();
        return EX_OK;
    } catch (const estafette::startup_error& e) {
        std::fprintf(stderr, "estafetted: %s\n", e.what());
        return e.exit_code();
    } catch (const std::exception& e) {
        std::fprintf(stderr, "estafetted: %s\n", e.what());
        return EX_SOFTWARE;
    }
}
