#include "estafette/verdict/classifier.hpp"

#include "fold.hpp"
#include "pattern_index.hpp"
#include "recent.hpp"
#include "rule.hpp"
#include "settle.hpp"
#include "unmatched.hpp"

#include "estafette/base/text.hpp"
#include "estafette/verdict/hint.hpp"

#include <algorithm>
#include <stdexcept>

namespace estafette::verdict {
namespace {

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
    pattern_index patterns;
    std::vector<std::vector<std::uint32_t>> by_pattern;  // the rules whose `text` names the pattern
    std::vector<bool> without_text;                      // by rule
    unmatched_list unmatched;
    std::vector<bool> candidates;  // one classification's scratch, kept for its capacity
    bool asks_for_server = false;  // some rule looks at the server, the profile or the banner
    recent_decisions recent;

    std::string folded, key;  // the same

    // What the decision depends on behind the text, so that all of it is one key.
    void add_circumstances(const evidence& e, const std::optional<smtp::enhanced_code>& enhanced) {
        key += '\0';
        key += static_cast<char>(e.what.answer->code - 400);
        key += static_cast<char>(e.what.at);
        if (enhanced) {
            for (const auto number : {enhanced->klass, enhanced->subject, enhanced->detail}) {
                key += static_cast<char>(number & 0xFF);
                key += static_cast<char>(number >> 8);
            }
        }
        if (asks_for_server) {
            key += '\0';
            key += e.server;
            key += '\0';
            key += e.profile;
            key += '\0';
            key += e.banner;
        }
    }

    // The rule that decides; a reply seen not long ago is known again without looking.
    [[nodiscard]] const rule* decide(const evidence& e) {
        folded = fold(e.what.answer->text, std::move(folded));
        key = mask(folded, std::move(key));
        const auto length = key.size();
        const auto enhanced = find_enhanced(*e.what.answer);
        add_circumstances(e, enhanced);
        if (const auto known = recent.find(key)) {
            return *known == recent_decisions::nothing ? nullptr : &all.rules[*known];
        }
        const auto* found = first_match(e, enhanced, std::string_view{key}.substr(0, length));
        recent.remember(
            key, found ? static_cast<std::uint32_t>(found - all.rules.data()) : recent_decisions::nothing
        );
        return found;
    }

    [[nodiscard]] bool any_match(const std::vector<std::uint32_t>& list) {
        return std::any_of(list.begin(), list.end(), [this](auto p) { return patterns.matches(p); });
    }

    // The first rule whose conditions all hold; the cheap conditions are looked at first.
    [[nodiscard]] const rule* first_match(
        const evidence& e, const std::optional<smtp::enhanced_code>& enhanced, std::string_view text
    ) {
        candidates = without_text;
        for (const auto pattern : patterns.begin(text)) {
            for (const auto index : by_pattern[pattern]) {
                candidates[index] = true;
            }
        }
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            const auto& r = all.rules[i];
            if (candidates[i] && r.fits(e, enhanced) && (r.text.empty() || any_match(r.text)) &&
                (r.with.empty() || any_match(r.with)) && (r.without.empty() || !any_match(r.without))) {
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
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        if (const auto wrong = made->patterns.add(fold_pattern(patterns[i])); !wrong.empty()) {
            return made->all.places[i] + ": not a pattern (RE2): " + wrong;
        }
    }
    made->patterns.finish();
    made->by_pattern.resize(patterns.size());
    for (std::uint32_t i = 0; i < made->all.rules.size(); ++i) {
        const auto& r = made->all.rules[i];
        for (const auto pattern : r.text) {
            made->by_pattern[pattern].push_back(i);
        }
        made->without_text.push_back(r.text.empty());
        made->asks_for_server |= r.asks_for_server();
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
    const auto* decided = rules_->decide(e);
    if (!decided) {
        rules_->unmatched.count(e);
        return as_verdict(settle(reason::other, {}, {}, answer.code, what.at), {}, false);
    }
    auto v = as_verdict(
        settle(decided->why, decided->fault, decided->what, answer.code, what.at),
        decided->id,
        decided->is_certain && !decided->text.empty()
    );
    if (v.what == disposition::retry) {
        v.retry_hint = retry_hint(answer.text, e.now);
        if (!v.retry_hint) {
            v.retry_hint = decided->delay;
        }
    }
    return v;
}

std::vector<classifier::rule_summary> classifier::summary() const {
    std::vector<rule_summary> all;
    for (const auto& r : rules_->all.rules) {
        all.push_back({r.id, r.why, r.fault, r.what});
    }
    return all;
}

std::vector<classifier::unmatched_reply> classifier::unmatched() const {
    return rules_->unmatched.list();
}

std::uint64_t classifier::unmatched_count() const noexcept {
    return rules_->unmatched.total();
}

void classifier::adopt(classifier next) {
    next.rules_->unmatched = std::move(rules_->unmatched);
    rules_ = std::move(next.rules_);
    rules_->unmatched.forget([this](const evidence& e) { return rules_->decide(e) != nullptr; });
}

}  // namespace estafette::verdict
