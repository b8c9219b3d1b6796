#include "command.hpp"
#include "sendmail.hpp"

#include "estafette/base/text.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace estafette::cli {

namespace {

constexpr const char* default_socket = "/run/estafette/api.sock";

constexpr const char* examples = R"(Examples:
  estafette send --from badges@vendor.example --to ann@customer.example \
                 --subject 'Your badge' --text 'Here it is.'
  estafette status 01977a1e-5d7c-7d3e-8f52-1c6d1f2b3a4c
  estafette explain ann@customer.example --lang fr
  estafette list --state deferred --json
  estafette health

`estafette sendmail OPTIONS` does what a program of the name sendmail does.
Exit codes: 0 done, 64 wrong command line, 65 wrong data, 66 unreadable file, 67 no such thing,
69 not possible, 75 daemon away or full, 77 no permission. See estafette(1).)";

// "estafette route pause": as far as the words were understood.
std::string understood(const CLI::App& app) {
    std::string out = app.get_name();
    for (const CLI::App* child : app.get_subcommands()) {
        out += " " + understood(*child);
    }
    return out;
}

failure wrong_call(const CLI::App& app, const CLI::ParseError& wrong) {
    const CLI::App* last = &app;
    while (!last->get_subcommands().empty()) {
        last = last->get_subcommands().front();
    }
    const std::vector<std::string> unknown = app.remaining(true);
    std::string words = printable(wrong.what());
    if (wrong.get_name() == "RequiredError" && last->get_require_subcommand_min() > 0 && !unknown.empty()) {
        std::vector<std::string> names;
        for (const CLI::App* child : last->get_subcommands([](const CLI::App*) { return true; })) {
            names.push_back(child->get_name());
        }
        const std::vector<std::string_view> views{names.begin(), names.end()};
        const std::string_view near = nearest(unknown.front(), views.data(), views.size());
        words = "there is no command " + printable(unknown.front());
        words += near.empty() ? "" : "; nearest: " + std::string{near};
    }
    return usage(words + " (see " + understood(app) + " --help)");
}

int run_estafette(const std::vector<std::string>& args, console& io) {
    CLI::App app{"Sends mail through estafetted and says what became of it.", "estafette"};
    invocation call{io, io.environment("ESTAFETTE_SOCKET").value_or(default_socket), false, "60s", {}};
    add_commands(app, call);
    std::vector<std::string> reversed{args.rbegin(), args.rend() - 1};
    try {
        app.parse(std::move(reversed));
    } catch (const CLI::Success& wanted) {  // --help, --version
        return app.exit(wanted, io.out, io.err);
    } catch (const CLI::ParseError& wrong) {
        return report(io, wrong_call(app, wrong), call.how());
    }
    if (!parse_duration(call.timeout)) {
        return report(io, usage("--timeout: " + std::string{sentence(errc::duration_invalid)}), call.how());
    }
    return call.action();
}

}  // namespace

client invocation::api() const {
    return client{socket, parse_duration(timeout).value()};
}

failure usage(std::string text) {
    return {exit_code::usage, std::move(text), {}};
}

void add_commands(CLI::App& app, invocation& call) {
    app.fallthrough();  // --json and --socket may stand behind the command
    app.require_subcommand(1);
    app.footer(examples);
    app.set_version_flag("--version", "estafette " ESTAFETTE_VERSION);
    app.add_flag("--json", call.json, "One JSON object a line instead of tables, errors too");
    app.add_option("--socket", call.socket, "The daemon's socket, also $ESTAFETTE_SOCKET")
        ->type_name("PATH")
        ->capture_default_str();
    app.add_option("--timeout", call.timeout, "Give up when the daemon has not answered by then")
        ->type_name("DURATION")
        ->capture_default_str();
    add_send(app, call);
    add_messages(app, call);
    add_cancel(app, call);
    add_sequence(app, call);
    add_category(app, call);
    add_erase(app, call);
    add_explain(app, call);
    add_allow_list(app, call);
    add_test_mail(app, call);
    add_routes(app, call);
    add_tenants(app, call);
    add_actions(app, call);
    add_health(app, call);
    add_config(app, call);
    add_rules(app, call);
    add_bounce(app, call);
    add_suppress(app, call);
    add_store(app, call);
    add_completion(app, call);
}

int run(const std::vector<std::string>& args, console& io) {
    const std::string path = args.empty() ? "estafette" : args.front();
    const std::string name = path.substr(path.rfind('/') + 1);
    std::vector<std::string> rest{args.begin() + (args.empty() ? 0 : 1), args.end()};
    if (name == "newaliases") {
        return 0;  // the aliases are read from the configuration each time
    }
    if (name == "mailq") {
        rest.insert(rest.begin(), "-bp");
        return run_sendmail(rest, io);
    }
    if (name == "sendmail") {
        return run_sendmail(rest, io);
    }
    if (!rest.empty() && rest.front() == "sendmail") {
        rest.erase(rest.begin());
        return run_sendmail(rest, io);
    }
    return run_estafette(args, io);
}

}  // namespace estafette::cli
