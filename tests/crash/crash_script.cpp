// Lives of one thread: by a script, call after call the same each time; on a disk that is full; and the look
// of the next process at what is there.
#include "crash_store.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace estafette::crash {

using namespace store;

namespace {

constexpr std::uint64_t mails = 18;
constexpr std::size_t body_size = 1500;
constexpr life by_script{.segment_size = 8192, .has_threads = false};  // four mails

// Accepted, refused for now, tried again, taken, recorded; some stay, so that their content moves to the
// ledger when the journal rolls. What cannot be committed is said, and the script goes on all the same.
class script {
public:
    explicit script(const options& o)
        : options_{o}
        , store_{open(o, by_script)}
        , slate_{open_slate(o)} {}

    void play() {
        settle_doubts();
        slot_ = slate_.take();
        for (std::uint64_t n = options_.first; n < options_.first + mails; ++n) {
            const recipient_id who{id_of(n), 0};
            if (!accept(n)) {
                continue;
            }
            if (n % 3 == 0) {
                put_off(who, std::chrono::hours{1});
            } else {
                if (n % 3 == 1) {
                    put_off(who, milliseconds{0});
                    (void)store_->claim_due(
                        tenant_id{"t" + std::to_string(n % 7)},
                        mail::priority::transactional,
                        now() + seconds{1},
                        10
                    );
                }
                deliver(who);
            }
            if (n % 4 == 0) {
                settle(n);
            }
        }
    }

private:
    void settle_doubts() {
        for (const recipient_id& who : slate_.in_doubt()) {
            const auto doubt =
                outcome_of(who, state::deferred, verdict::disposition::uncertain, verdict::reason::uncertain);
            if (commit(number_of(who.message), doubt)) {
                say('U', number_of(who.message));
            }
        }
        slate_.forget();
    }

    bool accept(std::uint64_t n) {
        if (options_.early) {
            say('A', n);
        }
        const bool done = commit(n, mail_of(n, body_size));
        if (done && !options_.early) {
            say('A', n);
        }
        return done;
    }

    void put_off(recipient_id who, milliseconds later) {
        (void)commit(
            number_of(who.message),
            outcome_of(who, state::deferred, verdict::disposition::retry, verdict::reason::greylisted, later)
        );
    }

    void deliver(recipient_id who) {
        const auto n = number_of(who.message);
        const std::vector<recipient_id> one{who};
        (void)store_->load(who.message);
        slot_.mark(one);
        say('S', n);
        if (commit(
                n, outcome_of(who, state::relayed, verdict::disposition::accepted, verdict::reason::accepted)
            )) {
            say('R', n);
            slot_.clear();
        }
    }

    // Between M and N: content moves to the ledger, a checkpoint, the segment goes.
    void settle(std::uint64_t n) {
        say('M', n);
        for (int step = 0; step < 20; ++step) {
            const auto done = store_->settle();
            if (!done || *done == settled::all) {
                break;
            }
            if (step == 0 && options_.deletes_early) {
                delete_oldest_segment();
                say('D', n);
            }
        }
        say('N', n);
    }

    // Control: what moved to the ledger is nowhere on the disk yet.
    void delete_oldest_segment() const {
        const auto files = make_disk_files();
        const std::string folder = options_.folder + "/store/journal";
        auto names = files->list(folder);
        if (names && names->size() > 1) {
            (void)files->remove(folder + "/" + *std::ranges::min_element(*names));
            (void)files->sync_folder(folder);
        }
    }

    bool commit(std::uint64_t n, change c) {
        const std::vector<change> one{std::move(c)};
        const auto done = store_->commit(one);
        (void)store_->follow();
        if (!done) {
            say(done.error() == errc::store_full ? 'F' : 'E', n);
        }
        return done.has_value();
    }

    options options_;
    std::unique_ptr<engine> store_;
    slate slate_;
    slate::slot slot_;
};

bool commit(engine& store, change c, const char* what) {
    const std::vector<change> one{std::move(c)};
    const auto done = store.commit(one);
    (void)store.follow();
    if (!done && done.error() != errc::store_full) {
        std::fprintf(stderr, "%s: %s\n", what, done.error().message().c_str());
        std::exit(1);
    }
    return done.has_value();
}

}  // namespace

int live_by_script(const options& o) {
    script s{o};
    s.play();
    return 0;
}

int fill(const options& o) {
    const auto store = open(o);
    std::uint64_t n = 1;
    for (; commit(*store, mail_of(n, 20'000), "mail"); ++n) {
        say('A', n);
    }
    say('F', n);
    (void)std::getchar();  // another program takes what is left
    for (std::uint64_t i = 1; i < n; ++i) {
        const recipient_id who{id_of(i), 0};
        auto sent =
            outcome_of(who, state::relayed, verdict::disposition::accepted, verdict::reason::accepted);
        if (!commit(*store, std::move(sent), "outcome")) {
            say('E', i);
            return 1;
        }
        say('R', i);
    }
    (void)std::getchar();  // there is space again
    for (auto more = store->settle(); more && *more == settled::more_to_do;) {
        more = store->settle();
    }
    if (!commit(*store, mail_of(n, 20'000), "mail")) {
        say('E', n);
        return 1;
    }
    say('A', n);
    return 0;
}

int verify(const options& o) {
    const auto store = open(o);
    const slate s = open_slate(o);
    for (const recipient_id& who : s.in_doubt()) {
        say('I', number_of(who.message));
    }
    const auto list = [&](bool uncertain, auto each) {
        query q;
        q.limit = 500;
        q.uncertain_only = uncertain;
        do {
            const auto found = store->find(q);
            if (!found) {
                std::exit(74);
            }
            for (const recipient_view& r : found->recipients) {
                each(r);
            }
            q.cursor = found->next_cursor;
        } while (!q.cursor.empty());
    };
    list(false, [&](const recipient_view& r) {
        const bool has_body = is_final(r.now) || store->load(r.id.message).has_value();
        say('V', number_of(r.id.message), " " + std::string{has_body ? to_text(r.now) : "bodyless"});
    });
    list(true, [](const recipient_view& r) { say('Q', number_of(r.id.message)); });
    return 0;
}

}  // namespace estafette::crash
