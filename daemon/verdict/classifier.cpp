#include "estafette/verdict/classifier.hpp"

#include "fold.hpp"
#include "rule.hpp"
#include "settle.hpp"
#include "unmatched.hpp"

#include "estafette/base/text.hpp"
#include "estafette/verdict/hint.hpp"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <stdexcept>

namespace estafette::verdict {
namespace {

// The patterns of all rules run as one automaton, built as texts come; below 64 MiB it would be thrown
// away and rebuilt too often.
constexpr std::int64_t automaton_memory = 128ll << 20;

RE2::Options pattern_options() {
    RE2::Options options;
    options.set_encoding(RE2::Options::EncodingUTF8);
    options.set_case_sensitive(false);
    options.set_never_capture(true);
    options.set_never_nl(false);
    options.set_log_errors(false);
    options.set_max_mem(automaton_memory);
    return options;
}

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

// Codes that stand elsewhere than where RFC 2034 puts them: "550 #5.1.0 Address rejected",
// "550 Blocked (5.7.1)". Only of the reply's own class.
std::optional<smtp::enhanced_code> find_enhanced(const smtp::reply& answer) {
    if (answer.enhanced) {
        return answer.enhanced;
    }
    const std::string_view text{answer.text.data(), std::min<std::size_t>(answer.text.size(), 512)};
    const char klass = static_cast<char>('0' + answer.code / 100);
    for (std::size_t i = 0; i + 5 <= text.size(); ++i) {
        const bool begins = i == 0 || text[i - 1] == '#' || text[i - 1] == '(' || text[i - 1] == '[' ||
                            text[i - 1] == ' ' || text[i - 1] == '\n';
        if (text[i] != klass || text[i + 1] != '.' || !begins) {
            continue;
        }
        auto end = i + 2;
        while (end < text.size() && (is_digit(text[end]) || text[end] == '.')) {
            ++end;
        }
        auto found = text.substr(i, end - i);
        if (found.ends_with('.')) {
            found.remove_suffix(1);
        }
        if (auto code = smtp::enhanced_code::parse(found)) {
            return code;
        }
    }
    return std::nullopt;
}

verdict as_verdict(const meaning& m, std::string rule, bool certain) {
    verdict v;
    v.what = m.what;
    v.fault = m.fault;
    v.why = m.why;
    v.certain = certain;
    v.rule = std::move(rule);
    return v;
}

}  // namespace

struct classifier::rules {
    rule_set all;
    std::unique_ptr<RE2::Set> set;                       // null where no rule has a text
    std::vector<std::vector<std::uint32_t>> by_pattern;  // the rules whose `text` names the pattern
    std::vector<std::uint32_t> without_text;
    unmatched_list unmatched;

    // One classification's scratch, kept for its capacity.
    std::vector<int> hits;
    std::vector<std::uint32_t> candidates;

    [[nodiscard]] bool is_hit(std::uint32_t pattern) const {
        return std::binary_search(hits.begin(), hits.end(), static_cast<int>(pattern));
    }

    [[nodiscard]] bool any_hit(const std::vector<std::uint32_t>& patterns) const {
        return std::any_of(patterns.begin(), patterns.end(), [this](auto p) { return is_hit(p); });
    }

    // The numbers of the patterns found in the text, ascending. False: out of memory.
    [[nodiscard]] bool match_texts(const std::string& folded) {
        hits.clear();
        candidates = without_text;
        if (!set) {
            return true;
        }
        RE2::Set::ErrorInfo info{};
        if (!set->Match(folded, &hits, &info) && info.kind != RE2::Set::kNoError) {
            return false;
        }
        std::sort(hits.begin(), hits.end());
        for (const auto hit : hits) {
            const auto& of_hit = by_pattern[static_cast<std::size_t>(hit)];
            candidates.insert(candidates.end(), of_hit.begin(), of_hit.end());
        }
        std::sort(candidates.begin(), candidates.end());
        return true;
    }

    // The first rule whose conditions all hold.
    [[nodiscard]] const rule* first_match(const evidence& e) const {
        const auto& answer = *e.what.answer;
        const auto enhanced = find_enhanced(answer);
        for (const auto index : candidates) {
            const auto& r = all.rules[index];
            if (r.fits(answer, enhanced, e.what.at, e.server, e.profile) &&
                (r.with.empty() || any_hit(r.with)) && (r.without.empty() || !any_hit(r.without))) {
                return &r;
            }
        }
        return nullptr;
    }
};

classifier::classifier(std::unique_ptr<rules> r)
    : rules_{std::move(r)} {}

classifier::classifier(classifier&&) noexcept = default;
classifier& classifier::operator=(classifier&&) noexcept = default;
classifier::~classifier() = default;

boost::system::result<classifier, std::string> classifier::compile(std::span<const rule_file> files) {
    auto read = read_rules(files);
    if (!read) {
        return read.error();
    }
    auto made = std::make_unique<rules>();
    made->all = std::move(*read);
    const auto& patterns = made->all.patterns;
    if (!patterns.empty()) {
        made->set = std::make_unique<RE2::Set>(pattern_options(), RE2::UNANCHORED);
        for (std::size_t i = 0; i < patterns.size(); ++i) {
            std::string wrong;
            if (made->set->Add(fold_pattern(patterns[i]), &wrong) < 0) {
                return made->all.places[i] + ": not a pattern (RE2): " + wrong;
            }
        }
        if (!made->set->Compile()) {
            return made->all.places.front() + ": the patterns together need too much memory";
        }
    }
    made->by_pattern.resize(patterns.size());
    for (std::uint32_t i = 0; i < made->all.rules.size(); ++i) {
        const auto& r = made->all.rules[i];
        for (const auto pattern : r.text) {
            made->by_pattern[pattern].push_back(i);
        }
        if (r.text.empty()) {
            made->without_text.push_back(i);
        }
    }
    return classifier{std::move(made)};
}

classifier classifier::standard() {
    std::vector<rule_file> files;
    for (const auto& file : embedded_verdict()) {
        if (file.path.starts_with("conf/rules/")) {
            files.push_back({std::string{file.path}, std::string{file.content}});
        }
    }
    auto made = compile(files);
    if (!made) {
        throw std::logic_error{made.error()};
    }
    return std::move(*made);
}

verdict classifier::classify(const evidence& e) const {
    const auto& what = e.what;
    if (what.is_accepted()) {
        return as_verdict({reason::accepted, scope::recipient, disposition::accepted}, {}, true);
    }
    // A positive or intermediate answer where none belongs is no answer.
    if (what.error || !what.answer || what.answer->code < 400) {
        return as_verdict(without_reply(what), {}, true);
    }
    const auto& answer = *what.answer;
    const auto folded = fold(answer.text);
    if (!rules_->match_texts(folded)) {
        return as_verdict(
            {reason::other, scope::recipient, disposition::retry}, "internal/out-of-memory", false
        );
    }
    const auto* decided = rules_->first_match(e);
    if (!decided) {
        rules_->unmatched.count(answer);
        return as_verdict(settle(reason::other, {}, {}, answer.code, what.at), {}, false);
    }
    auto v = as_verdict(
        settle(decided->why, decided->fault, decided->what, answer.code, what.at),
        decided->id,
        !decided->text.empty()
    );
    if (v.what == disposition::retry) {
        v.retry_hint = retry_hint(answer.text, e.now);
        if (!v.retry_hint) {
            v.retry_hint = decided->delay;
        }
    }
    return v;
}

std::size_t classifier::rule_count() const noexcept {
    return rules_->all.rules.size();
}

std::vector<classifier::unmatched_reply> classifier::unmatched() const {
    return rules_->unmatched.list();
}

}  // namespace estafette::verdict
