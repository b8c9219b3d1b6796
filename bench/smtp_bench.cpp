// What the protocol costs without a network: replies, body, commands, and whole messages through the
// session machine, with the heap allocations counted.
#include "estafette/smtp/body.hpp"
#include "estafette/smtp/command.hpp"
#include "estafette/smtp/reply.hpp"
#include "estafette/smtp/session.hpp"

#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

namespace {

std::atomic<std::uint64_t> allocations{0};

}  // namespace

void* operator new(std::size_t size) {
    allocations.fetch_add(1, std::memory_order_relaxed);
    if (void* p = std::malloc(size)) {
        return p;
    }
    throw std::bad_alloc{};
}

void operator delete(void* p) noexcept {
    std::free(p);
}

void operator delete(void* p, std::size_t) noexcept {
    std::free(p);
}

namespace {

using namespace estafette;

// Allocations per iteration, from construction to report.
class counted {
public:
    explicit counted(benchmark::State& state)
        : state_{state}
        , before_{allocations.load()} {}

    ~counted() {
        state_.counters["allocations"] = benchmark::Counter(
            static_cast<double>(allocations.load() - before_), benchmark::Counter::kAvgIterations
        );
    }

    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;

private:
    benchmark::State& state_;
    std::uint64_t before_;
};

std::string body_of(std::size_t size, bool dots) {
    std::string body = "From: a@x.example\r\nSubject: s\r\n\r\n";
    while (body.size() < size) {
        body += dots ? ".a line of text that is about as long as lines of text are, or so\r\n"
                     : "a line of text that is about as long as lines of text are, or so it\r\n";
    }
    return body;
}

void reply_group(benchmark::State& state) {
    const std::string_view bytes = "250 2.0.0 Ok: queued as 4XyZ3k1Qv7z9W\r\n250 2.1.0 Ok\r\n250 2.1.5 "
                                   "Ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n";
    smtp::reply_parser parser;
    const auto read_all = [&] {
        for (std::string_view rest = bytes; !rest.empty();) {
            rest.remove_prefix(parser.feed(rest).value());
            benchmark::DoNotOptimize(parser.whole());
            parser.release();
        }
    };
    read_all();
    const counted count{state};
    for (auto _ : state) {
        read_all();
    }
}

BENCHMARK(reply_group);

void body_fill(benchmark::State& state) {
    const bool dots = state.range(1) != 0;
    const std::string blob = body_of(static_cast<std::size_t>(state.range(0)), dots);
    std::vector<char> buffer(16 * 1024);
    const counted count{state};
    for (auto _ : state) {
        smtp::body_cursor cursor{blob, dots ? smtp::stuffing::dots : smtp::stuffing::none};
        while (cursor.fill(buffer) != 0) {
            benchmark::DoNotOptimize(buffer.data());
        }
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(blob.size()));
}

BENCHMARK(body_fill)->Args({4096, 0})->Args({4096, 1})->Args({20480, 0})->Args({1 << 20, 1});

void commands(benchmark::State& state) {
    const auto from = mail::address::parse("bounces@vendor.example").value();
    const auto to = mail::address::parse("somebody@customer.example").value();
    std::string wire, shown;
    const auto write = [&] {
        wire.clear();
        shown.clear();
        smtp::command_writer writer{wire, shown};
        writer.mail(&from, {.size = 4096});
        writer.rcpt(to, nullptr);
        writer.data();
        benchmark::DoNotOptimize(wire.data());
    };
    write();
    const counted count{state};
    for (auto _ : state) {
        write();
    }
}

BENCHMARK(commands);

// Messages through one connection; the server says yes to everything. Mode 0 lockstep, 1 pipelining,
// 2 across messages, 3 BDAT.
void session_message(benchmark::State& state) {
    const auto mode = state.range(0);
    mail::message m;
    m.id = message_id{message_id::bytes_type{1}};
    m.from = mail::address::parse("bounces@vendor.example").value();
    m.to.push_back(mail::address::parse("somebody@customer.example").value());
    m.body = std::make_shared<const std::string>(body_of(4096, false));
    m.facts.size = m.body->size();
    const std::vector<std::uint32_t> recipients{0};
    const smtp::transaction_view view{&m, recipients, &*m.from, nullptr};

    smtp::session_options options;
    options.helo = "mail.vendor.example";
    options.starttls = smtp::starttls_use::never;
    options.pipelining = mode != 0;
    options.across_messages = mode == 2;
    options.chunking = mode == 3;
    smtp::session s{std::move(options)};
    std::vector<char> buffer(16 * 1024);
    std::string answers;
    // Answers all that was written: a sink in five lines.
    bool in_content = false;
    const auto answer = [&](std::string_view written) {
        for (std::size_t at = 0; at < written.size();) {
            const std::size_t end = written.find("\r\n", at) + 2;
            const std::string_view line = written.substr(at, end - at);
            at = end;
            if (in_content) {
                in_content = line != ".\r\n";
                answers += in_content ? "" : "250 2.0.0 Ok: queued as 4XyZ3k1Qv7z9W\r\n";
            } else if (line.starts_with("EHLO")) {
                answers += "250-relay.example\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 SIZE 20480000\r\n";
            } else if (line.starts_with("BDAT")) {
                at += m.body->size();
                answers += "250 2.0.0 Ok: queued as 4XyZ3k1Qv7z9W\r\n";
            } else if (line == "DATA\r\n") {
                in_content = true;
                answers += "354 go ahead\r\n";
            } else {
                answers += "250 2.1.5 Ok\r\n";
            }
        }
    };
    std::vector<smtp::recipient_outcome> outcome;
    smtp::action act = s.on_connected();
    act = s.on_bytes("220 relay.example ESMTP\r\n");
    const auto one = [&] {
        for (;;) {
            switch (act.what) {
            case smtp::todo::write: {
                const std::size_t n = s.fill(buffer);
                if (n != 0) {
                    answer({buffer.data(), n});
                } else {
                    act = s.on_written();
                }
                break;
            }
            case smtp::todo::read:
                act = s.on_bytes(answers);
                answers.clear();
                break;
            case smtp::todo::ready:
                act = s.begin(view);
                s.offer_next(view);
                break;
            case smtp::todo::done:
                outcome = s.take_outcome(std::move(outcome));
                act = s.current();
                return;
            case smtp::todo::start_tls:
            case smtp::todo::close: state.SkipWithError("the session ended"); return;
            }
        }
    };
    for (int i = 0; i < 10; ++i) {
        one();
    }
    const counted count{state};
    for (auto _ : state) {
        one();
        if (!outcome.at(0).what.is_accepted()) {
            state.SkipWithError("not accepted");
            break;
        }
    }
    state.SetItemsProcessed(state.iterations());
}

BENCHMARK(session_message)->DenseRange(0, 3)->ArgName("mode");

}  // namespace
