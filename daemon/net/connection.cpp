#include "estafette/net/connection.hpp"

#include "link.hpp"

#include "estafette/base/text.hpp"
#include "estafette/net/dns.hpp"

#include <openssl/rand.h>

#include <array>
#include <utility>
#include <vector>

namespace estafette::net {

namespace {

// A server that takes less than this is stopped by the transaction's limit (RFC 5321 knows none).
constexpr std::uint64_t slowest_bytes_per_second = 16 * 1024;
constexpr milliseconds longest_quit{5000};
constexpr std::size_t transcript_limit = 16 * 1024;

std::string make_nonce() {
    std::array<unsigned char, 24> random{};
    RAND_bytes(random.data(), static_cast<int>(random.size()));
    return base64_encode({reinterpret_cast<const char*>(random.data()), random.size()});
}

smtp::starttls_use starttls_of(const config::route_options& route) {
    if (route.mode != config::tls_mode::starttls)
        return smtp::starttls_use::never;
    switch (route.policy) {
    case config::tls_policy::required_verified:
    case config::tls_policy::required_unverified: return smtp::starttls_use::required;
    case config::tls_policy::opportunistic: return smtp::starttls_use::if_offered;
    case config::tls_policy::none: return smtp::starttls_use::never;
    }
    return smtp::starttls_use::required;
}

smtp::session_options session_options(
    const config::route_options& route, std::string helo, std::string password, server_faults known
) {
    smtp::session_options options;
    options.helo = std::move(helo);
    options.starttls = starttls_of(route);
    options.login.username = route.username;
    options.login.secret = std::move(password);
    for (const auto& name : route.mechanisms)
        if (const auto m = smtp::parse_mechanism(name))
            options.mechanisms.push_back(*m);
    options.nonce = make_nonce();
    options.pipelining = route.pipelining && !known.pipelining;
    options.across_messages = route.across_messages && !known.across_messages;
    options.chunking = route.chunking && !known.chunking;
    options.window = route.window;
    return options;
}

smtp::transaction_view view_of(const transaction& t) {
    smtp::transaction_view view;
    view.message = t.message.get();
    view.recipients = t.recipients;
    const auto& from = t.from_sender ? t.message->from : t.return_path;
    view.return_path = from ? &*from : nullptr;
    view.dsn = t.dsn ? &*t.dsn : nullptr;
    return view;
}

smtp::tls_facts for_session(const tls_facts& facts) {
    return {.verified = !facts.problem, .binding = facts.binding};
}

wall_time wall_now() {
    return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
}

// The configuration refuses such a route; here it must not become mail in clear.
bool contradicts(const config::route_options& route) {
    return route.mode == config::tls_mode::none && (route.policy == config::tls_policy::required_verified ||
                                                    route.policy == config::tls_policy::required_unverified);
}

// Certificates and DNS know A-labels only.
std::string ascii_host(const std::string& host) {
    if (is_ascii(host))
        return host;
    const auto domain = mail::parse_domain(host);
    return domain ? *domain : host;
}

}  // namespace

struct connection::state {
    // A message that was begun and whose outcome was not taken.
    struct under_way {
        wall_time started_at;
        steady_time began;
        std::uint64_t size;
    };

    const config::route_options& route;
    tls_context& context;
    resolver& dns;
    link wire;
    deadline limit;
    smtp::session machine;
    std::array<char, piece_size> buffer{};
    driving with;
    std::string host, server, tls_text, notes;
    std::vector<under_way> sent;  // oldest first
    std::vector<smtp::recipient_outcome> spare;
    bool may_announce, may_chunk;  // pipelining across messages, BDAT: as far as we are concerned

    state(
        asio::any_io_executor loop,
        const config::route_options& r,
        tls_context& t,
        resolver& d,
        const smtp::session_options& options
    )
        : route{r}
        , context{t}
        , dns{d}
        , wire{loop}
        , limit{loop, [this] { wire.close(); }}
        , machine{options}
        , with{limit, route.timeouts, buffer}
        , may_announce{options.pipelining && options.across_messages}
        , may_chunk{options.chunking} {}

    void note(std::string_view what, std::string_view more = {});
    smtp::outcome failed(smtp::phase at, error_code why, std::string_view detail = {});
    smtp::outcome failure();
    asio::awaitable<smtp::outcome> reach(std::uint16_t port);
    asio::awaitable<result<smtp::tls_facts>> shake_hands();
    asio::awaitable<smtp::outcome> converse(smtp::action act);
    asio::awaitable<void> leave();
    void start_total();
};

void connection::state::note(std::string_view what, std::string_view more) {
    notes.append("* ").append(what);
    if (!more.empty())
        notes.append(": ").append(printable(more, 200));
    notes += '\n';
}

smtp::outcome connection::state::failed(smtp::phase at, error_code why, std::string_view detail) {
    note(why.message(), detail);
    wire.close();
    smtp::outcome o;
    o.at = at;
    o.error = why;
    return o;
}

// What ended the session, in the machine's view.
smtp::outcome connection::state::failure() {
    auto o = machine.failure();
    if (o.error)
        note(o.error.message(), with.detail);
    return o;
}

asio::awaitable<void> connection::state::leave() {
    if (!wire.is_open())
        co_return;
    limit.start_total(std::min(route.timeouts[smtp::phase::quit], longest_quit));
    const auto act = machine.quit();
    co_await wire.drive(machine, act, with);
    co_await wire.part(limit);
}

asio::awaitable<smtp::outcome> connection::state::reach(std::uint16_t port) {
    auto found = co_await dns.resolve(host, route.timeouts[smtp::phase::resolve]);
    if (!found)
        co_return failed(smtp::phase::resolve, found.error(), host);
    const address_policy policy{.allow_private = route.allow_private};
    const auto why = co_await wire.connect(*found, port, policy, route.timeouts[smtp::phase::connect]);
    if (why)
        co_return failed(smtp::phase::connect, why, server);
    note("connected to " + wire.peer(), server);
    smtp::outcome up;
    up.at = smtp::phase::connect;
    co_return up;
}

asio::awaitable<result<smtp::tls_facts>> connection::state::shake_hands() {
    limit.start_request(route.timeouts[smtp::phase::handshake]);
    auto facts = co_await wire.shake_hands(context, host, server, limit, with.detail);
    if (!facts)
        co_return facts.error();
    tls_text = facts->description;
    note(tls_text);
    co_return for_session(*facts);
}

// From the first action to ready or close, with the handshake wherever the machine wants it.
asio::awaitable<smtp::outcome> connection::state::converse(smtp::action act) {
    for (;;) {
        act = co_await wire.drive(machine, act, with);
        if (act.what != smtp::todo::start_tls)
            break;
        auto facts = co_await shake_hands();
        if (!facts) {
            act = machine.on_broken(facts.error());
            co_return failed(smtp::phase::handshake, facts.error(), with.detail);
        }
        act = machine.on_tls(std::move(*facts));
    }
    if (act.what != smtp::todo::ready) {
        auto why = failure();
        co_await leave();  // a server that refused us still hears QUIT
        co_return why;
    }
    smtp::outcome ready;
    ready.at = smtp::phase::ready;
    co_return ready;
}

connection::connection(
    asio::any_io_executor loop,
    const config::route_options& route,
    tls_context& tls,
    resolver& dns,
    std::string helo,
    std::string password,
    server_faults known
) {
    auto options = session_options(route, std::move(helo), std::move(password), known);
    state_ = std::make_unique<state>(std::move(loop), route, tls, dns, options);
}

connection::~connection() = default;

asio::awaitable<smtp::outcome> connection::open(config::endpoint server) {
    auto& s = *state_;
    s.host = ascii_host(server.host);
    s.server = server.host + ':' + std::to_string(server.port);
    if (contradicts(s.route))
        co_return s.failed(
            smtp::phase::connect, make_error_code(errc::starttls_missing), "the route has no TLS"
        );
    auto up = co_await s.reach(server.port);
    if (up.error)
        co_return up;
    s.limit.start_total(s.route.transaction_limit);
    auto act = smtp::action{};
    if (s.route.mode == config::tls_mode::implicit) {
        auto facts = co_await s.shake_hands();
        if (!facts)
            co_return s.failed(smtp::phase::handshake, facts.error(), s.with.detail);
        act = s.machine.on_connected(std::move(*facts));
    } else {
        act = s.machine.on_connected();
    }
    co_return co_await s.converse(act);
}

// Holds slow but steady servers to a data rate, for all that is under way.
void connection::state::start_total() {
    std::uint64_t size = 0;
    for (const auto& m : sent)
        size += m.size;
    limit.start_total(route.transaction_limit + seconds{size / slowest_bytes_per_second});
}

void connection::begin(const transaction& now, const transaction* next) {
    auto& s = *state_;
    if (s.sent.empty()) {
        s.with.write_failed = false;
        s.with.detail.clear();
    }
    s.sent.push_back({wall_now(), std::chrono::steady_clock::now(), now.message->facts.size});
    const auto act = s.machine.begin(view_of(now));
    if (next != nullptr && act.what != smtp::todo::done)
        s.machine.offer_next(view_of(*next));
}

asio::awaitable<void> connection::send() {
    auto& s = *state_;
    s.start_total();
    co_await s.wire.write(s.machine, s.with);
}

asio::awaitable<delivery> connection::outcome() {
    auto& s = *state_;
    if (!has_outcome()) {
        s.start_total();
        co_await s.wire.drive(s.machine, s.machine.current(), s.with);
    }
    delivery d;
    d.recipients = s.machine.take_outcome(std::exchange(s.spare, {}));
    const auto began = s.sent.front();
    s.sent.erase(s.sent.begin());
    d.started_at = began.started_at;
    // A 250 cannot answer a dot of which some byte may not have left.
    for (auto& r : d.recipients)
        if (s.with.write_failed && r.what.is_accepted())
            r.what.error = make_error_code(errc::connection_closed);
    d.next_begun = s.machine.is_next_begun() && s.machine.is_usable();
    d.is_reusable = s.machine.is_usable() && s.wire.is_open();
    d.duration = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began.began);
    co_return d;
}

asio::awaitable<delivery> connection::deliver(const transaction& now, const transaction* next) {
    begin(now, next);
    return outcome();
}

bool connection::has_room() const noexcept {
    return state_->wire.is_open() && state_->machine.has_room();
}

bool connection::has_outcome() const noexcept {
    return !state_->sent.empty() && state_->machine.current().what == smtp::todo::done;
}

bool connection::announces_next() const noexcept {
    const auto& s = *state_;
    return s.may_announce && s.machine.offers().pipelining && !(s.may_chunk && s.machine.offers().chunking);
}

void connection::recycle(std::vector<smtp::recipient_outcome> spent) {
    state_->spare = std::move(spent);
}

asio::awaitable<void> connection::quit() {
    co_await state_->leave();
}

bool connection::is_open() const noexcept {
    return state_->wire.is_open() && state_->machine.is_usable();
}

const smtp::outcome& connection::failure() const noexcept {
    return state_->machine.failure();
}

bool connection::is_stale() const {
    return !is_open() || state_->wire.has_unread();
}

const std::string& connection::server() const noexcept {
    return state_->server;
}

const std::string& connection::tls() const noexcept {
    return state_->tls_text;
}

const std::string& connection::banner() const noexcept {
    return state_->machine.banner();
}

std::string connection::transcript() const {
    auto text = state_->notes + state_->machine.transcript();
    if (text.size() > transcript_limit)
        text.resize(transcript_limit);
    return text;
}

server_faults connection::fallbacks() const noexcept {
    server_faults found;
    switch (state_->machine.misbehaved()) {
    case smtp::misbehaviour::none: break;
    case smtp::misbehaviour::pipelining: found.pipelining = true; break;
    case smtp::misbehaviour::across_messages: found.across_messages = true; break;
    case smtp::misbehaviour::chunking: found.chunking = true; break;
    }
    return found;
}

std::optional<std::uint32_t> connection::mail_max() const noexcept {
    return state_->machine.offers().mail_max;
}

std::optional<std::uint32_t> connection::rcpt_max() const noexcept {
    return state_->machine.offers().rcpt_max;
}

}  // namespace estafette::net
