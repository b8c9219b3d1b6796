// What one reply costs: classified by all the rules, and its hint read. ESTAFETTE_CORPUS adds the real
// replies of that folder; without it a mix of our own stands in.
#include "estafette/verdict/classifier.hpp"
#include "estafette/verdict/hint.hpp"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace {

using namespace estafette;

std::vector<smtp::outcome> replies() {
    std::vector<std::pair<int, std::string>> texts{
        {550, "5.1.1 <anna@example.org>: Recipient address rejected: User unknown in virtual mailbox table"},
        {452, "4.2.2 The mailbox of this person is out of storage space. Please ask them to make room."},
        {450,
         "4.2.0 <anna@example.org>: Recipient address rejected: Greylisted for 300 seconds, see our web site"
        },
        {554, "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.example.net; see the web"},
        {421, "4.7.0 Too many connections from your address, try again later"},
        {550, "5.7.26 This message does not pass authentication checks (SPF and DKIM both do not pass)"},
    };
    if (const char* folder = std::getenv("ESTAFETTE_CORPUS")) {
        std::ifstream file{std::string{folder} + "/replies-dev.tsv"};
        for (std::string line; std::getline(file, line);) {
            const auto code = line.find('\t') + 1;
            const auto text = line.find('\t', line.find('\t', code) + 1) + 1;
            if (code < line.size() && (line[code] == '4' || line[code] == '5')) {
                texts.emplace_back(
                    std::atoi(line.c_str() + code), line.substr(text, line.find('\t', text) - text)
                );
            }
        }
    }
    std::vector<smtp::outcome> all;
    for (const auto& [code, text] : texts) {
        smtp::outcome what;
        what.at = smtp::phase::rcpt;
        what.answer =
            smtp::reply{code, smtp::enhanced_code::parse(text.substr(0, text.find(' '))), text, false};
        all.push_back(std::move(what));
    }
    return all;
}

void classify(benchmark::State& state) {
    const auto all = replies();
    const auto c = verdict::classifier::standard();
    std::size_t i = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(c.classify({all[i], "mx.example.org", {}}));
        i = i + 1 == all.size() ? 0 : i + 1;
    }
}

// Every reply is new: nothing is known again.
void classify_unseen(benchmark::State& state) {
    auto all = replies();
    const auto c = verdict::classifier::standard();
    std::size_t i = 0;
    std::size_t round = 0;
    for (auto _ : state) {
        auto& what = all[i];
        what.answer->text += " " + std::to_string(round);
        benchmark::DoNotOptimize(c.classify({what, "mx.example.org", {}}));
        what.answer->text.resize(what.answer->text.rfind(' '));
        i = i + 1 == all.size() ? 0 : i + 1;
        round += i == 0 ? 1 : 0;
    }
}

void hint(benchmark::State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(verdict::retry_hint("4.7.1 Greylisted, please try again in 300 seconds"));
    }
}

void compile_rules(benchmark::State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(verdict::classifier::standard());
    }
    state.SetLabel("a reload");
}

BENCHMARK(classify);
BENCHMARK(classify_unseen);
BENCHMARK(hint);
BENCHMARK(compile_rules)->Unit(benchmark::kMillisecond);

}  // namespace
