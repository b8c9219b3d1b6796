#include "estafette/store/queue.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace estafette::store {
namespace {

// An engine that only counts: each batch it is given, and what it answers to it.
struct scripted_engine final : engine {
    struct log {
        std::vector<std::size_t> batches;
        std::vector<error_code> answers;  // of the first commits; then success
        std::promise<void> first_commit_began;
        std::shared_future<void> first_commit_may_end;
        std::size_t calls = 0;
        std::size_t settles = 0;
    };

    explicit scripted_engine(log& l)
        : seen{l} {}

    log& seen;

    result<effects> commit(std::span<const change> batch) override {
        seen.batches.push_back(batch.size());
        if (seen.calls++ == 0 && seen.first_commit_may_end.valid()) {
            seen.first_commit_began.set_value();
            seen.first_commit_may_end.wait();
        }
        if (seen.calls <= seen.answers.size() && seen.answers[seen.calls - 1]) {
            return seen.answers[seen.calls - 1];
        }
        effects done;
        for (const change& c : batch) {
            done.push_back(!std::holds_alternative<resumed>(c));
        }
        return done;
    }

    result<std::vector<waiting_tenant>> waiting() override { return errc::internal; }

    result<std::vector<due_entry>>
    claim_due(const tenant_id&, mail::priority, wall_time, std::size_t limit) override {
        return std::vector<due_entry>(limit);
    }

    result<void> unclaim(std::span<const recipient_id>) override { return {}; }

    result<std::vector<recipient_id>> claimed() override { return std::vector<recipient_id>{}; }

    result<void> postpone(std::span<const recipient_id>, wall_time) override { return {}; }

    result<std::size_t> recall(const tenant_id&, wall_time, wall_time, std::size_t limit) override {
        return limit;
    }

    result<mail::message_ptr> load(message_id) override { throw std::runtime_error{"a bug"}; }

    result<message_view> view(message_id) override { return errc::not_found; }

    // The number of batches before it, as a page of so many recipients.
    result<std::vector<switched_off>> categories_off() override { return std::vector<switched_off>{}; }

    result<std::vector<labelled>> labelled_mail(const label_query&) override {
        return std::vector<labelled>{};
    }

    result<page> find(const query&) override {
        page p;
        p.recipients.resize(seen.batches.size());
        return p;
    }

    result<counts> count() override { return counts{}; }

    result<std::vector<event>> events(std::uint64_t, std::size_t) override { return std::vector<event>{}; }

    result<std::vector<pause>> pauses() override { return std::vector<pause>{}; }

    result<std::optional<idempotent_answer>> find_idempotent(const tenant_id&, const std::string&) override {
        return std::optional<idempotent_answer>{};
    }

    result<std::vector<recipient_id>> overdue(wall_time, std::size_t) override {
        return std::vector<recipient_id>{};
    }

    result<std::vector<recipient_id>> past_expiry(wall_time, std::size_t) override {
        return std::vector<recipient_id>{};
    }

    result<std::vector<message_id>> find_by_header(const std::string&) override {
        return std::vector<message_id>{};
    }

    result<std::vector<suppression>>
    find_suppressed(const tenant_id&, std::span<const std::string>) override {
        return std::vector<suppression>{};
    }

    result<suppression_page> suppressions(const suppression_query&) override { return suppression_page{}; }
    result<selection> select(const selector&, state, std::uint64_t, std::size_t) override {
        return selection{};
    }

    result<std::vector<action>> actions(std::uint64_t, std::size_t) override { return std::vector<action>{}; }

    result<std::size_t> purge(wall_time, std::size_t limit) override { return limit; }

    result<settled> settle() override {
        ++seen.settles;
        return settled::all;
    }
};

change outcome() {
    return paused{};
}

change skipped() {
    return resumed{};
}

change new_mail() {
    return enqueued{std::make_shared<const mail::message>(), {}, {}, false};
}

class a_queue : public testing::Test {
protected:
    void open() { q.emplace(loop.get_executor(), std::make_unique<scripted_engine>(seen)); }

    void commit(std::vector<change> changes, result<std::size_t>& answer) {
        spawn(commit_into(std::move(changes), answer));
    }

    asio::awaitable<void> commit_into(std::vector<change> changes, result<std::size_t>& answer) {
        answer = co_await q->commit(std::move(changes));
    }

    void spawn(asio::awaitable<void> task) {
        asio::co_spawn(loop, std::move(task), [](std::exception_ptr e) { EXPECT_FALSE(e); });
    }

    asio::awaitable<void> close() { co_await q->close(); }

    // The loop turns until the queue is closed and every coroutine has ended.
    void run() {
        spawn(close());
        loop.run();
        q.reset();
    }

    // Holds the engine in its first commit while `others` are handed over.
    void hand_over_during_first_commit(std::function<void()> others) {
        std::promise<void> may_end;
        seen.first_commit_may_end = may_end.get_future().share();
        open();
        result<std::size_t> first = errc::internal;
        commit({outcome()}, first);
        loop.poll();
        seen.first_commit_began.get_future().wait();
        others();
        loop.poll();
        EXPECT_EQ(q->backlog(), 1 + handed_over);
        may_end.set_value();
        run();
        EXPECT_EQ(first.value(), 1u);
    }

    asio::io_context loop;
    scripted_engine::log seen;
    std::optional<queue> q;
    std::size_t handed_over = 0;
};

TEST_F(a_queue, commits_a_lone_change_by_itself) {
    open();
    result<std::size_t> answer = errc::internal;
    commit({outcome()}, answer);
    run();
    EXPECT_EQ(answer.value(), 1u);
    EXPECT_EQ(seen.batches, std::vector<std::size_t>{1});
}

TEST_F(a_queue, joins_what_comes_in_one_turn_of_the_loop_though_nothing_is_under_way) {
    open();
    result<std::size_t> a = errc::internal, b = errc::internal;
    commit({outcome()}, a);
    commit({outcome(), outcome()}, b);
    run();
    EXPECT_EQ(a.value(), 1u);
    EXPECT_EQ(b.value(), 2u);
    EXPECT_EQ(seen.batches, std::vector<std::size_t>{3});
}

TEST_F(a_queue, joins_what_comes_during_a_commit_into_the_next_one) {
    result<std::size_t> a = errc::internal, b = errc::internal;
    handed_over = 3;
    hand_over_during_first_commit([&] {
        commit({outcome(), outcome()}, a);
        commit({outcome()}, b);
    });
    EXPECT_EQ(seen.batches, (std::vector<std::size_t>{1, 3}));
    EXPECT_EQ(a.value(), 2u);
    EXPECT_EQ(b.value(), 1u);
}

TEST_F(a_queue, tells_each_caller_which_of_its_own_changes_took_effect) {
    result<std::size_t> a = errc::internal, b = errc::internal;
    handed_over = 4;
    hand_over_during_first_commit([&] {
        commit({skipped(), outcome(), skipped()}, a);
        commit({outcome()}, b);
    });
    EXPECT_EQ(a.value(), 1u);
    EXPECT_EQ(b.value(), 1u);
}

TEST_F(a_queue, fails_every_caller_of_a_failed_batch_and_remembers_the_failure) {
    result<std::size_t> a = 0u, b = 0u;
    seen.answers = {error_code{}, errc::store_failed};
    handed_over = 2;
    hand_over_during_first_commit([&] {
        commit({outcome()}, a);
        commit({outcome()}, b);
        EXPECT_FALSE(q->health());
    });
    EXPECT_EQ(a.error(), errc::store_failed);
    EXPECT_EQ(b.error(), errc::store_failed);
}

TEST_F(a_queue, is_ill_after_a_failure_for_good) {
    seen.answers = {errc::store_failed};
    open();
    auto check = [this]() -> asio::awaitable<void> {
        std::vector<change> one{outcome()};
        const auto answer = co_await q->commit(std::move(one));
        EXPECT_EQ(answer.error(), errc::store_failed);
        EXPECT_EQ(q->health(), errc::store_failed);
    };
    spawn(check());
    run();
}

TEST_F(a_queue, lets_outcomes_in_when_there_is_no_space_for_the_new_mail_beside_them) {
    result<std::size_t> mail = 0u, result_of_attempt = errc::internal;
    seen.answers = {error_code{}, errc::store_full};
    handed_over = 3;
    hand_over_during_first_commit([&] {
        commit({new_mail(), outcome()}, mail);
        commit({outcome()}, result_of_attempt);
    });
    EXPECT_EQ(mail.error(), errc::store_full);
    EXPECT_EQ(result_of_attempt.value(), 1u);
    EXPECT_EQ(seen.batches, (std::vector<std::size_t>{1, 3, 1}));
}

TEST_F(a_queue, cuts_a_flood_into_commits_of_bounded_size_and_reads_see_what_came_before_them) {
    std::vector<result<std::size_t>> answers(3, errc::internal);
    std::size_t batches_before_the_read = 0;
    auto read = [&]() -> asio::awaitable<void> {
        query q_all;
        const auto found = co_await q->find(std::move(q_all));
        batches_before_the_read = found->recipients.size();
    };
    handed_over = 3 * 600;
    hand_over_during_first_commit([&] {
        for (auto& answer : answers) {
            commit(std::vector<change>(600, outcome()), answer);
        }
        spawn(read());
    });
    EXPECT_EQ(seen.batches, (std::vector<std::size_t>{1, 600, 600, 600}));
    EXPECT_EQ(batches_before_the_read, 4u);
    for (const auto& answer : answers) {
        EXPECT_EQ(answer.value(), 600u);
    }
}

TEST_F(a_queue, turns_an_exception_of_the_engine_into_an_internal_error) {
    open();
    auto load = [this]() -> asio::awaitable<void> {
        const auto answer = co_await q->load(message_id{});
        EXPECT_EQ(answer.error(), errc::internal);
    };
    spawn(load());
    run();
}

TEST_F(a_queue, fails_what_waits_when_it_is_destroyed) {
    std::promise<void> may_end;
    seen.first_commit_may_end = may_end.get_future().share();
    open();
    result<std::size_t> first = errc::internal, second = errc::internal;
    commit({outcome()}, first);
    loop.poll();
    seen.first_commit_began.get_future().wait();
    commit({outcome()}, second);
    loop.poll();
    std::thread releases{[&] { may_end.set_value(); }};
    q.reset();
    releases.join();
    loop.run();
    EXPECT_EQ(first.value(), 1u);
    // The thread may have taken the second one before it saw the end: then it was committed, and says so.
    EXPECT_EQ(second.has_value(), seen.batches.size() == 2);
    if (second.has_error()) {
        EXPECT_EQ(second.error(), errc::interrupted);
    }
}

TEST_F(a_queue, answers_at_once_what_comes_after_its_end) {
    open();
    result<std::size_t> late_commit = errc::internal;
    error_code late_question;
    spawn([](queue& q, result<std::size_t>& committed, error_code& asked) -> asio::awaitable<void> {
        co_await q.close();
        std::vector<change> one;
        one.push_back(outcome());
        committed = co_await q.commit(std::move(one));
        asked = (co_await q.count()).error();
    }(*q, late_commit, late_question));
    loop.run();  // returns: nobody waits for an answer that never comes
    EXPECT_EQ(late_commit.error(), errc::interrupted);
    EXPECT_EQ(late_question, errc::interrupted);
    EXPECT_EQ(q->backlog(), 0u);
    q.reset();
}

TEST_F(a_queue, lets_the_engine_settle_when_nothing_waits) {
    open();
    auto until_settled = [this]() -> asio::awaitable<void> {
        while (true) {
            const auto answer = co_await q->count();
            EXPECT_TRUE(answer.has_value());
            std::this_thread::sleep_for(std::chrono::milliseconds{25});
            std::vector<recipient_id> none;
            const auto synced = co_await q->unclaim(std::move(none));
            EXPECT_TRUE(synced.has_value());
            if (seen.settles > 0) {
                break;
            }
        }
    };
    spawn(until_settled());
    loop.run();
    EXPECT_GE(seen.settles, 1u);
}

}  // namespace
}  // namespace estafette::store
