// estafette store: what people do with the queue's files, without the daemon.

#include "command.hpp"

#include "estafette/base/text.hpp"
#include "estafette/config/config.hpp"
#include "estafette/store/tools.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <CLI/CLI.hpp>

#include <memory>

namespace estafette::cli {

namespace json = boost::json;

namespace {

constexpr const char* default_file = "/etc/estafette/estafette.yaml";

struct place {
    std::string config;
    std::string folder;  // empty: as the configuration says
};

using described = boost::system::result<std::string, failure>;

described folder_of(const place& where) {
    if (!where.folder.empty()) {
        return where.folder;
    }
    const auto loaded = config::load(where.config);
    if (!loaded) {
        return failure{exit_code::config, printable(loaded.error().front()), {}};
    }
    return loaded->store.path;
}

failure failure_of(const store::open_error& e) {
    exit_code code = exit_code::io;
    if (e.code == errc::store_locked) {
        code = exit_code::temporary;
    } else if (e.code == errc::conflict) {
        code = exit_code::data;
    } else if (e.code == errc::not_found) {
        code = exit_code::no_input;
    } else if (e.code == errc::store_newer) {
        code = exit_code::unavailable;
    } else if (e.code == errc::json_invalid || e.code == errc::too_large) {
        code = exit_code::data;
    }
    return {code, printable(e.problem), {}};
}

// "journal 42 %" over itself on a terminal; nothing elsewhere.
store::progress progress_on(const invocation& call) {
    if (call.io.columns == 0 || call.json) {
        return [](std::string_view, std::uint64_t, std::uint64_t) {};
    }
    return [&io = call.io](std::string_view what, std::uint64_t done, std::uint64_t total) {
        const std::uint64_t percent = total == 0 ? 100 : done * 100 / total;
        io.err << '\r' << what << ' ' << percent << " %          ";
        if (done == total) {
            io.err << '\r' << std::string(what.size() + 16, ' ') << '\r';
        }
        io.err.flush();
    };
}

void print(const std::vector<store::damage>& findings, invocation& call) {
    for (const store::damage& f : findings) {
        if (!call.json) {
            call.io.out << printable(f.text()) << '\n';
            continue;
        }
        json::object line{{"file", f.file}, {"offset", nullptr}, {"what", printable(f.what)}};
        if (f.offset) {
            line["offset"] = *f.offset;
        }
        call.io.out << json::serialize(line) << '\n';
    }
}

int check(const place& where, invocation& call) {
    const auto folder = folder_of(where);
    if (!folder) {
        return report(call.io, folder.error(), call.how());
    }
    const auto found = store::check_store(*folder, progress_on(call));
    if (!found) {
        return report(call.io, failure_of(found.error()), call.how());
    }
    print(found->findings, call);
    if (!found->findings.empty()) {
        return 1;
    }
    if (!call.json) {
        call.io.out << printable(*folder) << ": whole: " << found->messages << " messages, "
                    << found->recipients << " recipients, " << found->events << " events, " << found->segments
                    << " segments with " << found->batches << " batches\n";
    }
    return 0;
}

json::array array_of(const std::vector<std::string>& lines) {
    json::array out;
    for (const std::string& line : lines) {
        out.emplace_back(printable(line));
    }
    return out;
}

// Asks on a terminal; elsewhere only --yes is a yes.
bool is_agreed(const std::vector<store::damage>& findings, bool said_yes, invocation& call) {
    if (!call.json) {
        print(findings, call);
    }
    if (said_yes) {
        return true;
    }
    if (!call.io.in_is_terminal) {
        call.io.err << "estafette: nothing was done: say --yes\n";
        return false;
    }
    call.io.err << "Move what is damaged aside and put the rest together? [y/N] " << std::flush;
    std::string answer;
    std::getline(call.io.in, answer);
    return answer == "y" || answer == "yes";
}

void print(const store::repair_report& done, invocation& call) {
    if (call.json) {
        json::object line{
            {"aside", done.aside}, {"moved", array_of(done.moved)}, {"lost", array_of(done.lost)}
        };
        call.io.out << json::serialize(line) << '\n';
        return;
    }
    for (const std::string& file : done.moved) {
        call.io.out << "moved aside: " << printable(file) << '\n';
    }
    for (const std::string& what : done.lost) {
        call.io.out << "lost: " << printable(what) << '\n';
    }
    call.io.out << "The store is whole again. What was moved is in " << printable(done.aside) << ".\n";
}

int repair(const place& where, bool said_yes, invocation& call) {
    const auto folder = folder_of(where);
    if (!folder) {
        return report(call.io, folder.error(), call.how());
    }
    const auto agrees = [&](const auto& findings) { return is_agreed(findings, said_yes, call); };
    const auto done = store::repair_store(*folder, call.io.now(), agrees, progress_on(call));
    if (!done) {
        return report(call.io, failure_of(done.error()), call.how());
    }
    if (done->findings.empty()) {
        call.io.out << (call.json ? "" : printable(*folder) + ": whole, nothing to do\n");
        return 0;
    }
    if (done->aside.empty()) {
        return 1;
    }
    print(*done, call);
    return 0;
}

int back_up(const place& where, const std::string& to, invocation& call) {
    const auto folder = folder_of(where);
    if (!folder) {
        return report(call.io, folder.error(), call.how());
    }
    const auto done = store::back_up_store(*folder, to, progress_on(call));
    if (!done) {
        return report(call.io, failure_of(done.error()), call.how());
    }
    if (call.json) {
        json::object line{{"folder", to}, {"messages", done->messages}, {"recipients", done->recipients}};
        call.io.out << json::serialize(line) << '\n';
    } else {
        call.io.out << printable(to) << ": " << done->messages << " messages, " << done->recipients
                    << " recipients; checked\n";
    }
    return 0;
}

void add_repair(CLI::App& group, const std::shared_ptr<place>& where, invocation& call) {
    auto yes = std::make_shared<bool>(false);
    CLI::App* command = group.add_subcommand("repair", "Make a damaged store whole; say what was lost");
    command->footer(
        "Nothing is deleted: what is damaged goes into a folder aside-TIME of the store. Exit codes: 0 "
        "it is whole, 1 nothing was done, 75 somebody uses it.\n"
        "Example:\n  estafette store repair --yes && systemctl start estafetted"
    );
    command->add_flag("--yes", *yes, "Do not ask");
    command->callback([=, &call] { call.action = [=, &call] { return repair(*where, *yes, call); }; });
}

void add_backup(CLI::App& group, const std::shared_ptr<place>& where, invocation& call) {
    auto to = std::make_shared<std::string>();
    CLI::App* command =
        group.add_subcommand("backup", "Copy the store, also while the daemon runs; check the copy");
    command->footer(
        "Never start a daemon on a copy while the other one sends: both would send the same mail.\n"
        "Example:\n  estafette store backup /var/backups/estafette-$(date +%F)"
    );
    command->add_option("folder", *to, "A new or empty folder")->type_name("PATH")->required();
    command->callback([=, &call] { call.action = [=, &call] { return back_up(*where, *to, call); }; });
}

int export_to(
    const place& where, const std::string& to, const std::vector<std::string>& names, invocation& call
) {
    const auto folder = folder_of(where);
    if (!folder) {
        return report(call.io, folder.error(), call.how());
    }
    std::vector<tenant_id> tenants;
    for (const std::string& name : names) {
        tenants.emplace_back(name);
    }
    const auto done = store::export_store(*folder, to, tenants, progress_on(call));
    if (!done) {
        return report(call.io, failure_of(done.error()), call.how());
    }
    if (call.json) {
        json::object line{{"folder", to}, {"messages", done->messages}, {"bodies", done->bodies}};
        call.io.out << json::serialize(line) << '\n';
    } else {
        call.io.out << printable(to) << ": " << done->messages << " messages, the content of " << done->bodies
                    << '\n';
    }
    return 0;
}

int import_from(const place& where, const std::string& from, store::import_scope what, invocation& call) {
    const auto folder = folder_of(where);
    if (!folder) {
        return report(call.io, folder.error(), call.how());
    }
    const auto done = store::import_store(*folder, from, what, progress_on(call));
    if (!done) {
        return report(call.io, failure_of(done.error()), call.how());
    }
    if (call.json) {
        json::object line{{"taken", done->taken}, {"known", done->known}, {"done", done->done}};
        call.io.out << json::serialize(line) << '\n';
    } else {
        call.io.out << done->taken << " messages taken, " << done->known << " were there already, "
                    << done->done << " not taken since nothing of them waits\n";
    }
    return 0;
}

void add_export(CLI::App& group, const std::shared_ptr<place>& where, invocation& call) {
    auto to = std::make_shared<std::string>();
    auto tenants = std::make_shared<std::vector<std::string>>();
    CLI::App* command = group.add_subcommand("export", "Write messages as JSON lines and .eml files");
    command->footer("Example:\n  estafette store export /tmp/acme --tenant acme");
    command->add_option("folder", *to, "A new or empty folder")->type_name("PATH")->required();
    command->add_option("--tenant", *tenants, "Of this tenant only; may be repeated")->type_name("NAME");
    command->callback([=, &call] {
        call.action = [=, &call] { return export_to(*where, *to, *tenants, call); };
    });
}

void add_import(CLI::App& group, const std::shared_ptr<place>& where, invocation& call) {
    auto from = std::make_shared<std::string>();
    auto all = std::make_shared<bool>(false);
    CLI::App* command =
        group.add_subcommand("import", "Take what waits of an export into a stopped daemon's store");
    command->footer("Messages keep their ids; those that are there already stay as they are.\n"
                    "Example:\n  estafette store import /tmp/acme && systemctl start estafetted");
    command->add_option("folder", *from, "The folder that an export wrote")->type_name("PATH")->required();
    command->add_flag("--all", *all, "Also messages of which nothing waits: their timelines");
    command->callback([=, &call] {
        call.action = [=, &call] {
            const auto what = *all ? store::import_scope::everything : store::import_scope::what_waits;
            return import_from(*where, *from, what, call);
        };
    });
}

}  // namespace

void add_store(CLI::App& app, invocation& call) {
    auto where = std::make_shared<place>();
    where->config = call.io.environment("ESTAFETTE_CONFIG").value_or(default_file);
    CLI::App* group =
        app.add_subcommand("store", "Check, repair, copy, export or import the files of the queue");
    group->require_subcommand(1);
    group
        ->add_option(
            "--store", where->folder, "The store's folder, instead of the configuration's store.path"
        )
        ->type_name("PATH");
    group
        ->add_option(
            "--config", where->config, "The configuration that names the folder, also $ESTAFETTE_CONFIG"
        )
        ->type_name("FILE")
        ->capture_default_str();

    CLI::App* command =
        group->add_subcommand("check", "Read all of a stopped daemon's store; say what is damaged");
    command->footer(
        "Exit codes: 0 it is whole, 1 it is damaged (a line each, with file and offset), 75 somebody "
        "uses it.\nExample:\n  systemctl stop estafetted && estafette store check"
    );
    command->callback([where, &call] { call.action = [where, &call] { return check(*where, call); }; });
    add_repair(*group, where, call);
    add_backup(*group, where, call);
    add_export(*group, where, call);
    add_import(*group, where, call);
}

}  // namespace estafette::cli
