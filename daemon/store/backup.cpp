#include "check.hpp"
#include "folder_hold.hpp"
#include "folder_lock.hpp"
#include "journal_reading.hpp"
#include "sqlite.hpp"

#include "estafette/store/tools.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace estafette::store {

namespace {

namespace fs = std::filesystem;

constexpr int pages_per_step = 1024;
constexpr int most_turns = 20;

open_error failed(const std::string& path, const std::string& why) {
    return {errc::io, path + ": " + why};
}

// The file or folder outlives a loss of power.
bool sync(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool is_synced = fd >= 0 && ::fsync(fd) == 0;
    if (fd >= 0) {
        ::close(fd);
    }
    return is_synced;
}

outcome<void> write(const std::string& path, std::string_view bytes) {
    std::ofstream out{path, std::ios::binary};
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out || !sync(path)) {
        return failed(path, "cannot be written");
    }
    return {};
}

std::optional<std::string> read(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    return in ? std::optional{std::string{std::istreambuf_iterator<char>{in}, {}}} : std::nullopt;
}

outcome<void> copy(const std::string& from, const std::string& to) {
    std::error_code failure;
    if (!fs::exists(from, failure)) {
        return {};
    }
    const auto bytes = read(from);
    return bytes ? write(to, *bytes) : outcome<void>{failed(from, "cannot be read")};
}

// Of the newest segment the good records from the beginning: what is behind them is zeros, or a batch that
// is being written. Of others all but the zeros at their end.
std::string part_to_copy(const std::string& bytes, bool is_newest) {
    if (!is_newest) {
        const std::size_t end = bytes.find_last_not_of('\0');
        return bytes.substr(0, end == std::string::npos ? 0 : (end / 8 + 1) * 8);
    }
    const auto header = decode_header(bytes);
    if (!header) {
        return {};
    }
    segment_reader reader{bytes, *header};
    while (reader.next()) {
    }
    return bytes.substr(0, std::min<std::size_t>(reader.offset(), bytes.size()));
}

outcome<void> copy_journal(const std::string& from, const std::string& to, const progress& tell) {
    const auto paths = journal_reading::files(from);
    for (std::size_t i = 0; i < paths.size(); ++i) {
        tell("journal", i, paths.size());
        const auto bytes = read(paths[i]);
        if (!bytes) {
            return failed(paths[i], "cannot be read");
        }
        const std::string part = part_to_copy(*bytes, i + 1 == paths.size());
        if (part.empty()) {
            continue;  // just being made
        }
        if (auto done = write(to + "/" + fs::path{paths[i]}.filename().string(), part); !done) {
            return done;
        }
    }
    tell("journal", paths.size(), paths.size());
    return {};
}

// Second names for the journal's segments: they stay as long as we need them, whatever the daemon drops.
class held_segments {
public:
    explicit held_segments(std::string store)
        : journal_{store + "/journal"}
        , folder_{store + "/backup-" + std::to_string(::getpid())} {
        std::error_code failure;
        fs::create_directory(folder_, failure);
    }

    ~held_segments() {
        std::error_code failure;
        fs::remove_all(folder_, failure);
    }

    held_segments(const held_segments&) = delete;
    held_segments& operator=(const held_segments&) = delete;

    void take() const {
        for (const std::string& path : journal_reading::files(journal_)) {
            std::error_code failure;  // it is there already, or the daemon has just dropped it
            fs::create_hard_link(path, folder_ + "/" + fs::path{path}.filename().string(), failure);
        }
    }

    // All that this ledger, as it is seen now, has contents in.
    [[nodiscard]] bool has_all_of(database& ledger) const {
        const auto held = journal_reading::files(folder_);
        statement s{
            ledger,
            "SELECT DISTINCT body_in FROM message WHERE body_in > 0 UNION"
            " SELECT value FROM meta WHERE name = 'segment' AND value > 0"
        };
        for (s.start(); s.step();) {
            const std::string number = std::to_string(s.integer(0)) + ".segment";
            const bool is_held = std::any_of(held.begin(), held.end(), [&](const std::string& path) {
                const std::size_t zeros = path.find_first_not_of('0', path.rfind('/') + 1);
                return path.substr(zeros) == number;
            });
            if (!is_held) {
                return false;
            }
        }
        return true;
    }

    [[nodiscard]] const std::string& folder() const noexcept { return folder_; }

private:
    std::string journal_, folder_;
};

void copy_pages(database& from, database& to, const progress& tell) {
    sqlite3_backup* copying = sqlite3_backup_init(to.handle(), "main", from.handle(), "main");
    if (copying == nullptr) {
        throw_sqlite(to.handle(), sqlite3_errcode(to.handle()));
    }
    int code = SQLITE_OK;
    while (code == SQLITE_OK) {
        code = sqlite3_backup_step(copying, pages_per_step);
        const auto total = static_cast<std::uint64_t>(sqlite3_backup_pagecount(copying));
        tell("ledger", total - static_cast<std::uint64_t>(sqlite3_backup_remaining(copying)), total);
    }
    const int finished = sqlite3_backup_finish(copying);
    if (code != SQLITE_DONE || finished != SQLITE_OK) {
        throw_sqlite(to.handle(), code != SQLITE_DONE ? code : finished);
    }
}

// While the daemon runs. What the ledger has was synced to the journal before, so the segments, held after
// we see the ledger, have it too; those that it has contents in are held before as well, so that none can
// go in between, and where one did, it is looked at anew.
outcome<void> copy_living(const std::string& from, const std::string& to, const progress& tell) {
    const held_segments held{from};
    database source{from + "/ledger.db", database::access::read_only};
    bool is_held = false;
    for (int turn = 0; turn < most_turns && !is_held; ++turn) {
        held.take();
        source.execute("BEGIN");
        (void)source.ask_integer("SELECT count(*) FROM meta");
        held.take();
        is_held = held.has_all_of(source);
        if (!is_held) {
            source.execute("COMMIT");
        }
    }
    if (!is_held) {
        return open_error{errc::store_busy, from + "/journal: segments go faster than they can be held"};
    }
    {
        database target{to + "/ledger.db", database::access::read_write};
        target.execute("PRAGMA synchronous = FULL");
        copy_pages(source, target, tell);
    }
    source.execute("COMMIT");
    if (!sync(to + "/ledger.db")) {
        return failed(to + "/ledger.db", "cannot be synced");
    }
    return copy_journal(held.folder(), to + "/journal", tell);
}

// The lock keeps the daemon away meanwhile: the files as they are.
outcome<void> copy_resting(const std::string& from, const std::string& to, const progress& tell) {
    for (const char* name : {"/ledger.db", "/ledger.db-wal"}) {
        if (auto done = copy(from + name, to + name); !done) {
            return done;
        }
    }
    return copy_journal(from + "/journal", to + "/journal", tell);
}

outcome<void> copy_store(const std::string& from, const std::string& to, const progress& tell) {
    const auto lock = folder_lock::take(from);
    if (!lock && lock.error() != errc::store_locked) {
        return lock_problem(from, lock.error());
    }
    try {
        auto done = lock ? copy_resting(from, to, tell) : copy_living(from, to, tell);
        if (!done) {
            return done;
        }
    } catch (const ledger_error& e) {
        return open_error{e.code, from + "/ledger.db: " + e.code.message() + " (" + e.what + ")"};
    }
    if (auto done = copy(from + "/slate", to + "/slate"); !done) {
        return done;
    }
    // With another secret nobody would know the bounces of what was sent.
    auto done = copy(from + "/verp.secret", to + "/verp.secret");
    std::error_code is_not_there;
    fs::permissions(to + "/verp.secret", fs::perms::owner_read | fs::perms::owner_write, is_not_there);
    return done;
}

}  // namespace

outcome<check_report> back_up_store(const std::string& path, const std::string& to, const progress& tell) {
    std::error_code failure;
    if (!fs::exists(path + "/ledger.db", failure)) {
        return open_error{errc::not_found, path + ": there is no store"};
    }
    if (fs::exists(to, failure) && !fs::is_empty(to, failure)) {
        return open_error{errc::conflict, to + ": is there and not empty"};
    }
    fs::create_directories(to + "/journal", failure);
    if (!failure) {
        fs::permissions(to, fs::perms::owner_all, failure);
    }
    if (failure) {
        return failed(to, failure.message());
    }
    if (auto copied = copy_store(path, to, tell); !copied) {
        return copied.error();
    }
    for (const std::string& folder : {to + "/journal", to}) {
        if (!sync(folder)) {
            return failed(folder, "cannot be synced");
        }
    }
    auto checked = check_files(to, tell);
    if (checked && !checked->findings.empty()) {
        return open_error{errc::store_damaged, checked->findings.front().text()};
    }
    return checked;
}

}  // namespace estafette::store
