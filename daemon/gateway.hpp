// The API's view of the scheduler and the routes.
#pragma once

#include "estafette/api/gateway.hpp"
#include "estafette/base/metrics.hpp"
#include "estafette/route/table.hpp"
#include "estafette/sched/scheduler.hpp"
#include "estafette/store/queue.hpp"
#include "estafette/verdict/classifier.hpp"

namespace estafette {

namespace asio = boost::asio;

class scheduler_gateway final : public api::gateway {
public:
    scheduler_gateway(
        sched::scheduler& scheduler,
        route::table& routes,
        store::queue& queue,
        const verdict::classifier& rules,
        bounce::intake& bounces,
        store::suppressions& lists,
        metrics& meters
    )
        : scheduler_{scheduler}
        , routes_{routes}
        , queue_{queue}
        , rules_{rules}
        , bounces_{bounces}
        , lists_{lists}
        , meters_{meters} {}

    void begin_stop() { is_stopping_ = true; }

    [[nodiscard]] asio::awaitable<result<void>> enqueue(std::vector<store::enqueued> mail) override;
    [[nodiscard]] asio::awaitable<result<api::cancel_result>>
    cancel(message_id id, std::vector<std::uint32_t> recipients, std::string by, std::string why) override;
    [[nodiscard]] std::vector<route::route_status> routes() const override;
    [[nodiscard]] std::optional<wall_time>
    limited_until(const tenant_id& tenant, std::string_view address) const override;
    [[nodiscard]] std::optional<api::hold> hold_of(const tenant_id& tenant) const override;
    [[nodiscard]] verdict::domain_fact
    domain_of(const tenant_id& tenant, std::string_view domain) const override;
    [[nodiscard]] asio::awaitable<result<void>>
    pause(route_id which, std::optional<wall_time> until, std::string text, std::string by) override;
    [[nodiscard]] asio::awaitable<result<void>> resume(route_id which, std::string by) override;
    [[nodiscard]] api::unmatched_replies unmatched() const override;
    [[nodiscard]] asio::awaitable<result<bounce::taken>> take_bounce(bounce::mail_in in) override;
    [[nodiscard]] asio::awaitable<result<bounce::webhook_taken>> take_webhook(bounce::webhook_in in) override;
    [[nodiscard]] asio::awaitable<result<std::size_t>> suppress(std::vector<store::suppressed> lines
    ) override;
    [[nodiscard]] asio::awaitable<result<std::size_t>>
    unsuppress(tenant_id tenant, std::string address, std::string by) override;
    [[nodiscard]] api::readiness ready() const override;
    [[nodiscard]] std::string metrics_text() override;

private:
    sched::scheduler& scheduler_;
    route::table& routes_;
    store::queue& queue_;
    const verdict::classifier& rules_;
    bounce::intake& bounces_;
    store::suppressions& lists_;
    metrics& meters_;
    bool is_stopping_ = false;
};

}  // namespace estafette
