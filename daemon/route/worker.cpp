// One connection's whole life: connect → loop{pull, deliver, record} → quit.
#include "worker.hpp"

#include "estafette/base/log.hpp"
#include "estafette/route/return_path.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace estafette::route {

namespace {

net::transaction
transaction_of(const config::route_options& options, const mail::verp_keys& keys, const job& j) {
    net::transaction t{j.message, {}, return_path(options, keys, *j.message, j.targets.front().index)};
    t.recipients.reserve(j.targets.size());
    for (const auto& target : j.targets) {
        t.recipients.push_back(target.index);
    }
    // A report names the message and the recipient as we know them; without its content it is small.
    t.dsn = smtp::dsn_request{smtp::dsn_request::content::headers, j.message->id.text(), 0, true};
    return t;
}

bool is_tls_failure(const error_code& e) {
    return e == errc::tls_handshake || e == errc::tls_untrusted || e == errc::tls_self_signed ||
           e == errc::tls_expired || e == errc::tls_not_yet_valid || e == errc::tls_name_mismatch ||
           e == errc::tls_pin_mismatch || e == errc::starttls_missing || e == errc::starttls_refused;
}

// What was tried becomes a report, what was not a job to be offered again.
std::optional<job> split_untried(job& j, net::delivery& d) {
    job untried{j.message, {}};
    job tried{j.message, {}};
    std::vector<smtp::recipient_outcome> outcomes;
    for (std::size_t i = 0; i < j.targets.size(); ++i) {
        if (i < d.recipients.size() && d.recipients[i].tried) {
            tried.targets.push_back(j.targets[i]);
            outcomes.push_back(std::move(d.recipients[i]));
        } else {
            untried.targets.push_back(j.targets[i]);
        }
    }
    j = std::move(tried);
    d.recipients = std::move(outcomes);
    return untried.targets.empty() ? std::nullopt : std::optional{std::move(untried)};
}

// MAIL refused for now, on a connection that has carried mail: it is the connection that is worn out
// (the server counts messages a session), not the message. On a fresh connection the answer counts.
bool is_session_limit(const net::delivery& d) {
    return !d.recipients.empty() && std::ranges::all_of(d.recipients, [](const smtp::recipient_outcome& r) {
        return r.tried && r.what.at == smtp::phase::mail && r.what.answer && r.what.answer->is_transient();
    });
}

}  // namespace

asio::awaitable<void> route::work() {
    // After a terminal stop the outcome in hand is still recorded.
    co_await asio::this_coro::throw_if_cancelled(false);
    worker me{*this};
    const auto now = std::chrono::steady_clock::now();
    const config::endpoint server = servers_.pick(now, static_cast<std::uint32_t>(random_()));
    net::connection link{loop_, options_, *tls_, uses_.dns, hostname_, password_, faults_};
    const smtp::outcome greeting = co_await link.open(server);  // each phase has its own limit
    uses_.meters.smtp_connections_opened[link.is_open() ? labels::opened::ok : labels::opened::failed].add();
    if (!link.is_open()) {
        if (is_tls_failure(greeting.error)) {
            uses_.meters.tls_failures[labels::to_tls_failure(greeting.error)].add();
        }
        const auto stop = co_await asio::this_coro::cancellation_state;
        if (stop.cancelled() == asio::cancellation_type::none) {
            open_failed(server, greeting);
        }
        co_return;
    }
    me.link = &link;
    me.mark = uses_.in_doubt.take();
    me.opened_at = std::chrono::steady_clock::now();
    opened(server);
    co_await serve(me);
    learn(link);
    me.now = worker::stage::closing;
    me.link = nullptr;
    co_await link.quit();  // bounded by itself
}

asio::awaitable<void> route::serve(worker& me) {
    const auto stop = co_await asio::this_coro::cancellation_state;
    me.current = co_await first_job(me);
    while (me.current) {
        me.now = worker::stage::busy;
        const auto most = std::min(
            {options_.messages_per_connection, session_limit_, me.link->mail_max().value_or(UINT32_MAX)}
        );
        const bool is_worn_out =
            ++me.delivered >= most || std::chrono::steady_clock::now() - me.opened_at >= options_.max_age;
        if (options_.across_messages && !faults_.across_messages && !is_worn_out &&
            stop.cancelled() == asio::cancellation_type::none) {
            me.next = pull_for(me);
        }
        const auto now = transaction_of(options_, uses_.verp, *me.current);
        std::optional<net::transaction> then;
        if (me.next) {
            then = transaction_of(options_, uses_.verp, *me.next);
        }
        mark(me);
        net::delivery d = co_await me.link->deliver(now, then ? &*then : nullptr);
        const bool next_begun = d.next_begun;
        bool goes_on = d.is_reusable;
        if (me.delivered > 1 && is_session_limit(d)) {
            learn_session_limit(me.delivered - 1, d);
            goes_on = false;
        }
        auto untried = split_untried(*me.current, d);
        if (!me.current->targets.empty()) {
            attempt_report report{*me.current, std::move(d), me.link->server(), me.link->tls()};
            const bool recorded = co_await uses_.reports.record(*this, std::move(report));
            goes_on = goes_on && recorded;
            if (recorded) {
                me.mark.clear();
            }
        } else {
            me.mark.clear();
        }
        if (untried) {
            put_back(std::move(*untried));
        }
        me.current = std::exchange(me.next, std::nullopt);
        goes_on = goes_on && (!is_worn_out || next_begun) &&
                  (stop.cancelled() == asio::cancellation_type::none || next_begun) &&
                  planner_.state(std::chrono::steady_clock::now()) != breaker::open;
        if (!goes_on) {
            break;
        }
        if (!me.current) {
            me.current = co_await first_job(me);
        }
    }
    if (me.current) {
        put_back(std::move(*std::exchange(me.current, std::nullopt)));
    }
}

// The recipients were not tried; the next connections end before the server's own limit.
void route::learn_session_limit(std::uint32_t carried, net::delivery& d) {
    constexpr smtp::enhanced_code too_many{4, 5, 3};
    if (d.recipients.front().what.answer->enhanced == too_many && carried < session_limit_) {
        session_limit_ = carried;
        log::event(log::level::info, "session_limit", {{"route", id().text()}, {"messages", carried}});
    }
    for (auto& r : d.recipients) {
        r.tried = false;
    }
}

// What was not tried is next on another connection; where the route rests, the store keeps it.
void route::put_back(job j) {
    if (!is_stopping_ && planner_.state(std::chrono::steady_clock::now()) == breaker::closed) {
        ready_.push_front(std::move(j));
        adjust_later();
        return;
    }
    std::vector<job> one;
    one.push_back(std::move(j));
    uses_.reports.give_back(std::move(one));
}

// A job that is larger than the server takes at once (RFC 9422 RCPTMAX) is cut; the rest is next.
std::optional<job> route::pull_for(worker& me) {
    auto j = pull();
    const auto most = me.link->rcpt_max();
    if (j && most && *most != 0 && j->targets.size() > *most) {
        const auto cut = j->targets.begin() + static_cast<std::ptrdiff_t>(*most);
        job rest{j->message, {cut, j->targets.end()}};
        j->targets.erase(cut, j->targets.end());
        ready_.push_front(std::move(rest));
    }
    return j;
}

// What the server announced and took badly is remembered for the route's next connections.
void route::learn(const net::connection& link) {
    const auto before = faults_;
    faults_.merge(link.fallbacks());
    if (faults_ == before) {
        return;
    }
    std::string words;
    for (const auto& f : fallbacks()) {
        words += (words.empty() ? "" : ",") + f;
    }
    log::event(
        log::level::warning,
        "route_fallback",
        {{"route", id().text()}, {"server", link.server()}, {"without", words}}
    );
}

void route::mark(worker& me) {
    std::vector<recipient_id> ids;
    ids.reserve(me.current->targets.size());
    for (const auto& t : me.current->targets) {
        ids.push_back(me.current->id(t));
    }
    me.mark.mark(ids);
}

asio::awaitable<std::optional<job>> route::first_job(worker& me) {
    const auto stop = co_await asio::this_coro::cancellation_state;
    while (stop.cancelled() == asio::cancellation_type::none && !me.link->is_stale()) {
        if (auto j = pull_for(me)) {
            co_return j;
        }
        me.now = worker::stage::idle;
        const bool woken = co_await wait_for_work();
        if (!woken) {
            break;  // idle for too long
        }
    }
    co_return std::nullopt;
}

asio::awaitable<bool> route::wait_for_work() {
    idle_worker me{*this};
    me.wake.expires_after(options_.idle);
    boost::system::error_code ec;
    co_await me.wake.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    co_return me.was_woken && !is_stopping_;
}

}  // namespace estafette::route
