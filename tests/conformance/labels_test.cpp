// What waits under a caller's key or group, over every engine.
#include "store_fixture.hpp"

namespace estafette::store {
namespace {

using namespace test;

class labels_of_an_engine : public testing::TestWithParam<const char*> {
protected:
    store_of store{GetParam()};

    std::vector<recipient_id> waiting(const label_query& q) {
        std::vector<recipient_id> ids;
        const auto found = store->labelled_mail(q);
        EXPECT_TRUE(found.has_value());
        for (const labelled& m : *found) {
            for (const std::uint32_t place : m.waiting) {
                ids.push_back({m.id, place});
            }
        }
        return ids;
    }

    void reopen() {
        if (store.is_durable()) {
            ASSERT_TRUE(store->settle());
            store.open();
        }
    }

    static label_query key(std::string value, std::string tenant = "acme") {
        return {tenant_id{std::move(tenant)}, label::key, std::move(value)};
    }

    static label_query group(std::string value) {
        return {tenant_id{"acme"}, label::group, std::move(value)};
    }
};

INSTANTIATE_TEST_SUITE_P(
    of_kind,
    labels_of_an_engine,
    testing::Values("memory", "local", "local_in_small_steps"),
    [](const auto& kind) { return std::string{kind.param}; }
);

using ids = std::vector<recipient_id>;

TEST_P(labels_of_an_engine, find_what_waits_by_key_and_by_group_within_the_tenant) {
    store.commit({mail_of{.n = 1, .due = 900}, mail_of{.n = 2, .due = 900}});
    store.commit({mail_of{.n = 3, .tenant = "globex", .due = 900}});
    EXPECT_EQ(waiting(key("k2")), ids{rcpt(2)});
    EXPECT_EQ(waiting(key("k3")), ids{});
    EXPECT_EQ(waiting(key("k3", "globex")), ids{rcpt(3)});
    EXPECT_EQ(waiting(key("k3", "nobody")), ids{});
    EXPECT_EQ(waiting(group("g")), (ids{rcpt(1), rcpt(2)}));
    reopen();
    EXPECT_EQ(waiting(key("k2")), ids{rcpt(2)});
    EXPECT_EQ(waiting(group("g")), (ids{rcpt(1), rcpt(2)}));
}

TEST_P(labels_of_an_engine, show_only_the_recipients_that_have_not_left) {
    store.commit({mail_of{.n = 1, .to = {"a@x.example", "b@x.example", "c@x.example"}}});
    store.commit({relayed(rcpt(1, 1), 5)});
    EXPECT_EQ(waiting(key("k1")), (ids{rcpt(1, 0), rcpt(1, 2)}));
    reopen();
    EXPECT_EQ(waiting(key("k1")), (ids{rcpt(1, 0), rcpt(1, 2)}));
    store.commit({failed(rcpt(1, 0), 6), cancelled{rcpt(1, 2), at(7), "by", ""}});
    EXPECT_EQ(waiting(key("k1")), ids{});
    reopen();
    EXPECT_EQ(waiting(key("k1")), ids{});
}

TEST_P(labels_of_an_engine, are_read_page_by_page) {
    std::vector<change> mail;
    for (std::uint32_t n = 1; n <= 5; ++n) {
        mail.push_back(mail_of{.n = n, .due = 900});
    }
    store.commit(std::move(mail));
    reopen();
    store.commit({mail_of{.n = 6, .due = 900}, relayed(rcpt(2), 1)});
    label_query q = group("g");
    q.limit = 2;
    ids seen;
    for (int pages = 0; pages < 10; ++pages) {
        const auto found = store->labelled_mail(q);
        if (found->empty()) {
            break;
        }
        EXPECT_LE(found->size(), 2u);
        for (const labelled& m : *found) {
            EXPECT_GT(m.order, q.after);
            q.after = m.order;
            seen.push_back({m.id, 0});
        }
    }
    EXPECT_EQ(seen, (ids{rcpt(1), rcpt(3), rcpt(4), rcpt(5), rcpt(6)}));
}

TEST_P(labels_of_an_engine, know_mail_of_the_batch_that_replaced_other_mail) {
    store.commit({mail_of{.n = 1, .due = 900}});
    change again = mail_of{.n = 2, .due = 900};
    auto& m = std::get<enqueued>(again).message;
    mail::message same_key = *m;
    same_key.key = "k1";
    m = std::make_shared<const mail::message>(same_key);
    EXPECT_EQ(
        store.commit({cancelled{rcpt(1), at(3), "key", "replaced by 2"}, again}), (effects{true, true})
    );
    EXPECT_EQ(waiting(key("k1")), ids{rcpt(2)});
    reopen();
    EXPECT_EQ(waiting(key("k1")), ids{rcpt(2)});
    EXPECT_EQ(store.state_of(1), state::cancelled);
    EXPECT_EQ(store.recipient(1).note, "key: replaced by 2");
}

}  // namespace
}  // namespace estafette::store
