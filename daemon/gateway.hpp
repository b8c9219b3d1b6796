// The API's view of the scheduler and the routes.
#pragma once

#include "estafette/api/gateway.hpp"
#include "estafette/base/metrics.hpp"
#include "estafette/route/table.hpp"
#include "estafette/sched/administration.hpp"
#include "estafette/store/queue.hpp"
#include "estafette/verdict/classifier.hpp"

namespace estafette {

namespace asio = boost::asio;

class scheduler_gateway final : public api::gateway {
public:
    scheduler_gateway(
        sched::scheduler& scheduler,
        sched::administration& admin,
        route::table& routes,
        store::queue& queue,
        const verdict::classifier& rules,
        bounce::intake& bounces,
        store::suppressions& lists,
        metrics& meters
    )
        : scheduler_{scheduler}
        , admin_{admin}
        , routes_{routes}
        , queue_{queue}
        , rules_{rules}
        , bounces_{bounces}
        , lists_{lists}
        , meters_{meters} {}

    void begin_stop() { is_stopping_ = true; }

    [[nodiscard]] asio::awaitable<result<std::vector<sched::placed>>>
    enqueue(std::vector<sched::arrival> mail, std::optional<sched::group_claim> instead_of) override;
    [[nodiscard]] asio::awaitable<result<api::cancel_result>>
    cancel(message_id id, std::vector<std::uint32_t> recipients, std::string by, std::string why) override;
    [[nodiscard]] asio::awaitable<result<api::cancel_result>>
    cancel_labelled(store::label_query which, std::string by, std::string why) override;
    [[nodiscard]] asio::awaitable<result<void>> switch_off(store::switched_off what) override;
    [[nodiscard]] asio::awaitable<result<std::size_t>>
    switch_on(tenant_id tenant, std::string category, std::string by) override;
    [[nodiscard]] asio::awaitable<result<sched::erase_result>> erase(sched::erase_request what) override;
    [[nodiscard]] std::vector<route::route_status> routes() const override;
    [[nodiscard]] std::optional<wall_time>
    limited_until(const tenant_id& tenant, std::string_view address) const override;
    [[nodiscard]] std::optional<api::hold>
    hold_of(const tenant_id& tenant, const std::string& sender) const override;
    [[nodiscard]] std::vector<store::pause> pauses() const override;
    [[nodiscard]] asio::awaitable<result<void>> pause(
        store::pause_target what, std::optional<wall_time> until, std::string text, std::string by
    ) override;
    [[nodiscard]] asio::awaitable<result<void>> resume(store::pause_target what, std::string by) override;
    [[nodiscard]] verdict::domain_fact
    domain_of(const tenant_id& tenant, std::string_view domain) const override;
    [[nodiscard]] api::unmatched_replies unmatched() const override;
    [[nodiscard]] asio::awaitable<result<bounce::taken>> take_bounce(bounce::mail_in in) override;
    [[nodiscard]] asio::awaitable<result<bounce::webhook_taken>> take_webhook(bounce::webhook_in in) override;
    [[nodiscard]] asio::awaitable<result<std::size_t>> suppress(std::vector<store::suppressed> lines
    ) override;
    [[nodiscard]] asio::awaitable<result<std::size_t>>
    unsuppress(tenant_id tenant, std::string address, std::string by) override;
    [[nodiscard]] asio::awaitable<result<std::uint64_t>>
    count_for(store::action_verb verb, store::selector whom) override;
    [[nodiscard]] asio::awaitable<result<store::action>> act(api::action_order what) override;
    [[nodiscard]] asio::awaitable<result<store::action>> undo(std::uint64_t id, std::string by) override;
    [[nodiscard]] asio::awaitable<result<store::action>> find_action(std::uint64_t id) override;
    [[nodiscard]] asio::awaitable<result<std::vector<store::action>>>
    actions(std::uint64_t below, std::size_t limit) override;
    [[nodiscard]] api::readiness ready() const override;
    [[nodiscard]] std::string metrics_text() override;

private:
    sched::scheduler& scheduler_;
    sched::administration& admin_;
    route::table& routes_;
    store::queue& queue_;
    const verdict::classifier& rules_;
    bounce::intake& bounces_;
    store::suppressions& lists_;
    metrics& meters_;
    bool is_stopping_ = false;
};

}  // namespace estafette
