// A route: one server (or several by priority), its credentials, its policy, its pool of connections.
// Connections pull work from its ready queue; nothing waits inside a connection. When the route itself
// is at fault it rests once, says so once, gives its waiting mail back and tries again by one probe.
//
// Mail given to a route leaves through this route or not at all.
// Thread: the loop. It outlives its workers: stop(), then wait(), then destroy.
#pragma once

#include "estafette/base/metrics.hpp"
#include "estafette/config/config.hpp"
#include "estafette/mail/verp.hpp"
#include "estafette/net/task_group.hpp"
#include "estafette/route/planner.hpp"
#include "estafette/route/rates.hpp"
#include "estafette/route/ready.hpp"
#include "estafette/route/reporter.hpp"
#include "estafette/route/servers.hpp"
#include "estafette/store/slate.hpp"
#include "estafette/verdict/classifier.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace estafette::route {

// What every route uses; all of it outlives the routes.
struct services {
    net::resolver& dns;
    const verdict::classifier& classifier;
    reporter& reports;
    metrics& meters;
    store::slate& in_doubt;
    const mail::verp_keys& verp;
};

enum class route_state : std::uint8_t {
    active,
    resting,  // the breaker is open, or its probe is under way
    paused,   // by a person
};

struct route_status {
    route_id id;
    route_state state = route_state::active;
    std::optional<verdict::reason> why;
    std::string text;  // the server's words, or the error's sentence
    std::string by;    // "daemon", "uid 0"
    std::optional<wall_time> since, until;
    std::size_t connections = 0;
    std::size_t allowed = 0;  // connections it may have now: grows with success, is cut by overload
    std::size_t ready = 0;
    std::vector<std::string> servers;
    std::vector<std::string> fallbacks;  // "across_messages": what a server once took badly
};

class route {
public:
    // `password` is the secret itself, already read from its file.
    route(
        asio::any_io_executor loop,
        config::route_options options,
        std::string hostname,
        std::string password,
        services uses
    );
    ~route();
    route(const route&) = delete;
    route& operator=(const route&) = delete;

    [[nodiscard]] const route_id& id() const noexcept { return options_.id; }

    [[nodiscard]] const config::route_options& options() const noexcept { return options_; }

    [[nodiscard]] bool has_password(std::string_view secret) const noexcept { return password_ == secret; }

    // How many recipients of this tenant may be offered now.
    [[nodiscard]] std::size_t room(const tenant_id& tenant, mail::priority precedence) const;

    [[nodiscard]] bool accepts(const tenant_id& tenant, mail::priority precedence) const {
        return room(tenant, precedence) != 0;
    }

    [[nodiscard]] std::uint64_t free_bytes(mail::priority precedence) const {
        return ready_.free_bytes(precedence);
    }

    // Worth a claim from the store: a small gap in a full route is not.
    [[nodiscard]] bool wants(const tenant_id& tenant, mail::priority precedence) const;

    // Only after accepts(). Split into transactions as the route's limits ask.
    void offer(job j);

    // The waiting jobs that are meant, taken out. What a connection has begun stays.
    [[nodiscard]] std::vector<job> withdraw(const std::function<bool(const job&)>& which);

    // The recipients of the message that connections have in hand.
    [[nodiscard]] std::vector<std::uint32_t> in_hand(message_id id) const;
    [[nodiscard]] std::vector<recipient_id> in_hand() const;
    [[nodiscard]] std::vector<recipient_id> ready() const { return ready_.ids(); }

    // How much of each tenant's mail may go.
    void limit_tenants(quota_book::by_name rates) { quotas_.set_tenants(std::move(rates)); }

    // A message of this tenant for this domain waits for its turn: until when.
    [[nodiscard]] std::optional<wall_time>
    limited_until(const tenant_id& tenant, std::string_view domain) const;

    // The route's own fault, found in a transaction.
    void blame(const verdict::verdict& judged, const std::string& text);

    // A delivery went through.
    void praise();

    void pause(std::optional<wall_time> until, std::string text, std::string by);
    void resume();

    // What the store remembers of a pause before the restart.
    void restore(const route_status& earlier);

    [[nodiscard]] route_status status() const;

    void stop(asio::cancellation_type how);
    [[nodiscard]] asio::awaitable<bool> wait(milliseconds limit);

    [[nodiscard]] bool has_ended() const noexcept { return is_stopping_ && workers_.size() == 0; }

private:
    struct idle_worker;
    struct worker;

    // worker.cpp
    [[nodiscard]] asio::awaitable<void> work(std::unique_ptr<worker> owned);
    [[nodiscard]] asio::awaitable<void> serve(worker& me);
    [[nodiscard]] bool take_marks(worker& me);
    [[nodiscard]] asio::awaitable<void> fill_window(worker& me);
    [[nodiscard]] asio::awaitable<void> take_outcomes(worker& me);
    [[nodiscard]] asio::awaitable<std::optional<job>> first_job(worker& me);
    [[nodiscard]] asio::awaitable<bool> wait_for_work();
    [[nodiscard]] bool may_begin(const worker& me) const;
    void begin(worker& me);
    void note_outcome(worker& me, net::delivery d);
    [[nodiscard]] std::optional<job> pull_for(worker& me);
    void learn(const net::connection& link);
    void learn_session_limit(const worker& me, net::delivery& d);
    void blame_overload(const worker& me, const smtp::outcome& what);
    void put_back(job j);
    [[nodiscard]] std::vector<std::string> fallbacks() const;

    [[nodiscard]] std::optional<job> pull();
    [[nodiscard]] bool admit(job& j, steady_time now);
    void opened(const config::endpoint& server);
    void open_failed(const config::endpoint& server, const smtp::outcome& why, std::string_view banner);
    void rest(const verdict::verdict& judged, const std::string& text, planner::gravity how);
    void works_again();
    void adjust();  // wake or start as many workers as the planner wants
    void adjust_later();
    void arm(steady_time at);

    asio::any_io_executor loop_;
    config::route_options options_;
    std::string hostname_;
    std::string password_;
    services uses_;
    std::unique_ptr<net::tls_context> tls_;
    ready_queue ready_;
    planner planner_;
    quota_book quotas_;
    server_list servers_;
    net::task_group workers_;
    net::server_faults faults_;
    std::uint32_t session_limit_ = UINT32_MAX;  // messages a connection, as the server's refusals taught
    std::list<idle_worker*> idle_;              // the latest idle one first: it is woken first
    std::list<worker*> active_;                 // every worker from its birth to its end
    asio::steady_timer timer_;                  // the probe, the next message that may go
    steady_time armed_ = steady_time::max();    // when it fires
    std::minstd_rand random_;
    std::optional<route_status> problem_;  // why it rests or is paused
    bool problem_in_open_ = false;         // then an open connection proves that the route works again
    std::uint64_t resumed_ = 0;            // TLS sessions, as counted in the metrics
    bool adjust_is_posted_ = false;
    bool is_stopping_ = false;
};

}  // namespace estafette::route
