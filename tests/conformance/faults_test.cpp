// The journal's promise on a disk that fails and loses power: whatever call fails, and whatever of the
// unsynced bytes is lost, what was acknowledged is there after the next start. The disk in memory does
// what kernels do only now and then, so that the controls, without one of the syncs, must fail.
#include "store_fixture.hpp"
#include "support/memory_disk.hpp"

#include <filesystem>
#include <map>
#include <random>

namespace estafette::store {
namespace {

using namespace test;
using estafette::test::disk;
using estafette::test::disk_ptr;
using estafette::test::memory_disk;

// What was acknowledged, and what may or may not have happened.
struct ledger_of_promises {
    std::map<std::uint32_t, state> acknowledged;
    std::map<std::uint32_t, state> in_flight;
    std::size_t acknowledged_after_failure = 0;
};

class a_store_on_a_bad_disk : public testing::Test {
protected:
    a_store_on_a_bad_disk() { begin_anew(); }

    void begin_anew() {
        bad = std::make_shared<disk>();
        folder = std::make_unique<estafette::test::temporary_folder>();
        options.path = folder->path("store");
        options.reserve = 0;
        options.engine = "local";
    }

    [[nodiscard]] auto open() {
        return open_local_engine(options, std::make_unique<memory_disk>(bad), tuning);
    }

    // Mail comes in, is tried, deferred and relayed; the journal rolls and old segments go.
    ledger_of_promises live() {
        ledger_of_promises said;
        auto opened = open();
        if (!opened) {
            return said;
        }
        engine& store = **opened;
        bool has_failed = false;
        const auto commit = [&](std::vector<change> changes, std::map<std::uint32_t, state> means) {
            const auto done = store.commit(changes);
            (void)store.follow();
            if (done) {
                said.acknowledged_after_failure += has_failed ? 1 : 0;
                for (const auto& [n, s] : means) {
                    said.acknowledged[n] = s;
                    said.in_flight.erase(n);
                }
            } else {
                has_failed = has_failed || done.error() == errc::store_failed;
                said.in_flight.insert(means.begin(), means.end());
            }
            return done.has_value();
        };
        for (std::uint32_t n = 1; n <= 18; n += 2) {
            const std::string body(700, 'b');
            if (commit(
                    {mail_of{.n = n, .body = body}, mail_of{.n = n + 1, .body = body}},
                    {{n, state::queued}, {n + 1, state::queued}}
                )) {
                (void)commit(
                    {relayed(rcpt(n), 1), deferred(rcpt(n + 1), 1, 60)},
                    {{n, state::relayed}, {n + 1, state::deferred}}
                );
            }
            if (n % 4 == 1) {
                (void)store.settle();
            }
        }
        return said;
    }

    // The number of promises that do not hold; -1 if the store does not open.
    int broken(const ledger_of_promises& said) {
        bad->fail_at = 0;
        auto opened = open();
        if (!opened) {
            EXPECT_TRUE(bad->ignores_sync || bad->ignores_folder_sync) << opened.error().problem;
            return -1;
        }
        int count = 0;
        for (const auto& [n, s] : said.acknowledged) {
            const auto seen = (*opened)->view(id_of(n));
            const auto perhaps = said.in_flight.find(n);
            const bool is_kept =
                seen && (seen->recipients.at(0).now == s ||
                         (perhaps != said.in_flight.end() && seen->recipients.at(0).now == perhaps->second));
            const bool has_body = seen && (is_final(seen->recipients.at(0).now) || (*opened)->load(id_of(n)));
            count += is_kept && has_body ? 0 : 1;
        }
        // A batch is all or nothing.
        for (std::uint32_t n = 1; n <= 18; n += 2) {
            const bool first = (*opened)->view(id_of(n)).has_value();
            const bool second = (*opened)->view(id_of(n + 1)).has_value();
            EXPECT_EQ(first, second) << n;
        }
        return count;
    }

    // The ledger's transactions are not synced: all since the last checkpoint may be gone.
    void lose_ledger_since_checkpoint() const {
        std::filesystem::remove(options.path + "/ledger.db-wal");
        std::filesystem::remove(options.path + "/ledger.db-shm");
    }

    [[nodiscard]] std::size_t calls_of_a_life() {
        begin_anew();
        (void)live();
        return bad->calls;
    }

    disk_ptr bad;
    std::unique_ptr<estafette::test::temporary_folder> folder;
    config::store_options options;
    local_tuning tuning{
        .segment_size = 4096,
        .kept_segments = 0,
        .sparse_below = everything,
        .flush_changes = 6,
        .rows_per_step = 3,
        .bodies_per_step = 2,
        .checkpoints_apart = false
    };
};

TEST_F(a_store_on_a_bad_disk, lives_without_faults) {
    const auto said = live();
    EXPECT_EQ(said.acknowledged.size(), 18u);
    EXPECT_EQ(broken(said), 0);
    EXPECT_GT(bad->calls, 60u);
}

TEST_F(a_store_on_a_bad_disk, keeps_every_promise_whichever_call_fails_and_never_acknowledges_after_it) {
    const std::size_t calls = calls_of_a_life();
    for (std::size_t n = 1; n <= calls; ++n) {
        SCOPED_TRACE("call " + std::to_string(n));
        begin_anew();
        bad->fail_at = n;
        const auto said = live();
        EXPECT_EQ(said.acknowledged_after_failure, 0u);
        EXPECT_EQ(broken(said), 0);
    }
}

TEST_F(a_store_on_a_bad_disk, takes_mail_again_when_the_disk_was_full_for_a_moment) {
    const std::size_t calls = calls_of_a_life();
    std::size_t all_went_in = 0;
    for (std::size_t n = 1; n <= calls; ++n) {
        SCOPED_TRACE("call " + std::to_string(n));
        begin_anew();
        bad->fail_at = n;
        bad->failure = error_code{ENOSPC, boost::system::system_category()};
        const auto said = live();
        EXPECT_EQ(broken(said), 0);
        all_went_in += said.acknowledged.contains(17) ? 1 : 0;
    }
    EXPECT_GT(all_went_in, 0u);
}

// They only make later syncs faster: the record before them is written.
TEST_F(a_store_on_a_bad_disk, does_without_the_zeros_ahead_of_a_record_where_they_find_no_space) {
    const auto commit = [](engine& store, std::uint32_t n) {
        std::vector<change> one{mail_of{.n = n}};
        return store.commit(one).has_value();
    };
    std::size_t calls = 0;
    for (const bool is_full : {false, true}) {
        begin_anew();
        auto opened = open();
        ASSERT_TRUE(opened.has_value());
        if (is_full) {
            bad->fail_at = calls - 1;  // the last is the sync
            bad->failure = error_code{ENOSPC, boost::system::system_category()};
        }
        EXPECT_TRUE(commit(**opened, 1));
        calls = bad->calls;
        EXPECT_TRUE(commit(**opened, 2));
        EXPECT_FALSE(is_full && calls < bad->fail_at) << "the call failed";
    }
}

// Short of file descriptors where a segment is made: nothing was written, the next time may do.
TEST_F(a_store_on_a_bad_disk, takes_mail_again_when_descriptors_were_short_for_a_moment) {
    const std::size_t calls = calls_of_a_life();
    std::size_t all_went_in = 0;
    for (std::size_t n = 1; n <= calls; ++n) {
        SCOPED_TRACE("call " + std::to_string(n));
        begin_anew();
        bad->fail_at = n;
        bad->failure = error_code{EMFILE, boost::system::system_category()};
        const auto said = live();
        EXPECT_EQ(said.acknowledged_after_failure, 0u);
        EXPECT_EQ(broken(said), 0);
        all_went_in += said.acknowledged.contains(17) ? 1 : 0;
    }
    EXPECT_GT(all_went_in, 0u);
}

TEST_F(a_store_on_a_bad_disk, keeps_every_promise_when_the_power_goes_at_any_call) {
    const std::size_t calls = calls_of_a_life();
    std::mt19937 random{7};
    for (std::size_t n = 1; n <= calls; ++n) {
        SCOPED_TRACE("call " + std::to_string(n));
        begin_anew();
        bad->fail_at = n;
        bad->fails_for_good = true;
        const auto said = live();
        const auto odds = n % 3;  // nothing unsynced reaches the disk, all of it, or some sectors
        bad->lose_power([&] { return odds == 0 ? false : odds == 1 || random() % 2 == 0; });
        if (n % 2 == 0) {
            lose_ledger_since_checkpoint();
        }
        EXPECT_EQ(broken(said), 0);
    }
}

// Rounds in which the harness saw a broken promise.
TEST_F(a_store_on_a_bad_disk, control_without_the_sync_of_records_loses_mail) {
    int seen = 0;
    for (std::size_t n = 10; n <= 60; n += 5) {
        begin_anew();
        bad->ignores_sync = true;
        bad->fail_at = n;
        bad->fails_for_good = true;
        const auto said = live();
        bad->lose_power([] { return false; });
        seen += broken(said) != 0 ? 1 : 0;
    }
    EXPECT_GT(seen, 0);
}

TEST_F(a_store_on_a_bad_disk, control_without_the_sync_of_the_folder_loses_mail) {
    int seen = 0;
    for (std::size_t n = 10; n <= 60; n += 5) {
        begin_anew();
        bad->ignores_folder_sync = true;
        bad->fail_at = n;
        bad->fails_for_good = true;
        const auto said = live();
        bad->lose_power([] { return true; });
        seen += broken(said) != 0 ? 1 : 0;
    }
    EXPECT_GT(seen, 0);
}

// Damage that no crash explains is refused, with the file and the offset.
TEST_F(a_store_on_a_bad_disk, refuses_a_journal_that_is_damaged_or_incomplete) {
    tuning = {.segment_size = 8192, .kept_segments = 100, .flush_changes = 1000};
    const auto journal = [this]() -> disk::folder& { return bad->folders[options.path + "/journal"]; };
    const auto first = [&]() -> std::string& { return journal().begin()->second->written; };
    const std::vector<std::pair<const char*, std::function<void()>>> damages{
        {"a bit in the middle of a record", [&] { first()[1000] ^= 1; }},
        {"a bit in a header", [&] { first()[20] ^= 1; }},
        {"a missing first segment", [&] { journal().erase(journal().begin()); }},
        {"a missing segment in between", [&] { journal().erase(std::next(journal().begin())); }},
        {"a segment cut off", [&] { first().resize(3000); }},
        {"a segment under another's name",
         [&] { std::swap(first(), std::next(journal().begin())->second->written); }},
    };
    for (const auto& [what, damage] : damages) {
        SCOPED_TRACE(what);
        begin_anew();
        {
            auto opened = open();
            ASSERT_TRUE(opened.has_value());
            for (std::uint32_t n = 1; n <= 30; ++n) {
                std::vector<change> one{mail_of{.n = n, .body = std::string(900, 'b')}};
                ASSERT_TRUE((*opened)->commit(one).has_value());
            }
        }
        ASSERT_GT(journal().size(), 2u);
        damage();
        const auto opened = open();
        ASSERT_FALSE(opened.has_value());
        EXPECT_EQ(opened.error().code, errc::store_damaged);
        const std::string& said = opened.error().problem;
        EXPECT_TRUE(
            said.find(".segment: damaged at offset ") != std::string::npos ||
            said.find("/journal: segment 1 is missing") != std::string::npos
        ) << said;
    }
}

}  // namespace
}  // namespace estafette::store
