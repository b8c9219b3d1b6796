// estafette hold, release, requeue (flush), delete, expire: many recipients at once; and what was done.

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

struct order {
    std::string verb;
    std::vector<std::string> ids;
    std::string tenant, route, domain, sender, reason, state, older_than, younger_than;
    CLI::Option* with_sender = nullptr;
    std::string why, until, lasting;
    bool dry_run = false;
};

json::object selector_of(const order& o) {
    json::object out;
    if (!o.ids.empty()) {
        out["ids"] = json::array(o.ids.begin(), o.ids.end());
    }
    const auto put = [&](const char* name, const std::string& value) {
        if (!value.empty()) {
            out[name] = value;
        }
    };
    put("tenant", o.tenant);
    put("route", o.route);
    put("domain", o.domain);
    put("reason", o.reason);
    put("state", o.state);
    put("older_than", o.older_than);
    put("younger_than", o.younger_than);
    if (o.with_sender->count() != 0) {
        out["sender"] = o.sender == "<>" ? std::string{} : o.sender;
    }
    return out;
}

// When it ends by itself: --until, or --for from now.
result<std::optional<wall_time>> end_of(const order& o, wall_time now) {
    if (!o.until.empty()) {
        const auto at = parse_when(o.until, now);
        return at ? result<std::optional<wall_time>>{*at} : at.error();
    }
    if (!o.lasting.empty()) {
        const auto span = parse_duration(o.lasting);
        return span ? result<std::optional<wall_time>>{now + *span} : span.error();
    }
    return std::optional<wall_time>{};
}

std::string recipients(std::int64_t count) {
    return std::to_string(count) + (count == 1 ? " recipient" : " recipients");
}

void print_action(const json::value& done, invocation& call) {
    const auto count = number(done, "count").value_or(0);
    const std::string name = "action " + std::to_string(number(done, "id").value_or(0));
    const std::string verb = text(done, "verb");
    if (text(done, "state") == "running") {
        call.io.out << name << ": " << verb << " is under way, " << recipients(count)
                    << " so far; `estafette actions` shows how far it is\n";
        return;
    }
    call.io.out << name << ": " << verb << ", " << recipients(count);
    if (const auto end = time(done, "expires_at")) {
        call.io.out << ", until " << local_time(end);
    }
    call.io.out << '\n';
}

int act(const order& o, invocation& call) {
    const auto end = end_of(o, call.io.now());
    if (!end) {
        return report(call.io, usage("--until, --for: " + end.error().message()), call.how());
    }
    const auto selector = selector_of(o);
    if (selector.empty()) {
        return report(
            call.io, usage("say whom it concerns: ids, or --tenant, --route, --domain, …"), call.how()
        );
    }
    json::object body{{"verb", o.verb}, {"selector", selector}};
    if (!o.why.empty()) {
        body["reason"] = o.why;
    }
    if (*end) {
        body["expires_at"] = to_rfc3339(**end);
    }
    if (o.dry_run) {
        body["dry_run"] = true;
    }
    const auto done = ask(call.api(), {"POST", "/v1/actions", "application/json", json::serialize(body), {}});
    if (!done) {
        return report(call.io, done.error(), call.how());
    }
    if (call.json) {
        call.io.out << json::serialize(*done) << '\n';
    } else if (o.dry_run) {
        call.io.out << "would " << o.verb << " " << recipients(number(*done, "count").value_or(0)) << '\n';
    } else {
        print_action(*done, call);
    }
    return 0;
}

int list_actions(invocation& call) {
    const auto page = ask(call.api(), {"GET", "/v1/actions", {}, {}, {}});
    if (!page) {
        return report(call.io, page.error(), call.how());
    }
    table rows{"ACTION", "AT", "BY", "VERB", "STATE", "COUNT", "UNTIL", "WHOM", "WHY"};
    for (const json::value& one : list(*page, "actions")) {
        if (call.json) {
            call.io.out << json::serialize(one) << '\n';
        }
        const json::value* whom = member(one, "selector");
        rows.add(
            {std::to_string(number(one, "id").value_or(0)),
             local_time(time(one, "at")),
             text(one, "by"),
             text(one, "verb"),
             text(one, "state"),
             std::to_string(number(one, "count").value_or(0)),
             local_time(time(one, "expires_at")),
             whom != nullptr ? shortened(printable(json::serialize(*whom)), 60) : "",
             shortened(text(one, "reason"), 60)}
        );
    }
    if (!call.json && rows.empty()) {
        call.io.out << "No action is on record.\n";
    } else if (!call.json) {
        rows.print(call.io);
    }
    return 0;
}

int undo(std::uint64_t id, invocation& call) {
    const std::string target = "/v1/actions/" + std::to_string(id) + "/undo";
    const auto done = ask(call.api(), {"POST", target, "application/json", "{}", {}});
    if (!done) {
        return report(call.io, done.error(), call.how());
    }
    if (call.json) {
        call.io.out << json::serialize(*done) << '\n';
    } else {
        call.io.out << "action " << id
                    << (text(*done, "state") == "undone" ? ": undone\n" : ": being undone\n");
    }
    return 0;
}

void add_selector(CLI::App& command, order& o) {
    command.add_option("ids", o.ids, "Ids of messages or recipients")->type_name("ID");
    command.add_option("--tenant", o.tenant, "Mail of this tenant")->type_name("NAME");
    command.add_option("--route", o.route, "Mail that goes by this route")->type_name("ROUTE");
    command.add_option("--domain", o.domain, "Recipients of this domain")->type_name("DOMAIN");
    o.with_sender = command.add_option("--sender", o.sender, "Mail of this sender; <> for none");
    o.with_sender->type_name("ADDRESS");
    command.add_option("--reason-is", o.reason, "Whose last reason this is (docs/reasons.md)")
        ->type_name("REASON");
    command.add_option("--state", o.state, "In this state only")
        ->type_name("STATE")
        ->check(CLI::IsMember({"scheduled", "queued", "deferred", "held"}));
    command.add_option("--older-than", o.older_than, "Accepted before that long ago")->type_name("DURATION");
    command.add_option("--younger-than", o.younger_than, "Accepted since that long ago")
        ->type_name("DURATION");
    command.add_flag("--dry-run", o.dry_run, "Only count");
    command.add_option("--why", o.why, "The reason; kept with the action and with each recipient")
        ->type_name("TEXT");
}

CLI::App* add_verb(CLI::App& app, invocation& call, const char* name, const char* verb, const char* help) {
    auto o = std::make_shared<order>();
    o->verb = verb;
    CLI::App* command = app.add_subcommand(name, help);
    add_selector(*command, *o);
    if (o->verb == "hold") {
        command->add_option("--for", o->lasting, "Release them by itself after this time")
            ->type_name("DURATION");
        command->add_option("--until", o->until, "The same: RFC 3339, 'YYYY-MM-DD HH:MM', +DURATION")
            ->type_name("TIME");
    }
    command->callback([o, &call] { call.action = [o, &call] { return act(*o, call); }; });
    return command;
}

}  // namespace

void add_actions(CLI::App& app, invocation& call) {
    add_verb(app, call, "hold", "hold", "Keep recipients back until they are released")
        ->footer("Examples:\n"
                 "  estafette hold --domain customer.example --why 'their migration' --for 2h\n"
                 "  estafette hold --tenant acme --reason-is greylisted --dry-run");
    add_verb(app, call, "release", "release", "Send what is held again");
    add_verb(app, call, "requeue", "requeue", "Try deferred recipients now (with --state scheduled: those)")
        ->footer("Example:\n  estafette requeue --domain customer.example");
    add_verb(app, call, "flush", "requeue", "The same as requeue");
    add_verb(app, call, "delete", "delete", "Cancel recipients that have not left")
        ->footer("It cannot be undone.\n"
                 "Example:\n  estafette delete --tenant acme --older-than 2d --why 'sent by mistake'");
    add_verb(app, call, "expire", "expire", "Let recipients fail now, as when their time is over")
        ->footer("It cannot be undone.");

    CLI::App* actions = app.add_subcommand("actions", "List what administrators did, newest first");
    actions->require_subcommand(0, 1);
    actions->footer("Examples:\n  estafette actions\n  estafette actions undo 17");
    actions->callback([&call, actions] {
        if (actions->get_subcommands().empty()) {
            call.action = [&call] { return list_actions(call); };
        }
    });
    auto id = std::make_shared<std::uint64_t>(0);
    CLI::App* command = actions->add_subcommand("undo", "Undo a hold, a release, a pause or a resume");
    command->add_option("id", *id, "The action's number")->type_name("N")->required();
    command->callback([id, &call] { call.action = [id, &call] { return undo(*id, call); }; });
}

}  // namespace estafette::cli
