#include "services.hpp"

namespace estafette::api {
namespace {

// Changes handed to the store and not yet committed: beyond it the store cannot keep up.
constexpr std::size_t max_backlog = 50'000;

// Of request bodies in memory; parsing and composing take three to four times as much for a moment each.
constexpr std::uint64_t max_body_memory = 256ull << 20;

std::uint64_t waiting_in(const store::counts& c) {
    using store::state;
    std::uint64_t sum = 0;
    for (const auto s : {state::scheduled, state::queued, state::deferred, state::held})
        sum += c.by_state[static_cast<std::size_t>(s)];
    return sum;
}

}  // namespace

asio::awaitable<std::optional<problem>>
admission::check(store::queue& queue, std::size_t recipients, std::uint64_t limit) {
    if (const auto health = queue.health())
        co_return of_error(health);
    if (queue.backlog() > max_backlog)
        co_return queue_full();
    const auto now = std::chrono::steady_clock::now();
    if (!is_counted_ || now - counted_at_ > seconds{1}) {
        counted_at_ = now;
        is_counted_ = true;
        const auto counted = co_await queue.count();  // the store answers within its own limit
        if (!counted)
            co_return of_error(counted.error());
        waiting_ = waiting_in(*counted);
    }
    if (waiting_ + recipients > limit)
        co_return queue_full();
    co_return std::nullopt;
}

std::unique_ptr<keys_in_use::claim> keys_in_use::take(const key& k, const std::string& digest) {
    if (!keys_.emplace(k, digest).second)
        return nullptr;
    return std::make_unique<claim>(*this, k);
}

const std::string* keys_in_use::digest_of(const key& k) const {
    const auto found = keys_.find(k);
    return found == keys_.end() ? nullptr : &found->second;
}

std::unique_ptr<body_memory::share> body_memory::take(std::uint64_t bytes) {
    if (taken_ != 0 && taken_ + bytes > max_body_memory)
        return nullptr;
    taken_ += bytes;
    return std::make_unique<share>(*this, bytes);
}

}  // namespace estafette::api
