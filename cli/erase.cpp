// estafette erase: a person is forgotten.

#include "command.hpp"
#include "fields.hpp"

#include <boost/json/serialize.hpp>

#include <CLI/CLI.hpp>

#include <memory>

namespace estafette::cli {

namespace json = boost::json;

namespace {

struct erase_options {
    std::string address, tenant, reason;
    bool is_certain = false;
};

std::int64_t count(const json::value& of, const char* name) {
    return number(of, name).value_or(0);
}

int erase(const erase_options& o, invocation& call) {
    if (o.is_certain && o.reason.empty()) {
        return report(
            call.io, usage("--reason is needed: it is kept in the place of the person"), call.how()
        );
    }
    json::object body{{"address", o.address}, {"dry_run", !o.is_certain}};
    for (const auto& [name, value] : {std::pair{"tenant", &o.tenant}, {"reason", &o.reason}}) {
        if (!value->empty()) {
            body[name] = *value;
        }
    }
    const auto done = ask(call.api(), {"POST", "/v1/erase", "application/json", json::serialize(body), {}});
    if (!done) {
        return report(call.io, done.error(), call.how());
    }
    if (call.json) {
        call.io.out << json::serialize(*done) << '\n';
        return 0;
    }
    call.io.out << (o.is_certain ? "erased " : "would erase ") << count(*done, "recipients")
                << " recipients of " << count(*done, "messages") << " messages, cancelling "
                << count(*done, "cancelled") << '\n';
    if (count(*done, "in_hand") > 0) {
        call.io.out << count(*done, "in_hand") << " are under way: erase again in a while\n";
    }
    if (count(*done, "suppressions_removed") > 0) {
        call.io.out << count(*done, "suppressions_removed")
                    << " lines of the suppression list (no such mailbox) go with it\n";
    }
    if (count(*done, "suppressions_kept") > 0) {
        call.io.out << count(*done, "suppressions_kept")
                    << " lines of the suppression list stay, so that nothing is sent to the address again; "
                       "'estafette suppress remove' takes them off\n";
    }
    if (!o.is_certain) {
        call.io.out << "nothing has changed: --yes --reason TEXT does it, and cannot be undone\n";
    }
    return 0;
}

}  // namespace

void add_erase(CLI::App& app, invocation& call) {
    auto o = std::make_shared<erase_options>();
    CLI::App* command = app.add_subcommand("erase", "Forget an address: without --yes it only counts");
    command->footer(
        "Cancels what has not left, puts a pseudonym in the place of the address, and removes contents\n"
        "and servers' words. It cannot be undone.\n"
        "Example:\n  estafette erase ann@customer.example --yes --reason 'request 2026-17'"
    );
    command->add_option("address", o->address, "Whose mail")->type_name("ADDRESS")->required();
    command->add_option("--tenant", o->tenant, "Only mail of this tenant")->type_name("NAME");
    command->add_option("--reason", o->reason, "Why; kept in the timeline")->type_name("TEXT");
    command->add_flag("--yes", o->is_certain, "Do it");
    command->callback([o, &call] { call.action = [o, &call] { return erase(*o, call); }; });
}

}  // namespace estafette::cli
