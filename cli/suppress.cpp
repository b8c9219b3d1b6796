// estafette suppress: the suppression list of a tenant.

#include "command.hpp"
#include "fields.hpp"
#include "output.hpp"
#include "when.hpp"

#include "estafette/base/text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <fstream>
#include <functional>
#include <memory>

namespace estafette::cli {

namespace json = boost::json;

namespace {

constexpr std::size_t lines_at_once = 1000;  // of an import

struct suppress_options {
    std::string address, tenant, reason, until, file = "-";
    bool as_csv = false;
};

using visit = std::function<void(const json::value&)>;

// Every line, page by page; the exit code.
int for_each_line(const suppress_options& o, invocation& call, const visit& each) {
    std::string cursor;
    do {
        const std::string query =
            query_of({{"tenant", o.tenant}, {"address", o.address}, {"limit", "500"}, {"cursor", cursor}});
        const auto page = ask(call.api(), {"GET", "/v1/suppressions" + query, {}, {}, {}});
        if (!page) {
            return report(call.io, page.error(), call.how());
        }
        for (const json::value& line : list(*page, "suppressions")) {
            each(line);
        }
        cursor = text(*page, "next");
    } while (!cursor.empty());
    return 0;
}

int list_lines(const suppress_options& o, invocation& call) {
    table rows{"TENANT", "ADDRESS", "CAUSE", "SINCE", "UNTIL", "BY", "WHAT"};
    const int code = for_each_line(o, call, [&](const json::value& line) {
        if (call.json) {
            call.io.out << json::serialize(line) << '\n';
            return;
        }
        rows.add(
            {text(line, "tenant"),
             text(line, "address"),
             text(line, "cause"),
             local_time(time(line, "since")),
             local_time(time(line, "until")),
             text(line, "by"),
             shortened(text(line, "text"), 60)}
        );
    });
    if (code == 0 && !call.json && !rows.empty()) {
        rows.print(call.io);
    }
    return code;
}

constexpr std::string_view columns[]{"tenant", "address", "cause", "since", "until", "text"};

std::string csv_cell(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) {
        return text;
    }
    std::string out = "\"";
    for (const char c : text) {
        out += c == '"' ? "\"\"" : std::string{c};
    }
    return out + '"';
}

int export_lines(const suppress_options& o, invocation& call) {
    if (o.as_csv) {
        call.io.out << "tenant,address,cause,since,until,text\n";
    }
    return for_each_line(o, call, [&](const json::value& line) {
        if (!o.as_csv) {
            call.io.out << json::serialize(line) << '\n';
            return;
        }
        for (const auto& column : columns) {
            call.io.out << (&column == columns ? "" : ",") << csv_cell(text(line, column));
        }
        call.io.out << '\n';
    });
}

// The cells of one line of RFC 4180, whose quoted ones do not span lines.
std::vector<std::string> csv_cells(std::string_view line) {
    std::vector<std::string> cells{""};
    bool is_quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (is_quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
            cells.back() += line[++i];
        } else if (c == '"') {
            is_quoted = !is_quoted;
        } else if (c == ',' && !is_quoted) {
            cells.emplace_back();
        } else {
            cells.back() += c;
        }
    }
    return cells;
}

// A line of the file as the API takes it: JSON as it is, CSV by the names of its first line, else an address.
class line_reader {
public:
    explicit line_reader(std::string tenant)
        : tenant_{std::move(tenant)} {}

    // None: the names of the columns.
    std::optional<std::string> read(const std::string& line) {
        json::object out;
        if (line.starts_with('{')) {
            error_code invalid;
            const auto value = json::parse(line, invalid);
            if (invalid || !value.is_object()) {
                return line;  // the daemon says what is wrong with it
            }
            out = value.get_object();
        } else {
            const auto cells = csv_cells(line);
            if (names_.empty() && is_first_ && std::ranges::find(cells, "address") != cells.end()) {
                names_ = cells;
                is_first_ = false;
                return std::nullopt;
            }
            for (std::size_t i = 0; i < cells.size(); ++i) {
                const std::string name = names_.empty()      ? i == 0 ? "address" : ""
                                         : i < names_.size() ? names_[i]
                                                             : "";
                if (!name.empty() && !cells[i].empty()) {
                    out[name] = cells[i];
                }
            }
        }
        is_first_ = false;
        if (!tenant_.empty()) {
            out["tenant"] = tenant_;
        }
        return json::serialize(out);
    }

private:
    std::string tenant_;
    std::vector<std::string> names_;
    bool is_first_ = true;
};

struct import_sum {
    std::int64_t lines = 0, changed = 0;
};

std::optional<failure> send_lines(std::string& body, import_sum& sum, invocation& call) {
    if (body.empty()) {
        return std::nullopt;
    }
    const auto done =
        ask(call.api(), {"POST", "/v1/suppressions", "application/x-ndjson", std::exchange(body, {}), {}});
    if (!done) {
        failure wrong = done.error();
        wrong.text += " (counted from line " + std::to_string(sum.lines + 1) + ")";
        return wrong;
    }
    sum.lines += number(*done, "lines").value_or(0);
    sum.changed += number(*done, "changed").value_or(0);
    return std::nullopt;
}

int import_lines(const suppress_options& o, invocation& call) {
    std::ifstream file;
    if (o.file != "-") {
        file.open(o.file, std::ios::binary);
        if (!file.is_open()) {
            return report(call.io, {exit_code::no_input, "cannot read " + printable(o.file), {}}, call.how());
        }
    }
    std::istream& in = o.file == "-" ? call.io.in : file;
    line_reader reader{o.tenant};
    import_sum sum;
    std::string body, line;
    std::size_t waiting = 0;
    while (std::getline(in, line)) {
        const std::string bare{trim(line)};
        const auto one = bare.empty() ? std::nullopt : reader.read(bare);
        if (one) {
            body += *one + "\n";
            ++waiting;
        }
        if (waiting == lines_at_once) {
            waiting = 0;
            if (const auto wrong = send_lines(body, sum, call)) {
                return report(call.io, *wrong, call.how());
            }
        }
    }
    if (const auto wrong = send_lines(body, sum, call)) {
        return report(call.io, *wrong, call.how());
    }
    if (call.json) {
        call.io.out << json::serialize(json::value{{"lines", sum.lines}, {"changed", sum.changed}}) << '\n';
    } else {
        call.io.out << sum.lines << " lines, " << sum.changed << " new or changed\n";
    }
    return 0;
}

int add_line(const suppress_options& o, invocation& call) {
    json::object body{{"address", o.address}};
    if (!o.tenant.empty()) {
        body["tenant"] = o.tenant;
    }
    if (!o.reason.empty()) {
        body["text"] = o.reason;
    }
    if (!o.until.empty()) {
        const auto end = parse_when(o.until, call.io.now());
        if (!end) {
            return report(
                call.io, usage("--until: " + std::string{sentence(errc::time_invalid)}), call.how()
            );
        }
        body["until"] = to_rfc3339(*end);
    }
    const auto done =
        ask(call.api(), {"POST", "/v1/suppressions", "application/json", json::serialize(body), {}});
    if (!done) {
        return report(call.io, done.error(), call.how());
    }
    call.io.out << (call.json                                   ? json::serialize(*done)
                    : number(*done, "changed").value_or(0) == 0 ? "it was there already"
                                                                : "added")
                << '\n';
    return 0;
}

int remove_line(const suppress_options& o, invocation& call) {
    const std::string query = query_of({{"tenant", o.tenant}, {"address", o.address}});
    const auto done = ask(call.api(), {"DELETE", "/v1/suppressions" + query, {}, {}, {}});
    if (!done) {
        return report(call.io, done.error(), call.how());
    }
    call.io.out << (call.json ? json::serialize(*done) : "removed") << '\n';
    return 0;
}

using action = int (*)(const suppress_options&, invocation&);

CLI::App* add_verb(
    CLI::App& to,
    const char* name,
    const char* summary,
    const std::shared_ptr<suppress_options>& o,
    invocation& call,
    action what
) {
    CLI::App* command = to.add_subcommand(name, summary);
    command->add_option("--tenant", o->tenant, "Of this tenant")->type_name("NAME");
    command->callback([o, &call, what] { call.action = [o, &call, what] { return what(*o, call); }; });
    return command;
}

}  // namespace

void add_suppress(CLI::App& app, invocation& call) {
    auto o = std::make_shared<suppress_options>();
    CLI::App* group = app.add_subcommand("suppress", "Show and change the suppression list");
    group->require_subcommand(1);
    group->footer("To an address on its tenant's list nothing is sent: its mail fails at once.\n"
                  "Examples:\n"
                  "  estafette suppress add ann@customer.example --reason 'asked by phone' --until +30d\n"
                  "  estafette suppress export --csv > list.csv\n"
                  "  estafette suppress import --tenant acme list.csv");
    CLI::App* command = add_verb(*group, "list", "List it", o, call, list_lines);
    command->add_option("--address", o->address, "Only this address")->type_name("ADDRESS");

    command = add_verb(*group, "add", "Send nothing to an address any more", o, call, add_line);
    command->add_option("address", o->address, "The address")->type_name("ADDRESS")->required();
    command->add_option("--reason", o->reason, "Why; shown with the mail that fails")->type_name("TEXT");
    command->add_option("--until", o->until, "RFC 3339, 'YYYY-MM-DD HH:MM', +DURATION; else for ever")
        ->type_name("TIME");

    command = add_verb(*group, "remove", "Send to an address again", o, call, remove_line);
    command->add_option("address", o->address, "The address")->type_name("ADDRESS")->required();

    command = add_verb(*group, "import", "Add every line of a file", o, call, import_lines);
    command
        ->add_option("file", o->file, "JSON lines, CSV with names in its first line, or addresses; -: stdin")
        ->type_name("FILE");

    command = add_verb(*group, "export", "Print all of it as JSON lines", o, call, export_lines);
    command->add_flag("--csv", o->as_csv, "As CSV");
}

}  // namespace estafette::cli
