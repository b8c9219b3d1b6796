// The loop's view of the store: every call is an awaitable that completes on the loop. Changes that come
// while a commit runs go together into the next one (group commit): alone a change waits for nobody.
//
// Order: changes of one caller are committed in the order of the calls. Reads see every commit that
// completed before the call.
// Thread: construct, call and destroy on the loop; the engine lives on the store's own thread.
#pragma once

#include "estafette/store/engine.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <vector>

namespace estafette::store {

namespace asio = boost::asio;

class queue {
public:
    // Told of each commit, on the store's thread: how long it took, and its sync where there was one.
    using observer = std::function<void(std::chrono::nanoseconds commit, std::chrono::nanoseconds sync)>;

    queue(asio::any_io_executor loop, std::unique_ptr<engine> e, observer on_commit = {});
    ~queue();  // joins the thread; what was not committed fails with errc::interrupted
    queue(const queue&) = delete;
    queue& operator=(const queue&) = delete;

    // Durable on return; the number of changes that took effect.
    [[nodiscard]] asio::awaitable<result<std::size_t>> commit(std::vector<change> changes);

    // The same, told for each change.
    [[nodiscard]] asio::awaitable<result<effects>> commit_each(std::vector<change> changes);

    // The same; the changes are the caller's again, whatever became of them.
    struct returned {
        result<effects> done;
        std::vector<change> changes;
    };

    [[nodiscard]] asio::awaitable<returned> commit_and_return(std::vector<change> changes);

    [[nodiscard]] asio::awaitable<result<std::vector<waiting_tenant>>> waiting();
    [[nodiscard]] asio::awaitable<result<std::vector<due_entry>>>
    claim_due(tenant_id tenant, mail::priority precedence, wall_time until, std::size_t limit);
    [[nodiscard]] asio::awaitable<result<void>> unclaim(std::vector<recipient_id> ids);
    [[nodiscard]] asio::awaitable<result<std::vector<recipient_id>>> claimed();
    [[nodiscard]] asio::awaitable<result<void>> postpone(std::vector<recipient_id> ids, wall_time until);
    [[nodiscard]] asio::awaitable<result<std::size_t>>
    recall(tenant_id tenant, wall_time until, wall_time now, std::size_t limit);
    [[nodiscard]] asio::awaitable<result<mail::message_ptr>> load(message_id id);

    // Many in one turn of the store's thread, in the order of `ids`.
    [[nodiscard]] asio::awaitable<result<std::vector<result<mail::message_ptr>>>>
    load_many(std::vector<message_id> ids);
    [[nodiscard]] asio::awaitable<result<message_view>> view(message_id id);
    [[nodiscard]] asio::awaitable<result<page>> find(query q);

    // An answer for each question, in one turn of the store's thread.
    [[nodiscard]] asio::awaitable<result<std::vector<std::vector<labelled>>>>
    labelled_mail(std::vector<label_query> questions);
    [[nodiscard]] asio::awaitable<result<counts>> count();
    [[nodiscard]] asio::awaitable<result<std::vector<event>>> events(std::uint64_t after, std::size_t limit);
    [[nodiscard]] asio::awaitable<result<std::vector<pause>>> pauses();
    [[nodiscard]] asio::awaitable<result<selection>>
    select(selector whom, state now, std::uint64_t after, std::size_t looked_at);
    [[nodiscard]] asio::awaitable<result<std::vector<action>>>
    actions(std::uint64_t below, std::size_t limit);
    [[nodiscard]] asio::awaitable<result<std::vector<switched_off>>> categories_off();
    [[nodiscard]] asio::awaitable<result<std::optional<idempotent_answer>>>
    find_idempotent(tenant_id tenant, std::string key);
    [[nodiscard]] asio::awaitable<result<std::vector<recipient_id>>>
    overdue(wall_time before, std::size_t limit);
    [[nodiscard]] asio::awaitable<result<std::vector<recipient_id>>>
    past_expiry(wall_time now, std::size_t limit);
    [[nodiscard]] asio::awaitable<result<std::vector<message_id>>>
    find_by_header(std::string header_message_id);
    [[nodiscard]] asio::awaitable<result<std::vector<suppression>>>
    find_suppressed(tenant_id tenant, std::vector<std::string> addresses);
    [[nodiscard]] asio::awaitable<result<suppression_page>> suppressions(suppression_query q);
    [[nodiscard]] asio::awaitable<result<std::size_t>> purge(wall_time before, std::size_t limit);

    [[nodiscard]] asio::awaitable<result<settled>> scrub();

    // Changes handed over and not yet committed: for back-pressure.
    [[nodiscard]] std::size_t backlog() const noexcept;

    // The first failure for good, or clear.
    [[nodiscard]] error_code health() const noexcept;

    // What failed, for people; empty where that is not known.
    [[nodiscard]] std::string problem() const;

    // New mail is refused for want of space; it takes mail again by itself.
    [[nodiscard]] bool is_full() const noexcept;

    // Called on the loop when health() or is_full() has changed.
    void watch(std::function<void()> on_change);

    // Waits until all that was handed over is committed; nothing may be called after.
    [[nodiscard]] asio::awaitable<void> close();

private:
    class thread;  // the store's own: it runs the engine, batch after batch
    std::unique_ptr<thread> thread_;
};

}  // namespace estafette::store
