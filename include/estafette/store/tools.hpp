// What people do with a store that no daemon has open: look whether it is whole, put it right, copy it.
// The command line's `store` verbs.
//
// Promise: check_store() changes nothing. Each tool takes the folder's lock first and says who has it
// otherwise; files that a tool made belong to the folder's owner when it ends, also for root.
// Thread: any one; they block.
#pragma once

#include "estafette/store/engine.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace estafette::store {

// How far a tool is: of `total` steps (bytes, messages) of what it does now; total 0: not known.
using progress = std::function<void(std::string_view what, std::uint64_t done, std::uint64_t total)>;

// Something that is not as it was written.
struct damage {
    std::string file;
    std::optional<std::uint64_t> offset;
    std::string what;

    [[nodiscard]] std::string text() const;  // "FILE: damaged at offset N: what"
};

struct check_report {
    std::vector<damage> findings;  // none: it is whole
    std::uint64_t segments = 0, batches = 0, messages = 0, recipients = 0, bodies = 0, events = 0;
};

template <class T> using outcome = boost::system::result<T, open_error>;

// Reads everything. errc::store_locked, store_newer, not_found (there is no store), io.
[[nodiscard]] outcome<check_report> check_store(const std::string& path, const progress& tell);

struct repair_report {
    std::vector<damage> findings;    // before; none: there was nothing to do
    std::string aside;               // the folder of what was moved away; empty: nothing was done
    std::vector<std::string> moved;  // files
    std::vector<std::string> lost;   // a sentence each
};

// Asked once, with what is damaged; false: nothing is done.
using repair_consent = std::function<bool(const std::vector<damage>&)>;

// Moves what is damaged into a folder `aside-TIME` of the store and leaves a store that is whole: the
// ledger's readable rows and all of the journal that can be read. Deletes nothing. Mail whose content is
// lost has failed then; mail whose outcome is lost is held. Errors as above.
[[nodiscard]] outcome<repair_report>
repair_store(const std::string& path, wall_time now, const repair_consent& agrees, const progress& tell);

// Copies the store to `to`, a folder that is new or empty, also while a daemon has it open; the copy was
// checked. errc::conflict where there is something already, store_damaged, not_found, io.
[[nodiscard]] outcome<check_report>
back_up_store(const std::string& path, const std::string& to, const progress& tell);

struct export_report {
    std::uint64_t messages = 0, bodies = 0;
};

// Writes `folder`/messages.ndjson, a line a message (export_format.hpp), and bodies/ID.eml, of these
// tenants or of all, also while a daemon has the store open: from a copy that is gone afterwards.
[[nodiscard]] outcome<export_report> export_store(
    const std::string& path,
    const std::string& folder,
    const std::vector<tenant_id>& tenants,
    const progress& tell
);

enum class import_scope : std::uint8_t { what_waits, everything };

struct import_report {
    std::uint64_t taken = 0, known = 0, done = 0;  // known: was there; done: nothing of it waits
};

// Takes messages of an export into a store, made where there is none, with their ids, states and
// timelines. What is there already stays as it is, so that it may be done again.
[[nodiscard]] outcome<import_report>
import_store(const std::string& path, const std::string& folder, import_scope what, const progress& tell);

}  // namespace estafette::store
