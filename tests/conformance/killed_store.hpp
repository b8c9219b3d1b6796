// A store as a killed process leaves it, with bodies in the ledger and in the journal and batches that
// only the journal has; and ways to damage it.
#pragma once

#include "fixtures/life_0_1.hpp"
#include "support/temporary_folder.hpp"

#include "estafette/store/local_engine.hpp"
#include "estafette/store/slate.hpp"
#include "estafette/store/tools.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace estafette::store::test {

class killed_store {
public:
    static constexpr local_tuning small{
        .segment_size = 8192, .kept_segments = 100, .checkpoints_apart = false
    };

    killed_store() {
        options.engine = "local";
        options.reserve = 0;
        options.path = folder.path("living");
        live(life_0_1::settled());
        live({});
        settle();
        auto store = open();
        live(*store, life_0_1::followed());
        (void)store->waiting();
        auto rest = life_0_1::journalled();
        live(*store, {rest.front()});
        for (int step = 0; step < 1000 && store->follow().value() != settled::all; ++step) {
        }
        rest.erase(rest.begin());
        live(*store, rest);
        (void)slate::open(options.path + "/slate", 16);
        std::filesystem::copy(options.path, folder.path("store"), std::filesystem::copy_options::recursive);
        options.path = folder.path("store");
    }

    [[nodiscard]] std::unique_ptr<engine> open() const {
        auto opened = open_local_engine(options, make_disk_files(), small);
        EXPECT_TRUE(opened.has_value()) << opened.error().problem;
        return opened ? std::move(*opened) : nullptr;
    }

    // What the daemon would say at its start; empty: it starts.
    [[nodiscard]] std::string refusal() const {
        const auto opened = open_local_engine(options, make_disk_files(), small);
        return opened ? "" : opened.error().problem;
    }

    [[nodiscard]] std::vector<std::string> segments() const {
        std::vector<std::string> paths;
        for (const auto& entry : std::filesystem::directory_iterator{options.path + "/journal"}) {
            paths.push_back(entry.path().string());
        }
        std::sort(paths.begin(), paths.end());
        return paths;
    }

    [[nodiscard]] std::string ledger() const { return options.path + "/ledger.db"; }

    static std::string content(const std::string& path) {
        std::ifstream in{path, std::ios::binary};
        return {std::istreambuf_iterator<char>{in}, {}};
    }

    static void write(const std::string& path, const std::string& bytes) {
        std::ofstream{path, std::ios::binary | std::ios::trunc} << bytes;
    }

    static void flip(const std::string& path, std::size_t offset) {
        std::string bytes = content(path);
        ASSERT_LT(offset, bytes.size());
        bytes[offset] = static_cast<char>(bytes[offset] ^ 0x20);
        write(path, bytes);
    }

    void execute(const char* sql) const {
        sqlite3* db = nullptr;
        ASSERT_EQ(sqlite3_open(ledger().c_str(), &db), SQLITE_OK);
        EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
        sqlite3_close(db);
    }

    [[nodiscard]] std::vector<std::string> findings() const {
        std::vector<std::string> lines;
        const auto report = check_store(options.path, [](std::string_view, std::uint64_t, std::uint64_t) {});
        EXPECT_TRUE(report.has_value()) << report.error().problem;
        if (report) {
            for (const damage& f : report->findings) {
                lines.push_back(f.text());
            }
        }
        return lines;
    }

    // In memory: many are made, and their syncs prove nothing here.
    estafette::test::temporary_folder folder{
        std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : std::filesystem::temp_directory_path()
    };
    config::store_options options;

private:
    static void live(engine& store, const batches& all) {
        for (const auto& batch : all) {
            ASSERT_TRUE(store.commit(batch).has_value());
        }
    }

    void live(const batches& all) const { live(*open(), all); }

    void settle() const {
        const auto store = open();
        for (int step = 0; step < 1000 && store->settle().value() != settled::all; ++step) {
        }
    }
};

}  // namespace estafette::store::test
