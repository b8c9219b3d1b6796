// estafette status, list.

#include "attempt.hpp"
#include "command.hpp"
#include "fields.hpp"
#include "output.hpp"

#include "estafette/base/text.hpp"

#include <boost/json/serialize.hpp>

#include <CLI/CLI.hpp>

#include <memory>

namespace estafette::cli {

namespace json = boost::json;

namespace {

std::string count_of(const json::value& of, const char* name) {
    const auto value = number(of, name);
    return value ? std::to_string(*value) : "";
}

void print_heading(const json::value& message, console& io) {
    facts heading;
    heading.add("Message", text(message, "id"));
    heading.add("Tenant", text(message, "tenant"));
    const std::string from = text(message, "from");
    heading.add("From", from.empty() ? "<>" : from);
    heading.add("Subject", text(message, "subject"));
    heading.add("Size", count_of(message, "size") + " bytes");
    heading.add("Accepted", local_time(time(message, "accepted_at")));
    const auto due = time(message, "due_at");
    if (due && due > time(message, "accepted_at")) {
        heading.add("Due", local_time(due) + " (" + distance(*due, io.now()) + ")");
    }
    heading.add("Expires", local_time(time(message, "expires_at")));
    heading.add("Group", text(message, "group"));
    heading.add("Key", text(message, "key"));
    heading.print(io);
}

// "Pending (deferred)"
std::string state_of(const json::value& recipient) {
    const std::string shown = text(recipient, "shown");
    const std::string state = text(recipient, "state");
    if (shown.empty() || ascii_iequals(shown, state)) {
        return shown.empty() ? state : shown;
    }
    return shown + " (" + state + ")";
}

void print_recipients(const json::value& message, console& io) {
    table recipients{"RECIPIENT", "STATE", "REASON", "TRIES", "NEXT TRY", "LAST ANSWER"};
    for (const json::value& recipient : list(message, "recipients")) {
        const json::value* last = member(recipient, "last_attempt");
        recipients.add(
            {text(recipient, "address"),
             state_of(recipient),
             text(recipient, "reason"),
             count_of(recipient, "attempts"),
             local_time(time(recipient, "next_attempt_at")),
             last == nullptr ? text(recipient, "note") : answer_of(*last)}
        );
    }
    recipients.print(io);
}

// "their maintenance (uid 0)"
std::string words_of(const json::value& event) {
    const std::string words = text(event, "text");
    const std::string by = text(event, "by");
    if (words.empty() || by.empty()) {
        return words.empty() ? by : words;
    }
    return words + " (" + by + ")";
}

void print_timeline(const json::value& message, console& io) {
    table timeline{"TIME", "EVENT", "RECIPIENT", "SERVER", "WHAT"};
    for (const json::value& event : list(message, "timeline")) {
        const json::value* attempt = member(event, "attempt");
        const std::string who = text(event, "recipient");
        timeline.add(
            {local_time(time(event, "at")),
             text(event, "type"),
             who.substr(who.rfind('.') + 1),
             attempt == nullptr ? "" : text(*attempt, "server"),
             attempt == nullptr ? words_of(event) : answer_of(*attempt)}
        );
    }
    if (!timeline.empty()) {
        io.out << '\n';
        timeline.print(io);
    }
}

int status(const std::string& id, invocation& call) {
    const auto message = ask(call.api(), {"GET", "/v1/messages/" + percent_encode(id), {}, {}, {}});
    if (!message) {
        return report(call.io, message.error(), call.how());
    }
    if (call.json) {
        call.io.out << json::serialize(*message) << '\n';
        return 0;
    }
    print_heading(*message, call.io);
    call.io.out << '\n';
    print_recipients(*message, call.io);
    print_timeline(*message, call.io);
    return 0;
}

struct list_options {
    std::string address, state, reason, tenant, cursor;
    unsigned limit = 100;
    bool uncertain = false;
    bool all = false;
};

void add_row(table& rows, const json::value& recipient) {
    const json::value* last = member(recipient, "last_attempt");
    rows.add(
        {local_time(time(recipient, "accepted_at")),
         text(recipient, "message"),
         text(recipient, "tenant"),
         text(recipient, "address"),
         text(recipient, "state"),
         text(recipient, "reason"),
         local_time(time(recipient, "next_attempt_at")),
         shortened(last == nullptr ? text(recipient, "note") : answer_of(*last), 60)}
    );
}

int list_recipients(const list_options& wanted, invocation& call) {
    std::string cursor = wanted.cursor;
    table rows{"ACCEPTED", "MESSAGE", "TENANT", "RECIPIENT", "STATE", "REASON", "NEXT TRY", "LAST ANSWER"};
    do {
        const std::string query = query_of({
            {"address", wanted.address},
            {"state", wanted.state},
            {"reason", wanted.reason},
            {"tenant", wanted.tenant},
            {"uncertain", wanted.uncertain ? "true" : ""},
            {"limit", std::to_string(wanted.limit)},
            {"cursor", cursor},
        });
        const auto page = ask(call.api(), {"GET", "/v1/recipients" + query, {}, {}, {}});
        if (!page) {
            return report(call.io, page.error(), call.how());
        }
        for (const json::value& recipient : list(*page, "recipients")) {
            if (call.json) {
                call.io.out << json::serialize(recipient) << '\n';
            } else {
                add_row(rows, recipient);
            }
        }
        cursor = text(*page, "next");
    } while (wanted.all && !cursor.empty());
    if (!call.json && !rows.empty()) {
        rows.print(call.io);
    }
    if (!cursor.empty()) {
        call.io.err << "estafette: there are more: --cursor " << cursor
                    << " shows the next, --all all of them\n";
    }
    return 0;
}

void add_list(CLI::App& app, invocation& call) {
    auto o = std::make_shared<list_options>();
    CLI::App* command = app.add_subcommand("list", "List recipients, newest first");
    command->footer("Examples:\n"
                    "  estafette list --state failed --reason unknown_user\n"
                    "  estafette list --address ann@customer.example --json\n"
                    "  estafette list --uncertain --all");
    command->add_option("--address", o->address, "Mail to this address")->type_name("ADDRESS");
    command->add_option("--state", o->state, "In this state")
        ->type_name("STATE")
        ->check(CLI::IsMember(
            {"scheduled", "queued", "deferred", "held", "relayed", "delivered", "failed", "cancelled"}
        ));
    command->add_option("--reason", o->reason, "For this reason (docs/reasons.md)")->type_name("REASON");
    command->add_option("--tenant", o->tenant, "Of this tenant")->type_name("NAME");
    command->add_flag("--uncertain", o->uncertain, "Only mail that may have been sent twice or not at all");
    command->add_option("--limit", o->limit, "Recipients in one answer")
        ->type_name("N")
        ->check(CLI::Range(1, 500))
        ->capture_default_str();
    CLI::Option* cursor = command->add_option("--cursor", o->cursor, "Go on where an earlier list ended");
    cursor->type_name("CURSOR");
    command->add_flag("--all", o->all, "Follow every page to the end");
    command->callback([o, &call] { call.action = [o, &call] { return list_recipients(*o, call); }; });
}

}  // namespace

void add_messages(CLI::App& app, invocation& call) {
    auto id = std::make_shared<std::string>();
    CLI::App* command = app.add_subcommand("status", "Show what became of a message");
    command->footer("Example:\n  estafette status 01977a1e-5d7c-7d3e-8f52-1c6d1f2b3a4c");
    command->add_option("id", *id, "The id that send printed")->type_name("ID")->required();
    command->callback([id, &call] { call.action = [id, &call] { return status(*id, call); }; });

    add_list(app, call);
}

}  // namespace estafette::cli
