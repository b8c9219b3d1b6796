// What a durable engine says when it cannot be opened.
#include "store_fixture.hpp"

#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace estafette::store {
namespace {

using namespace test;

class opening_a_store : public testing::Test {
protected:
    opening_a_store() {
        options.path = folder.path("var/store");
        options.reserve = 0;
    }

    [[nodiscard]] open_error problem() const {
        auto opened = open_engine(options);
        EXPECT_FALSE(opened.has_value());
        return opened ? open_error{} : opened.error();
    }

    void create() const {
        auto opened = open_engine(options);
        ASSERT_TRUE(opened.has_value()) << opened.error().problem;
        std::vector<change> changes;
        for (std::uint32_t n = 1; n <= 100; ++n) {
            changes.push_back(mail_of{.n = n});
        }
        ASSERT_TRUE((*opened)->commit(changes).has_value());
        (void)(*opened)->settle();
    }

    void execute(const char* sql) const {
        sqlite3* db = nullptr;
        ASSERT_EQ(sqlite3_open((options.path + "/ledger.db").c_str(), &db), SQLITE_OK);
        EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
        sqlite3_close(db);
    }

    estafette::test::temporary_folder folder;
    config::store_options options;
};

TEST_F(opening_a_store, makes_its_folder_for_its_owner_only) {
    create();
    EXPECT_EQ(std::filesystem::status(options.path).permissions(), std::filesystem::perms::owner_all);
}

TEST_F(opening_a_store, is_refused_while_another_has_it_and_names_the_place) {
    auto first = open_engine(options);
    ASSERT_TRUE(first.has_value());
    EXPECT_EQ(problem().code, errc::store_locked);
    EXPECT_NE(problem().problem.find(options.path), std::string::npos);
    first->reset();
    create();
}

TEST_F(opening_a_store, is_refused_where_nothing_can_be_written) {
    std::ofstream{folder.path("file")} << "not a folder";
    options.path = folder.path("file/store");
    EXPECT_EQ(problem().code, errc::io);
    EXPECT_NE(problem().problem.find(options.path), std::string::npos);
}

TEST_F(opening_a_store, is_refused_to_an_older_program) {
    create();
    execute("PRAGMA user_version = 999");
    EXPECT_EQ(problem().code, errc::store_newer);
    EXPECT_NE(problem().problem.find("ledger.db"), std::string::npos);
}

TEST_F(opening_a_store, is_refused_where_the_file_is_another_programs_database) {
    std::filesystem::create_directories(options.path);
    execute("CREATE TABLE theirs(x)");
    EXPECT_EQ(problem().code, errc::store_damaged);
}

TEST_F(opening_a_store, is_refused_where_the_file_is_damaged) {
    create();
    std::filesystem::remove(options.path + "/ledger.db-wal");
    std::ofstream{options.path + "/ledger.db", std::ios::in | std::ios::out}.write(
        "damage and more damage", 22
    );
    EXPECT_EQ(problem().code, errc::store_damaged);
}

TEST_F(opening_a_store, fails_with_a_sentence_for_an_engine_that_does_not_exist) {
    options.engine = "postgres";
    EXPECT_NE(problem().problem.find("postgres"), std::string::npos);
}

TEST_F(opening_a_store, leaves_a_file_that_other_programs_can_read_meanwhile) {
    auto opened = open_engine(options);
    ASSERT_TRUE(opened.has_value());
    std::vector<change> changes{mail_of{}};
    ASSERT_TRUE((*opened)->commit(changes).has_value());
    (void)(*opened)->settle();
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open_v2((options.path + "/ledger.db").c_str(), &db, SQLITE_OPEN_READONLY, nullptr), 0);
    sqlite3_stmt* s = nullptr;
    ASSERT_EQ(sqlite3_prepare_v2(db, "SELECT address, state FROM recipients", -1, &s, nullptr), SQLITE_OK);
    ASSERT_EQ(sqlite3_step(s), SQLITE_ROW);
    EXPECT_STREQ(reinterpret_cast<const char*>(sqlite3_column_text(s, 0)), "ann@customer.example");
    EXPECT_STREQ(reinterpret_cast<const char*>(sqlite3_column_text(s, 1)), "queued");
    sqlite3_finalize(s);
    sqlite3_close(db);
}

// A loss of power takes the ledger's WAL. What segments that went had is in its file.
TEST_F(opening_a_store, needs_no_wal_for_segments_that_went) {
    for (const bool apart : {false, true}) {
        SCOPED_TRACE(apart);
        options.path = folder.path(apart ? "apart" : "at-once");
        const local_tuning tuning{
            .segment_size = 4096,
            .kept_segments = 0,
            .sparse_below = everything,
            .flush_changes = 6,
            .checkpoints_apart = apart
        };
        auto opened = open_local_engine(options, make_disk_files(), tuning);
        ASSERT_TRUE(opened.has_value()) << opened.error().problem;
        for (std::uint32_t n = 1; n <= 40; ++n) {
            std::vector<change> one{mail_of{.n = n, .body = std::string(700, 'b')}};
            ASSERT_TRUE((*opened)->commit(one).has_value());
        }
        for (auto more = (*opened)->settle(); more && *more == settled::more_to_do;) {
            more = (*opened)->settle();
        }
        const std::filesystem::path journal{options.path + "/journal"};
        const auto segments = std::distance(
            std::filesystem::directory_iterator{journal}, std::filesystem::directory_iterator{}
        );
        EXPECT_LT(segments, 5) << "most of them went";
        const std::string left = options.path + "-left";
        std::filesystem::create_directories(left);
        std::filesystem::copy(journal, left + "/journal");
        std::filesystem::copy(options.path + "/ledger.db", left + "/ledger.db");
        options.path = left;
        auto again = open_local_engine(options, make_disk_files(), tuning);
        ASSERT_TRUE(again.has_value()) << again.error().problem;
        for (std::uint32_t n = 1; n <= 40; ++n) {
            EXPECT_TRUE((*again)->load(id_of(n)).has_value()) << n;
        }
    }
}

}  // namespace
}  // namespace estafette::store
