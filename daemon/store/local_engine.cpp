#include "estafette/store/local_engine.hpp"

#include "cursor.hpp"
#include "folder_hold.hpp"
#include "folder_lock.hpp"
#include "retirement.hpp"
#include "space.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace estafette::store {

namespace {

constexpr milliseconds quiet_wait{20};  // for a checkpoint, where nobody waits for us

class local_engine final : public engine {
public:
    local_engine(
        const config::store_options& options,
        folder_lock lock,
        std::unique_ptr<file_layer> files,
        const local_tuning& tuning
    )
        : options_{options}
        , tuning_{tuning}
        , lock_{std::move(lock)}
        , files_{std::move(files)}
        , space_{options.path, options.reserve, 2 * tuning.segment_size}
        , journal_{*files_, options.path + "/journal", tuning.segment_size}
        , ledger_{options.path + "/ledger.db", ledger::syncing::at_checkpoint}
        , checkpoint_{options.path + "/ledger.db", tuning.checkpoints_apart ? checkpointer::where::apart : checkpointer::where::at_once}
        , book_{ledger_, options.keep_bodies > milliseconds{0} ? book::bodies::kept : book::bodies::dropped_when_complete}
        , failure_{options.path + "/ledger.db"}
        , retirement_{tuning_, journal_, ledger_, checkpoint_, book_, failure_} {}

    ~local_engine() override {
        checkpoint_.stop();
        if (failure()) {
            ledger_.never_checkpoint();
        }
    }

    local_engine(const local_engine&) = delete;
    local_engine& operator=(const local_engine&) = delete;

    // What the journal has and the ledger has not.
    [[nodiscard]] boost::system::result<void, open_error> recover() {
        applied_ = ledger_.numbers_at_open().applied;
        const std::int64_t newest = ledger_.numbers_at_open().segment;
        auto opened = journal_.open(applied_, [this](auto sequence, auto segment, const logged_change& c) {
            if (sequence != applied_ && book_.pending() >= tuning_.flush_changes) {
                book_.flush(applied_);
            }
            change again = c.what;
            if (auto* mail = std::get_if<enqueued>(&again)) {
                mail->claimed = false;  // whoever had the claim is gone
            }
            apply(again, segment, c.body);
            book_.note_segment(segment);
            applied_ = sequence;
        });
        if (!opened) {
            return opened;
        }
        // One that went after a checkpoint had all of it is missed by nobody: then there is a newer one.
        if (journal_.newest_segment() < newest) {
            return missing(newest, "the ledger knows of it");
        }
        book_.note_segment(journal_.newest_segment());
        book_.flush(applied_);
        for (const auto& [segment, use] : book_.numbers().segments) {
            if (!journal_.has(segment)) {
                return missing(segment, "mail that waits has its content there");
            }
        }
        return {};
    }

    result<effects> commit(std::span<const change> batch) override {
        if (const auto ec = failure()) {
            return ec;
        }
        const bool has_mail = std::any_of(batch.begin(), batch.end(), [](const change& c) {
            return std::holds_alternative<enqueued>(c);
        });
        if (has_mail && !space_.is_enough()) {
            return errc::store_full;
        }
        const auto written = append(batch, has_mail);
        if (!written) {
            if (written.error() != errc::store_full && written.error() != errc::store_busy) {
                failure_.of_journal(written.error(), journal_.problem());
            }
            return written.error();
        }
        try {
            effects done;
            done.reserve(batch.size());
            {
                // Outcomes are of rows in memory; of new mail the ledger is asked whether it is known.
                std::optional<ledger::reading> open;
                if (has_mail) {
                    open.emplace(ledger_);
                }
                for (std::size_t i = 0; i < batch.size(); ++i) {
                    done.push_back(apply(batch[i], written->segment, written->bodies[i]));
                }
            }
            applied_ = written->sequence;
            book_.note_segment(written->segment);
            return done;
        } catch (const ledger_error& e) {
            // The batch is durable and the rows in memory are not: only a restart puts that right.
            failure_.of_ledger(e.what);
            return failure_.code();
        }
    }

    std::chrono::nanoseconds last_sync() const noexcept override { return journal_.last_sync(); }

    std::string problem() const override { return failure_.problem(); }

    bool takes_mail() override { return !failure_.code() && space_.is_enough(); }

    result<std::vector<waiting_tenant>> waiting() override {
        return guarded([&]() -> result<std::vector<waiting_tenant>> { return book_.waiting(); });
    }

    result<std::vector<due_entry>> claim_due(
        const tenant_id& tenant, mail::priority precedence, wall_time until, std::size_t limit
    ) override {
        return guarded([&]() -> result<std::vector<due_entry>> {
            const ledger::reading open{ledger_};
            return book_.claim(tenant, precedence, until, limit);
        });
    }

    result<void> unclaim(std::span<const recipient_id> ids) override {
        for (const recipient_id& id : ids) {
            book_.unclaim(id);
        }
        return {};
    }

    result<std::vector<recipient_id>> claimed() override { return book_.claimed(); }

    result<void> postpone(std::span<const recipient_id> ids, wall_time until) override {
        return guarded([&]() -> result<void> {
            for (const recipient_id& id : ids) {
                book_.postpone(id, until);
            }
            return {};
        });
    }

    result<std::size_t>
    recall(const tenant_id& tenant, wall_time until, wall_time now, std::size_t limit) override {
        return looked_up([&]() -> result<std::size_t> {
            const auto found = book_.due_exactly(tenant, until, limit);
            for (const recipient_id& id : found) {
                book_.postpone(id, now);
            }
            return found.size();
        });
    }

    // The one read that does not wait for the ledger: mail that leaves at once need not be there.
    result<mail::message_ptr> load(message_id id) override {
        return guarded([&]() -> result<mail::message_ptr> {
            message_row* row = book_.find(id);
            if (!row || !row->body.where) {
                return errc::not_found;
            }
            if (row->fresh && row->fresh->body) {
                return row->fresh;
            }
            auto body = read_body(journal_, ledger_, *row);
            if (!body) {
                return body.error();
            }
            auto message = book_.message_of(*row);
            if (!message) {
                return errc::store_damaged;
            }
            message->body = std::make_shared<const std::string>(std::move(*body));
            return std::make_shared<const mail::message>(std::move(*message));
        });
    }

    // In the order in which the bodies lie in the journal: then one read brings many.
    std::vector<result<mail::message_ptr>> load_many(std::span<const message_id> ids) override {
        try {
            const ledger::reading open{ledger_};
            std::vector<std::tuple<std::int64_t, std::int64_t, std::size_t>> order;
            order.reserve(ids.size());
            for (std::size_t i = 0; i < ids.size(); ++i) {
                const message_row* row = book_.find(ids[i]);
                const body_place place = row ? row->body : body_place{};
                order.emplace_back(place.where.value_or(0), place.offset, i);
            }
            std::ranges::sort(order);
            std::vector<result<mail::message_ptr>> all(ids.size(), errc::not_found);
            for (const auto& [segment, offset, i] : order) {
                all[i] = load(ids[i]);
            }
            return all;
        } catch (const ledger_error& e) {
            return {ids.size(), result<mail::message_ptr>{e.code}};
        }
    }

    result<message_view> view(message_id id) override {
        return guarded([&]() -> result<message_view> {
            if (!book_.is_caught_up(id)) {
                catch_up_if_possible();
            }
            auto found = ledger_.view(id);
            if (!found) {
                return errc::not_found;
            }
            return std::move(*found);
        });
    }

    result<page> find(const query& q) override {
        return looked_up([&]() -> result<page> {
            const auto before = parse_cursor(q.cursor);
            if (!before) {
                return before.error();
            }
            return ledger_.find(q, *before);
        });
    }

    result<std::vector<labelled>> labelled_mail(const label_query& q) override {
        return guarded([&]() -> result<std::vector<labelled>> { return book_.labelled_mail(q); });
    }

    result<counts> count() override {
        return guarded([&]() -> result<counts> {
            counts c;
            c.by_state = book_.numbers().tally;
            c.oldest_due = book_.oldest_due();
            return c;
        });
    }

    result<std::vector<event>> events(std::uint64_t after, std::size_t limit) override {
        return looked_up([&]() -> result<std::vector<event>> { return ledger_.events(after, limit); });
    }

    result<std::vector<pause>> pauses() override {
        return guarded([&]() -> result<std::vector<pause>> { return book_.pauses(); });
    }

    result<selection>
    select(const selector& whom, state now, std::uint64_t after, std::size_t looked_at) override {
        return looked_up([&]() -> result<selection> { return ledger_.select(whom, now, after, looked_at); });
    }

    result<std::vector<action>> actions(std::uint64_t below, std::size_t limit) override {
        return guarded([&]() -> result<std::vector<action>> { return book_.actions(below, limit); });
    }

    result<std::vector<switched_off>> categories_off() override {
        return guarded([&]() -> result<std::vector<switched_off>> { return book_.categories_off(); });
    }

    result<std::optional<idempotent_answer>>
    find_idempotent(const tenant_id& tenant, const std::string& key) override {
        return guarded([&]() -> result<std::optional<idempotent_answer>> {
            return book_.find_idempotent(tenant, key);
        });
    }

    result<std::vector<recipient_id>> overdue(wall_time before, std::size_t limit) override {
        return looked_up([&]() -> result<std::vector<recipient_id>> {
            return ledger_.overdue(before, limit);
        });
    }

    result<std::vector<recipient_id>> past_expiry(wall_time now, std::size_t limit) override {
        return looked_up([&]() -> result<std::vector<recipient_id>> {
            return ledger_.past_expiry(now, limit);
        });
    }

    result<std::vector<message_id>> find_by_header(const std::string& header_message_id) override {
        return looked_up([&]() -> result<std::vector<message_id>> {
            return ledger_.find_by_header(header_message_id);
        });
    }

    result<std::vector<suppression>>
    find_suppressed(const tenant_id& tenant, std::span<const std::string> addresses) override {
        return guarded([&]() -> result<std::vector<suppression>> {
            std::vector<suppression> found;
            for (const std::string& address : addresses) {
                if (auto line = book_.find_line(tenant, address)) {
                    found.push_back(std::move(*line));
                }
            }
            return found;
        });
    }

    result<suppression_page> suppressions(const suppression_query& q) override {
        return guarded([&]() -> result<suppression_page> {
            flush();
            return ledger_.suppressions(q);
        });
    }

    result<std::size_t> purge(wall_time before, std::size_t limit) override {
        return guarded([&]() -> result<std::size_t> {
            flush();
            const auto bodies_before = before + options_.retention - options_.keep_bodies;
            const auto old = ledger_.complete_before(before, limit);
            const auto bodies = ledger_.bodies_complete_before(bodies_before, limit);
            failure_.written([&] { book_.purge(old, bodies, before); });
            if (!old.empty() || !bodies.empty()) {
                checkpoint_.forget();  // a segment may be empty by this alone
            }
            std::size_t lines = 0;
            failure_.written([&] { lines = book_.purge_suppressions(before + options_.retention, limit); });
            return old.size() + bodies.size() + lines;
        });
    }

    // The journal begins a new segment, the older ones go as ever; then the ledger's free pages.
    result<settled> scrub() override {
        return guarded([&]() -> result<settled> {
            flush();
            if (!ledger_.needs_scrub()) {
                return settled::all;
            }
            if (!scrubs_up_to_) {
                journal_.seal();
                // The newest segment never goes: an empty batch begins another one.
                const auto begun = append({}, false);
                if (!begun) {
                    return begun.error();
                }
                applied_ = begun->sequence;
                book_.note_segment(journal_.newest_segment());
                flush();
                const auto sealed = journal_.all_sealed();
                scrubs_up_to_ = sealed.empty() ? 0 : sealed.back().segment;
            }
            if (!retirement_.drop_up_to(*scrubs_up_to_)) {
                return settled::more_to_do;
            }
            checkpoint_.wait(quiet_wait);
            if (checkpoint_.is_running() || ledger_.scrub() == settled::more_to_do || !ledger_.empty_log()) {
                return settled::more_to_do;
            }
            scrubs_up_to_.reset();
            return settled::all;
        });
    }

    result<settled> follow() override {
        return guarded([&]() -> result<settled> {
            // The ledger names the journal's newest segment, so that its loss does not go unseen.
            const bool names_newest = book_.numbers().segment == journal_.newest_segment();
            if (!names_newest || book_.pending() >= tuning_.flush_changes ||
                book_.pending_bytes() >= tuning_.flush_bytes) {
                is_following_ = true;
            }
            if (!is_following_ || failure() || (book_.is_behind() && checkpoint_.needs_quiet())) {
                return settled::all;
            }
            try {
                follow_a_step();
            } catch (const ledger_error& e) {
                // The journal has it all: the ledger follows later.
                if (e.code != errc::store_full && e.code != errc::store_busy) {
                    throw;
                }
                is_following_ = false;
            }
            return is_following_ ? settled::more_to_do : settled::all;
        });
    }

    result<settled> settle() override {
        if (const auto ec = failure()) {
            return ec;  // nothing more is moved or dropped
        }
        return guarded([&]() -> result<settled> {
            if (!with_reserve([&] { return book_.follow(applied_, tuning_.rows_per_step); })) {
                return settled::more_to_do;
            }
            is_following_ = false;
            checkpoint_.wait(milliseconds{1});
            return checkpoint_.is_running() ? settled::more_to_do : retirement_.step(0);
        });
    }

private:
    // The first failure for good, of the journal or the ledger: after it no sync is believed.
    error_code failure() {
        if (!failure_.code() && checkpoint_.has_failed()) {
            failure_.of_ledger(checkpoint_.problem());
        }
        return failure_.code();
    }

    [[nodiscard]] open_error missing(std::int64_t segment, const std::string& why) const {
        return {
            errc::store_damaged,
            options_.path + "/journal: segment " + std::to_string(segment) + " is missing; " + why
        };
    }

    template <class Call> auto guarded(Call call) -> decltype(call()) {
        try {
            return call();
        } catch (const ledger_error& e) {
            // A write or sync of the ledger that failed is final as the journal's is: the next may lie, and
            // would let a segment go whose content is nowhere.
            if (e.code == errc::store_failed) {
                failure_.of_ledger(e.what);
            }
            return e.code;
        }
    }

    // Read your writes: the ledger first takes what was committed. Where it cannot, its disk being full or
    // having failed, people's questions are answered from what it has.
    template <class Call> auto looked_up(Call call) -> decltype(call()) {
        return guarded([&]() -> decltype(call()) {
            catch_up_if_possible();
            return call();
        });
    }

    void catch_up_if_possible() {
        try {
            with_reserve([&] { book_.catch_up(); });
        } catch (const ledger_error& e) {
            if (e.code != errc::store_full && !failure_.code()) {
                throw;
            }
        }
    }

    // Outcomes may use the reserve; new mail may not.
    [[nodiscard]] result<journal::appended> append(std::span<const change> batch, bool has_mail) {
        auto written = journal_.append(batch);
        while (!written && written.error() == errc::store_full && !has_mail && space_.release()) {
            written = journal_.append(batch);
        }
        return written;
    }

    bool apply(const change& c, std::int64_t segment, const std::optional<std::uint64_t>& body) {
        body_place place;
        if (body) {
            place = {segment, static_cast<std::int64_t>(*body)};
        }
        if (std::holds_alternative<erased>(c)) {
            scrubs_up_to_.reset();  // a scrub that runs begins again: this segment must go too
        }
        return book_.apply(c, place);
    }

    // The journal has it all: on a full disk the ledger may follow later, with the reserve's help at once.
    template <class Call> auto with_reserve(Call call) -> decltype(call()) {
        return failure_.written([&] {
            try {
                return call();
            } catch (const ledger_error& e) {
                if (e.code != errc::store_full || !space_.release()) {
                    throw;
                }
                return call();
            }
        });
    }

    void flush() {
        with_reserve([&] { book_.flush(applied_); });
        is_following_ = false;
    }

    // Never slower than what comes in: a step has at least twice what came since the one before.
    void follow_a_step() {
        const std::size_t pending = book_.pending();
        const std::size_t came = pending > seen_pending_ ? pending - seen_pending_ : 0;
        const std::size_t limit =
            pending > 4 * tuning_.flush_changes ? pending * 2 : std::max(tuning_.rows_per_step, 4 * came);
        is_following_ = !with_reserve([&] { return book_.follow(applied_, limit); });
        seen_pending_ = book_.pending();
        if (!is_following_ && !checkpoint_.is_running()) {
            (void)retirement_.step(tuning_.kept_segments);
            retirement_.shorten_log();
        }
    }

    config::store_options options_;
    local_tuning tuning_;
    folder_lock lock_;
    std::unique_ptr<file_layer> files_;
    space space_;
    journal journal_;
    ledger ledger_;
    checkpointer checkpoint_;
    book book_;
    store_failure failure_;
    retirement retirement_;
    std::uint64_t applied_ = 0;                 // the last batch that is in the book
    bool is_following_ = false;                 // the ledger's transaction is under way
    std::size_t seen_pending_ = 0;              // the book's, at the last step
    std::optional<std::int64_t> scrubs_up_to_;  // segments that have erased bytes; while a scrub runs
};

}  // namespace

boost::system::result<std::unique_ptr<engine>, open_error> open_local_engine(
    const config::store_options& options, std::unique_ptr<file_layer> files, const local_tuning& tuning
) {
    auto lock = folder_lock::take(options.path);
    if (!lock) {
        return lock_problem(options.path, lock.error());
    }
    try {
        auto made = std::make_unique<local_engine>(options, std::move(*lock), std::move(files), tuning);
        if (auto recovered = made->recover(); !recovered) {
            return recovered.error();
        }
        return made;
    } catch (const ledger_error& e) {
        return open_error{e.code, options.path + "/ledger.db: " + e.code.message() + " (" + e.what + ")"};
    }
}

}  // namespace estafette::store
