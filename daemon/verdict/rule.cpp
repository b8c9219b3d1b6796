#include "rule.hpp"

#include "estafette/base/text.hpp"
#include "estafette/base/yaml.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

namespace estafette::verdict {
namespace {

std::optional<int> number(std::string_view text) {
    int value = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, ec] = std::from_chars(text.data(), end, value);
    return ec == std::errc{} && stop == end && value >= 0 ? std::optional{value} : std::nullopt;
}

std::optional<code_range> parse_code(std::string_view text) {
    const auto dash = text.find('-');
    if (dash != std::string_view::npos) {
        const auto first = number(text.substr(0, dash));
        const auto last = number(text.substr(dash + 1));
        return first && last && *first >= 400 && *first <= *last && *last <= 599
                   ? std::optional{code_range{*first, *last}}
                   : std::nullopt;
    }
    std::string low{text};
    std::string high{text};
    std::replace(low.begin(), low.end(), 'x', '0');
    std::replace(high.begin(), high.end(), 'x', '9');
    const auto first = number(low);
    const auto last = number(high);
    return text.size() == 3 && first && last && *first >= 400 && *last <= 599
               ? std::optional{code_range{*first, *last}}
               : std::nullopt;
}

std::optional<enhanced_pattern::part> parse_part(std::string_view text) {
    if (text == "x") {
        return enhanced_pattern::part{};
    }
    const auto dash = text.find('-');
    const auto first = number(text.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : number(text.substr(dash + 1));
    if (!first || !last || *first > *last || *last > 999) {
        return std::nullopt;
    }
    return enhanced_pattern::part{static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(*last)};
}

std::optional<enhanced_pattern> parse_enhanced(std::string_view text) {
    enhanced_pattern pattern;
    for (std::size_t i = 0; i < 3; ++i) {
        const auto dot = text.find('.');
        if ((dot == std::string_view::npos) != (i == 2)) {
            return std::nullopt;
        }
        const auto part = parse_part(text.substr(0, dot));
        if (!part) {
            return std::nullopt;
        }
        pattern.parts[i] = *part;
        text.remove_prefix(i == 2 ? text.size() : dot + 1);
    }
    return pattern;
}

std::optional<smtp::phase> parse_phase(std::string_view text) {
    for (std::size_t i = 0; i < smtp::phase_count; ++i) {
        if (const auto p = static_cast<smtp::phase>(i); smtp::label(p) == text) {
            return p;
        }
    }
    return std::nullopt;
}

std::optional<bool> parse_truth(std::string_view text) {
    return text == "true" ? std::optional{true} : text == "false" ? std::optional{false} : std::nullopt;
}

bool is_suffix_of(std::string_view suffix, std::string_view server) noexcept {
    if (server.ends_with('.')) {
        server.remove_suffix(1);
    }
    if (server.size() < suffix.size()) {
        return false;
    }
    return ascii_iequals(server.substr(server.size() - suffix.size()), suffix) &&
           (server.size() == suffix.size() || server[server.size() - suffix.size() - 1] == '.');
}

// `words` are in lower case.
bool holds(std::string_view text, std::string_view words) noexcept {
    const auto is_same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
    return std::search(text.begin(), text.end(), words.begin(), words.end(), is_same) != text.end();
}

class rule_reader {
public:
    [[nodiscard]] std::optional<std::string> read(const rule_file& file) {
        const auto root = yaml::parse(file.content, file.name);
        if (!root) {
            return root.error();
        }
        static constexpr std::array<std::string_view, 2> keys{"words", "rules"};
        if (root->is_null()) {
            return std::nullopt;  // a file of comments only
        }
        errors_.add_unknown_keys(*root, "", keys);
        read_words(*root);
        const auto* list = root->find("rules");
        if (!list || !(list->is_sequence() || list->is_null())) {
            errors_.add(list ? *list : *root, "rules", "must be a list of rules");
        } else {
            for (const auto& item : list->items()) {
                read_rule(item);
            }
        }
        return errors_.empty() ? std::nullopt : std::optional{errors_.lines().front()};
    }

    [[nodiscard]] rule_set take() { return std::move(made_); }

private:
    // Names for parts of patterns that come again and again, known in their own file only.
    void read_words(const yaml::node& root) {
        words_.clear();
        const auto* found = root.find("words");
        if (found && !found->is_map()) {
            errors_.add(*found, "words", "must be a map");
            return;
        }
        for (const auto& word : found ? found->members() : std::vector<yaml::member>{}) {
            if (!word.value.is_scalar() || word.value.scalar().empty()) {
                errors_.add(word.place, "words", "must be a pattern");
            }
            words_["<" + word.key + ">"] = word.value.scalar();
        }
    }

    [[nodiscard]] std::string with_words(std::string text) const {
        for (const auto& [name, meaning] : words_) {
            for (auto at = text.find(name); at != std::string::npos;
                 at = text.find(name, at + meaning.size())) {
                text.replace(at, name.size(), meaning);
            }
        }
        return text;
    }

    void read_rule(const yaml::node& item) {
        static constexpr std::array<std::string_view, 16> keys{
            "id",
            "code",
            "enhanced",
            "phase",
            "server",
            "profile",
            "banner",
            "text",
            "and",
            "but_not",
            "reason",
            "scope",
            "disposition",
            "delay",
            "certain",
            "seen",
        };
        if (!item.is_map()) {
            errors_.add(item, "rules", "a rule must be a map");
            return;
        }
        errors_.add_unknown_keys(item, "rule", keys);
        rule r;
        read_id(item, r);
        read_conditions(item, r);
        read_meaning(item, r);
        made_.rules.push_back(std::move(r));
    }

    void read_id(const yaml::node& item, rule& r) {
        const auto* id = item.find("id");
        if (!id || !id->is_scalar() || id->scalar().empty() || id->scalar().size() > 64 ||
            id->scalar().find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_/.") != std::string::npos) {
            errors_.add(id ? *id : item, "id", "a rule needs an id such as google/over-quota");
            return;
        }
        if (!ids_.insert(id->scalar()).second) {
            errors_.add(*id, "id", id->scalar() + " is already the id of another rule");
        }
        r.id = id->scalar();
    }

    // One value, or a list of them, each not empty.
    template <class Take> void each(const yaml::node& item, std::string_view key, Take take) {
        const auto* found = item.find(key);
        if (!found) {
            return;
        }
        const auto one = [&](const yaml::node& n) {
            if (!n.is_scalar() || n.scalar().empty()) {
                errors_.add(n, key, "must be a value or a list of values");
            } else {
                take(n);
            }
        };
        if (found->is_sequence() && !found->items().empty()) {
            for (const auto& n : found->items()) {
                one(n);
            }
        } else {
            one(*found);
        }
    }

    void read_conditions(const yaml::node& item, rule& r) {
        each(item, "code", [&](const yaml::node& n) {
            if (const auto range = parse_code(n.scalar())) {
                r.codes.push_back(*range);
            } else {
                errors_.add(n, "code", "must be like 550, 55x, 5xx or 500-554");
            }
        });
        each(item, "enhanced", [&](const yaml::node& n) {
            if (n.scalar() == "none") {
                r.without_enhanced = true;
            } else if (const auto pattern = parse_enhanced(n.scalar())) {
                r.enhanced.push_back(*pattern);
            } else {
                errors_.add(n, "enhanced", "must be like 5.1.1, x.1.1, 5.7.x, 5.7.500-509, or none");
            }
        });
        each(item, "phase", [&](const yaml::node& n) {
            if (const auto at = parse_phase(n.scalar())) {
                r.phases.set(static_cast<std::size_t>(*at));
            } else {
                errors_.add(n, "phase", "must be the name of a phase such as mail, rcpt or dot");
            }
        });
        each(item, "server", [&](const yaml::node& n) { r.servers.push_back(n.scalar()); });
        each(item, "profile", [&](const yaml::node& n) { r.profiles.push_back(n.scalar()); });
        each(item, "banner", [&](const yaml::node& n) { r.banners.push_back(ascii_lower(n.scalar())); });
        each(item, "text", [&](const yaml::node& n) { r.text.push_back(pattern(n)); });
        each(item, "and", [&](const yaml::node& n) { r.with.push_back(pattern(n)); });
        each(item, "but_not", [&](const yaml::node& n) { r.without.push_back(pattern(n)); });
        const bool has_condition = !r.codes.empty() || !r.enhanced.empty() || r.without_enhanced ||
                                   r.phases.any() || !r.text.empty() || r.asks_for_server();
        if (!has_condition) {
            errors_.add(
                item, "", "a rule needs a condition: code, enhanced, phase, server, profile, banner or text"
            );
        }
        if (r.text.empty() && !(r.with.empty() && r.without.empty())) {
            errors_.add(item, "", "and, but_not need text beside them");
        }
    }

    void read_meaning(const yaml::node& item, rule& r) {
        const auto word = [&](std::string_view key, auto parse, std::string_view wrong) {
            const auto* found = item.find(key);
            decltype(parse(std::string_view{})) value;
            if (found) {
                value = found->is_scalar() ? parse(found->scalar()) : std::nullopt;
                if (!value) {
                    errors_.add(*found, key, wrong);
                }
            }
            return value;
        };
        const auto why = word("reason", parse_reason, "must be one of the reasons of docs/reasons.md");
        r.fault = word("scope", parse_scope, "must be recipient, message, sender or route");
        r.what = word("disposition", parse_disposition, "must be retry or fail");
        r.is_certain = word("certain", parse_truth, "must be true or false").value_or(true);
        if (!item.find("reason")) {
            errors_.add(item, "reason", "a rule needs a reason");
        }
        if (const auto* delay = item.find("delay")) {
            const auto value = parse_duration(delay->scalar());
            if (!value || *value < seconds{1} || *value > std::chrono::hours{24}) {
                errors_.add(*delay, "delay", "must be a duration from 1s to 24h");
            } else {
                r.delay = std::chrono::duration_cast<seconds>(*value);
            }
        }
        if (why) {
            r.why = *why;
            check_meaning(item, r);
        }
    }

    // The rule as written must be something that can be said: so no rule can fail a recipient for a
    // fault of the sender or the route.
    void check_meaning(const yaml::node& item, const rule& r) {
        if (r.what && *r.what != disposition::retry && *r.what != disposition::fail) {
            errors_.add(*item.find("disposition"), "disposition", "must be retry or fail");
            return;
        }
        for (const auto fault : {scope::recipient, scope::message, scope::sender, scope::route}) {
            for (const auto what : {disposition::retry, disposition::fail}) {
                if ((!r.fault || *r.fault == fault) && (!r.what || *r.what == what) &&
                    is_meaningful(r.why, fault, what)) {
                    return;
                }
            }
        }
        std::string said{to_text(r.why)};
        said += r.fault ? " of scope " + std::string{to_text(*r.fault)} : "";
        said += r.what ? " to " + std::string{to_text(*r.what)} : "";
        errors_.add(item, "", "a rule cannot say " + said);
    }

    std::uint32_t pattern(const yaml::node& n) {
        const auto text = with_words(n.scalar());
        const auto [at, is_new] =
            numbers_.try_emplace(text, static_cast<std::uint32_t>(made_.patterns.size()));
        if (is_new) {
            made_.patterns.push_back(text);
            made_.places.push_back(n.file() + ":" + std::to_string(n.line()));
        }
        return at->second;
    }

    rule_set made_;
    yaml::errors errors_;
    std::set<std::string> ids_;
    std::map<std::string, std::uint32_t> numbers_;
    std::map<std::string, std::string> words_;  // by "<name>"
};

}  // namespace

bool enhanced_pattern::matches(const smtp::enhanced_code& code) const noexcept {
    const std::array<std::uint16_t, 3> numbers{code.klass, code.subject, code.detail};
    for (std::size_t i = 0; i < 3; ++i) {
        if (numbers[i] < parts[i].first || numbers[i] > parts[i].last) {
            return false;
        }
    }
    return true;
}

bool rule::fits(const evidence& e, const std::optional<smtp::enhanced_code>& enhanced_code) const noexcept {
    const auto has_code = [code = e.what.answer->code](const code_range& r) {
        return code >= r.first && code <= r.last;
    };
    const auto has_enhanced = [&](const enhanced_pattern& p) {
        return enhanced_code && p.matches(*enhanced_code);
    };
    const auto is_server = [&](const std::string& suffix) { return is_suffix_of(suffix, e.server); };
    const auto greeted = [&](const std::string& words) { return holds(e.banner, words); };
    const bool names_enhanced = without_enhanced || !enhanced.empty();
    return (codes.empty() || std::any_of(codes.begin(), codes.end(), has_code)) &&
           (!names_enhanced || (without_enhanced && !enhanced_code) ||
            std::any_of(enhanced.begin(), enhanced.end(), has_enhanced)) &&
           (phases.none() || phases.test(static_cast<std::size_t>(e.what.at))) &&
           (servers.empty() || std::any_of(servers.begin(), servers.end(), is_server)) &&
           (profiles.empty() || std::find(profiles.begin(), profiles.end(), e.profile) != profiles.end()) &&
           (banners.empty() || std::any_of(banners.begin(), banners.end(), greeted));
}

boost::system::result<rule_set, std::string> read_rules(std::span<const rule_file> files) {
    // By the last part of the name: /etc/estafette/rules/10-ours.yaml comes before conf/rules/20-….yaml,
    // and /etc/estafette/rules/20-….yaml, given later, stands in for it.
    std::map<std::string_view, const rule_file*> in_order;
    for (const auto& file : files) {
        in_order[std::string_view{file.name}.substr(file.name.rfind('/') + 1)] = &file;
    }
    rule_reader reader;
    for (const auto& [name, file] : in_order) {
        if (auto wrong = reader.read(*file)) {
            return *wrong;
        }
    }
    return reader.take();
}

}  // namespace estafette::verdict
