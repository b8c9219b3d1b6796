// bench_fill: fills a store with mail that waits, through the engine: faster than the API could. Every mail
// has a recipient of its own, whose address is where chance puts it in an index, and is due in 30 days.
//
//   bench_fill --store PATH [--scheduled N] [--deferred N] [--size BYTES] [--tenant T]
//
// Prints one JSON line.
#include "wire.hpp"

#include "estafette/store/local_engine.hpp"

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace estafette;
using namespace estafette::store;

constexpr std::size_t batch_size = 500;
constexpr auto wait = std::chrono::days{30};

class filler {
public:
    filler(const std::string& path, std::size_t size, std::string tenant)
        : tenant_{std::move(tenant)}
        , body_{std::make_shared<const std::string>(size, 'b')} {
        config::store_options options;
        options.path = path;
        auto opened = open_local_engine(options);
        if (!opened) {
            std::fprintf(stderr, "%s\n", opened.error().problem.c_str());
            std::exit(1);
        }
        engine_ = std::move(*opened);
    }

    void fill(std::uint64_t count, state as) {
        for (std::uint64_t done = 0; done < count;) {
            std::vector<change> batch;
            for (std::size_t i = 0; i < batch_size && done < count; ++i, ++done) {
                add(batch, as);
            }
            if (!engine_->commit(batch) || !engine_->follow()) {
                std::fprintf(stderr, "the store takes nothing more\n");
                std::exit(1);
            }
        }
    }

    void settle() {
        for (auto more = engine_->settle(); more && *more == settled::more_to_do;) {
            more = engine_->settle();
        }
    }

private:
    void add(std::vector<change>& batch, state as) {
        std::array<std::uint8_t, 10> random{};
        for (auto& byte : random) {
            byte = static_cast<std::uint8_t>(random_());
        }
        auto m = std::make_shared<mail::message>();
        m->accepted_at = now_;
        m->id = message_id::make(now_, random);
        m->tenant = tenant_id{tenant_};
        m->from = sender_;
        m->to.push_back(mail::address::parse("u" + std::to_string(random_()) + "@customer.example").value());
        m->body = body_;
        m->facts.size = body_->size();
        m->subject = "Your badge";
        m->header_message_id = "<" + m->id.text() + "@vendor.example>";
        m->due_at = as == state::scheduled ? now_ + wait : now_;
        m->expires_at = now_ + 2 * wait;
        const recipient_id who{m->id, 0};
        batch.emplace_back(enqueued{std::move(m), {}, {}, as == state::deferred});
        if (as == state::deferred) {
            attempt a;
            a.started_at = now_;
            a.duration = milliseconds{30};
            a.route = route_id{"relay"};
            a.server = "smtp.vendor.example:587";
            a.at = smtp::phase::rcpt;
            a.code = 450;
            a.text = "4.2.0 greylisted, come back later";
            a.judged.what = verdict::disposition::retry;
            a.judged.why = verdict::reason::greylisted;
            batch.emplace_back(attempted{who, as, now_ + wait, std::move(a)});
        }
    }

    std::string tenant_;
    mail::body_blob body_;
    std::unique_ptr<engine> engine_;
    std::minstd_rand random_{7};
    wall_time now_ = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
    mail::address sender_ = mail::address::parse("badges@vendor.example").value();
};

}  // namespace

int main(int argc, char** argv) {
    const bench::arguments given{argc, argv};
    const auto scheduled = given.number("scheduled", 0);
    const auto deferred = given.number("deferred", 0);
    filler f{given.text("store", ""), given.number("size", 4096), given.text("tenant", "default")};
    const auto begun = bench::now_ns();
    f.fill(scheduled, state::scheduled);
    f.fill(deferred, state::deferred);
    f.settle();
    const double seconds = static_cast<double>(bench::now_ns() - begun) / 1e9;
    std::printf(
        "{\"seconds\":%.3f,\"per_second\":%.0f}\n",
        seconds,
        static_cast<double>(scheduled + deferred) / seconds
    );
}
