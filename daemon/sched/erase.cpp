// A person is forgotten: what waits for them is cancelled, who they were goes from what is kept.
#include "estafette/base/log.hpp"
#include "estafette/sched/scheduler.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace estafette::sched {

namespace {

constexpr std::uint32_t page_size = 500;
constexpr milliseconds scrub_pause{50};  // others have the store in between

}  // namespace

asio::awaitable<result<erase_result>> scheduler::erase(erase_request what) {
    erase_result sum;
    std::set<message_id> messages;
    store::query q;
    q.address = what.address;
    q.tenants = what.tenants;
    q.limit = page_size;
    do {
        auto page = co_await queue_.find(q);
        if (!page) {
            co_return page.error();
        }
        q.cursor = page->next_cursor;
        auto done = co_await erase_page(what, std::move(page->recipients), messages);
        if (!done) {
            co_return done.error();
        }
        sum.recipients += done->recipients;
        sum.cancelled += done->cancelled;
        sum.in_hand += done->in_hand;
    } while (!q.cursor.empty());
    sum.messages = messages.size();
    if (!what.is_dry_run && sum.recipients > 0) {
        log::event(
            log::level::info,
            "erased",
            {{"recipients", sum.recipients},
             {"pseudonym", what.pseudonym},
             {"by", what.by},
             {"text", what.why}}
        );
        tasks_.spawn("scrub", scrub());
    }
    co_return sum;
}

asio::awaitable<result<erase_result>> scheduler::erase_page(
    const erase_request& what, std::vector<store::recipient_view> found, std::set<message_id>& messages
) {
    erase_result sum;
    std::map<tenant_id, std::map<message_id, std::vector<std::uint32_t>>> waiting;
    std::vector<recipient_id> over;
    for (const auto& r : found) {
        messages.insert(r.id.message);
        if (store::is_final(r.now)) {
            over.push_back(r.id);
        } else {
            waiting[r.tenant][r.id.message].push_back(r.id.index);
        }
    }
    sum.recipients = found.size();
    for (auto& [tenant, by_message] : waiting) {
        std::vector<store::labelled> lines;
        for (auto& [id, places] : by_message) {
            const auto busy = in_hand_of(tenant, id);
            std::erase_if(places, [&](std::uint32_t i) {
                const bool is_busy = std::ranges::find(busy, i) != busy.end();
                sum.in_hand += is_busy ? 1 : 0;
                return is_busy;
            });
            for (const std::uint32_t i : places) {
                over.push_back({id, i});
            }
            sum.cancelled += places.size();
            lines.push_back({id, 0, std::move(places)});
        }
        if (!what.is_dry_run) {
            auto done = co_await cancel_waiting(tenant, std::move(lines), what.by, "erased");
            if (!done) {
                co_return done.error();
            }
        }
    }
    sum.recipients -= sum.in_hand;
    if (what.is_dry_run || over.empty()) {
        co_return sum;
    }
    std::vector<store::change> changes;
    const auto now = wall_now();
    for (const auto& id : over) {
        changes.push_back(store::erased{id, now, what.pseudonym, what.by, what.why});
    }
    auto done = co_await queue_.commit(std::move(changes));
    if (!done) {
        co_return done.error();
    }
    co_return sum;
}

// Step by step, until the files have no trace; what is left by a stop is done after the next start.
asio::awaitable<void> scheduler::scrub() {
    if (is_scrubbing_) {
        scrubs_again_ = true;
        co_return;
    }
    is_scrubbing_ = true;
    asio::steady_timer pause{loop_};
    for (bool more = true; more && !is_stopping_ && !has_failed_;) {
        scrubs_again_ = false;
        const auto done = co_await queue_.scrub();
        more = scrubs_again_ || (done && *done == store::settled::more_to_do);
        if (more) {
            pause.expires_after(scrub_pause);
            boost::system::error_code ec;
            co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ec));
        }
    }
    is_scrubbing_ = false;
}

}  // namespace estafette::sched
