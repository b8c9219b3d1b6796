#include "estafette/store/suppressions.hpp"

#include "estafette/base/text.hpp"
#include "estafette/verdict/suppression.hpp"

#include <algorithm>
#include <functional>

namespace estafette::store {

namespace {

wall_time wall_now() {
    return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

std::uint64_t hash_of(const tenant_id& tenant, const std::string& address) {
    return std::hash<std::string>{}(tenant.text() + '\n' + address);
}

constexpr std::string_view words_before = "on the suppression list since ";

}  // namespace

std::string words_of(const suppression& s) {
    std::string out{words_before};
    out.append(to_rfc3339(s.since).substr(0, 10)).append(" (").append(to_text(s.why));
    out += s.by.empty() ? ")" : ", " + s.by + ")";
    return s.text.empty() ? out : out + ": " + s.text;
}

std::optional<suppression_words> read_words(std::string_view note) {
    if (!note.starts_with(words_before)) {
        return std::nullopt;
    }
    note.remove_prefix(words_before.size());
    const auto day = parse_rfc3339(std::string{note.substr(0, 10)} + "T00:00:00Z");
    const auto word = note.substr(std::min<std::size_t>(note.size(), 12));
    const auto why = parse_suppression_cause(word.substr(0, word.find_first_of(",)")));
    return day && why ? std::optional{suppression_words{*day, *why}} : std::nullopt;
}

asio::awaitable<result<void>> suppressions::load() {
    suppression_query q;
    q.limit = 1000;
    index_.clear();
    for (;;) {
        const auto page = co_await queue_.suppressions(q);
        if (!page) {
            co_return page.error();
        }
        for (const suppression& s : page->lines) {
            index_.insert(hash_of(s.tenant, s.address));
        }
        if (page->next_cursor.empty()) {
            co_return result<void>{};
        }
        q.cursor = page->next_cursor;
    }
}

bool suppressions::may_have(const tenant_id& tenant, const std::string& address) const {
    return !index_.empty() && index_.contains(hash_of(tenant, ascii_lower(address)));
}

asio::awaitable<result<std::vector<suppression>>>
suppressions::find(tenant_id tenant, std::vector<std::string> addresses, wall_time now) {
    std::vector<std::string> perhaps;
    for (const std::string& address : addresses) {
        if (may_have(tenant, address)) {
            perhaps.push_back(ascii_lower(address));
        }
    }
    std::vector<suppression> found;
    if (perhaps.empty()) {
        co_return found;
    }
    auto lines = co_await queue_.find_suppressed(std::move(tenant), std::move(perhaps));
    if (!lines) {
        co_return lines.error();
    }
    std::erase_if(*lines, [&](const suppression& s) { return s.until && *s.until <= now; });
    co_return std::move(*lines);
}

asio::awaitable<result<std::size_t>> suppressions::add(std::vector<suppressed> lines) {
    std::vector<change> changes;
    for (suppressed& line : lines) {
        line.address = ascii_lower(line.address);
        index_.insert(hash_of(line.tenant, line.address)
        );  // before it is durable: a mail in between waits for it
        changes.emplace_back(std::move(line));
    }
    co_return co_await queue_.commit(std::move(changes));
}

asio::awaitable<result<std::size_t>>
suppressions::remove(tenant_id tenant, std::string address, std::string by) {
    // The hash stays until the next start: it costs a look-up, and another line may share it.
    std::vector<change> changes;
    changes.emplace_back(unsuppressed{std::move(tenant), ascii_lower(address), wall_now(), std::move(by)});
    co_return co_await queue_.commit(std::move(changes));
}

std::optional<wall_time> suppressions::until(suppression_cause why, wall_time now) const {
    const auto& o = config_->suppression;
    milliseconds lasts{0};
    switch (why) {
    case suppression_cause::unknown_user: lasts = o.unknown_user; break;
    case suppression_cause::complaint:
    case suppression_cause::unsubscribed: lasts = o.complaint; break;
    case suppression_cause::manual: break;
    }
    return lasts > milliseconds{0} ? std::optional{now + lasts} : std::nullopt;
}

asio::awaitable<result<void>> suppressions::consider(
    tenant_id tenant, std::string address, verdict::verdict judged, std::string by, std::string text
) {
    const auto call = verdict::weigh(judged);
    if (call == verdict::suppresses::no || !config_->suppression.automatic) {
        co_return result<void>{};
    }
    if (call == verdict::suppresses::if_repeated) {
        query q;
        q.address = address;
        q.now = state::failed;
        q.why = verdict::reason::unknown_user;
        q.tenants = {tenant};
        q.limit = 2;
        const auto before = co_await queue_.find(std::move(q));
        if (!before) {
            co_return before.error();
        }
        if (before->recipients.size() < 2) {
            co_return result<void>{};
        }
    }
    co_return co_await put(
        std::move(tenant), std::move(address), suppression_cause::unknown_user, std::move(by), std::move(text)
    );
}

asio::awaitable<result<void>> suppressions::put(
    tenant_id tenant, std::string address, suppression_cause why, std::string by, std::string text
) {
    const auto now = wall_now();
    std::vector<std::string> one{address};
    const auto there = co_await find(tenant, std::move(one), now);
    if (!there) {
        co_return there.error();
    }
    if (!there->empty() || !config_->suppression.automatic) {
        co_return result<void>{};  // the first reason stays, and its date
    }
    std::vector<suppressed> lines;
    lines.push_back(
        {std::move(tenant), std::move(address), now, until(why, now), why, std::move(by), std::move(text)}
    );
    const auto done = co_await add(std::move(lines));
    co_return done ? result<void>{} : result<void>{done.error()};
}

}  // namespace estafette::store
