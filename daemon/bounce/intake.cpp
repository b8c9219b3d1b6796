#include "estafette/bounce/intake.hpp"

#include "estafette/base/log.hpp"
#include "estafette/base/text.hpp"

#include <algorithm>

namespace estafette::bounce {

namespace {

labels::bounce outcome_of(store::finding what) noexcept {
    switch (what) {
    case store::finding::delivered: return labels::bounce::delivered;
    case store::finding::failed: return labels::bounce::failed;
    case store::finding::delayed: return labels::bounce::delayed;
    case store::finding::complained: return labels::bounce::complained;
    }
    return labels::bounce::other;
}

bool may(const std::optional<std::vector<tenant_id>>& whose, const tenant_id& tenant) {
    return !whose || std::ranges::find(*whose, tenant) != whose->end();
}

}  // namespace

intake::intake(
    store::queue& queue, const verdict::classifier& rules, const mail::verp_keys& keys, metrics& meters
)
    : queue_{queue}
    , rules_{rules}
    , keys_{keys}
    , meters_{meters} {}

asio::awaitable<result<taken>> intake::take(mail_in in) {
    auto seen = read(in.raw, in.to, keys_, rules_);
    taken nothing;
    if (seen.kind == mail::report_kind::auto_reply) {
        nothing.outcome = labels::bounce::auto_reply;
    } else if (seen.is_forged) {
        nothing.outcome = labels::bounce::forged;
    } else if (!seen.statements.empty()) {
        co_return co_await record(std::move(seen), std::move(in.tenants));
    }
    meters_.bounces[nothing.outcome].add();
    log::event(
        log::level::info,
        "bounce_ignored",
        {{"outcome", labels::bounces.values[static_cast<std::size_t>(nothing.outcome)]}}
    );
    co_return nothing;
}

asio::awaitable<result<std::vector<message_id>>> intake::candidates(const reading& r) {
    std::vector<message_id> ids;
    if (r.named) {
        ids.push_back(r.named->message);
    } else if (r.message) {
        ids.push_back(*r.message);
    } else if (!r.header_message_id.empty()) {
        co_return co_await queue_.find_by_header(r.header_message_id);
    }
    co_return ids;
}

asio::awaitable<result<taken>> intake::record(reading r, std::optional<std::vector<tenant_id>> whose) {
    const auto now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
    const auto ids = co_await candidates(r);
    if (!ids) {
        co_return ids.error();
    }
    std::vector<store::corrected> changes;
    bool is_late = false;
    for (const auto& id : *ids) {
        const auto m = co_await queue_.view(id);  // the store answers within its own limit
        if (!m && m.error() != errc::not_found) {
            co_return m.error();
        }
        if (!m || !may(whose, m->message.tenant)) {
            continue;
        }
        for (auto& c : changes_of(r, *m, now)) {
            if (m->recipients[c.who.index].changed_at + config_->bounces.window < now) {
                is_late = true;
            } else {
                changes.push_back(std::move(c));
            }
        }
    }
    co_return co_await commit(std::move(changes), is_late ? labels::bounce::late : labels::bounce::unmatched);
}

asio::awaitable<result<taken>>
intake::commit(std::vector<store::corrected> changes, labels::bounce otherwise) {
    taken out;
    out.outcome = otherwise;
    if (changes.empty()) {
        meters_.bounces[otherwise].add();
        log::event(
            log::level::info,
            "bounce_ignored",
            {{"outcome", labels::bounces.values[static_cast<std::size_t>(otherwise)]}}
        );
        co_return out;
    }
    const auto done = co_await queue_.commit_each({changes.begin(), changes.end()});
    if (!done) {
        co_return done.error();
    }
    for (std::size_t i = 0; i < changes.size(); ++i) {
        if ((*done)[i]) {
            note(changes[i]);
            out.recipients.push_back(changes[i].who);
            out.outcome = outcome_of(changes[i].what);
        } else {
            meters_.bounces[labels::bounce::repeated].add();
        }
    }
    if (out.recipients.empty()) {
        out.outcome = labels::bounce::repeated;
    }
    co_return out;
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
