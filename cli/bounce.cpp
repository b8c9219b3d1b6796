// estafette bounce: the pipe by which a mail server hands over mail that came back.

#include "command.hpp"
#include "fields.hpp"

#include "estafette/base/text.hpp"

#include <boost/json/serialize.hpp>

#include <CLI/CLI.hpp>

#include <fstream>
#include <memory>

namespace estafette::cli {

namespace json = boost::json;

namespace {

// A report says what it has to say long before; a mailbox's worth of returned mail stays where it is.
constexpr std::size_t most_bytes = 1u << 20;

struct bounce_options {
    std::vector<std::string> recipients;
    std::string file = "-";
};

std::string beginning_of(std::istream& in) {
    std::string bytes(most_bytes, '\0');
    in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(in.gcount()));
    constexpr std::streamsize piece = 64 << 10;
    while (in.good()) {
        in.ignore(piece);  // to the end: who writes into a closed pipe thinks that we failed
    }
    return bytes;
}

int bounce(const bounce_options& o, invocation& call) {
    std::string mail;
    if (o.file == "-") {
        mail = beginning_of(call.io.in);
    } else {
        std::ifstream in{o.file, std::ios::binary};
        if (!in.is_open()) {
            return report(call.io, {exit_code::no_input, "cannot read " + printable(o.file), {}}, call.how());
        }
        mail = beginning_of(in);
    }
    std::vector<std::pair<std::string, std::string>> query;
    for (const std::string& address : o.recipients) {
        query.emplace_back("recipient", address);
    }
    const auto done =
        ask(call.api(), {"POST", "/v1/bounces" + query_of(query), "message/rfc822", std::move(mail), {}});
    if (!done) {
        return report(call.io, done.error(), call.how());
    }
    if (call.json) {
        call.io.out << json::serialize(*done) << '\n';
        return 0;
    }
    call.io.out << text(*done, "outcome");
    for (const json::value& id : list(*done, "recipients")) {
        call.io.out << ' ' << (id.is_string() ? printable(std::string_view{id.get_string()}) : "");
    }
    call.io.out << '\n';
    return 0;
}

}  // namespace

void add_bounce(CLI::App& app, invocation& call) {
    auto o = std::make_shared<bounce_options>();
    CLI::App* command = app.add_subcommand("bounce", "Hand over a mail that came back");
    command->footer("Exit code 0 also where the mail says nothing about ours; 75: try again later.\n"
                    "Example, in Postfix's master.cf:\n"
                    "  estafette unix - n n - 10 pipe user=estafette-bounce\n"
                    "    argv=/usr/bin/estafette bounce --recipient ${original_recipient}");
    command->add_option("--recipient", o->recipients, "The address it came to; may be repeated")
        ->type_name("ADDRESS");
    command->add_option("file", o->file, "The mail; - is standard input")
        ->type_name("FILE")
        ->capture_default_str();
    command->callback([o, &call] { call.action = [o, &call] { return bounce(*o, call); }; });
}

}  // namespace estafette::cli
