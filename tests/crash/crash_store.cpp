// crash_store: the store, its queue and its slate, made to be killed at any instruction.
//
//   crash_store FOLDER --first N [--connections C] [--no-sync | --early]    under load, until it is killed
//   crash_store FOLDER --script --first N [--early | --delete-early]        one thread, the same calls each
//   time crash_store FOLDER --fill                                               until the disk is full, and
//   on crash_store FOLDER --verify                                             says what is there
//
// It prints what it promises when it promises it, a line each: "A n" mail n is accepted; "S n" the server
// took mail n; "R n" that is recorded; "U n" mail n was in doubt; "E n" and "F n" a change of mail n was not
// committed, for good or for want of space. With --verify: "V n STATE" for each recipient, "Q n" for those
// once in doubt, "I n" for each mail that the slate has in doubt. --script puts its tidying up between "M n"
// and "N n"; "D n" says that --delete-early did. --fill waits for a line on its input before the outcomes,
// and before it takes mail again.
// --no-sync, --early and --delete-early are controls: they break the promise, and the harness must see it.
#include "crash_store.hpp"

#include "estafette/store/queue.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <deque>
#include <random>

namespace {

using namespace estafette;
using namespace estafette::store;
using namespace estafette::crash;
namespace asio = boost::asio;

class loaded_life {
public:
    loaded_life(asio::io_context& loop, const options& o)
        : loop_{loop}
        , options_{o}
        , queue_{loop.get_executor(), crash::open(o)}
        , slate_{open_slate(o)}
        , next_{o.first} {}

    void begin() {
        asio::co_spawn(loop_, run(), [](std::exception_ptr e) {
            if (e) {
                std::_Exit(70);
            }
        });
    }

private:
    asio::awaitable<void> run() {
        co_await settle_doubts();
        for (std::size_t i = 0; i < options_.connections; ++i) {
            asio::co_spawn(loop_, connection(), ends);
        }
        for (;;) {
            co_await pause(5);
            co_await claim();
        }
    }

    static void ends(std::exception_ptr e) {
        if (e) {
            std::_Exit(70);
        }
    }

    // Mail in doubt is tried again, and says so.
    asio::awaitable<void> settle_doubts() {
        const std::vector<recipient_id> doubts = slate_.in_doubt();
        for (const recipient_id& who : doubts) {
            std::vector<change> one;
            one.push_back(
                outcome_of(who, state::deferred, verdict::disposition::uncertain, verdict::reason::uncertain)
            );
            const auto done = co_await queue_.commit(std::move(one));
            check(done);
            if (*done == 1) {
                say('U', number_of(who.message));
            }
        }
        slate_.forget();
    }

    asio::awaitable<void> claim() {
        const auto waiting = co_await queue_.waiting();
        check(waiting);
        for (const waiting_tenant& w : *waiting) {
            const auto due = co_await queue_.claim_due(w.tenant, w.precedence, now(), 100);
            check(due);
            for (const due_entry& entry : *due) {
                ready_.push_back(entry.id);
            }
        }
    }

    asio::awaitable<void> connection() {
        slate::slot slot = slate_.take();
        for (;;) {
            recipient_id who{};
            if (!ready_.empty()) {
                who = ready_.front();
                ready_.pop_front();
            } else {
                who = {id_of(next_), 0};
                co_await enqueue(next_++);
            }
            const auto message = co_await queue_.load(who.message);
            check(message);
            co_await deliver(slot, who);
        }
    }

    asio::awaitable<void> enqueue(std::uint64_t n) {
        std::vector<change> one;
        one.push_back(mail_of(n, 100 + random_() % 4000));
        if (options_.early) {
            say('A', n);
        }
        const auto done = co_await queue_.commit(std::move(one));
        check(done);
        if (!options_.early) {
            say('A', n);
        }
    }

    asio::awaitable<void> deliver(slate::slot& slot, recipient_id who) {
        const bool is_put_off = random_() % 5 == 0;
        const std::vector<recipient_id> one{who};
        slot.mark(one);
        co_await pause(random_() % 3);
        std::vector<change> outcome;
        if (is_put_off) {
            const auto why = verdict::reason::greylisted;
            outcome.push_back(
                outcome_of(who, state::deferred, verdict::disposition::retry, why, milliseconds{20})
            );
        } else {
            say('S', number_of(who.message));
            outcome.push_back(
                outcome_of(who, state::relayed, verdict::disposition::accepted, verdict::reason::accepted)
            );
        }
        const auto done = co_await queue_.commit(std::move(outcome));
        check(done);
        if (!is_put_off) {
            say('R', number_of(who.message));
        }
        slot.clear();
    }

    asio::awaitable<void> pause(unsigned ms) {
        asio::steady_timer timer{loop_, milliseconds{ms}};
        co_await timer.async_wait(asio::use_awaitable);
    }

    // A store that failed answers nobody any more: the process waits for its end.
    template <class T> static void check(const result<T>& r) {
        if (!r) {
            std::_Exit(1);
        }
    }

    asio::io_context& loop_;
    options options_;
    queue queue_;
    slate slate_;
    std::uint64_t next_;
    std::deque<recipient_id> ready_;
    std::minstd_rand random_{std::random_device{}()};
};

}  // namespace

int main(int argc, char** argv) {
    options o;
    bool verifies = false, fills = false, is_script = false;
    CLI::App app{"The store under load, made to be killed."};
    app.add_option("folder", o.folder)->required();
    app.add_option("--first", o.first, "the number of the first mail");
    app.add_option("--connections", o.connections);
    app.add_flag("--script", is_script, "a life of one thread");
    app.add_flag("--verify", verifies, "say what is there");
    app.add_flag("--fill", fills, "fill the disk");
    app.add_option("--reserve", o.reserve, "bytes kept for outcomes");
    app.add_flag("--no-sync", o.no_sync, "control: nothing is synced");
    app.add_flag("--early", o.early, "control: acknowledge before the commit");
    app.add_flag("--delete-early", o.deletes_early, "control: a segment goes before the checkpoint");
    CLI11_PARSE(app, argc, argv);
    if (verifies) {
        return verify(o);
    }
    if (fills) {
        return fill(o);
    }
    if (is_script) {
        return live_by_script(o);
    }
    asio::io_context loop;
    loaded_life l{loop, o};
    l.begin();
    loop.run();
    return 1;
}
