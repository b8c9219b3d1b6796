// The suppression lists, per tenant, as the loop sees them: addresses to which nothing is sent any more,
// since there is no such mailbox, its reader complained, or somebody said so.
//
// An index of hashes in memory keeps the look-up away from the store for everybody who is on no list. Every
// change goes through this object, so that the index is never behind. Letters' case makes no other address.
// Thread: the loop. load() comes before anything else.
#pragma once

#include "estafette/config/config.hpp"
#include "estafette/store/queue.hpp"

#include <string>
#include <unordered_set>
#include <vector>

namespace estafette::store {

class suppressions {
public:
    explicit suppressions(queue& q)  // outlives it
        : queue_{q} {}

    void configure(config::config_ptr c) { config_ = std::move(c); }

    [[nodiscard]] asio::awaitable<result<void>> load();

    // Perhaps on the tenant's list; false is certain.
    [[nodiscard]] bool may_have(const tenant_id& tenant, const std::string& address) const;

    // Of the addresses those that are on the list at `now`.
    [[nodiscard]] asio::awaitable<result<std::vector<suppression>>>
    find(tenant_id tenant, std::vector<std::string> addresses, wall_time now);

    // Durable on return; the number of lines that are new or changed.
    [[nodiscard]] asio::awaitable<result<std::size_t>> add(std::vector<suppressed> lines);

    // The number of lines taken off: 0 where it was not there.
    [[nodiscard]] asio::awaitable<result<std::size_t>>
    remove(tenant_id tenant, std::string address, std::string by);

    // After a recipient failed for good, and that is recorded: puts the address on the list where
    // verdict::weigh() says so.
    [[nodiscard]] asio::awaitable<result<void>> consider(
        tenant_id tenant, std::string address, verdict::verdict judged, std::string by, std::string text
    );

    // Unless the address is there already, or `suppression.automatic` is off.
    [[nodiscard]] asio::awaitable<result<void>>
    put(tenant_id tenant, std::string address, suppression_cause why, std::string by, std::string text);

private:
    [[nodiscard]] std::optional<wall_time> until(suppression_cause why, wall_time now) const;

    queue& queue_;
    config::config_ptr config_;
    std::unordered_set<std::uint64_t> index_;  // hashes of tenant and address
};

// "on the suppression list since 2026-05-01 (unknown_user, mx.example.org): 550 no such user"
[[nodiscard]] std::string words_of(const suppression& s);

struct suppression_words {
    wall_time since;  // its day, in UTC
    suppression_cause why;
};

// What words_of() wrote; none for other text.
[[nodiscard]] std::optional<suppression_words> read_words(std::string_view note);

}  // namespace estafette::store
