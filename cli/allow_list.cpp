// estafette allowlist: the page to send to a customer's IT before a launch.

#include "command.hpp"
#include "explain.hpp"
#include "fields.hpp"

#include <boost/json/serialize.hpp>

#include <CLI/CLI.hpp>

#include <memory>

namespace estafette::cli {

namespace json = boost::json;

namespace {

struct allow_list_options {
    std::string tenant = "default", lang;
};

int allow_list(const allow_list_options& given, invocation& call) {
    const auto l = reader_language(given.lang, call.io);
    const std::string target =
        "/v1/tenants/" + percent_encode(given.tenant) + "/allowlist?lang=" + std::string{verdict::to_text(l)};
    const auto found = ask(call.api(), {"GET", target, {}, {}, {}});
    if (!found) {
        return report(call.io, found.error(), call.how());
    }
    if (call.json) {
        call.io.out << json::serialize(*found) << '\n';
        return 0;
    }
    if (const json::value* page = member(*found, "page"); page != nullptr && page->is_string()) {
        call.io.out << std::string_view{page->as_string()};
    }
    for (const json::value& option : list(*found, "missing")) {
        call.io.err << "estafette: the page would say more with the option "
                    << std::string_view{option.is_string() ? std::string_view{option.as_string()} : ""}
                    << '\n';
    }
    return 0;
}

}  // namespace

void add_allow_list(CLI::App& app, invocation& call) {
    auto o = std::make_shared<allow_list_options>();
    CLI::App* command = app.add_subcommand(
        "allowlist", "Write the page that tells a customer's IT what to let through, in Markdown"
    );
    command->footer(
        "Examples:\n"
        "  estafette allowlist --tenant acme --lang fr > acme.md\n"
        "The page is made from senders and contact of the tenant, and from sends_from, dkim_domain and\n"
        "return_path of its route."
    );
    command->add_option("--tenant", o->tenant, "The customer")->type_name("NAME")->capture_default_str();
    command->add_option("--lang", o->lang, "The language; otherwise after $LC_ALL, $LC_MESSAGES, $LANG")
        ->type_name("LANGUAGE")
        ->check(CLI::IsMember({"en", "fr", "nl"}));
    command->callback([o, &call] { call.action = [o, &call] { return allow_list(*o, call); }; });
}

}  // namespace estafette::cli
