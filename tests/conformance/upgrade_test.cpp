// Stores as earlier releases left them, killed: this version opens them, migrates them and finds all.
#include "fixtures/life_0_1.hpp"
#include "support/temporary_folder.hpp"

#include "estafette/store/engine.hpp"
#include "estafette/store/slate.hpp"
#include "estafette/store/tools.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>

namespace estafette::store {
namespace {

using test::life_0_1;

std::int64_t ask(const std::string& path, const char* sql) {
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
    sqlite3_stmt* s = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(db, sql, -1, &s, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    EXPECT_EQ(sqlite3_step(s), SQLITE_ROW);
    const std::int64_t answer = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return answer;
}

class a_store_of_0_1 : public testing::Test {
protected:
    a_store_of_0_1() {
        std::filesystem::copy(
            ESTAFETTE_FIXTURES "/store-0.1/store",
            folder.path("store"),
            std::filesystem::copy_options::recursive
        );
        options.path = folder.path("store");
        options.reserve = 0;
    }

    void open() {
        old.reset();
        options.engine = "local";
        auto opened = open_engine(options);
        ASSERT_TRUE(opened.has_value()) << opened.error().problem;
        old = std::move(*opened);
    }

    // What a store of today makes of the same life.
    void live_again() {
        config::store_options in_memory = options;
        in_memory.engine = "memory";
        now = *open_engine(in_memory);
        for (const auto& stretch : {life_0_1::settled(), life_0_1::followed(), life_0_1::journalled()}) {
            for (const auto& batch : stretch) {
                ASSERT_TRUE(now->commit(batch).has_value());
            }
        }
    }

    estafette::test::temporary_folder folder;
    config::store_options options;
    std::unique_ptr<engine> old;
    std::unique_ptr<engine> now;
};

void expect_equal(const attempt& a, const attempt& b) {
    EXPECT_EQ(a.number, b.number);
    EXPECT_EQ(a.started_at, b.started_at);
    EXPECT_EQ(a.duration, b.duration);
    EXPECT_EQ(a.route, b.route);
    EXPECT_EQ(a.server, b.server);
    EXPECT_EQ(a.tls, b.tls);
    EXPECT_EQ(a.at, b.at);
    EXPECT_EQ(a.judged.what, b.judged.what);
    EXPECT_EQ(a.judged.fault, b.judged.fault);
    EXPECT_EQ(a.judged.why, b.judged.why);
    EXPECT_EQ(a.judged.retry_hint, b.judged.retry_hint);
    EXPECT_EQ(a.judged.certain, b.judged.certain);
    EXPECT_EQ(a.judged.rule, b.judged.rule);
    EXPECT_EQ(a.code, b.code);
    EXPECT_EQ(a.enhanced, b.enhanced);
    EXPECT_EQ(a.text, b.text);
}

void expect_equal(const std::optional<attempt>& a, const std::optional<attempt>& b) {
    ASSERT_EQ(a.has_value(), b.has_value());
    if (a) {
        expect_equal(*a, *b);
    }
}

void expect_equal(const event& a, const event& b) {
    EXPECT_EQ(a.sequence, b.sequence);
    EXPECT_EQ(a.at, b.at);
    EXPECT_EQ(a.type, b.type);
    EXPECT_EQ(a.who, b.who);
    EXPECT_EQ(a.tenant, b.tenant);
    EXPECT_EQ(a.route, b.route);
    EXPECT_EQ(a.now, b.now);
    EXPECT_EQ(a.by, b.by);
    EXPECT_EQ(a.text, b.text);
    expect_equal(a.what, b.what);
}

void expect_equal(const recipient_view& a, const recipient_view& b) {
    EXPECT_EQ(a.id, b.id);
    EXPECT_EQ(a.tenant, b.tenant);
    EXPECT_EQ(a.address, b.address);
    EXPECT_EQ(a.now, b.now);
    EXPECT_EQ(a.attempts, b.attempts);
    EXPECT_EQ(a.accepted_at, b.accepted_at);
    EXPECT_EQ(a.changed_at, b.changed_at);
    EXPECT_EQ(a.next_attempt_at, b.next_attempt_at);
    EXPECT_EQ(a.why, b.why);
    EXPECT_EQ(a.note, b.note);
    expect_equal(a.last, b.last);
}

void expect_equal(const mail::message& a, const mail::message& b) {
    EXPECT_EQ(a.tenant, b.tenant);
    EXPECT_EQ(a.from, b.from);
    EXPECT_EQ(a.to, b.to);
    EXPECT_EQ(a.facts, b.facts);
    EXPECT_EQ(a.subject, b.subject);
    EXPECT_EQ(a.header_message_id, b.header_message_id);
    EXPECT_EQ(a.accepted_at, b.accepted_at);
    EXPECT_EQ(a.due_at, b.due_at);
    EXPECT_EQ(a.expires_at, b.expires_at);
    EXPECT_EQ(a.precedence, b.precedence);
    EXPECT_EQ(a.category, b.category);
    EXPECT_EQ(a.group, b.group);
    EXPECT_EQ(a.key, b.key);
    EXPECT_EQ(a.tags, b.tags);
    EXPECT_EQ(a.metadata, b.metadata);
    EXPECT_EQ(a.require_tls, b.require_tls);
    EXPECT_EQ(a.reports, b.reports);
}

TEST_F(a_store_of_0_1, is_of_the_first_version_and_is_migrated_once_to_this_one) {
    EXPECT_EQ(ask(options.path + "/ledger.db", "PRAGMA user_version"), 1);
    open();
    old.reset();
    const auto today = ask(options.path + "/ledger.db", "PRAGMA user_version");
    EXPECT_GE(today, 1);
    open();
    old.reset();
    EXPECT_EQ(ask(options.path + "/ledger.db", "PRAGMA user_version"), today);
}

TEST_F(a_store_of_0_1, is_checked_and_copied_as_it_is_and_repaired_to_this_version) {
    const auto silently = [](std::string_view, std::uint64_t, std::uint64_t) {};
    const auto whole = check_store(options.path, silently);
    ASSERT_TRUE(whole.has_value()) << whole.error().problem;
    EXPECT_TRUE(whole->findings.empty()) << whole->findings.front().text();
    const auto copy = back_up_store(options.path, folder.path("copy"), silently);
    EXPECT_TRUE(copy.has_value()) << copy.error().problem;
    EXPECT_EQ(ask(folder.path("copy") + "/ledger.db", "PRAGMA user_version"), 1);
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open((options.path + "/ledger.db").c_str(), &db), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(db, "UPDATE tally SET recipients = 99", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
    const auto agrees = [](const auto&) { return true; };
    const auto repaired = repair_store(options.path, life_0_1::at(0), agrees, silently);
    ASSERT_TRUE(repaired.has_value()) << repaired.error().problem;
    EXPECT_TRUE(repaired->lost.empty()) << repaired->lost.front();
    live_again();
    open();
    EXPECT_EQ(old->count()->by_state, now->count()->by_state);
}

// A table that is made new and one that is migrated differ in nothing: their definitions are the same.
TEST_F(a_store_of_0_1, has_the_tables_of_a_new_one_after_it_was_opened) {
    open();
    old.reset();
    config::store_options fresh = options;
    fresh.path = folder.path("fresh");
    ASSERT_TRUE(open_engine(fresh).has_value());
    const auto attach = "ATTACH '" + fresh.path + "/ledger.db' AS fresh";
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open((options.path + "/ledger.db").c_str(), &db), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(db, attach.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_stmt* s = nullptr;
    const char* differences = "SELECT name, sql FROM (SELECT type, name, sql FROM main.sqlite_schema EXCEPT"
                              " SELECT type, name, sql FROM fresh.sqlite_schema) UNION ALL"
                              " SELECT name, sql FROM (SELECT type, name, sql FROM fresh.sqlite_schema EXCEPT"
                              " SELECT type, name, sql FROM main.sqlite_schema)";
    ASSERT_EQ(sqlite3_prepare_v2(db, differences, -1, &s, nullptr), SQLITE_OK);
    while (sqlite3_step(s) == SQLITE_ROW) {
        ADD_FAILURE() << reinterpret_cast<const char*>(sqlite3_column_text(s, 0));
    }
    sqlite3_finalize(s);
    sqlite3_close(db);
}

TEST_F(a_store_of_0_1, has_every_message_with_its_recipients_timeline_and_content) {
    open();
    live_again();
    for (std::uint32_t n = 1; n <= life_0_1::messages; ++n) {
        SCOPED_TRACE("message " + std::to_string(n));
        const auto a = old->view(life_0_1::id(n));
        const auto b = now->view(life_0_1::id(n));
        ASSERT_TRUE(a.has_value() && b.has_value());
        expect_equal(a->message, b->message);
        ASSERT_EQ(a->recipients.size(), b->recipients.size());
        for (std::size_t i = 0; i < a->recipients.size(); ++i) {
            expect_equal(a->recipients[i], b->recipients[i]);
        }
        ASSERT_EQ(a->timeline.size(), b->timeline.size());
        for (std::size_t i = 0; i < a->timeline.size(); ++i) {
            expect_equal(a->timeline[i], b->timeline[i]);
        }
        const auto content = old->load(life_0_1::id(n));
        const auto expected = now->load(life_0_1::id(n));
        ASSERT_EQ(content.has_value(), expected.has_value());
        if (content) {
            EXPECT_EQ(*(*content)->body, life_0_1::body(n));
        }
    }
    EXPECT_EQ(old->count()->by_state, now->count()->by_state);
    EXPECT_EQ(old->count()->oldest_due, now->count()->oldest_due);
}

TEST_F(a_store_of_0_1, has_its_events_pauses_keys_and_what_is_due) {
    open();
    live_again();
    const auto a = old->events(0, 1000).value(), b = now->events(0, 1000).value();
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        expect_equal(a[i], b[i]);
    }
    const auto paused = old->pauses().value();
    ASSERT_EQ(paused.size(), 1u);
    EXPECT_EQ(paused[0].what, pause_target::of(route_id{"tenant:acme"}));
    EXPECT_EQ(paused[0].why, verdict::reason::tls_failed);
    EXPECT_EQ(paused[0].until, life_0_1::at(465));
    const std::vector<std::tuple<const char*, const char*, std::uint32_t>> keys{
        {"globex", "key of two", 2}, {"acme", "key of fourteen", 14}, {"acme", "key of sixteen", 16}
    };
    for (const auto& [tenant, key, n] : keys) {
        const auto found = old->find_idempotent(tenant_id{tenant}, key).value();
        ASSERT_TRUE(found.has_value()) << key;
        EXPECT_EQ(found->message, life_0_1::id(n));
        EXPECT_EQ(found->digest, std::string(32, static_cast<char>('a' + n)));
    }
    std::size_t due = 0;
    for (const auto& line : old->waiting().value()) {
        due += old->claim_due(line.tenant, line.precedence, life_0_1::at(1'000'000), 100)->size();
    }
    EXPECT_EQ(due, 10u);  // messages 2, 3, 4.2, 5, 11, 12, 13, 16, 17, 18.0; 1 is due later
}

// The states themselves, so that a mistake of both stores is seen.
TEST_F(a_store_of_0_1, has_mail_in_every_state) {
    open();
    const std::vector<std::tuple<std::uint32_t, std::uint32_t, state>> known{
        {1, 0, state::scheduled}, {1, 1, state::scheduled}, {2, 0, state::queued},
        {3, 0, state::deferred},  {4, 0, state::relayed},   {4, 1, state::failed},
        {4, 2, state::deferred},  {5, 0, state::queued},    {6, 0, state::relayed},
        {7, 0, state::delivered}, {8, 0, state::failed},    {9, 0, state::cancelled},
        {10, 0, state::failed},   {11, 0, state::queued},   {12, 0, state::scheduled},
        {13, 0, state::deferred}, {14, 0, state::relayed},  {15, 0, state::held},
        {16, 0, state::queued},   {17, 0, state::queued},   {18, 0, state::queued},
        {18, 1, state::failed},
    };
    for (const auto& [n, place, expected] : known) {
        EXPECT_EQ(old->view(life_0_1::id(n))->recipients.at(place).now, expected) << n << "." << place;
    }
    query doubtful;
    doubtful.uncertain_only = true;
    const auto found = old->find(doubtful).value();
    ASSERT_EQ(found.recipients.size(), 1u);
    EXPECT_EQ(found.recipients[0].id, life_0_1::rcpt(6));
}

TEST_F(a_store_of_0_1, has_a_slate_that_names_the_mail_in_doubt) {
    const auto marks = slate::open(options.path + "/slate", 16);
    ASSERT_TRUE(marks.has_value());
    EXPECT_EQ(marks->in_doubt(), std::vector{life_0_1::rcpt(life_0_1::in_doubt)});
}

TEST_F(a_store_of_0_1, goes_on_its_journal_moves_to_the_ledger_and_new_mail_is_taken) {
    open();
    old.reset();
    open();
    for (int step = 0; step < 100 && old->settle().value() != settled::all; ++step) {
    }
    const std::vector<change> more{
        life_0_1::relayed(life_0_1::rcpt(16), 1000), life_0_1::relayed(life_0_1::rcpt(1, 1), 1001)
    };
    EXPECT_EQ(old->commit(more).value(), (effects{true, true}));
    open();
    EXPECT_EQ(old->view(life_0_1::id(16))->recipients[0].now, state::relayed);
    for (const std::uint32_t n : {1u, 3u, 12u, 17u}) {
        EXPECT_EQ(*old->load(life_0_1::id(n)).value()->body, life_0_1::body(n));
    }
}

}  // namespace
}  // namespace estafette::store
