#include "estafette/verdict/catalogue.hpp"

#include "fill.hpp"

#include "estafette/base/text.hpp"
#include "estafette/base/yaml.hpp"

#include <algorithm>
#include <stdexcept>

namespace estafette::verdict {
namespace {

constexpr std::array all_dispositions{
    disposition::accepted,
    disposition::retry,
    disposition::fail,
    disposition::uncertain,
};
constexpr std::array all_scopes{scope::recipient, scope::message, scope::route, scope::sender};
constexpr std::array<std::string_view, 5> state_keys{"pending", "sent", "delivered", "failed", "cancelled"};

// Of a line on the suppression list: the store's names.
constexpr std::array<std::string_view, 4> suppression_causes{
    "unknown_user", "complaint", "unsubscribed", "manual"
};

// What in a letter stands for the lines of facts.
constexpr std::string_view details_mark = "{details}";

// Who acts, where it is for those who look after a server or a domain.
constexpr std::array<std::string_view, 4> administrators{
    "recipient_it", "sender_it", "server_admin", "operator"
};

std::array<fact, 16> values_of(const explanation_facts& f, std::string cause) {
    const auto domain = f.sender.substr(std::min(f.sender.rfind('@') + 1, f.sender.size()));
    return {
        fact{"recipient", f.recipient},
        fact{"server", f.server},
        fact{"reply", f.reply},
        fact{"tenant", f.tenant},
        fact{"next_attempt", f.next_attempt},
        fact{"expires", f.expires},
        fact{"sender", f.sender},
        fact{"domain", domain},
        fact{"attempted", f.attempted},
        fact{"code", f.code},
        fact{"problem", f.problem},
        fact{"relay", f.relay},
        fact{"sends_from", f.sends_from},
        fact{"note", f.note},
        fact{"since", f.since},
        fact{"cause", std::move(cause)},
    };
}

std::vector<std::string_view> names_of_facts() {
    std::vector<std::string_view> names;
    for (const fact& one : values_of({}, {})) {
        names.push_back(one.name);
    }
    return names;
}

constexpr std::uint32_t key_of(reason why, scope fault, disposition what) noexcept {
    return static_cast<std::uint32_t>(why) * 16 + static_cast<std::uint32_t>(what) * 4 +
           static_cast<std::uint32_t>(fault);
}

}  // namespace

// Reads one file; the first complaint wins.
class catalogue_reader {
public:
    catalogue_reader(const yaml::node& root, catalogue& into)
        : root_{root}
        , into_{into} {}

    void read() {
        static constexpr std::array<std::string_view, 8> keys{
            "language", "states", "acts", "tails", "letters", "causes", "held", "reasons"
        };
        errors_.add_unknown_keys(root_, "", keys);
        const auto& named = text(root_, "language");
        language_ = named == "en"   ? std::optional{language::en}
                    : named == "fr" ? std::optional{language::fr}
                    : named == "nl" ? std::optional{language::nl}
                                    : std::nullopt;
        if (!language_) {
            errors_.add(root_, "language", "must be en, fr or nl");
            return;
        }
        auto& texts = into_.by_language_[static_cast<std::size_t>(*language_)];
        const auto& states = section(root_, "states");
        errors_.add_unknown_keys(states, "states", state_keys);
        for (std::size_t i = 0; i < state_keys.size(); ++i) {
            texts.states[i] = text(states, state_keys[i]);
        }
        const auto& tails = section(root_, "tails");
        texts.said = sentence(tails, "said");
        texts.next = sentence(tails, "next");
        read_letters();
        const auto& causes = section(root_, "causes");
        errors_.add_unknown_keys(causes, "causes", suppression_causes);
        for (const auto cause : suppression_causes) {
            texts.causes.emplace(cause, text(causes, cause));
        }
        texts.hold = read_words(section(root_, "held"), "held");
        read_reasons(texts);
    }

    [[nodiscard]] std::optional<language> read_language() const { return language_; }

    [[nodiscard]] const yaml::errors& errors() const { return errors_; }

private:
    const yaml::node& section(const yaml::node& map, std::string_view key) {
        const auto* found = map.find(key);
        if (!found || !found->is_map()) {
            errors_.add(found ? *found : map, "", std::string{key} + " must be a map");
            return nothing_;
        }
        return *found;
    }

    const std::string& text(const yaml::node& map, std::string_view key) {
        const auto* found = map.find(key);
        if (!found || !found->is_scalar() || trim(found->scalar()).empty()) {
            errors_.add(found ? *found : map, "", "no text for " + std::string{key});
            return nothing_.scalar();
        }
        return found->scalar();
    }

    const std::string& sentence(const yaml::node& map, std::string_view key) {
        const auto& found = text(map, key);
        if (const auto wrong = check_template(found, known_facts_); !wrong.empty()) {
            errors_.add(*map.find(key), key, wrong);
        }
        return found;
    }

    // One for each of the administrators, about the same facts.
    void read_letters() {
        const auto& letters = section(root_, "letters");
        const auto& details = sentence(letters, "details");
        std::vector<std::string_view> used{"details"};
        for (const auto who : administrators) {
            auto letter = text(letters, who);
            const auto at = letter.find(details_mark);
            if (at == std::string::npos) {
                errors_.add(letters, who, "has no {details}");
                continue;
            }
            letter.replace(at, details_mark.size(), details);
            if (const auto wrong = check_template(letter, known_facts_); !wrong.empty()) {
                errors_.add(letters, who, wrong);
            }
            letters_.emplace(who, std::move(letter));
            used.push_back(who);
        }
        errors_.add_unknown_keys(letters, "letters", used);
    }

    void read_reasons(catalogue::texts& texts) {
        const auto& reasons = section(root_, "reasons");
        for (const auto& of_reason : reasons.members()) {
            if (!parse_reason(of_reason.key)) {
                errors_.add(of_reason.place, "reasons", "unknown reason " + of_reason.key);
                return;  // what it was meant to be would only be called missing
            }
        }
        for (std::size_t i = 0; i < reason_count; ++i) {
            const auto why = static_cast<reason>(i);
            const auto& variants = section(reasons, to_text(why));
            std::vector<std::string_view> used;
            for (const auto what : all_dispositions) {
                for (const auto fault : all_scopes) {
                    if (is_meaningful(why, fault, what)) {
                        read_entry(texts, variants, why, fault, what, used);
                    }
                }
            }
            errors_.add_unknown_keys(variants, yaml::join("reasons", to_text(why)), used);
        }
    }

    // The exact "fail/route" before the general "fail".
    void read_entry(
        catalogue::texts& texts,
        const yaml::node& variants,
        reason why,
        scope fault,
        disposition what,
        std::vector<std::string_view>& used
    ) {
        const auto exact = std::string{to_text(what)} + "/" + std::string{to_text(fault)};
        const yaml::member* chosen = nullptr;
        for (const auto& variant : variants.members()) {
            if (variant.key == exact || (!chosen && variant.key == to_text(what))) {
                chosen = &variant;
            }
        }
        if (!chosen || !chosen->value.is_map()) {
            errors_.add(variants, to_text(why), "no text for " + exact);
            return;
        }
        used.push_back(chosen->key);
        texts.entries[key_of(why, fault, what)] =
            read_words(chosen->value, yaml::join(to_text(why), chosen->key));
    }

    catalogue::entry read_words(const yaml::node& n, const std::string& path) {
        static constexpr std::array<std::string_view, 4> keys{"headline", "happened", "acts", "advice"};
        errors_.add_unknown_keys(n, path, keys);
        catalogue::entry entry;
        entry.headline = sentence(n, "headline");
        entry.happened = sentence(n, "happened");
        const auto& who = text(n, "acts");
        entry.acts = text(section(root_, "acts"), who);
        if (const auto letter = letters_.find(who); letter != letters_.end()) {
            entry.letter = letter->second;
        }
        entry.advice = sentence(n, "advice");
        return entry;
    }

    const yaml::node& root_;
    catalogue& into_;
    std::vector<std::string_view> known_facts_ = names_of_facts();
    yaml::node nothing_;
    yaml::errors errors_;
    std::map<std::string_view, std::string, std::less<>> letters_;  // by who acts
    std::optional<language> language_;
};

boost::system::result<catalogue, std::string> catalogue::parse(std::span<const rule_file> files) {
    catalogue made;
    std::array<bool, language_count> seen{};
    for (const auto& file : files) {
        const auto root = yaml::parse(file.content, file.name);
        if (!root) {
            return root.error();
        }
        catalogue_reader reader{*root, made};
        reader.read();
        if (!reader.errors().empty()) {
            return reader.errors().lines().front();
        }
        seen[static_cast<std::size_t>(*reader.read_language())] = true;
    }
    for (std::size_t i = 0; i < language_count; ++i) {
        if (!seen[i]) {
            return "no file for the language " + std::string{to_text(static_cast<language>(i))};
        }
    }
    return made;
}

const catalogue& catalogue::standard() {
    static const catalogue made = [] {
        std::vector<rule_file> files;
        for (const auto& file : embedded_verdict()) {
            if (file.path.starts_with("conf/reasons/")) {
                files.push_back({std::string{file.path}, std::string{file.content}});
            }
        }
        auto parsed = parse(files);
        if (!parsed) {
            throw std::logic_error{parsed.error()};
        }
        return std::move(*parsed);
    }();
    return made;
}

explanation catalogue::explain(
    reason why, scope fault, disposition what, language l, const explanation_facts& facts
) const {
    const auto& texts = by_language_[static_cast<std::size_t>(l)];
    auto found = texts.entries.find(key_of(why, fault, what));
    for (const auto other : all_scopes) {
        if (found == texts.entries.end()) {
            found = texts.entries.find(key_of(why, other, what));
        }
    }
    for (const auto other : all_dispositions) {
        for (const auto beside : all_scopes) {
            if (found == texts.entries.end()) {
                found = texts.entries.find(key_of(why, beside, other));
            }
        }
    }
    if (found == texts.entries.end()) {
        found = texts.entries.find(key_of(reason::other, scope::recipient, disposition::retry));
    }
    const auto cause = texts.causes.find(facts.cause);
    const auto values = values_of(facts, cause == texts.causes.end() ? std::string{} : cause->second);
    auto e = filled(found->second, values);
    const auto append = [](std::string& to, const std::string& tail) {
        if (!tail.empty()) {
            to += " " + tail;
        }
    };
    append(e.happened, fill(texts.said, values));
    if (what == disposition::retry || what == disposition::uncertain) {
        append(e.advice, fill(texts.next, values));
    }
    return e;
}

explanation catalogue::explain_hold(language l, const explanation_facts& facts) const {
    return filled(by_language_[static_cast<std::size_t>(l)].hold, values_of(facts, {}));
}

explanation catalogue::filled(const entry& from, std::span<const fact> values) {
    auto letter = fill(from.letter, values);
    if (const auto gap = letter.find("\n\n\n"); gap != std::string::npos) {
        letter.erase(gap, 1);  // nothing is known that could stand there
    }
    return {
        fill(from.headline, values),
        fill(from.happened, values),
        from.acts,
        fill(from.advice, values),
        std::move(letter),
    };
}

std::string_view catalogue::words(shown_state s, language l) const noexcept {
    return by_language_[static_cast<std::size_t>(l)].states[static_cast<std::size_t>(s)];
}

explanation explain(reason why, scope fault, disposition what, language l, const explanation_facts& facts) {
    return catalogue::standard().explain(why, fault, what, l, facts);
}

explanation explain_hold(language l, const explanation_facts& facts) {
    return catalogue::standard().explain_hold(l, facts);
}

std::string_view words(shown_state s, language l) noexcept {
    return catalogue::standard().words(s, l);
}

std::string_view to_text(language l) noexcept {
    switch (l) {
    case language::en: return "en";
    case language::fr: return "fr";
    case language::nl: return "nl";
    }
    return "?";
}

namespace {

// "0.8" → 800, "1" → 1000; nothing else than RFC 9110 12.4.2 has, else 1000.
int weight(std::string_view parameters) noexcept {
    const auto at = parameters.find("q=");
    if (at == std::string_view::npos) {
        return 1000;
    }
    auto digits = parameters.substr(at + 2);
    if (digits.empty() || digits[0] != '0') {
        return 1000;
    }
    int value = 0;
    int unit = 100;
    for (std::size_t i = 2; i < digits.size() && unit > 0 && digits[i] >= '0' && digits[i] <= '9'; ++i) {
        value += (digits[i] - '0') * unit;
        unit /= 10;
    }
    return value;
}

}  // namespace

language choose_language(std::string_view wish) noexcept {
    auto best = language::en;
    int best_weight = 0;
    while (!wish.empty()) {
        const auto comma = std::min(wish.find(','), wish.size());
        const auto range = trim(wish.substr(0, comma));
        wish.remove_prefix(std::min(comma + 1, wish.size()));
        const auto primary = range.substr(0, std::min(range.find_first_of("-_.@; "), range.size()));
        const auto semicolon = std::min(range.find(';'), range.size());
        for (std::size_t i = 0; i < language_count; ++i) {
            const auto l = static_cast<language>(i);
            const auto w = weight(range.substr(semicolon));
            if (ascii_iequals(primary, to_text(l)) && w > best_weight) {
                best = l;
                best_weight = w;
            }
        }
    }
    return best;
}

}  // namespace estafette::verdict
