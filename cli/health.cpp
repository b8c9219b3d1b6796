// estafette health, for monitoring systems, and estafette version.

#include "command.hpp"
#include "fields.hpp"
#include "output.hpp"

#include "estafette/base/text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>

namespace estafette::cli {

namespace json = boost::json;

namespace {

// What Nagios, Icinga, Zabbix and others expect of a check.
enum class level : int { ok = 0, warning = 1, critical = 2, unknown = 3 };

constexpr std::array level_words{"OK", "WARNING", "CRITICAL", "UNKNOWN"};

struct diagnosis {
    level worst = level::ok;
    std::string text;
    std::string figures;  // performance data: name=value pairs

    void add(level found, const std::string& what) {
        // A worse finding comes first: plugins' output is cut at one line on many screens.
        if (found > worst) {
            worst = found;
            text = what + (text.empty() ? "" : "; " + text);
        } else {
            text += (text.empty() ? "" : "; ") + what;
        }
    }
};

struct health_options {
    std::string warning_age = "15m";
    std::string critical_age = "2h";
};

void judge_readiness(const answer& got, diagnosis& out) {
    error_code invalid;
    const json::value body = json::parse(got.body, invalid);
    if (got.status == 200) {
        out.add(level::ok, "ready");
        return;
    }
    std::string failing;
    if (const json::value* checks = member(body, "checks"); checks != nullptr && checks->is_object()) {
        for (const auto& [name, value] : checks->get_object()) {
            const std::string said = text(*checks, {name.data(), name.size()});
            if (said != "ok") {
                failing +=
                    (failing.empty() ? "" : ", ") + printable({name.data(), name.size()}) + ": " + said;
            }
        }
    }
    out.add(level::critical, "not ready" + (failing.empty() ? "" : " (" + failing + ")"));
}

void judge_queue(const json::value& queue, const health_options& limits, wall_time now, diagnosis& out) {
    const auto oldest = time(queue, "oldest_due");
    const milliseconds age = oldest && *oldest < now ? now - *oldest : milliseconds{0};
    const std::string words = "the oldest due recipient waits since " + local_time(oldest);
    if (age >= parse_duration(limits.critical_age).value()) {
        out.add(level::critical, words);
    } else if (age >= parse_duration(limits.warning_age).value()) {
        out.add(level::warning, words);
    }
    for (const json::value& route : list(queue, "routes")) {
        if (text(route, "state") == "paused") {
            const std::string why = text(route, "reason");
            out.add(
                level::warning, "route " + text(route, "id") + " is paused" + (why.empty() ? "" : ": " + why)
            );
        }
    }
    const json::value* counts = member(queue, "states");
    if (counts == nullptr) {
        return;  // this user may not read all tenants'
    }
    for (const char* state : {"queued", "deferred", "held", "scheduled"}) {
        const auto count = number(*counts, state);
        out.figures += std::string{state} + "=" + std::to_string(count.value_or(0)) + " ";
    }
    out.figures += "oldest_due=" + std::to_string(std::chrono::floor<seconds>(age).count()) + "s";
}

diagnosis examine(const health_options& limits, const invocation& call) {
    diagnosis out;
    const client api = call.api();
    const auto ready = api.call({"GET", "/readyz", {}, {}, {}});
    if (!ready) {
        const failure away = failure_of(ready.error(), api.socket());
        out.add(away.code == exit_code::temporary ? level::critical : level::unknown, away.text);
        return out;
    }
    judge_readiness(*ready, out);
    const auto queue = ask(api, {"GET", "/v1/queue", {}, {}, {}});
    if (queue) {
        judge_queue(*queue, limits, call.io.now(), out);
    } else if (queue.error().code == exit_code::no_permission) {
        out.add(level::ok, "this user may not read the queue");
    } else if (out.worst == level::ok) {
        out.add(level::warning, "the queue cannot be read: " + queue.error().text);
    }
    return out;
}

int health(const health_options& limits, invocation& call) {
    if (!parse_duration(limits.warning_age) || !parse_duration(limits.critical_age)) {
        call.io.err << "estafette: " << sentence(errc::duration_invalid) << '\n';
        return static_cast<int>(level::unknown);
    }
    const diagnosis found = examine(limits, call);
    const char* word = level_words[static_cast<std::size_t>(found.worst)];
    if (call.json) {
        call.io.out << json::serialize(json::value{
                           {"level", ascii_lower(word)}, {"text", found.text}, {"figures", found.figures}
                       })
                    << '\n';
    } else {
        call.io.out << word << " - " << found.text;
        call.io.out << (found.figures.empty() ? "" : " | " + found.figures) << '\n';
    }
    return static_cast<int>(found.worst);
}

int version(invocation& call) {
    const auto daemon = ask(call.api(), {"GET", "/version", {}, {}, {}});
    const std::string theirs = daemon ? text(*daemon, "version") : "";
    if (call.json) {
        json::object out{{"estafette", ESTAFETTE_VERSION}};
        out["estafetted"] = theirs.empty() ? json::value{} : json::value{theirs};
        call.io.out << json::serialize(out) << '\n';
    } else {
        call.io.out << "estafette " ESTAFETTE_VERSION "\nestafetted "
                    << (daemon ? theirs : "does not answer: " + daemon.error().text) << '\n';
    }
    return 0;
}

}  // namespace

void add_health(CLI::App& app, invocation& call) {
    auto limits = std::make_shared<health_options>();
    CLI::App* command = app.add_subcommand("health", "Check the daemon, as monitoring systems do");
    command->footer("Exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN; one line with figures behind '|'.\n"
                    "Example:\n  estafette health --warning-age 5m --critical-age 30m");
    command->add_option("--warning-age", limits->warning_age, "Warn when due mail has waited this long")
        ->type_name("DURATION")
        ->capture_default_str();
    command->add_option("--critical-age", limits->critical_age, "Critical when due mail has waited this long")
        ->type_name("DURATION")
        ->capture_default_str();
    command->callback([limits, &call] { call.action = [limits, &call] { return health(*limits, call); }; });

    command = app.add_subcommand("version", "Show the versions of the program and of the daemon");
    command->callback([&call] { call.action = [&call] { return version(call); }; });
}

}  // namespace estafette::cli
