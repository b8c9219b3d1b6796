#include "estafette/route/route.hpp"

#include "worker.hpp"

#include "estafette/base/log.hpp"
#include "estafette/base/text.hpp"
#include "estafette/net/tls.hpp"
#include "estafette/route/return_path.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace estafette::route {

namespace {

// No place on the slate: another route's connections have them all for now.
constexpr seconds slate_pause{1};

planner_limits limits_of(const config::route_options& options) {
    planner_limits limits{options.connections, options.pause, {}};
    for (const auto& text : options.rates) {
        if (auto rate = rate_limit::parse(text)) {
            limits.rates.push_back(*rate);
        }
    }
    return limits;
}

wall_time wall_now() {
    return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

wall_time to_wall(steady_time at) {
    return wall_now() + std::chrono::ceil<milliseconds>(at - std::chrono::steady_clock::now());
}

bool is_overload(verdict::reason why) {
    return why == verdict::reason::rate_limited || why == verdict::reason::server_busy ||
           why == verdict::reason::too_many_recipients;
}

bool is_passing(verdict::reason why) {
    return is_overload(why) || why == verdict::reason::connection_failed || why == verdict::reason::timeout ||
           why == verdict::reason::dns_failed || why == verdict::reason::protocol_error ||
           why == verdict::reason::server_error;
}

std::string words_of(const smtp::outcome& o) {
    if (o.answer) {
        return printable(std::to_string(o.answer->code) + " " + o.answer->text);
    }
    return o.error.message();
}

}  // namespace

route::route(
    asio::any_io_executor loop,
    config::route_options options,
    std::string hostname,
    std::string password,
    services uses
)
    : loop_{loop}
    , options_{std::move(options)}
    , hostname_{options_.helo.empty() ? std::move(hostname) : options_.helo}
    , password_{std::move(password)}
    , uses_{uses}
    , tls_{std::make_unique<net::tls_context>(options_)}
    , ready_{options_.ready_limit}
    , planner_{limits_of(options_)}
    , quotas_{options_.domain_rates}
    , servers_{options_.servers}
    , workers_{loop}
    , timer_{loop}
    , random_{static_cast<std::uint32_t>(std::chrono::steady_clock::now().time_since_epoch().count() | 1)} {}

route::~route() = default;

std::size_t route::room(const tenant_id& tenant, mail::priority precedence) const {
    if (is_stopping_) {
        return 0;
    }
    const auto now = std::chrono::steady_clock::now();
    if (quotas_.full_until(tenant, now) > now) {
        return 0;
    }
    switch (planner_.state(now)) {
    case breaker::closed: return ready_.room(tenant, precedence);
    case breaker::half_open: return ready_.empty() ? 1 : 0;  // the probe needs one message, not all
    case breaker::open:
    case breaker::stopped: return 0;
    }
    return 0;
}

bool route::wants(const tenant_id& tenant, mail::priority precedence) const {
    return accepts(tenant, precedence) && ready_.wants(tenant, precedence);
}

void route::offer(job j) {
    const auto most = recipients_per_transaction(options_);
    while (j.targets.size() > most) {
        job part{j.message, {j.targets.begin(), j.targets.begin() + static_cast<std::ptrdiff_t>(most)}};
        j.targets.erase(j.targets.begin(), j.targets.begin() + static_cast<std::ptrdiff_t>(most));
        ready_.push(std::move(part));
    }
    ready_.push(std::move(j));
    adjust();
}

std::vector<job> route::withdraw(const std::function<bool(const job&)>& which) {
    return ready_.remove(which);
}

std::vector<std::uint32_t> route::in_hand(message_id id) const {
    std::vector<std::uint32_t> found;
    const auto look = [&](const std::unique_ptr<worker::parcel>& p) {
        if (p && p->what.message->id == id) {
            std::ranges::transform(p->what.targets, std::back_inserter(found), &target::index);
        }
    };
    for (const auto* w : active_) {
        std::ranges::for_each(w->sent, look);
        std::ranges::for_each(w->over, look);
        look(w->next);
    }
    return found;
}

std::vector<recipient_id> route::in_hand() const {
    std::vector<recipient_id> found;
    const auto add = [&](const job& j) {
        std::ranges::transform(j.targets, std::back_inserter(found), [&](const target& t) {
            return j.id(t);
        });
    };
    const auto look = [&](const std::unique_ptr<worker::parcel>& p) {
        if (p) {
            add(p->what);
        }
    };
    for (const auto* w : active_) {
        std::ranges::for_each(w->sent, look);
        std::ranges::for_each(w->over, look);
        look(w->next);
        std::ranges::for_each(w->untried, add);
    }
    return found;
}

std::optional<job> route::pull() {
    const auto now = std::chrono::steady_clock::now();
    switch (planner_.state(now)) {
    case breaker::open:
    case breaker::stopped: return std::nullopt;
    case breaker::closed:
    case breaker::half_open: break;
    }
    if (is_stopping_ || ready_.empty()) {
        return std::nullopt;
    }
    if (const auto at = planner_.send_at(now); at > now) {
        arm(at);
        return std::nullopt;
    }
    const auto low_before = ready_.low_classes();
    auto j = ready_.pull();
    while (j && !admit(*j, now)) {
        j = ready_.pull();
    }
    const bool has_room_again = ready_.low_classes() > low_before;
    if (has_room_again || (j && ready_.is_starved(j->message->tenant, j->message->precedence))) {
        uses_.reports.on_room(*this);
    }
    return j;
}

// Takes what the message uses up of every limit. False: its tenant or a domain has no turn now; it waits in
// the store, so that nobody waits behind it.
bool route::admit(job& j, steady_time now) {
    if (!quotas_.empty()) {
        std::vector<std::string_view> domains;
        for (const auto& t : j.targets) {
            const auto domain = j.message->to[t.index].domain();
            if (std::ranges::find(domains, domain) == domains.end()) {
                domains.push_back(domain);
            }
        }
        const auto& tenant = j.message->tenant;
        if (quotas_.ready_at(tenant, domains, now) > now) {
            const auto turn = quotas_.queue_up(tenant, domains, now);
            arm(std::max(quotas_.full_until(tenant, now), now + seconds{1}));
            uses_.reports.postpone(std::move(j), to_wall(turn));
            return false;
        }
        quotas_.take(tenant, domains, now);
    }
    return planner_.admit(now);
}

std::optional<wall_time> route::limited_until(const tenant_id& tenant, std::string_view domain) const {
    const auto now = std::chrono::steady_clock::now();
    const auto turn = std::max(quotas_.turn_at(tenant, domain, now), planner_.send_at(now));
    return turn > now ? std::optional{to_wall(turn)} : std::nullopt;
}

void route::adjust() {
    if (idle_.empty() && active_.size() >= options_.connections) {
        return;  // nobody to wake, nobody to add
    }
    const auto now = std::chrono::steady_clock::now();
    const auto state = planner_.state(now);
    if (is_stopping_ || ready_.empty() || state == breaker::open || state == breaker::stopped) {
        return;
    }
    std::size_t busy = 0;
    std::size_t coming = 0;  // opening, or woken and not yet here
    for (const auto* w : active_) {
        busy += w->now == worker::stage::busy ? 1 : 0;
        coming += w->now == worker::stage::opening ? 1 : 0;
    }
    coming += static_cast<std::size_t>(std::ranges::count_if(idle_, [](auto* i) { return i->was_woken; }));
    const auto wanted = planner_.wanted(ready_.size(), busy);
    while (busy + coming < wanted) {
        const auto idle = std::ranges::find_if(idle_, [](auto* i) { return !i->was_woken; });
        if (idle != idle_.end()) {
            (*idle)->was_woken = true;
            (*idle)->wake.cancel();
        } else if (planner_.open_at() > now) {
            arm(planner_.open_at());
            break;
        } else if (uses_.in_doubt.is_exhausted()) {
            arm(now + slate_pause);
            break;
        } else if (active_.size() < options_.connections) {
            workers_.spawn("worker " + id().text(), work(std::make_unique<worker>(*this)));
        } else {
            break;
        }
        ++coming;
    }
}

void route::adjust_later() {
    if (adjust_is_posted_ || is_stopping_) {
        return;
    }
    adjust_is_posted_ = true;
    asio::post(loop_, [this] {
        adjust_is_posted_ = false;
        adjust();
    });
}

// Looks again then, at the latest; a time that is armed already comes first.
void route::arm(steady_time at) {
    if (at >= armed_) {
        return;
    }
    armed_ = at;
    timer_.expires_at(at);
    timer_.async_wait([this](boost::system::error_code ec) {
        if (ec || is_stopping_) {
            return;
        }
        armed_ = steady_time::max();
        const auto now = std::chrono::steady_clock::now();
        if (const auto probe = planner_.probe_at(); probe && *probe > now) {
            arm(*probe);
        }
        adjust();
        uses_.reports.on_room(*this);
    });
}

void route::opened(const config::endpoint& server) {
    servers_.on_success(server);
    uses_.meters.tls_sessions_resumed.add(tls_->resumed() - resumed_);
    resumed_ = tls_->resumed();
    if (problem_in_open_) {
        works_again();
    }
    planner_.on_opened(std::chrono::steady_clock::now());
    adjust();
}

void route::open_failed(const config::endpoint& server, const smtp::outcome& why, std::string_view banner) {
    const auto judged = uses_.classifier.classify({why, server.host, options_.profile, {}, banner});
    const auto text = words_of(why);
    log::event(
        log::level::warning,
        "connection_failed",
        {{"route", id().text()},
         {"server", server.host + ":" + std::to_string(server.port)},
         {"phase", smtp::label(why.at)},
         {"reason", verdict::to_text(judged.why)},
         {"text", text}}
    );
    const auto now = std::chrono::steady_clock::now();
    const bool all_failed = servers_.on_failure(server, now);
    if (!all_failed) {
        return;  // the next worker takes another server
    }
    problem_in_open_ = true;
    rest(judged, text, is_passing(judged.why) ? planner::gravity::passing : planner::gravity::lasting);
}

void route::blame(const verdict::verdict& judged, const std::string& text) {
    const auto now = std::chrono::steady_clock::now();
    if (is_overload(judged.why)) {
        planner_.on_overload(now);
        return;
    }
    problem_in_open_ = false;
    rest(judged, text, is_passing(judged.why) ? planner::gravity::passing : planner::gravity::lasting);
}

void route::rest(const verdict::verdict& judged, const std::string& text, planner::gravity how) {
    const bool others_work = std::ranges::any_of(active_, [](const worker* w) {
        return w->link != nullptr && w->now != worker::stage::closing;
    });
    const auto now = std::chrono::steady_clock::now();
    const bool is_new = planner_.on_failure(now, how, others_work && problem_in_open_);
    if (planner_.state(now) != breaker::open) {
        return;
    }
    if (!problem_ || problem_->state != route_state::paused) {
        route_status p;
        p.id = id();
        p.state = route_state::resting;
        p.why = judged.why;
        p.text = text;
        p.by = "daemon";
        p.since = problem_ ? problem_->since : wall_now();
        p.until = to_wall(*planner_.probe_at());
        problem_ = std::move(p);
    }
    arm(*planner_.probe_at());
    if (is_new) {
        uses_.reports.on_paused(*this);
    }
    uses_.reports.give_back(ready_.drain());
}

void route::praise() {
    planner_.on_success(std::chrono::steady_clock::now());
    if (problem_ && problem_->state == route_state::resting) {
        works_again();
    }
    if (!ready_.empty()) {
        adjust();
    }
}

void route::works_again() {
    problem_in_open_ = false;
    if (!problem_ || problem_->state != route_state::resting) {
        return;
    }
    planner_.resume();
    problem_.reset();
    uses_.reports.on_resumed(*this);
    uses_.reports.on_room(*this);
}

void route::pause(std::optional<wall_time> until, std::string text, std::string by) {
    const auto now = wall_now();
    std::optional<steady_time> end;
    if (until) {
        end = std::chrono::steady_clock::now() + (*until - now);
    }
    planner_.stop(end);
    route_status p;
    p.id = id();
    p.state = route_state::paused;
    p.text = std::move(text);
    p.by = std::move(by);
    p.since = now;
    p.until = until;
    problem_ = std::move(p);
    if (end) {
        arm(*end);
    }
    uses_.reports.give_back(ready_.drain());
}

void route::resume() {
    planner_.resume();
    problem_.reset();
    problem_in_open_ = false;
    uses_.reports.on_room(*this);
    adjust();
}

void route::restore(const route_status& earlier) {
    if (earlier.by != "daemon") {
        pause(earlier.until, earlier.text, earlier.by);
        problem_->since = earlier.since;
        return;
    }
    problem_ = earlier;  // shown until a connection proves otherwise
    problem_->state = route_state::resting;
    problem_in_open_ = true;
}

std::vector<std::string> route::fallbacks() const {
    std::vector<std::string> words;
    if (faults_.pipelining) {
        words.emplace_back("pipelining");
    }
    if (faults_.across_messages) {
        words.emplace_back("across_messages");
    }
    if (faults_.chunking) {
        words.emplace_back("chunking");
    }
    return words;
}

route_status route::status() const {
    route_status s;
    const bool pause_is_over = problem_ && problem_->state == route_state::paused &&
                               planner_.state(std::chrono::steady_clock::now()) != breaker::stopped;
    if (problem_ && !pause_is_over) {
        s = *problem_;
    }
    s.id = id();
    s.connections =
        static_cast<std::size_t>(std::ranges::count_if(active_, [](auto* w) { return w->link != nullptr; }));
    s.allowed = planner_.allowed();
    s.ready = ready_.size();
    s.fallbacks = fallbacks();
    for (const auto& e : options_.servers) {
        s.servers.push_back(e.host + ":" + std::to_string(e.port));
    }
    return s;
}

void route::stop(asio::cancellation_type how) {
    is_stopping_ = true;
    timer_.cancel();
    for (auto* i : idle_) {
        i->wake.cancel();
    }
    workers_.stop(how);
    uses_.reports.give_back(ready_.drain());
}

asio::awaitable<bool> route::wait(milliseconds limit) {
    return workers_.wait(limit);
}

}  // namespace estafette::route
