#include "folder_hold.hpp"
#include "sqlite.hpp"

#include "estafette/store/export_format.hpp"
#include "estafette/store/local_engine.hpp"
#include "estafette/store/tools.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace estafette::store {

namespace {

namespace fs = std::filesystem;

config::store_options options_of(const std::string& path) {
    config::store_options options;
    options.engine = "local";
    options.path = path;
    options.reserve = 0;
    return options;
}

open_error cannot(const std::string& path, const std::string& what) {
    return {errc::io, path + ": " + what};
}

// Keys by message, which no view has.
std::pair<std::string, std::string> key_of(database& db, const message_id& id) {
    statement s{
        db,
        "SELECT i.key, i.digest FROM idempotency i JOIN message m ON m.no = i.message"
        " WHERE m.id = ? ORDER BY i.was_there"
    };
    const std::span<const std::uint8_t> bytes{id.bytes()};
    s.start(bytes);
    return s.step() ? std::pair{std::string{s.text(0)}, std::string{s.text(1)}}
                    : std::pair<std::string, std::string>{};
}

class export_to {
public:
    export_to(engine& from, database& keys, std::string folder, const progress& tell)
        : from_{from}
        , keys_{keys}
        , folder_{std::move(folder)}
        , lines_{folder_ + "/messages.ndjson", std::ios::binary}
        , tell_{tell} {}

    outcome<export_report> run(const std::vector<tenant_id>& tenants) {
        query q;
        q.tenants = tenants;
        q.limit = 500;
        message_id last;
        do {
            const auto found = from_.find(q);
            if (!found) {
                return open_error{found.error(), folder_ + ": " + found.error().message()};
            }
            for (const recipient_view& r : found->recipients) {
                // The recipients of a message follow each other.
                if (r.id.message != last && !write(r.id.message)) {
                    return cannot(folder_, "cannot be written");
                }
                last = r.id.message;
            }
            q.cursor = found->next_cursor;
            tell_("messages", done_.messages, 0);
        } while (!q.cursor.empty());
        lines_.close();
        if (!lines_) {
            return cannot(folder_ + "/messages.ndjson", "cannot be written");
        }
        return done_;
    }

private:
    bool write(const message_id& id) {
        const auto view = from_.view(id);
        if (!view) {
            return false;
        }
        const auto loaded = from_.load(id);
        std::string name;
        if (loaded) {
            name = "bodies/" + id.text() + ".eml";
            std::ofstream body{folder_ + "/" + name, std::ios::binary};
            body << *(*loaded)->body;
            body.close();
            if (!body) {
                return false;
            }
            ++done_.bodies;
        }
        const auto [key, digest] = key_of(keys_, id);
        lines_ << to_line(*view, name, key, digest);
        ++done_.messages;
        return static_cast<bool>(lines_);
    }

    engine& from_;
    database& keys_;
    std::string folder_;
    std::ofstream lines_;
    const progress& tell_;
    export_report done_;
};

outcome<export_report> export_snapshot(
    const std::string& snapshot,
    const std::string& folder,
    const std::vector<tenant_id>& tenants,
    const progress& tell
) {
    const auto opened = open_local_engine(options_of(snapshot));
    if (!opened) {
        return opened.error();
    }
    // A question makes the ledger follow; the next two commit it, so that another connection sees the keys.
    for (int step = 0; step < 1000; ++step) {
        const auto left = (*opened)->settle();
        if (!left || *left == settled::all) {
            break;
        }
    }
    try {
        database keys{snapshot + "/ledger.db", database::access::read_only};
        return export_to{**opened, keys, folder, tell}.run(tenants);
    } catch (const ledger_error& e) {
        return open_error{e.code, snapshot + "/ledger.db: " + e.what};
    }
}

}  // namespace

outcome<export_report> export_store(
    const std::string& path,
    const std::string& folder,
    const std::vector<tenant_id>& tenants,
    const progress& tell
) {
    std::error_code failure;
    if (fs::exists(folder, failure) && !fs::is_empty(folder, failure)) {
        return open_error{errc::conflict, folder + ": is there and not empty"};
    }
    fs::create_directories(folder + "/bodies", failure);
    fs::permissions(folder, fs::perms::owner_all, failure);
    if (failure) {
        return cannot(folder, failure.message());
    }
    // A copy of its own: the daemon may run, and the store is not touched.
    const std::string snapshot = folder + "/snapshot-" + std::to_string(::getpid());
    auto copied = back_up_store(path, snapshot, tell);
    auto done =
        copied ? export_snapshot(snapshot, folder, tenants, tell) : outcome<export_report>{copied.error()};
    fs::remove_all(snapshot, failure);
    return done;
}

namespace {

std::optional<std::string> content_of(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    return in ? std::optional{std::string{std::istreambuf_iterator<char>{in}, {}}} : std::nullopt;
}

// The change with its body, or why not.
outcome<void> add_content(exported& mail, const std::string& folder) {
    auto& first = std::get<enqueued>(mail.changes.front());
    auto whole = std::make_shared<mail::message>(*first.message);
    // The name is made from the id, so that a line cannot name any other file.
    auto body = content_of(folder + "/bodies/" + mail.id.text() + ".eml");
    if (!body || body->size() != whole->facts.size) {
        return open_error{errc::not_found, "the content of " + mail.id.text() + " is missing or another"};
    }
    whole->body = std::make_shared<const std::string>(std::move(*body));
    first.message = std::move(whole);
    return {};
}

// True: it was taken; false: it was there.
outcome<bool> import_one(engine& into, exported mail, const std::string& folder) {
    if (into.view(mail.id)) {
        return false;
    }
    if (!mail.content.empty() || mail.waits) {
        if (auto added = add_content(mail, folder); !added) {
            return added.error();
        }
    }
    // One batch: a message is never there without what became of it.
    const auto done = into.commit(mail.changes);
    if (!done) {
        return open_error{done.error(), done.error().message()};
    }
    return done->front();
}

}  // namespace

outcome<import_report>
import_store(const std::string& path, const std::string& folder, import_scope what, const progress& tell) {
    std::ifstream lines{folder + "/messages.ndjson", std::ios::binary};
    if (!lines) {
        return open_error{errc::not_found, folder + "/messages.ndjson: cannot be read"};
    }
    const auto store = open_local_engine(options_of(path));
    if (!store) {
        return store.error();
    }
    import_report report;
    std::uint64_t number = 0;
    for (std::string line; std::getline(lines, line);) {
        const std::string place = folder + "/messages.ndjson:" + std::to_string(++number) + ": ";
        tell("messages", number, 0);
        auto parsed = parse_line(line);
        if (!parsed) {
            return open_error{parsed.error(), place + parsed.error().message()};
        }
        if (what == import_scope::what_waits && !parsed->waits) {
            ++report.done;
            continue;
        }
        const auto taken = import_one(**store, std::move(*parsed), folder);
        if (!taken) {
            return open_error{taken.error().code, place + taken.error().problem};
        }
        ++(*taken ? report.taken : report.known);
    }
    for (int step = 0; step < 1000; ++step) {
        const auto left = (*store)->settle();
        if (!left || *left == settled::all) {
            break;
        }
    }
    give_to_owner(path);
    return report;
}

}  // namespace estafette::store
