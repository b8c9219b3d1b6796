// crash_store: the store, its queue and its slate under load, made to be killed at any instruction.
//
//   crash_store FOLDER --first N [--connections C] [--no-sync | --early]    lives until it is killed
//   crash_store FOLDER --verify                                             says what is there
//   crash_store FOLDER --fill                                               until the disk is full, and on
//
// It prints what it promises when it promises it, a line each: "A n" mail n is accepted; "S n" the server
// took mail n; "R n" that is recorded; "U n" mail n was in doubt. With --verify: "V n STATE" for each
// recipient, "Q n" for those once in doubt, and "I n" for each mail that the slate has in doubt.
// --fill prints "F n": mail n was refused for want of space; "R n" for each outcome recorded after that;
// waits for a line on its input; and "A n" when new mail goes in again.
// --no-sync and --early are the controls: they break the promise, and the harness must see it.
#include "estafette/store/local_engine.hpp"
#include "estafette/store/queue.hpp"
#include "estafette/store/slate.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <random>

namespace {

using namespace estafette;
using namespace estafette::store;
namespace asio = boost::asio;

// Lines go out whole, by one write each: what was said before the kill was said.
void say(char what, std::uint64_t n, const std::string& more = {}) {
    const std::string line = std::string{what} + " " + std::to_string(n) + more + "\n";
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) {
        std::_Exit(0);
    }
}

message_id id_of(std::uint64_t n) {
    message_id::bytes_type bytes{};
    bytes[0] = 1;
    for (std::size_t i = 0; i < 8; ++i) {
        bytes[15 - i] = static_cast<std::uint8_t>(n >> (8 * i));
    }
    return message_id{bytes};
}

std::uint64_t number_of(const message_id& id) {
    std::uint64_t n = 0;
    for (std::size_t i = 8; i < 16; ++i) {
        n = n << 8 | id.bytes()[i];
    }
    return n;
}

wall_time now() {
    return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

// Control: the disk is never asked to keep anything.
class careless_file final : public file {
public:
    explicit careless_file(std::unique_ptr<file> f)
        : file_{std::move(f)} {}

    error_code write_at(std::uint64_t offset, std::string_view bytes) override {
        return file_->write_at(offset, bytes);
    }

    error_code sync() override { return {}; }

    error_code allocate(std::uint64_t length) override { return file_->allocate(length); }

    result<std::string> read_at(std::uint64_t offset, std::size_t length) const override {
        return file_->read_at(offset, length);
    }

    result<std::uint64_t> size() const override { return file_->size(); }

private:
    std::unique_ptr<file> file_;
};

class careless_files final : public file_layer {
public:
    result<std::unique_ptr<file>> create(const std::string& path) override {
        return wrap(disk_->create(path));
    }

    result<std::unique_ptr<file>> open(const std::string& path) override { return wrap(disk_->open(path)); }

    error_code remove(const std::string& path) override { return disk_->remove(path); }

    error_code make_folder(const std::string& path) override { return disk_->make_folder(path); }

    result<std::vector<std::string>> list(const std::string& folder) override { return disk_->list(folder); }

    error_code sync_folder(const std::string&) override { return {}; }

private:
    static result<std::unique_ptr<file>> wrap(result<std::unique_ptr<file>> f) {
        if (!f) {
            return f;
        }
        return std::make_unique<careless_file>(std::move(*f));
    }

    std::unique_ptr<file_layer> disk_ = make_disk_files();
};

struct options {
    std::string folder;
    std::uint64_t first = 1;
    std::size_t connections = 50;
    std::uint64_t reserve = 0;
    bool verify = false, fill = false, no_sync = false, early = false;
};

std::unique_ptr<engine> open(const options& o) {
    config::store_options store;
    store.path = o.folder + "/store";
    store.reserve = o.reserve;
    // Small, so that a second of life sees rolls, moved bodies and dropped segments.
    const local_tuning tuning{
        .segment_size = 512u << 10,
        .kept_segments = 1,
        .sparse_below = 256u << 10,
        .flush_changes = 300,
        .flush_bytes = 1u << 20,
        .rows_per_step = 32,
        .bodies_per_step = 64
    };
    std::unique_ptr<file_layer> files = make_disk_files();
    if (o.no_sync) {
        files = std::make_unique<careless_files>();
    }
    auto opened = open_local_engine(store, std::move(files), tuning);
    if (!opened) {
        std::fprintf(stderr, "%s\n", opened.error().problem.c_str());
        std::exit(74);
    }
    return std::move(*opened);
}

slate open_slate(const options& o) {
    auto opened = slate::open(o.folder + "/store/slate", 1024);
    if (!opened) {
        std::fprintf(stderr, "slate: %s\n", opened.error().message().c_str());
        std::exit(74);
    }
    return std::move(*opened);
}

class life {
public:
    life(asio::io_context& loop, const options& o)
        : loop_{loop}
        , options_{o}
        , queue_{loop.get_executor(), open(o)}
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
            attempt a = attempt_of(verdict::disposition::uncertain, verdict::reason::uncertain);
            std::vector<change> one;
            one.emplace_back(attempted{who, state::deferred, now(), std::move(a)});
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
        auto m = std::make_shared<mail::message>();
        m->id = id_of(n);
        m->tenant = tenant_id{"t" + std::to_string(n % 7)};
        m->from = sender_;
        m->to.push_back(sender_);
        m->body = std::make_shared<const std::string>(100 + random_() % 4000, 'b');
        m->facts.size = m->body->size();
        m->accepted_at = now();
        m->due_at = m->accepted_at;
        m->expires_at = m->accepted_at + std::chrono::hours{24};
        std::vector<change> one;
        one.emplace_back(enqueued{std::move(m), {}, {}, true});
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
            attempt a = attempt_of(verdict::disposition::retry, verdict::reason::greylisted);
            const wall_time next = now() + milliseconds{20};
            outcome.emplace_back(attempted{who, state::deferred, next, std::move(a)});
        } else {
            say('S', number_of(who.message));
            attempt a = attempt_of(verdict::disposition::accepted, verdict::reason::accepted);
            outcome.emplace_back(attempted{who, state::relayed, std::nullopt, std::move(a)});
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

    static attempt attempt_of(verdict::disposition what, verdict::reason why) {
        attempt a;
        a.started_at = now();
        a.route = route_id{"relay"};
        a.at = smtp::phase::dot;
        a.judged.what = what;
        a.judged.why = why;
        return a;
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
    mail::address sender_ = mail::address::parse("a@vendor.example").value();
};

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

change mail_of(std::uint64_t n, const mail::address& who) {
    auto m = std::make_shared<mail::message>();
    m->id = id_of(n);
    m->tenant = tenant_id{"t"};
    m->from = who;
    m->to.push_back(who);
    m->body = std::make_shared<const std::string>(20'000, 'b');
    m->facts.size = m->body->size();
    m->accepted_at = now();
    m->due_at = m->accepted_at;
    m->expires_at = m->accepted_at + std::chrono::hours{24};
    return enqueued{std::move(m), {}, {}, true};
}

change outcome_of(std::uint64_t n) {
    attempt a;
    a.started_at = now();
    a.judged.what = verdict::disposition::accepted;
    a.judged.why = verdict::reason::accepted;
    return attempted{{id_of(n), 0}, state::relayed, std::nullopt, std::move(a)};
}

int fill(const options& o) {
    const auto store = open(o);
    const mail::address who = mail::address::parse("a@vendor.example").value();
    const auto commit = [&](change c) {
        const std::vector<change> one{std::move(c)};
        auto done = store->commit(one);
        (void)store->follow();
        return done;
    };
    std::uint64_t n = 1;
    for (;; ++n) {
        const auto done = commit(mail_of(n, who));
        if (!done) {
            if (done.error() != errc::store_full) {
                std::fprintf(stderr, "%s\n", done.error().message().c_str());
                return 1;
            }
            break;
        }
        say('A', n);
    }
    say('F', n);
    for (std::uint64_t i = 1; i < n; ++i) {
        if (const auto done = commit(outcome_of(i)); !done) {
            std::fprintf(
                stderr,
                "outcome %llu: %s\n",
                static_cast<unsigned long long>(i),
                done.error().message().c_str()
            );
            return 1;
        }
        say('R', i);
    }
    (void)std::getchar();
    for (auto more = store->settle(); more && *more == settled::more_to_do;) {
        more = store->settle();
    }
    if (const auto done = commit(mail_of(n, who)); !done) {
        std::fprintf(stderr, "after: %s\n", done.error().message().c_str());
        return 1;
    }
    say('A', n);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    options o;
    CLI::App app{"The store under load, made to be killed."};
    app.add_option("folder", o.folder)->required();
    app.add_option("--first", o.first, "the number of the first mail");
    app.add_option("--connections", o.connections);
    app.add_flag("--verify", o.verify, "say what is there");
    app.add_flag("--fill", o.fill, "fill the disk");
    app.add_option("--reserve", o.reserve, "bytes kept for outcomes");
    app.add_flag("--no-sync", o.no_sync, "control: nothing is synced");
    app.add_flag("--early", o.early, "control: acknowledge before the commit");
    CLI11_PARSE(app, argc, argv);
    if (o.verify) {
        return verify(o);
    }
    if (o.fill) {
        return fill(o);
    }
    asio::io_context loop;
    life l{loop, o};
    l.begin();
    loop.run();
    return 1;
}
