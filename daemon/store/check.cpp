#include "check.hpp"

#include "folder_hold.hpp"
#include "journal_reading.hpp"
#include "ledger_check.hpp"
#include "sqlite.hpp"

#include "estafette/store/slate.hpp"
#include "estafette/store/tools.hpp"

namespace estafette::store {

std::string damage::text() const {
    return file + ": damaged" + (offset ? " at offset " + std::to_string(*offset) : "") + ": " + what;
}

outcome<check_report> check_files(const std::string& path, const progress& tell) {
    check_report report;
    journal_reading journal{path + "/journal", applied_of(path + "/ledger.db").value_or(0)};
    journal.read(
        [&](const auto&, const segment_record&, const std::vector<logged_change>&) { ++report.batches; }, tell
    );
    if (journal.is_newer()) {
        return open_error{
            errc::store_newer, journal.holes().front().where.file + ": " + sentence(errc::store_newer)
        };
    }
    report.segments = journal.segments();
    for (const hole& h : journal.holes()) {
        report.findings.push_back(h.where);
    }
    try {
        check_ledger(path + "/ledger.db", journal, tell, report);
    } catch (const ledger_error& e) {
        return open_error{e.code, path + "/ledger.db: " + e.code.message() + " (" + e.what + ")"};
    }
    if (const auto slate_file = slate::check(path + "/slate"); slate_file == errc::store_newer) {
        return open_error{slate_file, path + "/slate: " + slate_file.message()};
    } else if (slate_file) {
        report.findings.push_back({path + "/slate", 0, "the header is not readable"});
    }
    return report;
}

outcome<check_report> check_store(const std::string& path, const progress& tell) {
    const auto hold = folder_hold::take(path);
    return hold ? check_files(path, tell) : hold.error();
}

}  // namespace estafette::store
