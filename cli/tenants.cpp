// estafette tenant list, pause, resume: a tenant's mail, or that of one of its senders.

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

table pause_table() {
    return {"TENANT", "SENDER", "REASON", "BY", "SINCE", "UNTIL", "WHAT"};
}

void add_row(table& rows, const json::value& pause) {
    const bool is_sender = text(pause, "kind") == "sender";
    const std::string sender = text(pause, "sender");
    rows.add(
        {text(pause, "id"),
         is_sender ? (sender.empty() ? "<>" : sender) : "(all)",
         text(pause, "reason"),
         text(pause, "by"),
         local_time(time(pause, "since")),
         local_time(time(pause, "until")),
         shortened(text(pause, "text"), 80)}
    );
}

int list_pauses(invocation& call) {
    const auto now = ask(call.api(), {"GET", "/v1/pauses", {}, {}, {}});
    if (!now) {
        return report(call.io, now.error(), call.how());
    }
    table rows = pause_table();
    for (const json::value& pause : list(*now, "pauses")) {
        if (call.json) {
            call.io.out << json::serialize(pause) << '\n';
        }
        add_row(rows, pause);
    }
    if (!call.json && rows.empty()) {
        call.io.out << "No tenant and no sender is kept back.\n";
    } else if (!call.json) {
        rows.print(call.io);
    }
    return 0;
}

struct tenant_options {
    std::string name, reason, until, sender;
    CLI::Option* with_sender = nullptr;
};

// "pause" or "resume"
int act(const tenant_options& given, const std::string& verb, invocation& call) {
    json::object body;
    if (!given.reason.empty()) {
        body["reason"] = given.reason;
    }
    if (given.with_sender->count() != 0) {
        body["sender"] = given.sender == "<>" ? std::string{} : given.sender;
    }
    if (!given.until.empty()) {
        const auto end = parse_when(given.until, call.io.now());
        if (!end) {
            return report(
                call.io, usage("--until: " + std::string{sentence(errc::time_invalid)}), call.how()
            );
        }
        body["until"] = to_rfc3339(*end);
    }
    const std::string target = "/v1/tenants/" + percent_encode(given.name) + "/" + verb;
    const auto done = ask(call.api(), {"POST", target, "application/json", json::serialize(body), {}});
    if (!done) {
        return report(call.io, done.error(), call.how());
    }
    if (call.json) {
        call.io.out << json::serialize(*done) << '\n';
    } else if (verb == "pause") {
        table rows = pause_table();
        add_row(rows, *done);
        rows.print(call.io);
    } else {
        call.io.out << "resumed\n";
    }
    return 0;
}

}  // namespace

void add_tenants(CLI::App& app, invocation& call) {
    CLI::App* tenant = app.add_subcommand("tenant", "List, pause and resume tenants and their senders");
    tenant->require_subcommand(1);
    tenant->footer(
        "A sender that its server refuses is held by the daemon, tried again now and then, and listed "
        "here.\nExamples:\n"
        "  estafette tenant list\n"
        "  estafette tenant pause acme --reason 'they asked us to wait' --until +2h\n"
        "  estafette tenant resume acme --sender badges@vendor.example"
    );

    CLI::App* command = tenant->add_subcommand("list", "List the tenants and senders that are kept back");
    command->callback([&call] { call.action = [&call] { return list_pauses(call); }; });

    auto p = std::make_shared<tenant_options>();
    command = tenant->add_subcommand("pause", "Keep a tenant's mail back until it is resumed");
    command->add_option("name", p->name, "The tenant")->type_name("TENANT")->required();
    command->add_option("--reason", p->reason, "Why; shown with the mail held")
        ->type_name("TEXT")
        ->required();
    command->add_option("--until", p->until, "Resume by itself: RFC 3339, 'YYYY-MM-DD HH:MM', +DURATION")
        ->type_name("TIME");
    p->with_sender = command->add_option("--sender", p->sender, "Only mail of this sender; <> for none");
    p->with_sender->type_name("ADDRESS");
    command->callback([p, &call] { call.action = [p, &call] { return act(*p, "pause", call); }; });

    auto r = std::make_shared<tenant_options>();
    command = tenant->add_subcommand("resume", "Send a tenant's or a sender's mail again");
    command->add_option("name", r->name, "The tenant")->type_name("TENANT")->required();
    r->with_sender = command->add_option("--sender", r->sender, "The sender that is held; <> for none");
    r->with_sender->type_name("ADDRESS");
    command->callback([r, &call] { call.action = [r, &call] { return act(*r, "resume", call); }; });
}

}  // namespace estafette::cli
