#include "estafette/store/queue.hpp"

#include "store_thread.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <type_traits>

namespace estafette::store {

namespace {

// A call of the engine on the store's thread, whose answer completes a coroutine on the loop.
template <class Answer, class Call, class Handler> class call_job final : public store_job {
public:
    call_job(Call call, Handler handler)
        : call_{std::move(call)}
        , handler_{std::move(handler)} {}

    void run(engine& e) override { answer_ = call_(e); }

    void fail(error_code why) override { answer_ = why; }

    void finish() override { std::move(handler_)(std::move(answer_)); }

private:
    Call call_;
    Handler handler_;
    Answer answer_ = errc::interrupted;
};

template <class Answer, class Handler> class waiting_commit final : public commit_job {
public:
    waiting_commit(std::vector<change> batch, Handler handler)
        : commit_job{std::move(batch)}
        , handler_{std::move(handler)} {}

    void finish() override {
        if constexpr (std::is_same_v<Answer, queue::returned>) {
            std::move(handler_)(Answer{std::move(answer), std::move(changes)});
        } else {
            std::move(handler_)(std::move(answer));
        }
    }

private:
    Handler handler_;
};

// No deadline in these awaits: the store's thread answers every job, with an error if it fails, and only
// that answer says whether the change is durable.
template <class Answer, class Thread, class Call> auto ask(Thread& thread, Call call) {
    return asio::async_initiate<decltype(asio::use_awaitable), void(Answer)>(
        [&thread](auto handler, Call what) {
            using job = call_job<Answer, Call, decltype(handler)>;
            thread.push(std::unique_ptr<store_job>{new job{std::move(what), std::move(handler)}});
        },
        asio::use_awaitable,
        std::move(call)
    );
}

template <class Answer, class Thread> auto hand_in(Thread& thread, std::vector<change> changes) {
    return asio::async_initiate<decltype(asio::use_awaitable), void(Answer)>(
        [&thread](auto handler, std::vector<change> batch) {
            using job = waiting_commit<Answer, decltype(handler)>;
            thread.push(std::unique_ptr<commit_job>{new job{std::move(batch), std::move(handler)}});
        },
        asio::use_awaitable,
        std::move(changes)
    );
}

}  // namespace

queue::queue(asio::any_io_executor loop, std::unique_ptr<engine> e, observer on_commit)
    : thread_{std::make_unique<thread>(std::move(loop), std::move(e), std::move(on_commit))} {}

queue::~queue() = default;

asio::awaitable<result<effects>> queue::commit_each(std::vector<change> changes) {
    return hand_in<result<effects>>(*thread_, std::move(changes));
}

asio::awaitable<queue::returned> queue::commit_and_return(std::vector<change> changes) {
    return hand_in<returned>(*thread_, std::move(changes));
}

asio::awaitable<result<std::size_t>> queue::commit(std::vector<change> changes) {
    const auto done = co_await commit_each(std::move(changes));
    if (!done) {
        co_return done.error();
    }
    co_return static_cast<std::size_t>(std::count(done->begin(), done->end(), true));
}

asio::awaitable<result<std::vector<waiting_tenant>>> queue::waiting() {
    return ask<result<std::vector<waiting_tenant>>>(*thread_, [](engine& e) { return e.waiting(); });
}

asio::awaitable<result<std::vector<due_entry>>>
queue::claim_due(tenant_id tenant, mail::priority precedence, wall_time until, std::size_t limit) {
    return ask<result<std::vector<due_entry>>>(*thread_, [=](engine& e) {
        return e.claim_due(tenant, precedence, until, limit);
    });
}

asio::awaitable<result<void>> queue::unclaim(std::vector<recipient_id> ids) {
    return ask<result<void>>(*thread_, [ids = std::move(ids)](engine& e) { return e.unclaim(ids); });
}

asio::awaitable<result<std::vector<recipient_id>>> queue::claimed() {
    return ask<result<std::vector<recipient_id>>>(*thread_, [](engine& e) { return e.claimed(); });
}

asio::awaitable<result<void>> queue::postpone(std::vector<recipient_id> ids, wall_time until) {
    return ask<result<void>>(*thread_, [ids = std::move(ids), until](engine& e) {
        return e.postpone(ids, until);
    });
}

asio::awaitable<result<std::size_t>>
queue::recall(tenant_id tenant, wall_time until, wall_time now, std::size_t limit) {
    return ask<result<std::size_t>>(*thread_, [=](engine& e) { return e.recall(tenant, until, now, limit); });
}

asio::awaitable<result<mail::message_ptr>> queue::load(message_id id) {
    return ask<result<mail::message_ptr>>(*thread_, [id](engine& e) { return e.load(id); });
}

asio::awaitable<result<std::vector<result<mail::message_ptr>>>> queue::load_many(std::vector<message_id> ids
) {
    using loaded = std::vector<result<mail::message_ptr>>;
    return ask<result<loaded>>(*thread_, [ids = std::move(ids)](engine& e) -> result<loaded> {
        return e.load_many(ids);
    });
}

asio::awaitable<result<message_view>> queue::view(message_id id) {
    return ask<result<message_view>>(*thread_, [id](engine& e) { return e.view(id); });
}

asio::awaitable<result<page>> queue::find(query q) {
    return ask<result<page>>(*thread_, [q = std::move(q)](engine& e) { return e.find(q); });
}

asio::awaitable<result<std::vector<std::vector<labelled>>>>
queue::labelled_mail(std::vector<label_query> questions) {
    using answers = std::vector<std::vector<labelled>>;
    return ask<result<answers>>(*thread_, [questions = std::move(questions)](engine& e) -> result<answers> {
        answers all;
        for (const label_query& q : questions) {
            auto found = e.labelled_mail(q);
            if (!found) {
                return found.error();
            }
            all.push_back(std::move(*found));
        }
        return all;
    });
}

asio::awaitable<result<counts>> queue::count() {
    return ask<result<counts>>(*thread_, [](engine& e) { return e.count(); });
}

asio::awaitable<result<std::vector<event>>> queue::events(std::uint64_t after, std::size_t limit) {
    return ask<result<std::vector<event>>>(*thread_, [=](engine& e) { return e.events(after, limit); });
}

asio::awaitable<result<std::vector<pause>>> queue::pauses() {
    return ask<result<std::vector<pause>>>(*thread_, [](engine& e) { return e.pauses(); });
}

asio::awaitable<result<selection>>
queue::select(selector whom, state now, std::uint64_t after, std::size_t looked_at) {
    return ask<result<selection>>(*thread_, [=, whom = std::move(whom)](engine& e) {
        return e.select(whom, now, after, looked_at);
    });
}

asio::awaitable<result<std::vector<action>>> queue::actions(std::uint64_t below, std::size_t limit) {
    return ask<result<std::vector<action>>>(*thread_, [=](engine& e) { return e.actions(below, limit); });
}

asio::awaitable<result<std::vector<switched_off>>> queue::categories_off() {
    return ask<result<std::vector<switched_off>>>(*thread_, [](engine& e) { return e.categories_off(); });
}

asio::awaitable<result<std::optional<idempotent_answer>>>
queue::find_idempotent(tenant_id tenant, std::string key) {
    return ask<result<std::optional<idempotent_answer>>>(*thread_, [=](engine& e) {
        return e.find_idempotent(tenant, key);
    });
}

asio::awaitable<result<std::vector<recipient_id>>> queue::overdue(wall_time before, std::size_t limit) {
    return ask<result<std::vector<recipient_id>>>(*thread_, [=](engine& e) {
        return e.overdue(before, limit);
    });
}

asio::awaitable<result<std::vector<recipient_id>>> queue::past_expiry(wall_time now, std::size_t limit) {
    return ask<result<std::vector<recipient_id>>>(*thread_, [=](engine& e) {
        return e.past_expiry(now, limit);
    });
}

asio::awaitable<result<std::vector<message_id>>> queue::find_by_header(std::string header_message_id) {
    return ask<result<std::vector<message_id>>>(*thread_, [id = std::move(header_message_id)](engine& e) {
        return e.find_by_header(id);
    });
}

asio::awaitable<result<std::vector<suppression>>>
queue::find_suppressed(tenant_id tenant, std::vector<std::string> addresses) {
    return ask<result<std::vector<suppression>>>(
        *thread_,
        [tenant = std::move(tenant), addresses = std::move(addresses)](engine& e) {
            return e.find_suppressed(tenant, addresses);
        }
    );
}

asio::awaitable<result<suppression_page>> queue::suppressions(suppression_query q) {
    return ask<result<suppression_page>>(*thread_, [q = std::move(q)](engine& e) {
        return e.suppressions(q);
    });
}

asio::awaitable<result<std::size_t>> queue::purge(wall_time before, std::size_t limit) {
    return ask<result<std::size_t>>(*thread_, [=](engine& e) { return e.purge(before, limit); });
}

asio::awaitable<result<settled>> queue::scrub() {
    return ask<result<settled>>(*thread_, [](engine& e) { return e.scrub(); });
}

std::size_t queue::backlog() const noexcept {
    return thread_->backlog();
}

error_code queue::health() const noexcept {
    return thread_->health();
}

std::string queue::problem() const {
    return thread_->problem();
}

bool queue::is_full() const noexcept {
    return thread_->is_full();
}

void queue::watch(std::function<void()> on_change) {
    thread_->watch(std::move(on_change));
}

asio::awaitable<void> queue::close() {
    auto initiate = [this](auto handler) {
        const auto nothing = [](engine&) { return result<void>{}; };
        using job = call_job<result<void>, decltype(nothing), decltype(handler)>;
        thread_->close(std::unique_ptr<store_job>{new job{nothing, std::move(handler)}});
    };
    co_await asio::async_initiate<decltype(asio::use_awaitable), void(result<void>)>(
        std::move(initiate), asio::use_awaitable
    );
}

}  // namespace estafette::store
