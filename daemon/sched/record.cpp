// From a transaction's outcome to the store, the log, the metrics, and back to the route.
#include "sender.hpp"

#include "estafette/base/log.hpp"
#include "estafette/base/text.hpp"
#include "estafette/sched/outcome.hpp"
#include "estafette/sched/scheduler.hpp"

#include <algorithm>

namespace estafette::sched {

namespace {

bool is_for_a_while(const error_code& e) {
    return e == errc::store_full || e == errc::store_busy;
}

// The accepted attempts, where they came from.
void return_accepted(std::span<store::change> changes, std::span<store::attempt> attempts) {
    auto a = attempts.begin();
    for (auto& c : changes) {
        if (auto* done = std::get_if<store::attempted>(&c)) {
            if (done->what.judged.what == verdict::disposition::accepted) {
                *a = std::move(done->what);
            }
            ++a;
        }
    }
}

std::optional<wall_time> next_attempt_of(std::span<const store::change> changes) {
    std::optional<wall_time> next;
    for (const auto& c : changes) {
        if (const auto* done = std::get_if<store::attempted>(&c); done != nullptr && done->next_attempt_at) {
            next = next ? std::min(*next, *done->next_attempt_at) : done->next_attempt_at;
        }
    }
    return next;
}

std::string_view outcome_word(verdict::disposition d) {
    switch (d) {
    case verdict::disposition::accepted: return "relayed";
    case verdict::disposition::retry: return "deferred";
    case verdict::disposition::fail: return "failed";
    case verdict::disposition::uncertain: return "uncertain";
    }
    return "";
}

}  // namespace

store::attempt
scheduler::describe(const route::route& from, const route::attempt_report& report, std::size_t place) const {
    const auto& outcome = report.result.recipients[place].what;
    store::attempt a;
    a.number = report.what.targets[place].attempts + 1;
    a.started_at = report.result.started_at;
    a.duration = report.result.duration;
    a.route = from.id();
    a.server = report.server;
    a.tls = report.tls;
    a.at = outcome.at;
    a.judged = classifier_.classify(
        {outcome, host_of(report.server), from.options().profile, a.started_at + a.duration, report.banner}
    );
    if (outcome.answer) {
        a.code = outcome.answer->code;
        a.enhanced = outcome.answer->enhanced;
        a.text = printable(outcome.answer->text);
    } else {
        a.text = outcome.error.message();
    }
    return a;
}

// What is written of them. An accepted attempt goes there and comes back when it is written; of the others a
// copy goes, since the store is told what it means for the recipient rather than what the server said.
std::vector<store::change> scheduler::changes_of(
    std::span<const route::attempt_report> of, std::span<store::attempt> attempts, wall_time now
) {
    auto changes = judge_senders(of, attempts);
    changes.reserve(changes.size() + attempts.size());
    auto a = attempts.begin();
    for (const auto& report : of) {
        const auto& message = *report.what.message;
        const auto& tenant = options_of(message.tenant);
        for (const auto& target : report.what.targets) {
            const bool is_held = a->judged.fault == verdict::scope::sender;
            const bool is_accepted = a->judged.what == verdict::disposition::accepted;
            const auto until = is_held ? parked_until(message.tenant, sender_of(message), now) : std::nullopt;
            auto what = is_accepted ? std::move(*a) : store::attempt{*a};
            ++a;
            auto written =
                settle(report.what.id(target), std::move(what), tenant, now, message.expires_at, until);
            std::ranges::move(written, std::back_inserter(changes));
        }
    }
    return changes;
}

asio::awaitable<bool> scheduler::record(route::route& from, std::span<const route::attempt_report> reports) {
    const auto now = wall_now();
    std::vector<store::attempt> attempts;  // of all recipients of all reports, in order
    for (const auto& report : reports) {
        for (std::size_t i = 0; i < report.what.targets.size(); ++i) {
            attempts.push_back(describe(from, report, i));
        }
    }
    auto changes = changes_of(reports, attempts, now);
    auto committed = co_await queue_.commit_and_return(std::move(changes));
    // Nothing was written: the connection waits with its outcome until there is space.
    while (!committed.done && is_for_a_while(committed.done.error()) && co_await wait_for_space()) {
        committed = co_await queue_.commit_and_return(std::move(committed.changes));
    }
    if (!committed.done) {
        if (!is_for_a_while(committed.done.error())) {
            on_store_failure();
        }
        co_return false;
    }
    return_accepted(committed.changes, attempts);
    if (const auto next = next_attempt_of(committed.changes)) {
        look_again_by(*next);
    }
    moved_at_[from.id()] = now;
    auto first = attempts.cbegin();
    for (const auto& report : reports) {
        const auto last = first + static_cast<std::ptrdiff_t>(report.what.targets.size());
        observe(report, {first, last});
        weigh(report, {first, last});
        tell_route(from, report, {first, last});
        first = last;
    }
    co_return true;
}

// What one transaction says about the route. "Relay access denied" for one recipient is that recipient's,
// unless it repeats.
void scheduler::tell_route(
    route::route& from, const route::attempt_report& report, std::span<const store::attempt> attempts
) {
    bool went_through = false;
    const store::attempt* blamed = nullptr;
    for (std::size_t i = 0; i < attempts.size(); ++i) {
        const auto& a = attempts[i];
        went_through = went_through || a.judged.what == verdict::disposition::accepted;
        if (a.judged.what != verdict::disposition::retry || a.judged.fault != verdict::scope::route) {
            continue;
        }
        const bool is_of_one = a.judged.why == verdict::reason::relay_denied && a.at == smtp::phase::rcpt;
        const auto& to = report.what.message->to[report.what.targets[i].index];
        if (!is_of_one || denials_.note(from.id(), to.domain())) {
            blamed = &a;
        }
    }
    if (went_through) {
        denials_.clear(from.id());
        from.praise();
    } else if (blamed != nullptr) {
        denials_.clear(from.id());
        from.blame(blamed->judged, blamed->text);
    }
}

void scheduler::count(const route::attempt_report& report, const store::attempt& a) {
    meters_.delivery_attempts[a.judged.what][a.judged.why].add();
    switch (a.judged.what) {
    case verdict::disposition::accepted:
        meters_.recipients_completed[labels::completion::relayed].add();
        meters_.delivery_latency.observe(a.started_at + a.duration - report.what.message->accepted_at);
        break;
    case verdict::disposition::fail: meters_.recipients_completed[labels::completion::failed].add(); break;
    case verdict::disposition::uncertain: meters_.uncertain.add(); break;
    case verdict::disposition::retry: break;
    }
}

void scheduler::observe(const route::attempt_report& report, std::span<const store::attempt> attempts) {
    for (std::size_t i = 0; i < attempts.size(); ++i) {
        const auto& a = attempts[i];
        count(report, a);
        const auto who = report.what.id(report.what.targets[i]);
        if (a.judged.fault != verdict::scope::route) {
            domains_.note(
                a.route, report.what.message->to[who.index].domain(), a.judged, a.started_at + a.duration
            );
        }
        if (!log::is_on(log::level::info)) {
            continue;
        }
        log::event(
            log::level::info,
            "attempt",
            {{"id", who.text()},
             {"tenant", report.what.message->tenant.text()},
             log::field::address("recipient", report.what.message->to[who.index].text()),
             {"route", a.route.text()},
             {"server", a.server},
             {"attempt", a.number},
             {"phase", smtp::label(a.at)},
             {"code", a.code},
             {"enhanced", a.enhanced ? a.enhanced->text() : std::string{"-"}},
             {"outcome", outcome_word(a.judged.what)},
             {"reason", verdict::to_text(a.judged.why)},
             {"scope", verdict::to_text(a.judged.fault)},
             {"ms", a.duration},
             {"text", a.text}}
        );
    }
}

}  // namespace estafette::sched
