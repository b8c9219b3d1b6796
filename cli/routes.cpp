// estafette queue, and estafette route list, show, pause, resume.

#include "command.hpp"
#include "fields.hpp"
#include "output.hpp"
#include "when.hpp"

#include "estafette/base/text.hpp"

#include <boost/json/serialize.hpp>

#include <CLI/CLI.hpp>

#include <memory>

namespace estafette::cli {

namespace json = boost::json;

namespace {

std::string joined(const json::array& texts) {
    std::string out;
    for (const json::value& one : texts) {
        if (one.is_string()) {
            out += (out.empty() ? "" : ", ") + printable({one.get_string().data(), one.get_string().size()});
        }
    }
    return out;
}

std::string count_of(const json::value& of, std::string_view name) {
    return std::to_string(number(of, name).value_or(0));
}

void add_row(table& routes, const json::value& route) {
    const auto until = time(route, "until");
    routes.add(
        {text(route, "id"),
         text(route, "state"),
         text(route, "reason"),
         until ? local_time(until) : "",
         count_of(route, "connections"),
         count_of(route, "ready"),
         joined(list(route, "servers")),
         shortened(text(route, "text"), 80)}
    );
}

table route_table() {
    return {"ROUTE", "STATE", "REASON", "UNTIL", "CONNECTIONS", "READY", "SERVERS", "WHAT"};
}

boost::system::result<json::value, failure> ask_queue(invocation& call) {
    return ask(call.api(), {"GET", "/v1/queue", {}, {}, {}});
}

int queue(invocation& call) {
    const auto now = ask_queue(call);
    if (!now) {
        return report(call.io, now.error(), call.how());
    }
    if (call.json) {
        call.io.out << json::serialize(*now) << '\n';
        return 0;
    }
    if (const json::value* counts = member(*now, "states"); counts != nullptr && counts->is_object()) {
        table states{"STATE", "RECIPIENTS"};
        for (const auto& [name, count] : counts->get_object()) {
            const std::string state{name.data(), name.size()};
            states.add({printable(state), count_of(*counts, state)});
        }
        states.print(call.io);
    } else {
        call.io.out << "The counts are of all tenants together; this user may not read all of them.\n";
    }
    if (const auto oldest = time(*now, "oldest_due")) {
        call.io.out << "\nOldest due: " << local_time(oldest) << " (" << distance(*oldest, call.io.now())
                    << ")\n";
    }
    table routes = route_table();
    for (const json::value& route : list(*now, "routes")) {
        add_row(routes, route);
    }
    if (!routes.empty()) {
        call.io.out << '\n';
        routes.print(call.io);
    }
    return 0;
}

int list_routes(invocation& call) {
    const auto now = ask_queue(call);
    if (!now) {
        return report(call.io, now.error(), call.how());
    }
    table routes = route_table();
    for (const json::value& route : list(*now, "routes")) {
        if (call.json) {
            call.io.out << json::serialize(route) << '\n';
        }
        add_row(routes, route);
    }
    if (!call.json) {
        routes.print(call.io);
    }
    return 0;
}

void print_route(const json::value& route, console& io) {
    facts lines;
    lines.add("Route", text(route, "id"));
    lines.add("State", text(route, "state"));
    lines.add("Reason", text(route, "reason"));
    lines.add("What", text(route, "text"));
    lines.add("By", text(route, "by"));
    if (const auto since = time(route, "since")) {
        lines.add("Since", local_time(since) + " (" + distance(*since, io.now()) + ")");
    }
    if (const auto until = time(route, "until")) {
        lines.add("Until", local_time(until) + " (" + distance(*until, io.now()) + ")");
    }
    lines.add("Connections", count_of(route, "connections"));
    lines.add("Ready", count_of(route, "ready") + " recipients wait for a connection");
    lines.add("Servers", joined(list(route, "servers")));
    lines.add("Fallbacks", joined(list(route, "fallbacks")));
    lines.print(io);
}

int print_answer(const json::value& route, invocation& call) {
    if (call.json) {
        call.io.out << json::serialize(route) << '\n';
    } else {
        print_route(route, call.io);
    }
    return 0;
}

int show_route(const std::string& id, invocation& call) {
    const auto now = ask_queue(call);
    if (!now) {
        return report(call.io, now.error(), call.how());
    }
    for (const json::value& route : list(*now, "routes")) {
        if (text(route, "id") == id) {
            return print_answer(route, call);
        }
    }
    return report(call.io, {exit_code::no_such, "there is no route " + printable(id), {}}, call.how());
}

struct pause_options {
    std::string id, reason, until;
};

int pause_route(const pause_options& given, invocation& call) {
    json::object body;
    body["reason"] = given.reason;
    if (!given.until.empty()) {
        const auto end = parse_when(given.until, call.io.now());
        if (!end) {
            return report(
                call.io, usage("--until: " + std::string{sentence(errc::time_invalid)}), call.how()
            );
        }
        body["until"] = to_rfc3339(*end);
    }
    const std::string target = "/v1/routes/" + percent_encode(given.id) + "/pause";
    const auto done = ask(call.api(), {"POST", target, "application/json", json::serialize(body), {}});
    return done ? print_answer(*done, call) : report(call.io, done.error(), call.how());
}

int resume_route(const std::string& id, invocation& call) {
    const std::string target = "/v1/routes/" + percent_encode(id) + "/resume";
    const auto done = ask(call.api(), {"POST", target, "application/json", "{}", {}});
    return done ? print_answer(*done, call) : report(call.io, done.error(), call.how());
}

}  // namespace

void add_routes(CLI::App& app, invocation& call) {
    CLI::App* command = app.add_subcommand("queue", "Count recipients by state, and show each route's state");
    command->callback([&call] { call.action = [&call] { return queue(call); }; });

    CLI::App* route = app.add_subcommand("route", "Show, pause and resume routes");
    route->require_subcommand(1);
    route->footer("The vendor's relay is the route `relay`; a tenant's own server is `tenant:NAME`.\n"
                  "Examples:\n"
                  "  estafette route list\n"
                  "  estafette route pause tenant:acme --reason 'their maintenance' --until +2h\n"
                  "  estafette route resume tenant:acme");

    command = route->add_subcommand("list", "List the routes");
    command->callback([&call] { call.action = [&call] { return list_routes(call); }; });

    auto o = std::make_shared<pause_options>();
    command = route->add_subcommand("show", "Show one route");
    command->add_option("id", o->id, "The route's id")->type_name("ROUTE")->required();
    command->callback([o, &call] { call.action = [o, &call] { return show_route(o->id, call); }; });

    command = route->add_subcommand("pause", "Keep a route's mail back until it is resumed");
    command->add_option("id", o->id, "The route's id")->type_name("ROUTE")->required();
    command->add_option("--reason", o->reason, "Why; shown with the mail held")
        ->type_name("TEXT")
        ->required();
    command->add_option("--until", o->until, "Resume by itself: RFC 3339, 'YYYY-MM-DD HH:MM', +DURATION")
        ->type_name("TIME");
    command->callback([o, &call] { call.action = [o, &call] { return pause_route(*o, call); }; });

    command = route->add_subcommand("resume", "Send a route's mail again");
    command->add_option("id", o->id, "The route's id")->type_name("ROUTE")->required();
    command->callback([o, &call] { call.action = [o, &call] { return resume_route(o->id, call); }; });
}

}  // namespace estafette::cli
