#include "estafette/net/deadline.hpp"

#include <boost/asio/steady_timer.hpp>

#include <algorithm>

namespace estafette::net {

namespace {

steady_time later(milliseconds limit) {
    return std::chrono::steady_clock::now() + limit;
}

}  // namespace

struct deadline::state {
    asio::steady_timer timer;
    std::function<void()> cut;
    steady_time request = steady_time::max();
    steady_time total = steady_time::max();
    steady_time armed = steady_time::max();
    bool has_passed = false;

    [[nodiscard]] steady_time next() const noexcept { return std::min(request, total); }

    static void arm(const std::shared_ptr<state>& self);
    static void on_timer(const std::shared_ptr<state>& self);
};

void deadline::state::arm(const std::shared_ptr<state>& self) {
    const auto due = self->next();
    if (due >= self->armed || self->has_passed)
        return;
    self->armed = due;
    self->timer.expires_at(due);
    self->timer.async_wait([weak = std::weak_ptr{self}](const boost::system::error_code& ec) {
        if (const auto alive = weak.lock(); alive && !ec)
            on_timer(alive);
    });
}

void deadline::state::on_timer(const std::shared_ptr<state>& self) {
    self->armed = steady_time::max();
    if (self->next() > std::chrono::steady_clock::now()) {
        arm(self);  // the limit was moved on meanwhile
        return;
    }
    self->has_passed = true;
    if (self->cut)
        self->cut();
}

deadline::deadline(asio::any_io_executor loop, std::function<void()> cut)
    : state_{std::make_shared<state>(state{asio::steady_timer{std::move(loop)}, std::move(cut)})} {}

deadline::~deadline() {
    state_->cut = nullptr;
}

void deadline::start_request(milliseconds limit) {
    state_->request = later(limit);
    state::arm(state_);
}

void deadline::start_total(milliseconds limit) {
    state_->total = later(limit);
    state::arm(state_);
}

void deadline::rest() {
    state_->request = state_->total = steady_time::max();
}

bool deadline::has_passed() const noexcept {
    return state_->has_passed;
}

}  // namespace estafette::net
