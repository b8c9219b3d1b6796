// What a damaged store says: at the daemon's start, and to `estafette store check`.
#include "killed_store.hpp"

#include <functional>

namespace estafette::store {
namespace {

using test::killed_store;

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) {
        text += line + "\n";
    }
    return text;
}

struct damage {
    const char* name;
    std::function<void(killed_store&)> make;
    std::string start;  // what the refused start says; empty: it starts
    std::string found;  // what one of the findings says
};

std::vector<damage> damages() {
    const auto on = [](auto what) { return [what](killed_store& s) { what(s); }; };
    return {
        // A start does not read segments that the ledger has: check does.
        {"a flipped byte in a segment that the ledger has",
         on([](auto& s) { s.flip(s.segments().front(), 200); }),
         "",
         ".segment: damaged at offset 64: batch "},
        {"a flipped byte in the newest segment, before its last record",
         on([](auto& s) { s.flip(s.segments().back(), 100); }),
         ".segment: damaged at offset 64: a good record follows at offset ",
         ".segment: damaged at offset 64: batch "},
        {"a flipped byte in a segment's magic",
         on([](auto& s) { s.flip(s.segments().front(), 1); }),
         ".segment: damaged at offset 0: the header is not readable",
         ".segment: damaged at offset 0: the header is not readable"},
        {"a flipped byte in a segment's salt",
         on([](auto& s) { s.flip(s.segments().front(), 33); }),
         ".segment: damaged at offset 0: the header is not readable",
         ".segment: damaged at offset 0: the header is not readable"},
        {"a segment that the ledger has and that ends early",
         on([](auto& s) { std::filesystem::resize_file(s.segments().front(), 3000); }),
         "",
         " cannot be read"},
        {"an empty segment",
         on([](auto& s) { std::filesystem::resize_file(s.segments().front(), 0); }),
         ".segment: damaged at offset 0: the header is not readable",
         ".segment: damaged at offset 0: the header is not readable"},
        {"a missing older segment",
         on([](auto& s) { std::filesystem::remove(s.segments().front()); }),
         "segment",
         "missing"},
        {"a missing newest segment",
         on([](auto& s) { std::filesystem::remove(s.segments().back()); }),
         ", missing here",
         "ledger.db: damaged: segment "},
        {"a missing journal",
         on([](auto& s) { std::filesystem::remove_all(s.options.path + "/journal"); }),
         "/journal: segment ",
         "ledger.db: damaged: segment "},
        {"segments under each other's names",
         on([](auto& s) {
             const auto all = s.segments();
             std::filesystem::rename(all.front(), all.front() + "x");
             std::filesystem::rename(all.back(), all.front());
             std::filesystem::rename(all.front() + "x", all.back());
         }),
         ".segment: damaged at offset 0: it is another segment under this name",
         ".segment: damaged at offset 0: it is another segment under this name"},
        {"a flipped byte in the ledger's header",
         on([](auto& s) {
             std::filesystem::remove(s.ledger() + "-wal");
             s.flip(s.ledger(), 5);
         }),
         "/ledger.db: the store is damaged",
         "/ledger.db: damaged: "},
        {"a ledger that ends early",
         on([](auto& s) {
             s.execute("PRAGMA wal_checkpoint(TRUNCATE)");
             std::filesystem::resize_file(s.ledger(), 40'000);
         }),
         "/ledger.db: the store is damaged",
         "/ledger.db: damaged"},
        {"a missing ledger",
         on([](auto& s) {
             for (const char* end : {"", "-wal", "-shm"}) {
                 std::filesystem::remove(s.ledger() + end);
             }
         }),
         ".segment: damaged at offset 0: the batches before it are missing",
         "/ledger.db: damaged: it is missing, and the journal does not begin with batch 1"},
        {"a flipped byte in the slate's header",
         on([](auto& s) { s.flip(s.options.path + "/slate", 2); }),
         "",
         "/slate: damaged at offset 0: the header is not readable"},
        {"a wrong tally",
         on([](auto& s) { s.execute("UPDATE tally SET recipients = recipients + 3 WHERE name = 'held'"); }),
         "",
         "/ledger.db: damaged: the tally says "},
        {"a content that is gone",
         on([](auto& s) { s.execute("DELETE FROM body"); }),
         "",
         ": its content is missing"},
        {"recipients without their message",
         on([](auto& s) { s.execute("DELETE FROM message WHERE no = 2"); }),
         "",
         " has no message"},
        {"an unknown state",
         on([](auto& s) { s.execute("UPDATE recipient SET state = 9 WHERE no = 1 << 16"); }),
         "",
         " has an unknown state"},
        {"an address that is none",
         on([](auto& s) { s.execute("UPDATE recipient SET address = 'nobody' WHERE no = 1 << 16"); }),
         "",
         " has an address that is none"},
    };
}

TEST(a_damaged_store, is_refused_at_the_start_with_the_place_and_check_finds_the_place) {
    for (const damage& d : damages()) {
        SCOPED_TRACE(d.name);
        killed_store s;
        d.make(s);
        const std::string found = joined(s.findings());
        EXPECT_NE(found.find(d.found), std::string::npos) << found;
        if (!d.found.empty()) {
            EXPECT_NE(found, "");
        }
        const std::string refusal = s.refusal();
        EXPECT_EQ(refusal.empty(), d.start.empty()) << refusal;
        EXPECT_NE(refusal.find(d.start), std::string::npos) << refusal;
        EXPECT_EQ(refusal.find('\n'), std::string::npos) << "one line";
    }
}

TEST(a_whole_store, has_no_findings_whether_it_was_killed_or_closed_and_is_not_changed) {
    killed_store s;
    const auto before = killed_store::content(s.ledger());
    EXPECT_EQ(joined(s.findings()), "");
    EXPECT_EQ(killed_store::content(s.ledger()), before);
    s.open().reset();
    EXPECT_EQ(joined(s.findings()), "");
    const auto report = check_store(s.options.path, [](std::string_view, std::uint64_t, std::uint64_t) {});
    EXPECT_EQ(report->messages, test::life_0_1::messages);
    EXPECT_EQ(report->recipients, 22u);
    EXPECT_GE(report->segments, 2u);
}

TEST(a_whole_store, is_not_checked_while_somebody_has_it_and_says_who) {
    killed_store s;
    const auto store = s.open();
    const auto report = check_store(s.options.path, [](std::string_view, std::uint64_t, std::uint64_t) {});
    ASSERT_FALSE(report.has_value());
    EXPECT_EQ(report.error().code, errc::store_locked);
    EXPECT_NE(report.error().problem.find("process " + std::to_string(::getpid())), std::string::npos)
        << report.error().problem;
}

TEST(a_whole_store, is_one_that_is_there) {
    const estafette::test::temporary_folder empty;
    const auto report = check_store(empty.path(), [](std::string_view, std::uint64_t, std::uint64_t) {});
    ASSERT_FALSE(report.has_value());
    EXPECT_EQ(report.error().code, errc::not_found);
    EXPECT_FALSE(std::filesystem::exists(empty.path("lock")));
}

// Whichever byte of the journal is not what it was, check says so, at its place or before it; except in
// the last record, which cannot be told from one that a crash tore, and between records.
TEST(a_damaged_store, shows_each_byte_of_its_journal_that_was_flipped) {
    killed_store s;
    const auto all = s.segments();
    ASSERT_GE(all.size(), 2u);
    for (const std::string& path : all) {
        const std::string good = killed_store::content(path);
        const std::size_t last = good.rfind("REC1");
        std::size_t unseen = 0;
        for (std::size_t at = 0; at < last; at += 29) {
            killed_store::flip(path, at);
            bool is_found = false;
            for (const std::string& line : s.findings()) {
                const std::string start = path + ": damaged at offset ";
                is_found =
                    is_found || (line.starts_with(start) && std::stoul(line.substr(start.size())) <= at);
            }
            unseen += is_found ? 0 : 1;
            killed_store::write(path, good);
        }
        EXPECT_LE(unseen, 3u) << path << ": only bytes between records do not count";
    }
}

}  // namespace
}  // namespace estafette::store
