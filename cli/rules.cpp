// estafette rules test, explain, classify, unmatched: what the rules make of servers' replies, without
// the daemon (but `unmatched` without a table asks it what it met). The rules are those compiled in and
// the files of /etc/estafette/rules.

#include "command.hpp"
#include "fields.hpp"
#include "output.hpp"

#include "estafette/base/text.hpp"
#include "estafette/verdict/rules_report.hpp"

#include <boost/json/serialize.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

namespace estafette::cli {

namespace {

struct rules_options {
    std::string folder = "/etc/estafette/rules";
    std::string file, expect = "category", map, reply, server;
};

failure unreadable(const std::string& file) {
    return {exit_code::no_input, printable(file) + " cannot be read", {}};
}

failure wrong_data(const std::string& file, const std::string& why) {
    return {exit_code::data, printable(file) + ": " + printable(why), {}};
}

boost::system::result<std::string, failure> read_file(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{file}, {}};
    if (!file.is_open() || file.bad()) {
        return unreadable(path);
    }
    return {boost::system::in_place_value, std::move(text)};
}

boost::system::result<verdict::classifier, failure> load_rules(const std::string& folder) {
    std::vector<verdict::rule_file> files;
    for (const auto& file : embedded_verdict()) {
        if (file.path.starts_with("conf/rules/")) {
            files.push_back({std::string{file.path}, std::string{file.content}});
        }
    }
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator{folder, none}) {
        if (entry.path().extension() == ".yaml") {
            auto text = read_file(entry.path().string());
            if (!text) {
                return text.error();
            }
            files.push_back({entry.path().string(), std::move(*text)});
        }
    }
    auto compiled = verdict::classifier::compile(files);
    if (!compiled) {
        return failure{exit_code::config, printable(compiled.error()), {}};
    }
    return {boost::system::in_place_value, std::move(*compiled)};
}

int test(const rules_options& given, invocation& call) {
    const auto rules = load_rules(given.folder);
    const auto table = read_file(given.file);
    const auto map = read_file(given.map);
    if (!rules) {
        return report(call.io, rules.error(), call.how());
    }
    if (!table || !map) {
        return report(call.io, table ? map.error() : table.error(), call.how());
    }
    const auto score = verdict::score_table(*rules, *table, given.expect, *map);
    if (!score) {
        return report(call.io, wrong_data(given.file, score.error().text), call.how());
    }
    call.io.out << verdict::print(*score);
    return 0;
}

int explain(const rules_options& given, invocation& call) {
    const auto rules = load_rules(given.folder);
    if (!rules) {
        return report(call.io, rules.error(), call.how());
    }
    const auto text = verdict::explain_reply(*rules, given.reply, given.server);
    if (!text) {
        return report(call.io, {exit_code::data, text.error().text, {}}, call.how());
    }
    call.io.out << *text;
    return 0;
}

enum class wanted : std::uint8_t { verdicts, unmatched };

int classify(const rules_options& given, wanted what, invocation& call) {
    const auto rules = load_rules(given.folder);
    const auto table = read_file(given.file);
    if (!rules) {
        return report(call.io, rules.error(), call.how());
    }
    if (!table) {
        return report(call.io, table.error(), call.how());
    }
    const auto lines = verdict::classify_table(*rules, *table);
    if (!lines) {
        return report(call.io, wrong_data(given.file, lines.error().text), call.how());
    }
    call.io.out << (what == wanted::verdicts ? *lines : verdict::print(rules->unmatched()));
    return 0;
}

// What the daemon met since it started.
int ask_unmatched(invocation& call) {
    const auto known = ask(call.api(), {"GET", "/v1/rules/unmatched", {}, {}, {}});
    if (!known) {
        return report(call.io, known.error(), call.how());
    }
    table lines{"COUNT", "LAST SEEN", "SERVER", "REPLY"};
    for (const auto& reply : list(*known, "replies")) {
        if (call.json) {
            call.io.out << boost::json::serialize(reply) << '\n';
        }
        const auto seen = time(reply, "seen_at");
        lines.add(
            {std::to_string(number(reply, "count").value_or(0)),
             seen ? local_time(seen) : "",
             text(reply, "server"),
             text(reply, "text")}
        );
    }
    if (!call.json && !lines.empty()) {
        lines.print(call.io);
    }
    return 0;
}

}  // namespace

void add_rules(CLI::App& app, invocation& call) {
    auto given = std::make_shared<rules_options>();
    CLI::App* rules = app.add_subcommand("rules", "Try the rules that read servers' replies");
    rules->require_subcommand(1);
    rules->add_option("--rules", given->folder, "The folder of your own rules")
        ->type_name("FOLDER")
        ->capture_default_str();
    rules->footer("Tables are tab-separated and name their columns in the first line: code, enhanced, text.\n"
                  "Example:\n  estafette rules explain '550 5.1.1 No such user'");

    CLI::App* command = rules->add_subcommand("explain", "Say what one reply means, and which rule says so");
    command->add_option("reply", given->reply, "The reply, as the server sent it")
        ->type_name("REPLY")
        ->required();
    command->add_option("--server", given->server, "The server that said it")->type_name("HOST");
    command->callback([given, &call] { call.action = [given, &call] { return explain(*given, call); }; });

    command = rules->add_subcommand("classify", "Print reason, scope, disposition and rule for each row");
    command->add_option("file", given->file, "The table")->type_name("FILE")->required();
    command->callback([given, &call] {
        call.action = [given, &call] { return classify(*given, wanted::verdicts, call); };
    });

    command = rules->add_subcommand("test", "Measure the rules against a table with expectations");
    command->add_option("file", given->file, "The table")->type_name("FILE")->required();
    command->add_option("--expect", given->expect, "The column of what is expected")
        ->type_name("COLUMN")
        ->capture_default_str();
    command->add_option("--map", given->map, "A table of reason, disposition and category")
        ->type_name("FILE")
        ->required();
    command->callback([given, &call] { call.action = [given, &call] { return test(*given, call); }; });

    command = rules->add_subcommand("unmatched", "List the replies that no rule knows, grouped");
    command->add_option("file", given->file, "A table; if not given, what the daemon met since it started")
        ->type_name("FILE");
    command->callback([given, &call] {
        call.action = [given, &call] {
            return given->file.empty() ? ask_unmatched(call) : classify(*given, wanted::unmatched, call);
        };
    });
}

}  // namespace estafette::cli
