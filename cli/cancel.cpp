// estafette cancel: one message, or all that waits under a key or in a group.

#include "command.hpp"
#include "fields.hpp"

#include "estafette/base/text.hpp"

#include <boost/json/serialize.hpp>

#include <CLI/CLI.hpp>

#include <memory>

namespace estafette::cli {

namespace json = boost::json;

namespace {

struct cancel_options {
    std::string id, key, group, tenant, reason;
};

request request_of(const cancel_options& o) {
    json::object body;
    if (!o.reason.empty()) {
        body["reason"] = o.reason;
    }
    if (!o.tenant.empty()) {
        body["tenant"] = o.tenant;
    }
    std::string target = "/v1/messages/" + percent_encode(o.id);
    if (!o.key.empty()) {
        target = "/v1/keys/" + percent_encode(o.key);
    } else if (!o.group.empty()) {
        target = "/v1/groups/" + percent_encode(o.group);
    }
    return {"POST", target + "/cancel", "application/json", json::serialize(body), {}};
}

int cancel(const cancel_options& o, invocation& call) {
    const int named = (o.id.empty() ? 0 : 1) + (o.key.empty() ? 0 : 1) + (o.group.empty() ? 0 : 1);
    if (named != 1) {
        return report(call.io, usage("name one message: its ID, --key or --group"), call.how());
    }
    if (!o.id.empty() && !o.tenant.empty()) {
        return report(
            call.io, usage("--tenant goes with --key and --group: an ID has its tenant"), call.how()
        );
    }
    const auto done = ask(call.api(), request_of(o));
    if (!done) {
        return report(call.io, done.error(), call.how());
    }
    if (call.json) {
        call.io.out << json::serialize(*done) << '\n';
        return 0;
    }
    call.io.out << "cancelled for " << number(*done, "cancelled").value_or(0);
    if (const auto messages = number(*done, "messages"); messages && o.id.empty()) {
        call.io.out << " recipients of " << *messages << (*messages == 1 ? " message\n" : " messages\n");
    } else {
        call.io.out << " of " << list(*done, "recipients").size() << " recipients\n";
    }
    if (const auto late = number(*done, "in_hand"); late && *late > 0) {
        call.io.out << "too late for " << *late << ": under way\n";
    }
    return 0;
}

}  // namespace

void add_cancel(CLI::App& app, invocation& call) {
    auto o = std::make_shared<cancel_options>();
    CLI::App* command =
        app.add_subcommand("cancel", "Cancel what has not left of a message, a key or a group");
    command->footer("Exit code 69: nothing was left of the message to cancel.\n"
                    "Examples:\n"
                    "  estafette cancel 01977a1e-5d7c-7d3e-8f52-1c6d1f2b3a4c --reason 'wrong file'\n"
                    "  estafette cancel --group onboarding-4711 --reason 'the user has signed in'\n"
                    "  estafette cancel --key reminder-4711 --tenant acme");
    command->add_option("id", o->id, "The id that send printed")->type_name("ID");
    command->add_option("--key", o->key, "The mail with this key instead")->type_name("TEXT");
    command->add_option("--group", o->group, "All mail of this group instead")->type_name("TEXT");
    command->add_option("--tenant", o->tenant, "Whose key or group it is")->type_name("NAME");
    command->add_option("--reason", o->reason, "Why; kept in the timeline")->type_name("TEXT");
    command->callback([o, &call] { call.action = [o, &call] { return cancel(*o, call); }; });
}

}  // namespace estafette::cli
