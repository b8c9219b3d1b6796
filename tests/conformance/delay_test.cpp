// Mail that waits for long, over every engine: who is overdue is told once, and nothing else changes.
#include "store_fixture.hpp"

namespace estafette::store {
namespace {

using namespace test;
using ids = std::vector<recipient_id>;

class an_engine_that_waits : public testing::TestWithParam<const char*> {
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
    an_engine_that_waits,
    testing::Values("memory", "local", "local_in_small_steps"),
    [](const auto& kind) { return std::string{kind.param}; }
);

TEST_P(an_engine_that_waits, tells_once_who_is_overdue) {
    store.commit({
        mail_of{.n = 1, .to = {"a@x.example", "b@x.example"}, .accepted = 0, .due = 0},
        mail_of{.n = 2, .accepted = 5, .due = 5},
        mail_of{.n = 3, .accepted = 6, .due = 100},
        mail_of{.n = 4, .accepted = 7, .due = 7},
        mail_of{.n = 5, .accepted = 8, .due = 60},
        mail_of{.n = 6, .accepted = 90, .due = 90},
    });
    store.commit(
        {deferred(rcpt(1, 0), 10, 1000),
         relayed(rcpt(1, 1), 10),
         held{rcpt(4), at(20), verdict::reason::other, "by", "text"}}
    );
    store.commit({deferred(rcpt(5), 61, 2000)});
    const auto overdue = [&](std::int64_t second, std::size_t limit = 10) {
        auto found = store->overdue(at(second), limit).value();
        std::sort(found.begin(), found.end());
        return found;
    };
    reopen();
    EXPECT_EQ(overdue(-1), ids{});
    EXPECT_EQ(overdue(50), (ids{rcpt(1, 0), rcpt(2), rcpt(4)}))
        << "also while a route rests or a person looks";
    EXPECT_EQ(overdue(70), (ids{rcpt(1, 0), rcpt(2), rcpt(4), rcpt(5)})) << "from the time it was meant for";
    EXPECT_EQ(overdue(100).size(), 6u) << "also what was meant for later and never tried";
    EXPECT_EQ(overdue(100, 2).size(), 2u);
    const auto claimed = store.claim(50, 1);
    store.commit({delayed{rcpt(1, 0), at(51)}, delayed{rcpt(2), at(51)}, delayed{rcpt(4), at(51)}});
    reopen();
    EXPECT_EQ(overdue(50), ids{});
    const auto story = store->view(id_of(2))->timeline;
    EXPECT_EQ(story.back().type, "delayed");
    EXPECT_EQ(story.back().now, state::queued);
    EXPECT_EQ(store.recipient(1).next_attempt_at, at(1000)) << "nothing else changed";
}

TEST_P(an_engine_that_waits, keeps_the_claim_of_mail_that_is_delayed) {
    store.commit({mail_of{.n = 1}});
    EXPECT_EQ(store.claim(10, 1).size(), 1u);
    store.commit({delayed{rcpt(1), at(20)}});
    EXPECT_EQ(store.claim(30, 1).size(), 0u) << "a connection has it";
}

TEST_P(an_engine_that_waits, knows_whose_time_is_over_whatever_they_wait_for) {
    constexpr std::int64_t day = 86'400;  // after its acceptance a mail's time is over
    store.commit({
        mail_of{.n = 1, .to = {"a@x.example", "b@x.example"}, .accepted = 10},
        mail_of{.n = 2, .accepted = 5},
        mail_of{.n = 3, .accepted = 20, .due = 100'000},
        mail_of{.n = 4, .accepted = 8},
        mail_of{.n = 5, .accepted = 7},
    });
    store.commit(
        {relayed(rcpt(1, 1), 10),
         deferred(rcpt(2), 10, 2 * day),
         held{rcpt(4), at(20), verdict::reason::other, "by", "text"},
         cancelled{rcpt(5), at(21), "by", "why"}}
    );
    reopen();
    const auto over = [&](std::int64_t second, std::size_t limit = 10) {
        return store->past_expiry(at(second), limit).value();
    };
    EXPECT_EQ(over(day + 4), ids{});
    EXPECT_EQ(over(day + 5), ids{rcpt(2)}) << "at that moment";
    EXPECT_EQ(over(day + 30), (ids{rcpt(2), rcpt(4), rcpt(1, 0), rcpt(3)})) << "the oldest first";
    EXPECT_EQ(over(day + 30, 2), (ids{rcpt(2), rcpt(4)}));
    store.commit({expired{rcpt(2), at(day + 6)}});
    EXPECT_EQ(over(day + 8), ids{rcpt(4)}) << "once";
}

}  // namespace
}  // namespace estafette::store
