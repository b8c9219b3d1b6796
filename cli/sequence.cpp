// estafette sequence: several mails at distances from one time, in one step.

#include "command.hpp"
#include "fields.hpp"
#include "output.hpp"
#include "submission.hpp"

#include "estafette/base/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <CLI/CLI.hpp>

#include <fstream>
#include <iterator>
#include <memory>

namespace estafette::cli {

namespace json = boost::json;

namespace {

struct sequence_options {
    std::string file, message, tenant, group, anchor, at, time_zone, past, on_group, idempotency_key;
    std::vector<std::string> steps;
};

template <class T> using outcome = boost::system::result<T, failure>;

outcome<json::object> object_of(const std::string& file, console& io) {
    std::string bytes;
    if (file == "-") {
        bytes.assign(std::istreambuf_iterator<char>{io.in}, {});
    } else {
        std::ifstream in{file, std::ios::binary};
        bytes.assign(std::istreambuf_iterator<char>{in}, {});
        if (!in.is_open() || in.bad()) {
            return failure{exit_code::no_input, "cannot read " + printable(file), {}};
        }
    }
    error_code invalid;
    auto value = json::parse(bytes, invalid);
    if (invalid || !value.is_object()) {
        return failure{exit_code::data, printable(file) + " is not a JSON object", {}};
    }
    return std::move(value.get_object());
}

outcome<json::object> body_of(const sequence_options& o, console& io) {
    json::object body;
    if (!o.file.empty()) {
        auto whole = object_of(o.file, io);
        if (!whole) {
            return whole.error();
        }
        body = std::move(*whole);
    }
    if (!o.message.empty()) {
        auto shared = object_of(o.message, io);
        if (!shared) {
            return shared.error();
        }
        body["message"] = std::move(*shared);
    }
    const std::pair<const char*, const std::string*> texts[] = {
        {"tenant", &o.tenant},
        {"group", &o.group},
        {"anchor", &o.anchor},
        {"at", &o.at},
        {"time_zone", &o.time_zone},
        {"past", &o.past},
        {"on_group", &o.on_group},
    };
    for (const auto& [name, value] : texts) {
        if (!value->empty()) {
            body[name] = *value;
        }
    }
    if (!o.steps.empty()) {
        json::array steps;
        for (const std::string& offset : o.steps) {
            steps.push_back(json::object{{"offset", offset}});
        }
        body["steps"] = std::move(steps);
    }
    return body;
}

int sequence(const sequence_options& o, invocation& call) {
    if (o.file == "-" && o.message == "-") {
        return report(call.io, usage("standard input can be read once: FILE or --message"), call.how());
    }
    const auto body = body_of(o, call.io);
    if (!body) {
        return report(call.io, body.error(), call.how());
    }
    request what{"POST", "/v1/sequences", "application/json", json::serialize(*body), {}};
    const auto accepted = submit(call.api(), std::move(what), o.idempotency_key);
    if (!accepted) {
        return report(call.io, accepted.error(), call.how());
    }
    if (call.json) {
        call.io.out << json::serialize(*accepted) << '\n';
        return 0;
    }
    table steps{"STEP", "SENT AT", "STATUS", "MESSAGE"};
    for (const json::value& step : list(*accepted, "steps")) {
        steps.add(
            {text(step, "offset"), local_time(time(step, "send_at")), text(step, "status"), text(step, "id")}
        );
    }
    steps.print(call.io);
    return 0;
}

constexpr const char* examples = R"(Examples:
  estafette sequence --group onboarding-4711 --anchor 2026-05-01 --step +7d --step +45d \
                     --at 09:00 --time-zone Europe/Paris --message reminder.json
  estafette sequence --tenant acme sequence.json
reminder.json has the fields of a message; sequence.json is a whole body of POST /v1/sequences, in which the
options fill in or replace. estafette cancel --group onboarding-4711 cancels what has not left.)";

}  // namespace

void add_sequence(CLI::App& app, invocation& call) {
    auto o = std::make_shared<sequence_options>();
    CLI::App* command =
        app.add_subcommand("sequence", "Accept mails at distances from one time, such as reminders");
    command->footer(examples);
    command->add_option("file", o->file, "A whole sequence as JSON; - is standard input")->type_name("FILE");
    const auto text_option = [&](const char* name, std::string& into, const char* help, const char* type) {
        command->add_option(name, into, help)->type_name(type);
    };
    text_option("--message", o->message, "What all steps share, as JSON; - is standard input", "FILE");
    text_option("--tenant", o->tenant, "The customer it is sent for", "NAME");
    text_option("--group", o->group, "The name of the sequence, to cancel or replace it", "TEXT");
    text_option("--anchor", o->anchor, "The time or day that the steps count from", "TIME");
    command->add_option("--step", o->steps, "A distance: +7d, -15d, P1M, PT2H; may be repeated")
        ->type_name("DISTANCE")
        ->allow_extra_args(false);
    text_option("--at", o->at, "The time of day at which steps leave", "HH:MM");
    text_option("--time-zone", o->time_zone, "Whose days and clocks count", "ZONE");
    command->add_option("--past", o->past, "What happens to steps that lie in the past (skip)")
        ->type_name("RULE")
        ->check(CLI::IsMember({"skip", "send", "reject"}));
    command->add_option("--on-group", o->on_group, "What happens to mail of the group that waits (replace)")
        ->type_name("RULE")
        ->check(CLI::IsMember({"replace", "add", "reject"}));
    text_option("--idempotency-key", o->idempotency_key, "The same key accepts a sequence only once", "KEY");
    command->callback([o, &call] { call.action = [o, &call] { return sequence(*o, call); }; });
}

}  // namespace estafette::cli
