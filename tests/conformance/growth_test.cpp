// What a store holds while everything that comes waits: segments are never dropped then, and nothing else
// may grow with them but their files.
#include "store_fixture.hpp"

#include <cstdint>
#include <limits>

namespace estafette::store {
namespace {

using namespace test;
namespace fs = std::filesystem;

constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

class a_store_where_all_waits : public testing::Test {
protected:
    void accept(std::uint32_t mails, std::size_t body, const local_tuning& tuning) {
        config::store_options options;
        options.path = folder.path("store");
        options.reserve = 0;
        options.engine = "local";
        auto opened = open_local_engine(options, make_disk_files(), tuning);
        ASSERT_TRUE(opened) << opened.error().problem;
        store = std::move(*opened);
        for (std::uint32_t n = 1; n <= mails; n += 8) {
            std::vector<change> batch;
            for (std::uint32_t i = n; i < n + 8; ++i) {
                batch.push_back(mail_of{.n = i, .due = 86'400, .body = std::string(body, 'b')});
            }
            ASSERT_TRUE(store->commit(batch));
            for (auto more = store->follow(); more && *more == settled::more_to_do; more = store->follow()) {
            }
        }
    }

    [[nodiscard]] std::uintmax_t log_bytes() const {
        return fs::file_size(folder.path("store") + "/ledger.db-wal");
    }

    [[nodiscard]] std::size_t segments() const {
        const fs::directory_iterator all{folder.path("store") + "/journal"};
        return static_cast<std::size_t>(std::distance(begin(all), end(all)));
    }

    [[nodiscard]] std::size_t open_segments() const {
        std::size_t count = 0;
        for (const auto& entry : fs::directory_iterator{"/proc/self/fd"}) {
            std::error_code gone;
            const auto target = fs::read_symlink(entry.path(), gone);
            count += target.string().starts_with(folder.path("store") + "/journal/") ? 1 : 0;
        }
        return count;
    }

    static local_tuning with_log_of(std::uint64_t bytes) {
        local_tuning tuning;
        tuning.segment_size = 1u << 20;
        tuning.sparse_below = 0;  // a segment of which anything waits stays
        tuning.flush_changes = 8;
        tuning.largest_log = bytes;
        tuning.checkpoints_apart = false;
        return tuning;
    }

    estafette::test::temporary_folder folder;
    std::unique_ptr<engine> store;
};

TEST_F(a_store_where_all_waits, has_a_log_that_does_not_grow_with_it) {
    constexpr std::uint64_t largest = 256u << 10;
    accept(1600, 100, with_log_of(largest));
    EXPECT_LT(log_bytes(), 2 * largest);
}

TEST_F(a_store_where_all_waits, would_have_a_log_that_grows_without_checkpoints_for_its_length) {
    accept(1600, 100, with_log_of(unlimited));
    EXPECT_GT(log_bytes(), std::uintmax_t{4} << 20);
}

TEST_F(a_store_where_all_waits, has_few_of_its_segments_open) {
    local_tuning tuning = with_log_of(unlimited);
    tuning.segment_size = 8u << 10;
    accept(800, 1000, tuning);
    ASSERT_GT(segments(), 80u);
    EXPECT_LE(open_segments(), 66u);
    for (const std::uint32_t n : {1u, 400u, 800u}) {
        EXPECT_TRUE(store->load(id_of(n))) << n;
    }
}

}  // namespace
}  // namespace estafette::store
