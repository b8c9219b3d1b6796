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

}  // namespace
}  // namespace estafette::store
