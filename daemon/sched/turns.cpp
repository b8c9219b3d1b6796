#include "estafette/sched/turns.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace estafette::sched {

asio::awaitable<std::unique_ptr<turns::turn>> turns::take(std::vector<name> names) {
    const auto is_taken = [this](const name& n) { return taken_.contains(n); };
    while (std::ranges::any_of(names, is_taken)) {
        changed_.expires_at(asio::steady_timer::time_point::max());
        boost::system::error_code ec;
        // No deadline: whoever has the name waits for the store alone, and gives it back.
        co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    }
    taken_.insert(names.begin(), names.end());
    co_return std::make_unique<turn>(*this, std::move(names));
}

void turns::give_back(const std::vector<name>& names) {
    for (const auto& n : names) {
        taken_.erase(n);
    }
    changed_.cancel();
}

}  // namespace estafette::sched
