// One connection's whole life: connect → loop{pull, deliver, record} → quit.
#include "worker.hpp"

#include "estafette/base/log.hpp"
#include "estafette/base/text.hpp"
#include "estafette/route/return_path.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace estafette::route {

namespace {

// What the caller leaves open: a report names the message and the recipient as we know them; without its
// content it is small.
void want_reports(mail::dsn_request& dsn, const mail::message& m) {
    const bool is_open = m.reports.ret == mail::dsn_request::content::unspecified;
    dsn.ret = is_open ? mail::dsn_request::content::headers : m.reports.ret;
    dsn.notify = m.reports.notify;
    dsn.orcpt = true;
    dsn.envid = m.reports.envid;
    if (dsn.envid.empty()) {
        m.id.append_to(dsn.envid);
    }
}

// Made anew in the memory of an earlier one.
void address(
    net::transaction& t, const config::route_options& options, const mail::verp_keys& keys, const job& j
) {
    t.message = j.message;
    t.recipients.clear();
    for (const auto& target : j.targets) {
        t.recipients.push_back(target.index);
    }
    t.from_sender = options.return_path == config::return_path_mode::sender;
    t.return_path =
        t.from_sender ? std::nullopt : return_path(options, keys, *j.message, j.targets.front().index);
    want_reports(t.dsn ? *t.dsn : t.dsn.emplace(), *j.message);
}

bool is_tls_failure(const error_code& e) {
    return e == errc::tls_handshake || e == errc::tls_untrusted || e == errc::tls_self_signed ||
           e == errc::tls_expired || e == errc::tls_not_yet_valid || e == errc::tls_name_mismatch ||
           e == errc::tls_pin_mismatch || e == errc::starttls_missing || e == errc::starttls_refused;
}

// What was tried becomes a report, what was not a job to be offered again.
std::optional<job> split_untried(job& j, net::delivery& d) {
    if (d.recipients.size() == j.targets.size() &&
        std::ranges::all_of(d.recipients, &smtp::recipient_outcome::tried)) {
        return std::nullopt;
    }
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

// 421 to MAIL: the session has left the message untried.
bool is_closed_at_mail(const net::connection& link, const net::delivery& d) {
    return link.failure().at == smtp::phase::mail && link.failure().answer &&
           std::ranges::none_of(d.recipients, &smtp::recipient_outcome::tried);
}

}  // namespace

asio::awaitable<void> route::work(std::unique_ptr<worker> owned) {
    // After a terminal stop the outcome in hand is still recorded.
    co_await asio::this_coro::throw_if_cancelled(false);
    worker& me = *owned;
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
            open_failed(server, greeting, link.banner());
        }
        co_return;
    }
    me.link = &link;
    me.opened_at = std::chrono::steady_clock::now();
    opened(server);
    if (take_marks(me)) {
        co_await serve(me);
    }
    learn(link);
    me.now = worker::stage::closing;
    me.link = nullptr;
    co_await link.quit();  // bounded by itself
}

// One place on the slate for each message that may be under way; the window is as large as there are.
bool route::take_marks(worker& me) {
    const auto wanted = options_.chunking && !faults_.chunking ? options_.window : 1;
    while (me.marks.size() < wanted) {
        auto mark = uses_.in_doubt.take();
        if (!mark.is_real()) {
            break;
        }
        me.marks.push_back(std::move(mark));
    }
    return !me.marks.empty();
}

std::unique_ptr<route::worker::parcel> route::worker::pack(job j) {
    std::unique_ptr<parcel> p = spare.empty() ? std::make_unique<parcel>() : std::move(spare.back());
    if (!spare.empty()) {
        spare.pop_back();
    }
    p->what = std::move(j);
    address(p->as, home.options_, home.uses_.verp, p->what);
    return p;
}

void route::worker::unpack(std::unique_ptr<parcel> p) {
    p->what = {};
    p->as.message.reset();
    spare.push_back(std::move(p));
}

asio::awaitable<void> route::serve(worker& me) {
    for (;;) {
        if (me.sent.empty() && !me.next && may_begin(me)) {
            if (auto found = co_await first_job(me)) {
                me.next = me.pack(std::move(*found));
            }
        }
        me.now = worker::stage::busy;
        // The commands of the next message may have left already: then it goes though nothing else would.
        if (me.sent.empty() && me.next && me.goes_on && (me.next_begun || may_begin(me))) {
            begin(me);
        }
        if (options_.window > 1) {
            co_await fill_window(me);
        }
        if (me.sent.empty()) {
            break;  // nothing comes any more
        }
        co_await take_outcomes(me);
    }
    if (me.next) {
        put_back(std::move(me.next->what));
        me.next.reset();
    }
}

bool route::may_begin(const worker& me) const {
    const auto most =
        std::min({options_.messages_per_connection, session_limit_, me.link->mail_max().value_or(UINT32_MAX)}
        );
    const auto now = std::chrono::steady_clock::now();
    return me.goes_on && !is_stopping_ && me.begun < most && now - me.opened_at < options_.max_age &&
           planner_.state(now) != breaker::open;
}

// Begins as many more as may be under way at once.
asio::awaitable<void> route::fill_window(worker& me) {
    while (!me.sent.empty() && !me.marks.empty() && !me.next && may_begin(me)) {
        co_await me.link->send();
        std::optional<job> another = me.link->has_room() ? pull_for(me) : std::nullopt;
        if (!another) {
            break;
        }
        me.next = me.pack(std::move(*another));
        begin(me);
    }
}

// The next parcel goes out, and takes the one behind it along where that saves a round trip.
void route::begin(worker& me) {
    me.sent.push_back(std::move(me.next));
    me.next_begun = false;
    ++me.begun;
    auto& now = *me.sent.back();
    if (options_.across_messages && !faults_.across_messages && me.link->announces_next() && may_begin(me)) {
        if (auto behind = pull_for(me)) {
            me.next = me.pack(std::move(*behind));
        }
    }
    me.marked.clear();
    for (const auto& t : now.what.targets) {
        me.marked.push_back(now.what.id(t));
    }
    now.mark = std::move(me.marks.back());
    me.marks.pop_back();
    now.mark.mark(me.marked);
    me.link->begin(now.as, me.next ? &me.next->as : nullptr);
}

// The oldest outcome, and those that came with it, go to the store together.
asio::awaitable<void> route::take_outcomes(worker& me) {
    do {
        auto d = co_await me.link->outcome();
        note_outcome(me, std::move(d));
    } while (me.link->has_outcome());
    bool is_durable = true;
    if (!me.reports.empty()) {
        is_durable = co_await uses_.reports.record(*this, me.reports);
    }
    me.goes_on = me.goes_on && is_durable;
    for (auto& p : me.over) {
        if (is_durable) {
            p->mark.clear();
            me.marks.push_back(std::move(p->mark));
        }
        me.unpack(std::move(p));
    }
    me.over.clear();
    if (!me.reports.empty()) {
        me.link->recycle(std::move(me.reports.front().result.recipients));
        me.reports.clear();
    }
    for (auto& j : me.untried) {
        put_back(std::move(j));
    }
    me.untried.clear();
}

void route::note_outcome(worker& me, net::delivery d) {
    std::unique_ptr<worker::parcel> p = std::move(me.sent.front());
    me.sent.erase(me.sent.begin());
    me.next_begun = d.next_begun;
    me.goes_on = me.goes_on && d.is_reusable;
    if (me.answered != 0 && is_session_limit(d)) {
        learn_session_limit(me, d);
        me.goes_on = false;
    } else if (is_closed_at_mail(*me.link, d)) {
        blame_overload(me, me.link->failure());
    }
    ++me.answered;
    if (auto rest = split_untried(p->what, d)) {
        me.untried.push_back(std::move(*rest));
    }
    if (!p->what.targets.empty()) {
        me.reports.push_back({p->what, std::move(d), me.link->server(), me.link->tls(), me.link->banner()});
    }
    me.over.push_back(std::move(p));
}

// The recipients were not tried; the next connections end before the server's own limit.
void route::learn_session_limit(const worker& me, net::delivery& d) {
    constexpr smtp::enhanced_code too_many{4, 5, 3};
    const auto& what = d.recipients.front().what;
    if (what.answer->enhanced != too_many) {
        blame_overload(me, what);
    } else if (me.answered < session_limit_) {
        session_limit_ = me.answered;
        log::event(log::level::info, "session_limit", {{"route", id().text()}, {"messages", me.answered}});
    }
    for (auto& r : d.recipients) {
        r.tried = false;
    }
}

// A server that has had too many of us at once shall have fewer.
void route::blame_overload(const worker& me, const smtp::outcome& what) {
    const auto judged =
        uses_.classifier.classify({what, host_of(me.link->server()), options_.profile, {}, me.link->banner()}
        );
    if (judged.why == verdict::reason::rate_limited) {
        blame(judged, what.answer->text);
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
