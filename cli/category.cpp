// estafette category list, off, on: kinds of mail that a tenant does not want.

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

struct category_options {
    std::string category, tenant, reason, until;
};

int list_categories(const category_options& o, invocation& call) {
    const auto found =
        ask(call.api(), {"GET", "/v1/categories" + query_of({{"tenant", o.tenant}}), {}, {}, {}});
    if (!found) {
        return report(call.io, found.error(), call.how());
    }
    table rows{"TENANT", "CATEGORY", "OFF SINCE", "UNTIL", "BY", "REASON"};
    for (const json::value& line : list(*found, "categories")) {
        if (call.json) {
            call.io.out << json::serialize(line) << '\n';
            continue;
        }
        const bool is_configured = text(line, "from") == "configuration";
        rows.add(
            {text(line, "tenant"),
             text(line, "category"),
             local_time(time(line, "since")),
             local_time(time(line, "until")),
             is_configured ? "the configuration" : text(line, "by"),
             text(line, "reason")}
        );
    }
    if (!call.json && !rows.empty()) {
        rows.print(call.io);
    }
    return 0;
}

int switch_category(const category_options& o, const char* way, invocation& call) {
    json::object body;
    for (const auto& [name, value] : {std::pair{"tenant", &o.tenant}, {"reason", &o.reason}}) {
        if (!value->empty()) {
            body[name] = *value;
        }
    }
    if (!o.until.empty()) {
        const auto at = parse_when(o.until, call.io.now());
        if (!at) {
            return report(
                call.io,
                usage(printable(o.until) + " is not a time such as 2026-05-01T08:00:00Z or +2h"),
                call.how()
            );
        }
        body["until"] = to_rfc3339(*at);
    }
    const auto done =
        ask(call.api(),
            {"POST",
             "/v1/categories/" + percent_encode(o.category) + "/" + way,
             "application/json",
             json::serialize(body),
             {}});
    if (!done) {
        return report(call.io, done.error(), call.how());
    }
    if (call.json) {
        call.io.out << json::serialize(*done) << '\n';
    } else {
        call.io.out << text(*done, "tenant") << ": " << text(*done, "category") << " is " << way << '\n';
    }
    return 0;
}

CLI::App* add_switch(
    CLI::App& parent,
    const char* way,
    const char* help,
    const std::shared_ptr<category_options>& o,
    invocation& call
) {
    CLI::App* command = parent.add_subcommand(way, help);
    command->add_option("category", o->category, "The kind of mail")->type_name("CATEGORY")->required();
    command->add_option("--tenant", o->tenant, "Whose mail")->type_name("NAME");
    command->add_option("--reason", o->reason, "Why; kept with the event")->type_name("TEXT");
    command->callback([o, way, &call] {
        call.action = [o, way, &call] { return switch_category(*o, way, call); };
    });
    return command;
}

}  // namespace

void add_category(CLI::App& app, invocation& call) {
    CLI::App* parent = app.add_subcommand("category", "Kinds of mail that a tenant does not want");
    parent->require_subcommand(1);
    parent->footer(
        "Mail of a category that is off is accepted and cancelled: switched off.\n"
        "Example:\n  estafette category off reminders --tenant acme --reason 'summer break' --until +30d"
    );
    auto o = std::make_shared<category_options>();
    CLI::App* command = parent->add_subcommand("list", "Show what is switched off");
    command->add_option("--tenant", o->tenant, "Of this tenant")->type_name("NAME");
    command->callback([o, &call] { call.action = [o, &call] { return list_categories(*o, call); }; });
    command =
        add_switch(*parent, "off", "Cancel such mail from now on, also what waits, when it is due", o, call);
    command->add_option("--until", o->until, "Until then: RFC 3339, 'YYYY-MM-DD HH:MM' or +DURATION")
        ->type_name("TIME");
    add_switch(*parent, "on", "Send such mail again", o, call);
}

}  // namespace estafette::cli
