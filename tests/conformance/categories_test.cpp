// Kinds of mail that are switched off, over every engine.
#include "store_fixture.hpp"

namespace estafette::store {
namespace {

using namespace test;

class categories_of_an_engine : public testing::TestWithParam<const char*> {
protected:
    store_of store{GetParam()};

    void reopen() {
        if (store.is_durable()) {
            ASSERT_TRUE(store->settle());
            store.open();
        }
    }

    static change off(std::string category, std::int64_t second, std::optional<wall_time> until = {}) {
        return category_off{tenant_id{"acme"}, std::move(category), at(second), until, "uid 0", "too many"};
    }

    static change on(std::string category, std::int64_t second) {
        return category_on{tenant_id{"acme"}, std::move(category), at(second), "uid 0"};
    }
};

INSTANTIATE_TEST_SUITE_P(
    of_kind,
    categories_of_an_engine,
    testing::Values("memory", "local", "local_in_small_steps"),
    [](const auto& kind) { return std::string{kind.param}; }
);

TEST_P(categories_of_an_engine, are_listed_with_everything_that_was_said) {
    EXPECT_EQ(store.commit({off("surveys", 1), off("reminders", 2, at(900))}), (effects{true, true}));
    for (int round = 0; round < 2; ++round) {
        const auto listed = store->categories_off().value();
        ASSERT_EQ(listed.size(), 2u);
        EXPECT_EQ(listed[0].category, "reminders");
        EXPECT_EQ(listed[0].until, at(900));
        EXPECT_EQ(listed[1].category, "surveys");
        EXPECT_EQ(listed[1].tenant, tenant_id{"acme"});
        EXPECT_EQ(listed[1].since, at(1));
        EXPECT_EQ(listed[1].until, std::nullopt);
        EXPECT_EQ(listed[1].by, "uid 0");
        EXPECT_EQ(listed[1].why, "too many");
        reopen();
    }
}

TEST_P(categories_of_an_engine, are_switched_on_once) {
    store.commit({off("surveys", 1)});
    EXPECT_EQ(
        store.commit({on("surveys", 2), on("surveys", 3), on("reminders", 3)}), (effects{true, false, false})
    );
    EXPECT_TRUE(store->categories_off()->empty());
    reopen();
    EXPECT_TRUE(store->categories_off()->empty());
    EXPECT_EQ(store.commit({on("surveys", 4)}), effects{false});
}

TEST_P(categories_of_an_engine, keep_the_time_at_which_they_were_switched_off_first) {
    store.commit({off("surveys", 1)});
    reopen();
    store.commit({off("surveys", 5, at(60))});
    const auto listed = store->categories_off().value();
    ASSERT_EQ(listed.size(), 1u);
    EXPECT_EQ(listed[0].since, at(1));
    EXPECT_EQ(listed[0].until, at(60));
}

TEST_P(categories_of_an_engine, are_events_of_the_tenant) {
    store.commit({off("surveys", 1), on("surveys", 2)});
    reopen();
    const auto events = store->events(0, 10).value();
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].type, "category_off");
    EXPECT_EQ(events[0].tenant, tenant_id{"acme"});
    EXPECT_EQ(events[0].text, "surveys: too many");
    EXPECT_TRUE(events[0].who.message.is_null());
    EXPECT_EQ(events[1].type, "category_on");
    EXPECT_EQ(events[1].by, "uid 0");
}

}  // namespace
}  // namespace estafette::store
