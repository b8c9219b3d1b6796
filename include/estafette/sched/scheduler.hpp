// What happens next to every recipient: takes mail in, claims what is due, hands it to its route, and
// records what came of it. The store says what is true, the routes say what they can take.
//
// Promises: enqueue() returns after the mail is durable; an outcome is durable before its connection
// carries another body; after the store failed nothing is sent any more.
// Thread: the loop.
#pragma once

#include "estafette/route/reporter.hpp"
#include "estafette/sched/erasure.hpp"
#include "estafette/sched/placement.hpp"
#include "estafette/sched/scheduler_state.hpp"

#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

namespace estafette::sched {

class scheduler final : public route::reporter, public scheduler_state {
public:
    // All references outlive the scheduler. `routes` is filled later: the routes report to this object.
    scheduler(
        asio::any_io_executor loop,
        store::queue& queue,
        store::suppressions& lists,
        route::table& routes,
        const verdict::classifier& classifier,
        metrics& meters
    );

    // After the routes were loaded: one that a reload has made anew stays paused.
    void configure(config::config_ptr c);

    // Durable on return; what is due goes to its route at once. What became of each, in their order. A
    // recipient on its tenant's suppression list is taken, and fails at once.
    [[nodiscard]] asio::awaitable<result<std::vector<placed>>>
    enqueue(std::vector<arrival> mail, std::optional<group_claim> instead_of = {});

    struct cancel_result {
        std::size_t messages = 0;   // of which some recipient was cancelled
        std::size_t cancelled = 0;  // recipients
        std::size_t in_hand = 0;    // on their way: too late for them
    };

    // Empty `recipients`: all of the message that have not left.
    [[nodiscard]] asio::awaitable<result<cancel_result>>
    cancel(message_id id, std::vector<std::uint32_t> recipients, std::string by, std::string why);

    // All mail with the key or of the group that has not left.
    [[nodiscard]] asio::awaitable<result<cancel_result>>
    cancel_labelled(store::label_query which, std::string by, std::string why);

    // A person is forgotten: what waits is cancelled, then all of it is erased, then the files are scrubbed.
    [[nodiscard]] asio::awaitable<result<erase_result>> erase(erase_request what);

    // What a crash left in doubt: each gets an attempt with reason uncertain, and its tenant's policy.
    [[nodiscard]] asio::awaitable<result<void>> settle_in_doubt(std::vector<recipient_id> doubtful);

    // Pauses that outlived the restart.
    [[nodiscard]] asio::awaitable<result<void>> restore_pauses();

    // Kinds of mail that are not sent, as they were left before the restart; and switched.
    [[nodiscard]] asio::awaitable<result<void>> restore_categories();
    [[nodiscard]] asio::awaitable<result<void>> switch_off(store::switched_off what);
    [[nodiscard]] asio::awaitable<result<std::size_t>>
    switch_on(tenant_id tenant, std::string category, std::string by);

    // errc::not_found for a route that does not exist, and for what is not paused.
    [[nodiscard]] asio::awaitable<result<void>>
    pause(store::pause_target what, std::optional<wall_time> until, std::string text, std::string by);
    [[nodiscard]] asio::awaitable<result<void>> resume(store::pause_target what, std::string by);

    // Makes this change of each of the recipients that wait, also of those that routes have ready; those
    // that a connection has in hand only if asked to. How many changes took effect.
    enum class in_hand : std::uint8_t { not_those, too };
    [[nodiscard]] asio::awaitable<result<std::size_t>> change_waiting(
        std::vector<recipient_id> who,
        std::function<store::change(const recipient_id&)> to,
        in_hand what_is_in_hand
    );

    // Claims until stopped (total cancellation).
    [[nodiscard]] asio::awaitable<void> run();

    // Looks for silence once a minute, until stopped; and one such look.
    [[nodiscard]] asio::awaitable<void> run_watchdog();
    [[nodiscard]] asio::awaitable<void> watch();

    // Old timelines go in small steps, until stopped.
    [[nodiscard]] asio::awaitable<void> run_retention();

    // Tells, once for each recipient, that its mail is delayed, until stopped.
    [[nodiscard]] asio::awaitable<void> run_delays();

    // Wakes run().
    void poke();

    // The store has failed: nothing more is claimed or sent. Once.
    void on_store_failure();

    void stop();

    // Until the small writes that nobody waits for are done; after the routes have ended.
    [[nodiscard]] asio::awaitable<void> wait();

    // reporter
    [[nodiscard]] asio::awaitable<bool>
    record(route::route& from, std::span<const route::attempt_report> reports) override;
    void give_back(std::vector<route::job> jobs) override;
    void postpone(route::job j, wall_time until) override;
    void on_paused(route::route& which) override;
    void on_resumed(route::route& which) override;
    void on_room(route::route& which) override;

private:
    [[nodiscard]] asio::awaitable<void> tell_of_delays();
    [[nodiscard]] asio::awaitable<std::optional<wall_time>> claim_once();
    [[nodiscard]] asio::awaitable<bool> claim_for(store::waiting_tenant who);
    using targets_of = std::map<message_id, std::vector<route::target>>;
    [[nodiscard]] asio::awaitable<void> leave_beyond(std::uint64_t bytes, std::vector<store::due_entry>& due);
    [[nodiscard]] asio::awaitable<targets_of> sort_out(std::vector<store::due_entry> due);
    [[nodiscard]] asio::awaitable<void> load_and_offer(std::vector<store::due_entry> due);
    [[nodiscard]] asio::awaitable<void> unclaim(std::vector<recipient_id> ids);
    [[nodiscard]] asio::awaitable<void> write_postponed();

    // intake.cpp
    [[nodiscard]] asio::awaitable<result<surroundings>>
    look_around(std::vector<store::label_query> keys, std::optional<group_claim> claim);
    [[nodiscard]] asio::awaitable<result<cancel_result>>
    cancel_waiting(tenant_id tenant, std::vector<store::labelled> waiting, std::string by, std::string why);
    void hand_over(std::vector<route::job> at_once);

    // wishes.cpp, erase.cpp
    void keep_hours(wall_time now);
    void take_back_from(const tenant_id& tenant, const std::function<bool(const route::job&)>& which);
    [[nodiscard]] asio::awaitable<void> bring_forward(wall_time now);
    [[nodiscard]] asio::awaitable<result<erase_result>> erase_page(
        const erase_request& what, std::vector<store::recipient_view> found, std::set<message_id>& messages
    );
    [[nodiscard]] asio::awaitable<void> scrub();
    void take_back(const std::unordered_set<recipient_id>& who);

    // watch.cpp
    [[nodiscard]] asio::awaitable<void> return_lost_claims();
    [[nodiscard]] asio::awaitable<void> expire_what_waits();
    [[nodiscard]] asio::awaitable<void> look_for_silence();
    [[nodiscard]] asio::awaitable<void> count_held();

    // keep_back.cpp
    [[nodiscard]] asio::awaitable<void> tend_holds();
    [[nodiscard]] asio::awaitable<void> recall_all(tenant_id tenant, wall_time until);
    [[nodiscard]] asio::awaitable<void> park(std::vector<recipient_id> ids, wall_time until);
    void count_holds();
    void started(const store::pause& row);
    void ended(const store::pause& row, const std::string& by);
    [[nodiscard]] std::vector<store::change>
    judge_senders(std::span<const route::attempt_report> reports, std::span<const store::attempt> attempts);
    void judge_sender(
        const mail::message& m, std::span<const store::attempt> attempts, std::vector<store::change>& out
    );
    [[nodiscard]] store::attempt
    describe(const route::route& from, const route::attempt_report& report, std::size_t place) const;
    [[nodiscard]] std::vector<store::change>
    changes_of(std::span<const route::attempt_report> of, std::span<store::attempt> attempts, wall_time now);
    void count(const route::attempt_report& report, const store::attempt& a);
    void observe(const route::attempt_report& report, std::span<const store::attempt> attempts);
    void tell_route(
        route::route& from, const route::attempt_report& report, std::span<const store::attempt> attempts
    );

    // suppress.cpp: of the mail's recipients those on their tenant's list, by place, and since when and why.
    using stopped_places = std::map<std::uint32_t, std::string>;
    using stopped_mail = std::map<message_id, stopped_places>;
    [[nodiscard]] asio::awaitable<result<stopped_places>> stopped(mail::message_ptr m);
    [[nodiscard]] asio::awaitable<stopped_mail> stopped_of(std::vector<result<mail::message_ptr>> loaded);
    void withhold(message_id id, std::vector<route::target>& targets, const stopped_places& places);
    [[nodiscard]] std::vector<route::job>
    for_now(const std::vector<mail::message_ptr>& mail, const stopped_mail& stops, wall_time now);
    [[nodiscard]] std::vector<store::change>
    complete(placement& p, const std::vector<route::job>& at_once, const stopped_mail& stops, wall_time now);
    [[nodiscard]] asio::awaitable<result<std::vector<placed>>>
    store_placement(placement p, stopped_mail stops, wall_time now);
    void weigh(const route::attempt_report& report, std::span<const store::attempt> attempts);
    void look_again_by(wall_time at);
    void write_later(store::change c);
    [[nodiscard]] asio::awaitable<bool> wait_for_space();
};

}  // namespace estafette::sched
