// From one store to another by JSON lines and .eml files: everything arrives as it was, once.
#include "killed_store.hpp"

#include "estafette/store/export_format.hpp"

namespace estafette::store {
namespace {

using test::killed_store;
using test::life_0_1;

constexpr auto silently = [](std::string_view, std::uint64_t, std::uint64_t) {};

std::unique_ptr<engine> open(const std::string& path) {
    config::store_options options;
    options.engine = "local";
    options.path = path;
    options.reserve = 0;
    auto opened = open_engine(options);
    EXPECT_TRUE(opened.has_value()) << opened.error().problem;
    return opened ? std::move(*opened) : nullptr;
}

bool waits(const message_view& v) {
    return std::any_of(v.recipients.begin(), v.recipients.end(), [](const recipient_view& r) {
        return !is_final(r.now);
    });
}

void expect_equal(engine& old, engine& now, std::uint32_t n) {
    const auto a = old.view(life_0_1::id(n)), b = now.view(life_0_1::id(n));
    ASSERT_TRUE(a && b) << n;
    EXPECT_EQ(a->message.to, b->message.to);
    EXPECT_EQ(a->message.header_message_id, b->message.header_message_id);
    EXPECT_EQ(a->message.due_at, b->message.due_at);
    EXPECT_EQ(a->message.metadata, b->message.metadata);
    for (std::size_t i = 0; i < a->recipients.size(); ++i) {
        const recipient_view &was = a->recipients[i], &is = b->recipients.at(i);
        EXPECT_EQ(was.now, is.now) << n << "." << i;
        EXPECT_EQ(was.attempts, is.attempts);
        EXPECT_EQ(was.why, is.why);
        EXPECT_EQ(was.note, is.note);
        EXPECT_EQ(was.changed_at, is.changed_at);
        EXPECT_EQ(was.next_attempt_at, is.next_attempt_at) << n << "." << i;
        EXPECT_EQ(was.last.has_value(), is.last.has_value());
    }
    ASSERT_EQ(a->timeline.size(), b->timeline.size()) << n;
    for (std::size_t i = 0; i < a->timeline.size(); ++i) {
        EXPECT_EQ(a->timeline[i].type, b->timeline[i].type);
        EXPECT_EQ(a->timeline[i].at, b->timeline[i].at);
        EXPECT_EQ(a->timeline[i].text, b->timeline[i].text);
    }
    if (waits(*a)) {
        EXPECT_EQ(*now.load(life_0_1::id(n)).value()->body, life_0_1::body(n));
    }
}

TEST(an_export, is_taken_by_another_store_as_it_was_and_once) {
    killed_store s;
    const std::string folder = s.folder.path("export"), other = s.folder.path("other");
    const auto written = export_store(s.options.path, folder, {}, silently);
    ASSERT_TRUE(written.has_value()) << written.error().problem;
    EXPECT_EQ(written->messages, life_0_1::messages);
    const auto first = import_store(other, folder, import_scope::everything, silently);
    ASSERT_TRUE(first.has_value()) << first.error().problem;
    EXPECT_EQ(first->taken, life_0_1::messages);
    const auto again = import_store(other, folder, import_scope::everything, silently);
    EXPECT_EQ(again->taken, 0u);
    EXPECT_EQ(again->known, life_0_1::messages);
    const auto old = s.open(), now = open(other);
    for (std::uint32_t n = 1; n <= life_0_1::messages; ++n) {
        expect_equal(*old, *now, n);
    }
    EXPECT_EQ(old->count()->by_state, now->count()->by_state);
    const auto key = now->find_idempotent(tenant_id{"acme"}, "key of sixteen").value();
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(key->message, life_0_1::id(16));
}

TEST(an_export, has_lines_for_other_programs_to_read) {
    killed_store s;
    const std::string folder = s.folder.path("export");
    ASSERT_TRUE(export_store(s.options.path, folder, {tenant_id{"initech"}}, silently).has_value());
    const std::string line = killed_store::content(folder + "/messages.ndjson");
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
    for (const char* part :
         {"\"tenant\":\"initech\"",
          "\"from\":\"badges@vendor.example\"",
          "\"state\":\"scheduled\"",
          "\"next_attempt_at\":\"2026-10-01T"}) {
        EXPECT_NE(line.find(part), std::string::npos) << part << " in " << line;
    }
}

TEST(an_export, gives_what_waits_unless_all_is_asked_for) {
    killed_store s;
    const std::string folder = s.folder.path("export"), other = s.folder.path("other");
    ASSERT_TRUE(export_store(s.options.path, folder, {}, silently).has_value());
    const auto done = import_store(other, folder, import_scope::what_waits, silently);
    ASSERT_TRUE(done.has_value()) << done.error().problem;
    const auto old = s.open(), now = open(other);
    std::uint64_t waiting = 0;
    for (std::uint32_t n = 1; n <= life_0_1::messages; ++n) {
        const bool is_there = now->view(life_0_1::id(n)).has_value();
        EXPECT_EQ(is_there, waits(old->view(life_0_1::id(n)).value())) << n;
        waiting += is_there ? 1 : 0;
    }
    EXPECT_EQ(done->taken, waiting);
    EXPECT_EQ(done->done, life_0_1::messages - waiting);
}

TEST(an_export, can_be_of_one_tenant_while_the_store_is_in_use) {
    killed_store s;
    const auto store = s.open();
    const std::string folder = s.folder.path("export");
    const auto written = export_store(s.options.path, folder, {tenant_id{"globex"}}, silently);
    ASSERT_TRUE(written.has_value()) << written.error().problem;
    EXPECT_EQ(written->messages, 2u);
    EXPECT_TRUE(std::filesystem::exists(folder + "/bodies/" + life_0_1::id(2).text() + ".eml"));
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
        EXPECT_NE(entry.path().filename().string().substr(0, 8), "snapshot");
    }
}

TEST(an_export, without_a_content_that_waits_is_refused_with_the_line) {
    killed_store s;
    const std::string folder = s.folder.path("export");
    ASSERT_TRUE(export_store(s.options.path, folder, {}, silently).has_value());
    std::filesystem::remove(folder + "/bodies/" + life_0_1::id(2).text() + ".eml");
    const auto done = import_store(s.folder.path("other"), folder, import_scope::what_waits, silently);
    ASSERT_FALSE(done.has_value());
    EXPECT_NE(done.error().problem.find("messages.ndjson:"), std::string::npos);
    EXPECT_NE(done.error().problem.find(life_0_1::id(2).text()), std::string::npos);
}

TEST(a_line_of_an_export, is_refused_where_it_is_none_of_ours) {
    for (const char* line :
         {"",
          "{}",
          "[1]",
          R"({"restore":"","content":"","waits":true})",
          R"({"restore":"AAAA","content":"","waits":true})",
          R"({"restore":"AAAAAA==","content":"","waits":true})",
          R"({"restore":"AQAAAP8=","content":"","waits":true})"}) {
        EXPECT_FALSE(parse_line(line).has_value()) << line;
    }
    EXPECT_EQ(parse_line(std::string(longest_export_line + 1, ' ')).error(), errc::too_large);
}

}  // namespace
}  // namespace estafette::store
