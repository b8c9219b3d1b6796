#include "estafette/net/dns.hpp"

#include "dns_channel.hpp"

#include "estafette/base/text.hpp"
#include "estafette/net/address.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <netinet/in.h>

#include <algorithm>
#include <map>
#include <string_view>

namespace estafette::net {

namespace {

// A name under way, and those who wait for it.
struct query {
    resolver_options options;
    result<resolver::addresses> answer{make_error_code(errc::dns_failure)};
    milliseconds keep{0};
    bool is_answered = false;
    std::uint64_t generation = 0;
    std::vector<asio::steady_timer*> waiting;
};

errc to_errc(int status) {
    switch (status) {
    case ARES_ENOTFOUND: return errc::dns_no_such_name;
    case ARES_ENODATA: return errc::dns_no_address;
    case ARES_ETIMEOUT: return errc::timeout;
    case ARES_EDESTRUCTION:
    case ARES_ECANCELLED: return errc::interrupted;
    default: return errc::dns_failure;
    }
}

std::optional<asio::ip::address> to_address(const ares_addrinfo_node& node) {
    if (node.ai_family == AF_INET) {
        const auto* in = reinterpret_cast<const sockaddr_in*>(node.ai_addr);
        return asio::ip::address_v4{ntohl(in->sin_addr.s_addr)};
    }
    if (node.ai_family == AF_INET6) {
        const auto* in = reinterpret_cast<const sockaddr_in6*>(node.ai_addr);
        asio::ip::address_v6::bytes_type bytes;
        std::copy_n(in->sin6_addr.s6_addr, bytes.size(), bytes.begin());
        return asio::ip::address_v6{bytes};
    }
    return std::nullopt;
}

void take_addresses(query& q, const ares_addrinfo& found) {
    resolver::addresses list;
    auto ttl = q.options.longest_ttl;
    for (const auto* node = found.nodes; node != nullptr; node = node->ai_next) {
        const auto a = to_address(*node);
        if (!a || std::find(list.begin(), list.end(), *a) != list.end())
            continue;
        ttl = std::min<milliseconds>(ttl, seconds{std::max(node->ai_ttl, 0)});
        if (list.size() < q.options.addresses)
            list.push_back(*a);
    }
    q.keep = std::max(ttl, q.options.shortest_ttl);
    if (list.empty())
        q.answer = make_error_code(errc::dns_no_address);
    else
        q.answer = std::move(list);
}

void on_answer(void* argument, int status, int /*timeouts*/, ares_addrinfo* found) {
    const std::unique_ptr<std::shared_ptr<query>> owner{static_cast<std::shared_ptr<query>*>(argument)};
    auto& q = **owner;
    const std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> list{found, &ares_freeaddrinfo};
    if (status == ARES_SUCCESS && found != nullptr) {
        take_addresses(q, *found);
    } else {
        const auto e = to_errc(status);
        q.answer = make_error_code(e);
        if (e == errc::dns_no_such_name || e == errc::dns_no_address)
            q.keep = q.options.negative_ttl;
    }
    q.is_answered = true;
    for (auto* timer : q.waiting)
        timer->cancel();
}

// Names that inet_aton and other resolvers read as numbers ("127.1", "0x7f.1") are no names.
bool is_name(std::string_view host) {
    if (host.empty() || host.size() > 253)
        return false;
    const auto harmless = [](char c) { return c > ' ' && c < 0x7f && c != '/' && c != '@'; };
    if (!std::all_of(host.begin(), host.end(), harmless))
        return false;
    const auto last = host.substr(host.rfind('.') + 1);
    return !last.empty() && (last.front() < '0' || last.front() > '9');
}

}  // namespace

struct resolver::state {
    struct entry {
        result<addresses> answer;
        steady_time until;
    };

    asio::any_io_executor loop;
    resolver_options options;
    std::map<std::string, std::shared_ptr<query>> under_way;
    std::map<std::string, entry> cache;
    std::unique_ptr<dns_channel> channel;
    std::vector<std::unique_ptr<dns_channel>> retired;  // by reload(), while their questions were open
    std::uint64_t generation = 0;                       // of the configuration

    std::shared_ptr<query> ask(const std::string& name);
    void settle(const std::string& name, const query& q);
    void make_room(steady_time now);
};

std::shared_ptr<query> resolver::state::ask(const std::string& name) {
    if (const auto found = under_way.find(name); found != under_way.end()) {
        if (!found->second->is_answered)
            return found->second;
        under_way.erase(found);
    }
    std::erase_if(under_way, [](const auto& item) { return item.second->is_answered; });
    std::erase_if(retired, [](const auto& old) { return old->is_idle(); });
    if (!channel) {
        const auto first_try = static_cast<int>(options.first_try.count());
        channel = std::make_unique<dns_channel>(loop, options.servers, first_try, options.tries);
    }
    auto q = std::make_shared<query>();
    q->options = options;
    q->generation = generation;
    under_way.emplace(name, q);
    auto argument = std::make_unique<std::shared_ptr<query>>(q);
    channel->ask(name, &on_answer, argument.release());
    return q;
}

void resolver::state::make_room(steady_time now) {
    if (cache.size() < options.names)
        return;
    std::erase_if(cache, [now](const auto& item) { return item.second.until <= now; });
    if (cache.size() >= options.names)
        cache.erase(cache.begin());
}

void resolver::state::settle(const std::string& name, const query& q) {
    const auto now = std::chrono::steady_clock::now();
    if (q.keep.count() == 0 || q.generation != generation)
        return;
    make_room(now);
    cache.insert_or_assign(name, entry{q.answer, now + q.keep});
}

resolver::resolver(asio::any_io_executor loop, resolver_options options)
    : state_{std::make_shared<state>()} {
    state_->loop = std::move(loop);
    state_->options = std::move(options);
}

resolver::~resolver() {
    state_->channel.reset();  // who still waits is answered "interrupted"
    state_->retired.clear();
}

void resolver::reload() {
    ++state_->generation;
    state_->cache.clear();
    state_->under_way.clear();  // who waits keeps his query
    if (state_->channel)
        state_->retired.push_back(std::move(state_->channel));
}

std::size_t resolver::cached_names() const noexcept {
    return state_->cache.size();
}

asio::awaitable<result<resolver::addresses>> resolver::resolve(std::string host, milliseconds limit) {
    if (const auto literal = parse_literal(host))
        co_return addresses{*literal};
    auto name = ascii_lower(host);
    if (!name.empty() && name.back() == '.')
        name.pop_back();
    if (!is_name(name))
        co_return make_error_code(errc::dns_no_such_name);
    const auto shared = state_;
    const auto now = std::chrono::steady_clock::now();
    if (const auto found = shared->cache.find(name); found != shared->cache.end()) {
        if (found->second.until > now)
            co_return found->second.answer;
        shared->cache.erase(found);
    }
    const auto q = shared->ask(name);
    if (!q->is_answered) {
        asio::steady_timer timer{shared->loop, limit};
        q->waiting.push_back(&timer);
        struct leave {
            query& from;
            asio::steady_timer* which;

            ~leave() { std::erase(from.waiting, which); }
        } const guard{*q, &timer};
        auto [ec] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        if (!q->is_answered)
            co_return make_error_code(ec ? errc::interrupted : errc::timeout);
    }
    shared->settle(name, *q);
    co_return q->answer;
}

}  // namespace estafette::net
