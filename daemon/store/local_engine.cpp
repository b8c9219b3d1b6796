#include "local_engine.hpp"

#include "book.hpp"
#include "cursor.hpp"
#include "folder_lock.hpp"

#include <sys/statvfs.h>

#include <algorithm>
#include <filesystem>

namespace estafette::store {

namespace {

constexpr std::size_t checkpoint_every = 256;  // commits

class local_engine final : public engine {
public:
    local_engine(const config::store_options& options, folder_lock lock)
        : options_{options}
        , lock_{std::move(lock)}
        , ledger_{options.path + "/ledger.db", ledger::syncing::at_commit}
        , book_{
              ledger_,
              options.keep_bodies > milliseconds{0} ? book::bodies::kept : book::bodies::dropped_when_complete
          } {}

    result<effects> commit(std::span<const change> batch) override {
        if (failed_) {
            return failed_;
        }
        const bool has_mail = std::any_of(batch.begin(), batch.end(), [](const change& c) {
            return std::holds_alternative<enqueued>(c);
        });
        if (has_mail && !has_space()) {
            return errc::store_full;
        }
        return guarded([&]() -> result<effects> {
            effects done;
            done.reserve(batch.size());
            try {
                for (const change& c : batch) {
                    done.push_back(book_.apply(c, {body_place::in_ledger, 0}));
                }
                book_.flush(0);
            } catch (const ledger_error& e) {
                book_.forget();
                if (e.code != errc::store_full || !has_mail) {
                    failed_ = errc::store_failed;
                    return failed_;
                }
                throw;
            }
            tidy();
            return done;
        });
    }

    result<std::vector<waiting_tenant>> waiting() override {
        return guarded([&]() -> result<std::vector<waiting_tenant>> { return ledger_.waiting(); });
    }

    result<std::vector<due_entry>> claim_due(
        const tenant_id& tenant, mail::priority precedence, wall_time until, std::size_t limit
    ) override {
        return guarded([&]() -> result<std::vector<due_entry>> {
            auto found = ledger_.due(tenant, precedence, until, limit);
            for (const due_entry& entry : found) {
                claims_.push_back(entry.id);
            }
            write_claims(true);
            return found;
        });
    }

    result<void> unclaim(std::span<const recipient_id> ids) override {
        return guarded([&]() -> result<void> {
            claims_.assign(ids.begin(), ids.end());
            write_claims(false);
            return {};
        });
    }

    result<mail::message_ptr> load(message_id id) override {
        return guarded([&]() -> result<mail::message_ptr> {
            auto row = ledger_.find_row(id);
            if (!row || !row->body.where) {
                return errc::not_found;
            }
            auto message = ledger_.find_message(id);
            auto body = ledger_.read_body(row->no);
            if (!message || !body) {
                return errc::store_damaged;
            }
            message->body = std::make_shared<const std::string>(std::move(*body));
            return std::make_shared<const mail::message>(std::move(*message));
        });
    }

    result<message_view> view(message_id id) override {
        return guarded([&]() -> result<message_view> {
            auto found = ledger_.view(id);
            if (!found) {
                return errc::not_found;
            }
            return std::move(*found);
        });
    }

    result<page> find(const query& q) override {
        return guarded([&]() -> result<page> {
            const auto before = parse_cursor(q.cursor);
            if (!before) {
                return before.error();
            }
            return ledger_.find(q, *before);
        });
    }

    result<counts> count() override {
        return guarded([&]() -> result<counts> {
            counts c;
            c.by_state = book_.numbers().tally;
            c.oldest_due = ledger_.oldest_due();
            return c;
        });
    }

    result<std::vector<event>> events(std::uint64_t after, std::size_t limit) override {
        return guarded([&]() -> result<std::vector<event>> { return ledger_.events(after, limit); });
    }

    result<std::vector<paused_route>> paused_routes() override {
        return guarded([&]() -> result<std::vector<paused_route>> { return ledger_.paused_routes(); });
    }

    result<std::optional<idempotent_answer>>
    find_idempotent(const tenant_id& tenant, const std::string& key) override {
        return guarded([&]() -> result<std::optional<idempotent_answer>> {
            return book_.find_idempotent(tenant, key);
        });
    }

    result<std::size_t> purge(wall_time before, std::size_t limit) override {
        return guarded([&]() -> result<std::size_t> {
            const auto bodies_before = before + options_.retention - options_.keep_bodies;
            const auto old = ledger_.complete_before(before, limit);
            const auto bodies = ledger_.bodies_complete_before(bodies_before, limit);
            ledger_.begin();
            try {
                drop(old, bodies, before);
            } catch (...) {
                ledger_.roll_back();
                book_.forget();
                throw;
            }
            return old.size() + bodies.size();
        });
    }

    result<settled> settle() override {
        return guarded([&]() -> result<settled> {
            if (commits_since_checkpoint_ > 0 && ledger_.checkpoint()) {
                commits_since_checkpoint_ = 0;
            }
            return settled::all;
        });
    }

private:
    template <class Call> auto guarded(Call call) -> decltype(call()) {
        try {
            return call();
        } catch (const ledger_error& e) {
            return e.code;
        }
    }

    void tidy() {
        if (++commits_since_checkpoint_ >= checkpoint_every && ledger_.checkpoint()) {
            commits_since_checkpoint_ = 0;
        }
    }

    void write_claims(bool claimed) {
        const auto ids = std::exchange(claims_, {});
        ledger_.begin();
        try {
            for (const recipient_id& id : ids) {
                ledger_.claim(id, claimed);
            }
            ledger_.commit(book_.numbers());
        } catch (...) {
            ledger_.roll_back();
            throw;
        }
        for (const recipient_id& id : ids) {
            book_.claimed(id, claimed);
        }
    }

    void
    drop(const std::vector<message_id>& old, const std::vector<message_id>& with_body, wall_time before) {
        for (const message_id& id : with_body) {
            if (message_row* row = book_.find(id)) {
                row->body.where.reset();
                ledger_.write(*row);
                row->is_written();
            }
        }
        for (const message_id& id : old) {
            if (message_row* row = book_.find(id)) {
                book_.erase(*row);
            }
        }
        ledger_.erase_route_events(before);
        ledger_.commit(book_.numbers());
    }

    [[nodiscard]] bool has_space() const noexcept {
        struct statvfs fs{};
        return ::statvfs(options_.path.c_str(), &fs) != 0 ||
               static_cast<std::uint64_t>(fs.f_bavail) * fs.f_frsize >= options_.reserve;
    }

    config::store_options options_;
    folder_lock lock_;
    ledger ledger_;
    book book_;
    error_code failed_;
    std::vector<recipient_id> claims_;
    std::size_t commits_since_checkpoint_ = 0;
};

std::string sentence_of(const ledger_error& e, const std::string& path) {
    const std::string file = path + "/ledger.db";
    return file + ": " + e.code.message() + " (" + e.what + ")";
}

}  // namespace

boost::system::result<std::unique_ptr<engine>, open_error>
open_local_engine(const config::store_options& options) {
    auto lock = folder_lock::take(options.path);
    if (!lock) {
        return open_error{lock.error(), options.path + ": " + lock.error().message()};
    }
    try {
        return std::make_unique<local_engine>(options, std::move(*lock));
    } catch (const ledger_error& e) {
        return open_error{e.code, sentence_of(e, options.path)};
    }
}

}  // namespace estafette::store
