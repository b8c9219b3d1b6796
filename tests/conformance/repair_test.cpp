// What repair leaves: a store that starts, has everything that could be read, and loses only what it named.
#include "killed_store.hpp"

#include <functional>
#include <set>

namespace estafette::store {
namespace {

using test::killed_store;
using test::life_0_1;

constexpr auto silently = [](std::string_view, std::uint64_t, std::uint64_t) {};
constexpr auto yes = [](const std::vector<damage>&) { return true; };

repair_report repair(const killed_store& s) {
    auto done = repair_store(s.options.path, life_0_1::at(1'000'000), yes, silently);
    EXPECT_TRUE(done.has_value()) << done.error().problem;
    return done ? std::move(*done) : repair_report{};
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) {
        text += line + "\n";
    }
    return text;
}

// Every message of the life that is not as it was, by number.
std::set<std::uint32_t> affected(engine& before, engine& after) {
    std::set<std::uint32_t> changed;
    for (std::uint32_t n = 1; n <= life_0_1::messages; ++n) {
        const auto a = before.view(life_0_1::id(n)), b = after.view(life_0_1::id(n));
        if (!b) {
            changed.insert(n);
            continue;
        }
        for (std::size_t i = 0; i < a->recipients.size(); ++i) {
            const recipient_view &was = a->recipients[i], &is = b->recipients.at(i);
            const bool is_same = was.now == is.now && was.attempts == is.attempts && was.note == is.note &&
                                 was.next_attempt_at == is.next_attempt_at && was.why == is.why &&
                                 was.last.has_value() == is.last.has_value();
            if (!is_same) {
                changed.insert(n);
            } else if (!is_final(is.now) && *after.load(life_0_1::id(n)).value()->body != life_0_1::body(n)) {
                changed.insert(n);
            }
        }
        if (a->timeline.size() != b->timeline.size()) {
            changed.insert(n);
        }
    }
    return changed;
}

void every_affected_message_is_named(const char* what, const std::function<void(killed_store&)>& break_it) {
    SCOPED_TRACE(what);
    killed_store whole, s;
    break_it(s);
    const auto files = std::distance(
        std::filesystem::recursive_directory_iterator{s.options.path},
        std::filesystem::recursive_directory_iterator{}
    );
    const repair_report done = repair(s);
    EXPECT_FALSE(done.findings.empty());
    EXPECT_GE(
        std::distance(
            std::filesystem::recursive_directory_iterator{s.options.path},
            std::filesystem::recursive_directory_iterator{}
        ),
        files
    ) << "something was deleted";
    EXPECT_EQ(joined(s.findings()), "");
    const auto after = s.open(), before = whole.open();
    ASSERT_TRUE(after && before);
    const std::string lost = joined(done.lost);
    const bool is_said_in_general = lost.find("nothing of it can be told") != std::string::npos ||
                                    lost.find("rows of the table") != std::string::npos ||
                                    lost.find("only its recipient is left") != std::string::npos ||
                                    lost.find("the ledger") != std::string::npos;
    for (const std::uint32_t n : affected(*before, *after)) {
        EXPECT_TRUE(is_said_in_general || lost.find(life_0_1::id(n).text()) != std::string::npos)
            << n << " was not named in\n"
            << lost;
    }
    // It goes on.
    const std::vector<change> more{life_0_1::mail(99)};
    EXPECT_EQ(after->commit(more).value(), effects{true});
    EXPECT_EQ(*after->load(life_0_1::id(99)).value()->body, life_0_1::body(99));
}

TEST(repair_of_a_store, loses_only_what_it_names_whatever_file_was_damaged) {
    const std::vector<std::pair<const char*, std::function<void(killed_store&)>>> damages{
        {"an older segment's record", [](auto& s) { s.flip(s.segments().front(), 200); }},
        {"a newest segment's record", [](auto& s) { s.flip(s.segments().back(), 500); }},
        {"a segment's magic", [](auto& s) { s.flip(s.segments().front(), 1); }},
        {"a segment's salt", [](auto& s) { s.flip(s.segments().back(), 33); }},
        {"much of a segment's header",
         [](auto& s) {
             for (std::size_t at = 0; at < 60; at += 3) {
                 s.flip(s.segments().back(), at);
             }
         }},
        {"a segment that ends early",
         [](auto& s) { std::filesystem::resize_file(s.segments().front(), 3000); }},
        {"a missing segment", [](auto& s) { std::filesystem::remove(s.segments().front()); }},
        {"a missing newest segment", [](auto& s) { std::filesystem::remove(s.segments().back()); }},
        {"a missing journal", [](auto& s) { std::filesystem::remove_all(s.options.path + "/journal"); }},
        {"the ledger's header",
         [](auto& s) {
             s.execute("PRAGMA wal_checkpoint(TRUNCATE)");
             s.flip(s.ledger(), 5);
         }},
        {"a ledger that ends early",
         [](auto& s) {
             s.execute("PRAGMA wal_checkpoint(TRUNCATE)");
             std::filesystem::resize_file(s.ledger(), 40'000);
         }},
        {"a missing ledger",
         [](auto& s) {
             for (const char* end : {"", "-wal", "-shm"}) {
                 std::filesystem::remove(s.ledger() + end);
             }
         }},
        {"the slate", [](auto& s) { s.flip(s.options.path + "/slate", 2); }},
        {"contents", [](auto& s) { s.execute("DELETE FROM body"); }},
        {"a recipient's state",
         [](auto& s) { s.execute("UPDATE recipient SET state = 9 WHERE no = 1 << 16"); }},
        {"a message row", [](auto& s) { s.execute("DELETE FROM message WHERE no = 2"); }},
        {"a recipient row", [](auto& s) { s.execute("DELETE FROM recipient WHERE no = (4 << 16) + 1"); }},
    };
    for (const auto& [what, break_it] : damages) {
        every_affected_message_is_named(what, break_it);
    }
}

TEST(repair_of_a_store, mends_a_wrong_tally_and_loses_nothing) {
    killed_store whole, s;
    s.execute("UPDATE tally SET recipients = recipients + 3 WHERE name = 'held'");
    const auto done = repair(s);
    EXPECT_EQ(joined(done.lost), "");
    const auto after = s.open(), before = whole.open();
    EXPECT_EQ(affected(*before, *after), std::set<std::uint32_t>{});
    EXPECT_EQ(after->count()->by_state, before->count()->by_state);
}

TEST(repair_of_a_store, recovers_a_segment_whose_header_alone_is_damaged) {
    killed_store whole, s;
    s.flip(s.segments().back(), 41);
    EXPECT_EQ(joined(repair(s).lost), "");
    EXPECT_EQ(affected(*whole.open(), *s.open()), std::set<std::uint32_t>{});
}

TEST(repair_of_a_store, does_nothing_without_consent_and_nothing_to_a_whole_one) {
    killed_store untouched, s;
    const auto whole = repair_store(untouched.options.path, life_0_1::at(0), yes, silently);
    EXPECT_TRUE(whole->findings.empty() && whole->aside.empty());
    s.flip(s.segments().front(), 1);
    const auto asked = [](const std::vector<damage>& found) {
        EXPECT_FALSE(found.empty());
        return false;
    };
    const auto refused = repair_store(s.options.path, life_0_1::at(0), asked, silently);
    EXPECT_TRUE(refused->aside.empty());
    EXPECT_NE(s.refusal(), "");
}

TEST(backup_of_a_store, has_all_of_one_that_rests_or_was_killed) {
    killed_store whole, s;
    const auto done = back_up_store(s.options.path, s.folder.path("copy"), silently);
    ASSERT_TRUE(done.has_value()) << done.error().problem;
    s.options.path = s.folder.path("copy");
    EXPECT_EQ(affected(*whole.open(), *s.open()), std::set<std::uint32_t>{});
}

TEST(backup_of_a_store, takes_the_secret_of_return_paths_along_for_its_owner_only) {
    killed_store s;
    std::ofstream{s.options.path + "/verp.secret"} << "secret\n";
    ASSERT_TRUE(back_up_store(s.options.path, s.folder.path("copy"), silently).has_value());
    const std::string copied = s.folder.path("copy/verp.secret");
    std::ifstream in{copied};
    std::string text;
    std::getline(in, text);
    EXPECT_EQ(text, "secret");
    const auto mode = std::filesystem::status(copied).permissions();
    EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

// Under way: mail comes in and is tried, the journal rolls, bodies move, segments go, while copies are
// made one after the other. What was acknowledged before a copy began is in it.
TEST(backup_of_a_store, has_what_was_acknowledged_before_it_began_while_the_store_works) {
    killed_store s;
    const local_tuning busy{
        .segment_size = 4096,
        .kept_segments = 0,
        .flush_changes = 2,
        .bodies_per_step = 4,
        .checkpoints_apart = false
    };
    const auto store = *open_local_engine(s.options, make_disk_files(), busy);
    std::uint32_t n = 100;
    for (int copy = 0; copy < 12; ++copy) {
        const std::string to = s.folder.path("copy" + std::to_string(copy));
        const std::uint32_t acknowledged = n;
        // The store goes on at every step of the copy.
        const auto work = [&](std::string_view what, std::uint64_t, std::uint64_t) {
            if (n >= acknowledged + 12 || what == "messages" || what == "recipients") {
                return;
            }
            ++n;
            const std::vector<change> batch{life_0_1::mail(n), life_0_1::deferred(life_0_1::rcpt(n), n)};
            EXPECT_TRUE(store->commit(batch).has_value());
            if (n % 3 == 0) {
                const std::vector<change> end{life_0_1::relayed(life_0_1::rcpt(n - 1), n)};
                EXPECT_TRUE(store->commit(end).has_value());
            }
            for (int step = 0; step < 6; ++step) {
                (void)store->settle();
            }
        };
        const auto done = back_up_store(s.options.path, to, work);
        ASSERT_TRUE(done.has_value()) << done.error().problem;
        config::store_options options = s.options;
        options.path = to;
        auto opened = open_local_engine(options, make_disk_files(), busy);
        ASSERT_TRUE(opened.has_value()) << opened.error().problem;
        for (std::uint32_t m = 101; m <= acknowledged; ++m) {
            const auto found = (*opened)->view(life_0_1::id(m));
            ASSERT_TRUE(found.has_value()) << m;
            if (!is_final(found->recipients[0].now)) {
                const auto content = (*opened)->load(life_0_1::id(m));
                ASSERT_TRUE(content.has_value()) << m;
                EXPECT_EQ(*(*content)->body, life_0_1::body(m));
            }
        }
    }
    for (int step = 0; step < 1000 && store->settle().value() != settled::all; ++step) {
    }
    EXPECT_LE(s.segments().size(), 2u) << "no copy keeps segments from going for good";
}

TEST(backup_of_a_store, is_refused_for_a_damaged_store_and_for_a_folder_with_something_in_it) {
    killed_store s;
    std::filesystem::create_directories(s.folder.path("full/of/things"));
    EXPECT_EQ(back_up_store(s.options.path, s.folder.path("full"), silently).error().code, errc::conflict);
    s.flip(s.segments().front(), 200);
    EXPECT_EQ(
        back_up_store(s.options.path, s.folder.path("copy"), silently).error().code, errc::store_damaged
    );
}

}  // namespace
}  // namespace estafette::store
