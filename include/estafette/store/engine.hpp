// Where mail is kept: the one abstract class of the store. Synchronous and batched; a call per batch.
// Implementations: local (files), memory (tests). tests/conformance runs one suite over all.
//
// Promise: commit() returns only when every change of the batch is durable; after the first failed write
// or sync it fails for good (errc::store_failed), because a second sync may lie. errc::store_full is
// different: new mail is refused, outcomes still go in.
// Thread: one at a time; the facade (queue.hpp) calls from the store's thread.
#pragma once

#include "estafette/config/config.hpp"
#include "estafette/store/views.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace estafette::store {

enum class settled { all, more_to_do };

// Which changes of a batch took effect.
using effects = std::vector<bool>;

class engine {
public:
    virtual ~engine() = default;

    // All or nothing, in order; the result says of each change whether it took effect. A change that does
    // not fit the present state (a cancel of mail that has left) is skipped; so is new mail whose id or
    // idempotency key is known. errc::store_full only for a batch with new mail in it.
    [[nodiscard]] virtual result<effects> commit(std::span<const change> batch) = 0;

    // How long the last commit waited for the disk; 0 where nothing is synced.
    [[nodiscard]] virtual std::chrono::nanoseconds last_sync() const noexcept { return {}; }

    // What failed for good, for people: file, call, error. Empty: nothing did, or it is not known.
    [[nodiscard]] virtual std::string problem() const { return {}; }

    // There is space for new mail; after errc::store_full, whether there is again.
    [[nodiscard]] virtual bool takes_mail() { return true; }

    // What waits unclaimed, a line per tenant and precedence, from an index: never a walk over the backlog.
    [[nodiscard]] virtual result<std::vector<waiting_tenant>> waiting() = 0;

    // Up to `limit` unclaimed recipients of one tenant and precedence due at `until` or before, earliest
    // first; they are claimed by this call. A claim ends with the next change of the recipient, with
    // unclaim(), and with the process.
    [[nodiscard]] virtual result<std::vector<due_entry>>
    claim_due(const tenant_id& tenant, mail::priority precedence, wall_time until, std::size_t limit) = 0;
    virtual result<void> unclaim(std::span<const recipient_id> ids) = 0;

    // All that are claimed.
    [[nodiscard]] virtual result<std::vector<recipient_id>> claimed() = 0;

    // Gives them back too, due at `until`, and no event. Not journaled: after a crash they may be due as
    // they were before.
    virtual result<void> postpone(std::span<const recipient_id> ids, wall_time until) = 0;

    // Up to `limit` unclaimed recipients of the tenant that are due at exactly `until` are due at `now`
    // instead; how many. From an index.
    virtual result<std::size_t>
    recall(const tenant_id& tenant, wall_time until, wall_time now, std::size_t limit) = 0;

    // With its body. errc::not_found when unknown or its body is gone.
    [[nodiscard]] virtual result<mail::message_ptr> load(message_id id) = 0;

    // load() of each, in the order of `ids`.
    [[nodiscard]] virtual std::vector<result<mail::message_ptr>> load_many(std::span<const message_id> ids);

    [[nodiscard]] virtual result<message_view> view(message_id id) = 0;
    [[nodiscard]] virtual result<page> find(const query& q) = 0;

    // What has not left of the mail with a label, oldest first, from an index over waiting mail.
    [[nodiscard]] virtual result<std::vector<labelled>> labelled_mail(const label_query& q) = 0;
    [[nodiscard]] virtual result<counts> count() = 0;
    [[nodiscard]] virtual result<std::vector<event>> events(std::uint64_t after, std::size_t limit) = 0;
    [[nodiscard]] virtual result<std::vector<pause>> pauses() = 0;

    // Of the recipients in that state, those that the selector selects: a walk in steps, each looking at up
    // to `looked_at` of them, from `after` (0: the oldest).
    [[nodiscard]] virtual result<selection>
    select(const selector& whom, state now, std::uint64_t after, std::size_t looked_at) = 0;

    // Administrators' actions with an id below `below` (0: any), newest first.
    [[nodiscard]] virtual result<std::vector<action>> actions(std::uint64_t below, std::size_t limit) = 0;
    [[nodiscard]] virtual result<std::vector<switched_off>> categories_off() = 0;
    [[nodiscard]] virtual result<std::optional<idempotent_answer>>
    find_idempotent(const tenant_id& tenant, const std::string& key) = 0;

    // Up to `limit` recipients that are not complete, were meant to leave at `before` or earlier, and have no
    // event `delayed` yet.
    [[nodiscard]] virtual result<std::vector<recipient_id>> overdue(wall_time before, std::size_t limit) = 0;

    // Up to `limit` recipients that are not complete and whose message's time is over, claimed or not.
    [[nodiscard]] virtual result<std::vector<recipient_id>> past_expiry(wall_time now, std::size_t limit) = 0;

    // The messages, newest first and at most 8, whose Message-ID field was the caller's and is this one.
    // Our own names its message: it needs no look-up.
    [[nodiscard]] virtual result<std::vector<message_id>> find_by_header(const std::string& header_message_id
    ) = 0;

    // The lines of these addresses (in lower case), those whose time is over too.
    [[nodiscard]] virtual result<std::vector<suppression>>
    find_suppressed(const tenant_id& tenant, std::span<const std::string> addresses) = 0;
    [[nodiscard]] virtual result<suppression_page> suppressions(const suppression_query& q) = 0;

    // Drops messages that were complete before `before` (now less the retention) with their timelines and
    // idempotency keys, bodies kept longer than keep_bodies, and suppressions whose time was over by
    // before + the retention; at most `limit` of each. The number dropped: call again until it is 0.
    // Administrators' actions that were over by `before` go too, but the newest.
    [[nodiscard]] virtual result<std::size_t> purge(wall_time before, std::size_t limit) = 0;

    // After erased changes: a step towards files in which the erased bytes are no longer. `all` when they
    // are gone from the journal, the ledger and its log.
    [[nodiscard]] virtual result<settled> scrub() { return settled::all; }
    // Work that is due though others may wait, a small step of it, after they were answered; all: nothing
    // is due.
    virtual result<settled> follow() { return settled::all; }

    // Work that need not be in anyone's way, a small step of it; the facade calls it when nothing waits.
    virtual result<settled> settle() { return settled::all; }
};

// Opens or creates the store. errc::store_locked, store_damaged, store_newer, io; `problem` says where.
struct open_error {
    error_code code;
    std::string problem;  // one sentence with the path
};

[[nodiscard]] boost::system::result<std::unique_ptr<engine>, open_error>
open_engine(const config::store_options& options);

}  // namespace estafette::store
