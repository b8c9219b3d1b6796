// Persons that are forgotten, over every engine; and what is left of them on the disk.
#include "store_fixture.hpp"

#include <fstream>
#include <sstream>

namespace estafette::store {
namespace {

using namespace test;

constexpr const char* pseudonym = "erased-17@erased.invalid";

change erased_of(recipient_id who, std::int64_t second) {
    return erased{who, at(second), pseudonym, "uid 0", "asked for it"};
}

class erasure : public testing::TestWithParam<const char*> {
protected:
    store_of store{GetParam()};

    void reopen() {
        if (store.is_durable()) {
            ASSERT_TRUE(store->settle());
            store.open();
        }
    }

    void scrub() {
        for (int step = 0; step < 1000; ++step) {
            const auto done = store->scrub();
            ASSERT_TRUE(done.has_value()) << done.error().message();
            if (*done == settled::all) {
                return;
            }
        }
        FAIL() << "the scrub does not end";
    }

    // Whether some file of the store has the bytes.
    [[nodiscard]] std::vector<std::string> files_with(const std::string& bytes) {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::recursive_directory_iterator{store.options().path}) {
            if (entry.is_regular_file()) {
                std::ifstream in{entry.path(), std::ios::binary};
                std::ostringstream all;
                all << in.rdbuf();
                if (all.str().find(bytes) != std::string::npos) {
                    found.push_back(entry.path().filename());
                }
            }
        }
        return found;
    }
};

INSTANTIATE_TEST_SUITE_P(
    of_kind,
    erasure,
    testing::Values("memory", "local", "local_in_small_steps"),
    [](const auto& kind) { return std::string{kind.param}; }
);

TEST_P(erasure, puts_the_pseudonym_in_the_place_of_the_address_and_keeps_what_happened) {
    store.commit({mail_of{.n = 1, .to = {"ann@customer.example", "bob@customer.example"}}});
    store.commit({deferred(rcpt(1), 5, 60), failed(rcpt(1), 70), relayed(rcpt(1, 1), 5)});
    EXPECT_EQ(store.commit({erased_of(rcpt(1), 100)}), effects{true});
    for (int round = 0; round < 2; ++round) {
        EXPECT_TRUE(store.find({.address = "ann@customer.example"}).empty());
        EXPECT_EQ(store.find({.address = pseudonym}), std::vector{rcpt(1)});
        const auto v = store->view(id_of(1)).value();
        EXPECT_EQ(v.recipients[0].address, pseudonym);
        EXPECT_EQ(v.recipients[0].now, state::failed);
        EXPECT_EQ(v.recipients[0].why, verdict::reason::unknown_user) << "the reason stays";
        EXPECT_EQ(v.recipients[0].note, "erased");
        ASSERT_TRUE(v.recipients[0].last);
        EXPECT_EQ(v.recipients[0].last->text, "");
        EXPECT_EQ(v.recipients[0].last->code, 450);
        EXPECT_EQ(v.recipients[1].address, "bob@customer.example");
        EXPECT_EQ(v.recipients[1].last->text, "come back later");
        EXPECT_EQ(v.message.to[0].text(), pseudonym);
        EXPECT_EQ(v.message.subject, "");
        EXPECT_EQ(v.message.metadata, "");
        EXPECT_EQ(v.message.reports.envid, "");
        EXPECT_TRUE(v.message.tags.empty());
        EXPECT_EQ(v.message.key, "");
        EXPECT_EQ(v.timeline.back().type, "erased");
        EXPECT_EQ(v.timeline.back().by, "uid 0");
        EXPECT_EQ(v.timeline.back().text, "asked for it");
        EXPECT_EQ(store->load(id_of(1)).error(), errc::not_found);
        reopen();
    }
}

TEST_P(erasure, does_not_touch_mail_that_waits) {
    store.commit({mail_of{.n = 1}});
    EXPECT_EQ(store.commit({erased_of(rcpt(1), 5), erased_of(rcpt(2), 5)}), (effects{false, false}));
    EXPECT_EQ(store.recipient(1).address, "ann@customer.example");
}

TEST_P(erasure, leaves_the_content_to_the_recipients_that_wait_and_no_longer) {
    store.options().keep_bodies = std::chrono::hours{24};
    store.open();
    store.commit({mail_of{.n = 1, .to = {"ann@customer.example", "bob@customer.example"}}});
    store.commit({relayed(rcpt(1), 5), erased_of(rcpt(1), 6)});
    reopen();
    EXPECT_TRUE(store->load(id_of(1)).has_value()) << "bob's mail is still to be sent";
    EXPECT_EQ(store->view(id_of(1))->message.key, "k1") << "and can be cancelled by its key";
    store.commit({relayed(rcpt(1, 1), 7)});
    EXPECT_EQ(store->load(id_of(1)).error(), errc::not_found) << "kept bodies are not for erased mail";
    reopen();
    EXPECT_EQ(store->load(id_of(1)).error(), errc::not_found);
}

TEST_P(erasure, keeps_no_words_of_a_report_that_comes_later) {
    for (const bool written : {false, true}) {
        const std::uint32_t n = written ? 2 : 1;
        store.commit({mail_of{.n = n, .to = {"ann@customer.example", "bob@customer.example"}}});
        store.commit({relayed(rcpt(n), 5), relayed(rcpt(n, 1), 5), erased_of(rcpt(n), 6)});
        if (written) {
            reopen();
        }
        for (const std::uint32_t place : {0u, 1u}) {
            const std::string words = "550 <ann@customer.example> or <bob@customer.example>: unknown";
            store.commit(
                {corrected{rcpt(n, place), at(99), finding::failed, {}, "mx.customer.example", words, words}}
            );
        }
        const auto v = store->view(id_of(n)).value();
        EXPECT_EQ(v.recipients[0].now, state::failed);
        EXPECT_EQ(v.recipients[0].note, "erased");
        EXPECT_NE(v.recipients[1].note, "erased");
        for (const event& e : v.timeline) {
            const bool is_of_ann = e.who.index == 0;
            EXPECT_EQ(e.evidence.empty(), is_of_ann || e.type == "accepted" || e.what) << e.type;
            EXPECT_FALSE(is_of_ann && e.text.find('@') != std::string::npos) << e.text;
        }
    }
}

TEST_P(erasure, takes_requests_keys_that_name_the_address) {
    store.commit({mail_of{.n = 1, .idempotency_key = "invite Ann@Customer.example"}});
    store.commit({mail_of{.n = 2, .to = {"bob@x.example"}, .idempotency_key = "invite 2"}});
    store.commit({relayed(rcpt(1), 5), relayed(rcpt(2), 5)});
    reopen();
    store.commit({erased_of(rcpt(1), 6), erased_of(rcpt(2), 6)});
    reopen();
    EXPECT_FALSE(store->find_idempotent(tenant_id{"acme"}, "invite Ann@Customer.example")->has_value());
    EXPECT_TRUE(store->find_idempotent(tenant_id{"acme"}, "invite 2")->has_value());
}

TEST_P(erasure, takes_keys_of_requests_that_were_answered_with_the_mail) {
    store.commit({mail_of{.n = 1}, mail_of{.n = 2}, mail_of{.n = 3, .to = {"bob@x.example"}}});
    store.commit({answered{id_of(1), "again Ann@Customer.example", "d"}, answered{id_of(3), "again 3", "d"}});
    reopen();
    store.commit({answered{id_of(1), "ann@customer.example 2", "d"}, answered{id_of(1), "again 1", "d"}});
    store.commit({answered{id_of(2), "ann@customer.example 3", "d"}});
    store.commit({relayed(rcpt(1), 5), relayed(rcpt(2), 5), relayed(rcpt(3), 5)});
    store.commit({erased_of(rcpt(1), 6), erased_of(rcpt(2), 6), erased_of(rcpt(3), 6)});
    reopen();
    const auto is_known = [&](const char* key) {
        return store->find_idempotent(tenant_id{"acme"}, key)->has_value();
    };
    EXPECT_FALSE(is_known("again Ann@Customer.example"));
    EXPECT_FALSE(is_known("ann@customer.example 2"));
    EXPECT_FALSE(is_known("ann@customer.example 3"));
    EXPECT_TRUE(is_known("again 1"));
    EXPECT_TRUE(is_known("again 3"));
}

TEST_P(erasure, leaves_no_trace_in_the_files_once_they_are_scrubbed) {
    const std::string address = "very.secret.person@customer.example";
    const std::string content =
        "Subject: secret words\r\n\r\nnobody else knows this\r\n" + std::string(9000, 'x');
    for (std::uint32_t n = 1; n <= 12; ++n) {
        store.commit({mail_of{.n = n, .to = {address}, .due = 60, .body = content}});
    }
    reopen();  // bodies are in the ledger by now, or in old segments
    for (std::uint32_t n = 1; n <= 12; ++n) {
        attempt a = try_of(70, verdict::disposition::fail, verdict::reason::unknown_user);
        a.text = "<" + address + ">: unknown";
        store.commit({attempted{rcpt(n), state::failed, std::nullopt, a}});
    }
    store.commit(
        {mail_of{.n = 20, .to = {"bob@x.example"}, .due = 900, .body = "Subject: his\r\n\r\nstays\r\n"}}
    );
    if (store.is_durable()) {
        EXPECT_FALSE(files_with(address).empty());
    }
    std::vector<change> all;
    for (std::uint32_t n = 1; n <= 12; ++n) {
        all.push_back(erased_of(rcpt(n), 100));
    }
    store.commit(std::move(all));
    scrub();
    if (store.is_durable()) {
        EXPECT_EQ(files_with(address), std::vector<std::string>{});
        EXPECT_EQ(files_with("secret words"), std::vector<std::string>{});
        EXPECT_EQ(files_with("nobody else knows"), std::vector<std::string>{});
    }
    store.commit({mail_of{.n = 21, .to = {"cid@x.example"}}});
    reopen();
    EXPECT_EQ(*(*store->load(id_of(20)))->body, "Subject: his\r\n\r\nstays\r\n");
    EXPECT_EQ(store.state_of(21), state::queued);
    EXPECT_EQ(store.find({.address = pseudonym}).size(), 12u);
}

TEST_P(erasure, is_scrubbed_after_a_restart_that_came_between) {
    store.commit({mail_of{.n = 1, .to = {"gone@customer.example"}}, relayed(rcpt(1), 5)});
    store.commit({erased_of(rcpt(1), 6)});
    if (store.is_durable()) {
        store.open();
        scrub();
        EXPECT_EQ(files_with("gone@customer.example"), std::vector<std::string>{});
    }
}

}  // namespace
}  // namespace estafette::store
