// The local engine on this machine's disk: durable batches of new mail, and messages' whole lives. Counted
// in messages; the folder is TMPDIR's, which should be on the disk that matters.
#include "estafette/store/local_engine.hpp"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace {

using namespace estafette;
using namespace estafette::store;

constexpr std::size_t body_size = 4096;

class bench_store {
public:
    bench_store() {
        std::string name = (std::filesystem::temp_directory_path() / "estafette-bench-XXXXXX").string();
        if (!::mkdtemp(name.data())) {
            std::abort();
        }
        options_.path = name;
        options_.reserve = 0;
        engine_ = *open_local_engine(options_);
    }

    ~bench_store() {
        engine_.reset();
        std::filesystem::remove_all(options_.path);
    }

    [[nodiscard]] std::vector<change> mails(std::size_t count, std::int64_t due = 0) {
        std::vector<change> batch;
        for (std::size_t i = 0; i < count; ++i) {
            auto m = std::make_shared<mail::message>();
            m->id = next_id();
            m->tenant = tenant_id{"acme"};
            m->from = sender_;
            m->to.push_back(
                mail::address::parse("user" + std::to_string(made_ % 100'000) + "@customer.example").value()
            );
            m->body = body_;
            m->facts.size = body_->size();
            m->subject = "Your badge";
            m->header_message_id = "<" + std::to_string(made_) + "@vendor.example>";
            m->accepted_at = from_unix_ms(1'700'000'000'000);
            m->due_at = m->accepted_at + seconds{due};
            m->expires_at = m->accepted_at + std::chrono::hours{24};
            batch.emplace_back(enqueued{std::move(m), {}, {}, due == 0});
        }
        return batch;
    }

    [[nodiscard]] static std::vector<change> outcomes(const std::vector<change>& mails, state next) {
        std::vector<change> batch;
        for (const change& c : mails) {
            attempt a;
            a.started_at = from_unix_ms(1'700'000'000'100);
            a.duration = milliseconds{30};
            a.route = route_id{"relay"};
            a.server = "smtp.vendor.example:587";
            a.tls = "TLSv1.3 TLS_AES_256_GCM_SHA384, verified";
            a.at = smtp::phase::dot;
            a.code = next == state::relayed ? 250 : 450;
            a.text = "2.0.0 Ok: queued as 4Xyz1234567";
            a.judged.what =
                next == state::relayed ? verdict::disposition::accepted : verdict::disposition::retry;
            const recipient_id who{std::get<enqueued>(c).message->id, 0};
            batch.emplace_back(attempted{who, next, a.started_at + seconds{600}, std::move(a)});
        }
        return batch;
    }

    void commit(const std::vector<change>& batch) {
        if (!engine_->commit(batch) || !engine_->follow()) {
            std::abort();
        }
    }

    engine& operator*() { return *engine_; }

private:
    [[nodiscard]] message_id next_id() {
        ++made_;
        std::array<std::uint8_t, 10> random{};
        for (std::size_t i = 0; i < random.size(); ++i) {
            random[i] = static_cast<std::uint8_t>((made_ * 2654435761u) >> (i * 3));
        }
        return message_id::make(from_unix_ms(1'700'000'000'000 + static_cast<std::int64_t>(made_)), random);
    }

    config::store_options options_;
    std::unique_ptr<engine> engine_;
    std::size_t made_ = 0;
    mail::address sender_ = mail::address::parse("badges@vendor.example").value();
    mail::body_blob body_ = std::make_shared<const std::string>(body_size, 'b');
};

void enqueue(benchmark::State& state_of_bench) {
    bench_store store;
    const auto size = static_cast<std::size_t>(state_of_bench.range(0));
    for (auto _ : state_of_bench) {
        state_of_bench.PauseTiming();
        const auto batch = store.mails(size);
        state_of_bench.ResumeTiming();
        store.commit(batch);
    }
    state_of_bench.SetItemsProcessed(state_of_bench.iterations() * state_of_bench.range(0));
}

// In, loaded, relayed.
void life(benchmark::State& state_of_bench) {
    bench_store store;
    const auto size = static_cast<std::size_t>(state_of_bench.range(0));
    for (auto _ : state_of_bench) {
        state_of_bench.PauseTiming();
        const auto batch = store.mails(size);
        const auto done = bench_store::outcomes(batch, state::relayed);
        state_of_bench.ResumeTiming();
        store.commit(batch);
        for (const change& c : batch) {
            benchmark::DoNotOptimize((*store).load(std::get<enqueued>(c).message->id));
        }
        store.commit(done);
    }
    state_of_bench.SetItemsProcessed(state_of_bench.iterations() * state_of_bench.range(0));
}

// Mail that stays: deferred, so that its body moves to the ledger in the end.
void deferral(benchmark::State& state_of_bench) {
    bench_store store;
    const auto size = static_cast<std::size_t>(state_of_bench.range(0));
    for (auto _ : state_of_bench) {
        state_of_bench.PauseTiming();
        const auto batch = store.mails(size);
        const auto done = bench_store::outcomes(batch, state::deferred);
        state_of_bench.ResumeTiming();
        store.commit(batch);
        store.commit(done);
    }
    state_of_bench.SetItemsProcessed(state_of_bench.iterations() * state_of_bench.range(0));
}

BENCHMARK(enqueue)->Arg(1)->Arg(16)->Arg(64)->Arg(256)->UseRealTime();
BENCHMARK(life)->Arg(1)->Arg(16)->Arg(64)->Arg(256)->UseRealTime();
BENCHMARK(deferral)->Arg(64)->UseRealTime();

}  // namespace
