// What comes back after the mail has left, over every engine.
#include "store_fixture.hpp"

namespace estafette::store {
namespace {

using namespace test;

class a_report_later : public testing::TestWithParam<const char*> {
protected:
    store_of store{GetParam()};

    void reopen() {
        if (store.is_durable()) {
            ASSERT_TRUE(store->settle());
            store.open();
        }
    }
};

INSTANTIATE_TEST_SUITE_P(
    of_kind,
    a_report_later,
    testing::Values("memory", "local", "local_in_small_steps"),
    [](const auto& kind) { return std::string{kind.param}; }
);

TEST_P(a_report_later, keeps_what_a_report_said_word_by_word) {
    store.commit({mail_of{}});
    store.commit({relayed(rcpt(1), 10)});
    corrected report{rcpt(1), at(99), finding::delayed, {}, "mx.customer.example", "delayed: full", "a\nb"};
    report.judged = try_of(99, verdict::disposition::retry, verdict::reason::mailbox_full).judged;
    store.commit({report});
    reopen();
    const message_view seen = store->view(id_of(1)).value();
    const event& e = seen.timeline.back();
    EXPECT_EQ(e.type, "delayed");
    EXPECT_EQ(e.now, state::relayed);
    EXPECT_EQ(e.by, report.by);
    EXPECT_EQ(e.text, report.text);
    EXPECT_EQ(e.evidence, report.evidence);
    ASSERT_TRUE(e.judged.has_value());
    EXPECT_EQ(e.judged->why, verdict::reason::mailbox_full);
    EXPECT_EQ(e.judged->rule, report.judged.rule);
    EXPECT_FALSE(e.what.has_value());
    EXPECT_EQ(seen.recipients.front().why, verdict::reason::mailbox_full);
    EXPECT_EQ(seen.recipients.front().last->code, 250);
    EXPECT_EQ(store.commit({report}), effects{false});
}

TEST_P(a_report_later, finds_a_message_by_a_foreign_message_id) {
    store.commit({mail_of{.n = 1}, mail_of{.n = 2}});
    reopen();
    EXPECT_EQ(store->find_by_header("<2@vendor.example>").value(), std::vector{id_of(2)});
    EXPECT_TRUE(store->find_by_header("<3@vendor.example>").value().empty());
    EXPECT_TRUE(store->find_by_header("").value().empty());
}

suppressed line_for(const char* address, const char* tenant = "acme") {
    return {
        tenant_id{tenant},
        address,
        at(5),
        at(500),
        suppression_cause::complaint,
        "mx.customer.example",
        "complaint"
    };
}

TEST_P(a_report_later, puts_an_address_on_its_tenants_list_and_takes_it_off) {
    EXPECT_EQ(store.commit({line_for("a@x.example")}), effects{true});
    EXPECT_EQ(store.commit({line_for("a@x.example")}), effects{false});
    auto changed = line_for("a@x.example");
    changed.until.reset();
    changed.why = suppression_cause::manual;
    EXPECT_EQ(store.commit({changed}), effects{true});
    reopen();
    const std::vector<std::string> wanted{"a@x.example", "b@x.example"};
    const auto found = store->find_suppressed(tenant_id{"acme"}, wanted).value();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(
        found[0],
        (suppression{
            tenant_id{"acme"},
            "a@x.example",
            at(5),
            std::nullopt,
            suppression_cause::manual,
            "mx.customer.example",
            "complaint"
        })
    );
    EXPECT_TRUE(store->find_suppressed(tenant_id{"globex"}, wanted)->empty());
    EXPECT_EQ(
        store.commit({unsuppressed{tenant_id{"globex"}, "a@x.example", at(6), "uid 0"}}), effects{false}
    );
    EXPECT_EQ(store.commit({unsuppressed{tenant_id{"acme"}, "a@x.example", at(6), "uid 0"}}), effects{true});
    EXPECT_EQ(store.commit({unsuppressed{tenant_id{"acme"}, "a@x.example", at(7), "uid 0"}}), effects{false});
    reopen();
    EXPECT_TRUE(store->find_suppressed(tenant_id{"acme"}, wanted)->empty());
}

TEST_P(a_report_later, pages_through_the_lists) {
    std::vector<change> lines;
    for (const char* address : {"a@x", "b@x", "c@x"}) {
        lines.emplace_back(line_for(address));
        lines.emplace_back(line_for(address, "globex"));
    }
    store.commit(lines);
    reopen();
    std::vector<std::string> all;
    suppression_query q;
    q.limit = 2;
    do {
        const auto page = store->suppressions(q).value();
        EXPECT_LE(page.lines.size(), 2u);
        for (const suppression& line : page.lines) {
            all.push_back(line.tenant.text() + " " + line.address);
        }
        q.cursor = page.next_cursor;
    } while (!q.cursor.empty());
    EXPECT_EQ(
        all,
        (std::vector<std::string>{
            "acme a@x", "acme b@x", "acme c@x", "globex a@x", "globex b@x", "globex c@x"
        })
    );
    q.tenants = {tenant_id{"globex"}};
    q.limit = 100;
    EXPECT_EQ(store->suppressions(q)->lines.size(), 3u);
    q.tenants = {tenant_id{"nobody"}};
    EXPECT_TRUE(store->suppressions(q)->lines.empty());
}

TEST_P(a_report_later, drops_suppressions_whose_time_is_over) {
    auto forever = line_for("for.ever@x");
    forever.until.reset();
    store.commit({line_for("a@x"), forever});
    const auto retention = std::chrono::duration_cast<milliseconds>(config::store_options{}.retention);
    store->purge(at(400) - retention, 10).value();
    EXPECT_EQ(store->suppressions({})->lines.size(), 2u);
    EXPECT_EQ(store->purge(at(600) - retention, 10).value(), 1u);
    reopen();
    const auto left = store->suppressions({})->lines;
    ASSERT_EQ(left.size(), 1u);
    EXPECT_EQ(left[0].address, "for.ever@x");
}

TEST_P(a_report_later, withholds_mail_that_was_never_tried) {
    store.commit({mail_of{}, withheld{rcpt(1), at(1), "on the suppression list"}});
    reopen();
    const auto seen = store->view(id_of(1)).value();
    EXPECT_EQ(seen.recipients.front().now, state::failed);
    EXPECT_EQ(seen.recipients.front().why, verdict::reason::suppressed);
    EXPECT_EQ(seen.recipients.front().note, "on the suppression list");
    EXPECT_EQ(seen.recipients.front().attempts, 0u);
    EXPECT_EQ(seen.timeline.back().type, "failed");
    EXPECT_EQ(seen.timeline.size(), 2u);
    EXPECT_EQ(store.commit({withheld{rcpt(1), at(2), "again"}}), effects{false});
    EXPECT_TRUE(store->waiting()->empty());
}

}  // namespace
}  // namespace estafette::store
