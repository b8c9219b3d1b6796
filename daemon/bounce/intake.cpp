#include "estafette/bounce/intake.hpp"

#include "estafette/base/log.hpp"
#include "estafette/base/text.hpp"
#include "estafette/bounce/keys.hpp"

#include <algorithm>

namespace estafette::bounce {

namespace {

constexpr std::size_t shortest_provider_id = 12;

wall_time wall_now() {
    return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

std::string_view word_of(labels::bounce outcome) {
    return labels::bounces.values[static_cast<std::size_t>(outcome)];
}

labels::bounce outcome_of(store::finding what) noexcept {
    switch (what) {
    case store::finding::delivered: return labels::bounce::delivered;
    case store::finding::failed: return labels::bounce::failed;
    case store::finding::delayed: return labels::bounce::delayed;
    case store::finding::complained: return labels::bounce::complained;
    }
    return labels::bounce::other;
}

bool may(const tenants& whose, const tenant_id& tenant) {
    return !whose || std::ranges::find(*whose, tenant) != whose->end();
}

}  // namespace

intake::intake(
    store::queue& queue,
    store::suppressions& lists,
    const verdict::classifier& rules,
    mail::verp_keys& keys,
    metrics& meters
)
    : queue_{queue}
    , lists_{lists}
    , rules_{rules}
    , keys_{keys}
    , meters_{meters} {}

boost::system::result<void, std::string> intake::prepare(const config::config& c) {
    auto keys = load_keys(c);
    if (!keys) {
        return keys.error();
    }
    auto secrets = load_secrets(c);
    if (!secrets) {
        return secrets.error();
    }
    next_keys_ = std::move(*keys);
    next_secrets_ = std::move(*secrets);
    return {};
}

void intake::configure(config::config_ptr c) {
    config_ = std::move(c);
    keys_ = next_keys_;
    secrets_ = next_secrets_;
}

taken intake::ignore(labels::bounce outcome) {
    meters_.bounces[outcome].add();
    log::event(log::level::info, "bounce_ignored", {{"outcome", word_of(outcome)}});
    return {outcome, {}};
}

asio::awaitable<result<taken>> intake::take(mail_in in) {
    auto seen = read(in.raw, in.to, keys_, rules_);
    if (seen.kind == mail::report_kind::auto_reply) {
        co_return ignore(labels::bounce::auto_reply);
    }
    if (seen.is_forged) {
        co_return ignore(labels::bounce::forged);
    }
    if (seen.statements.empty()) {
        co_return ignore(labels::bounce::other);
    }
    co_return co_await record(std::move(seen), std::move(in.tenants));
}

asio::awaitable<result<webhook_taken>> intake::take(webhook_in in) {
    webhook_taken out;
    auto seen = read_webhook(in.from, in.what, secrets_, keys_, rules_, wall_now());
    if (seen.has_error()) {
        out.refused = seen.error();
        meters_.webhooks_refused.add();
        log::event(log::level::warning, "webhook_refused", {{"provider", to_text(in.from)}});
        co_return out;
    }
    out.confirm_url = seen->confirm_url;
    if (!out.confirm_url.empty()) {
        // We do not go to addresses that others name: a person confirms.
        log::event(
            log::level::warning,
            "webhook_confirm",
            {{"provider", to_text(in.from)}, {"text", "open this address to confirm: " + out.confirm_url}}
        );
    }
    for (auto& one : seen->readings) {
        auto done = co_await record(std::move(one), in.tenants);
        if (!done) {
            co_return done.error();
        }
        out.events.push_back(std::move(*done));
    }
    co_return out;
}

asio::awaitable<result<std::vector<message_id>>> intake::candidates(const reading& r) {
    std::vector<message_id> ids;
    if (r.named) {
        ids.push_back(r.named->message);
        co_return ids;
    }
    if (r.message) {
        ids.push_back(*r.message);
        co_return ids;
    }
    if (!r.header_message_id.empty()) {
        auto found = co_await queue_.find_by_header(r.header_message_id);
        if (!found || !found->empty()) {
            co_return found;
        }
    }
    // The provider's own id is in its answer to our mail: "250 Ok 0102018f…".
    const auto address = mail::address::parse(r.statements.front().address);
    if (r.provider_id.size() < shortest_provider_id || !address) {
        co_return ids;
    }
    store::query q;
    q.address = address->text();
    q.limit = 100;
    const auto page = co_await queue_.find(std::move(q));
    if (!page) {
        co_return page.error();
    }
    for (const auto& recipient : page->recipients) {
        if (recipient.last && recipient.last->text.find(r.provider_id) != std::string::npos) {
            ids.push_back(recipient.id.message);
            break;
        }
    }
    co_return ids;
}

asio::awaitable<result<intake::matched>> intake::match(const reading& r, const tenants& whose) {
    const auto now = wall_now();
    const auto ids = co_await candidates(r);
    if (!ids) {
        co_return ids.error();
    }
    matched out;
    for (const auto& id : *ids) {
        const auto m = co_await queue_.view(id);  // the store answers within its own limit
        if (!m && m.error() != errc::not_found) {
            co_return m.error();
        }
        if (!m || !may(whose, m->message.tenant)) {
            continue;
        }
        for (auto& c : changes_of(r, *m, now)) {
            const auto& recipient = m->recipients[c.who.index];
            if (recipient.changed_at + config_->bounces.window < now) {
                out.otherwise = labels::bounce::late;
            } else {
                out.changes.push_back({std::move(c), m->message.tenant, recipient.address});
            }
        }
    }
    co_return out;
}

asio::awaitable<result<taken>> intake::record(reading r, tenants whose) {
    auto found = co_await match(r, whose);
    if (!found) {
        co_return found.error();
    }
    if (found->changes.empty()) {
        co_return ignore(found->otherwise);
    }
    if (r.statements.front().only_stops) {
        co_return co_await stop(std::move(found->changes));
    }
    const bool is_proven = r.named.has_value() || !r.proven_by.empty();
    co_return co_await commit(std::move(found->changes), is_proven);
}

asio::awaitable<result<taken>> intake::commit(std::vector<addressed> changes, bool is_proven) {
    std::vector<store::change> batch;
    for (const addressed& one : changes) {
        batch.emplace_back(one.what);
    }
    const auto done = co_await queue_.commit_each(std::move(batch));
    if (!done) {
        co_return done.error();
    }
    taken out;
    out.outcome = labels::bounce::repeated;
    for (std::size_t i = 0; i < changes.size(); ++i) {
        if (!(*done)[i]) {
            meters_.bounces[labels::bounce::repeated].add();
            continue;
        }
        note(changes[i].what);
        out.recipients.push_back(changes[i].what.who);
        out.outcome = outcome_of(changes[i].what.what);
        const auto weighed = co_await weigh(changes[i], is_proven);
        if (!weighed) {
            co_return weighed.error();
        }
    }
    co_return out;
}

// Who wants no more mail says nothing of this one.
asio::awaitable<result<taken>> intake::stop(std::vector<addressed> changes) {
    taken out;
    out.outcome = labels::bounce::unsubscribed;
    for (const addressed& one : changes) {
        const auto done = co_await lists_.put(
            one.tenant, one.address, store::suppression_cause::unsubscribed, one.what.by, one.what.text
        );
        if (!done) {
            co_return done.error();
        }
        meters_.bounces[labels::bounce::unsubscribed].add();
        out.recipients.push_back(one.what.who);
    }
    co_return out;
}

asio::awaitable<result<void>> intake::weigh(const addressed& one, bool is_proven) {
    const auto& c = one.what;
    switch (c.what) {
    case store::finding::delivered:
    case store::finding::delayed: break;
    case store::finding::failed: {
        auto judged = c.judged;
        judged.certain = judged.certain && is_proven;
        co_return co_await lists_.consider(one.tenant, one.address, std::move(judged), c.by, c.text);
    }
    case store::finding::complained:
        co_return co_await lists_.put(
            one.tenant, one.address, store::suppression_cause::complaint, c.by, c.text
        );
    }
    co_return result<void>{};
}

void intake::note(const store::corrected& c) {
    meters_.bounces[outcome_of(c.what)].add();
    if (c.what == store::finding::delivered) {
        meters_.recipients_completed[labels::completion::delivered].add();
    } else if (c.what == store::finding::failed) {
        meters_.recipients_completed[labels::completion::failed].add();
    }
    log::event(
        log::level::info,
        "bounce",
        {{"id", c.who.text()},
         {"outcome", store::to_text(c.what)},
         {"reason", verdict::to_text(c.judged.why)},
         {"scope", verdict::to_text(c.judged.fault)},
         {"by", c.by},
         {"text", c.text}}
    );
}

}  // namespace estafette::bounce
