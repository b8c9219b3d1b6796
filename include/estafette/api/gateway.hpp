// What the API asks of the floors below, as an interface, so that its tests need no routes and no
// network. The daemon implements it over the scheduler and the route table.
// Thread: the loop.
#pragma once

#include "estafette/bounce/intake.hpp"
#include "estafette/route/route.hpp"
#include "estafette/sched/erasure.hpp"
#include "estafette/sched/placement.hpp"
#include "estafette/store/views.hpp"
#include "estafette/verdict/classifier.hpp"
#include "estafette/verdict/diagnosis.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace estafette::api {

namespace asio = boost::asio;

struct cancel_result {
    std::size_t messages = 0;   // of which some recipient was cancelled
    std::size_t cancelled = 0;  // recipients
    std::size_t in_hand = 0;    // on their way: too late for them
};

// Why waiting mail is shown as held: its tenant, its route or its sender is paused or rests, or there is no
// route.
struct hold {
    verdict::reason why = verdict::reason::other;
    std::string text;  // the server's words, an operator's reason, or "the tenant has no route"
    std::string by;    // "daemon", "uid 0"
    std::optional<wall_time> since, until;
    store::pause_target what;  // whose pause it is

    [[nodiscard]] bool is_by_a_person() const noexcept { return !by.empty() && by != "daemon"; }

    [[nodiscard]] verdict::scope fault() const noexcept {
        return what.kind == store::pause_kind::sender ? verdict::scope::sender : verdict::scope::route;
    }
};

// What no rule knows.
struct unmatched_replies {
    std::uint64_t total = 0;  // since the start, also those no longer kept
    std::vector<verdict::classifier::unmatched_reply> kept;
};

struct readiness {
    bool is_ready = true;
    std::vector<std::pair<std::string, std::string>> checks;  // {"store", "ok"}
};

// What an administrator orders; whom is not empty.
struct action_order {
    store::action_verb verb = store::action_verb::hold;
    store::selector whom;
    std::string reason, by;
    std::optional<wall_time> expires_at;
};

class gateway {
public:
    virtual ~gateway() = default;

    // Durable on return: what became of each. errc::store_full, store_failed, interrupted (stopping): a 503.
    [[nodiscard]] virtual asio::awaitable<result<std::vector<sched::placed>>>
    enqueue(std::vector<sched::arrival> mail, std::optional<sched::group_claim> instead_of = {}) = 0;

    // Empty `recipients`: all that have not left.
    [[nodiscard]] virtual asio::awaitable<result<cancel_result>>
    cancel(message_id id, std::vector<std::uint32_t> recipients, std::string by, std::string why) = 0;

    // All mail with a key or of a group that has not left.
    [[nodiscard]] virtual asio::awaitable<result<cancel_result>>
    cancel_labelled(store::label_query which, std::string by, std::string why) = 0;

    [[nodiscard]] virtual std::vector<route::route_status> routes() const = 0;

    // None: such mail moves. `sender`: its address, empty for the null sender.
    [[nodiscard]] virtual std::optional<hold>
    hold_of(const tenant_id& tenant, const std::string& sender) const = 0;

    // What became lately of mail to a domain by the tenant's route.
    [[nodiscard]] virtual verdict::domain_fact
    domain_of(const tenant_id& tenant, std::string_view domain) const = 0;
    // Kinds of mail that a tenant does not want; switch_on: how many were off, 0 or 1.
    [[nodiscard]] virtual asio::awaitable<result<void>> switch_off(store::switched_off what) = 0;
    [[nodiscard]] virtual asio::awaitable<result<std::size_t>>
    switch_on(tenant_id tenant, std::string category, std::string by) = 0;

    [[nodiscard]] virtual asio::awaitable<result<sched::erase_result>> erase(sched::erase_request what) = 0;

    // Mail of this tenant for this address waits for its turn under a limit (rates): until about then.
    [[nodiscard]] virtual std::optional<wall_time>
    limited_until(const tenant_id& tenant, std::string_view address) const = 0;

    // Tenants and senders that are kept back.
    [[nodiscard]] virtual std::vector<store::pause> pauses() const = 0;

    // errc::not_found for an unknown route, and for a tenant or sender that is not paused.
    [[nodiscard]] virtual asio::awaitable<result<void>>
    pause(store::pause_target what, std::optional<wall_time> until, std::string text, std::string by) = 0;
    [[nodiscard]] virtual asio::awaitable<result<void>> resume(store::pause_target what, std::string by) = 0;

    [[nodiscard]] virtual unmatched_replies unmatched() const = 0;
    // Durable on return.
    [[nodiscard]] virtual asio::awaitable<result<bounce::taken>> take_bounce(bounce::mail_in in) = 0;
    [[nodiscard]] virtual asio::awaitable<result<bounce::webhook_taken>> take_webhook(bounce::webhook_in in
    ) = 0;

    // Durable on return: the number of lines that are new or changed, or taken off.
    [[nodiscard]] virtual asio::awaitable<result<std::size_t>> suppress(std::vector<store::suppressed> lines
    ) = 0;
    [[nodiscard]] virtual asio::awaitable<result<std::size_t>>
    unsuppress(tenant_id tenant, std::string address, std::string by) = 0;

    // How many recipients such an action would change now.
    [[nodiscard]] virtual asio::awaitable<result<std::uint64_t>>
    count_for(store::action_verb verb, store::selector whom) = 0;

    // Durable on return; the work may go on: for a moment it is waited for. errc::not_found: a pause or
    // resume of what is not there.
    [[nodiscard]] virtual asio::awaitable<result<store::action>> act(action_order what) = 0;

    // errc::not_found; errc::conflict: it cannot be undone.
    [[nodiscard]] virtual asio::awaitable<result<store::action>> undo(std::uint64_t id, std::string by) = 0;
    [[nodiscard]] virtual asio::awaitable<result<store::action>> find_action(std::uint64_t id) = 0;
    [[nodiscard]] virtual asio::awaitable<result<std::vector<store::action>>>
    actions(std::uint64_t below, std::size_t limit) = 0;

    [[nodiscard]] virtual readiness ready() const = 0;

    // Prometheus text.
    [[nodiscard]] virtual std::string metrics_text() = 0;
};

}  // namespace estafette::api
