// What no rule can do, whatever it says and whatever a server answers: fail or suppress a recipient for a
// fault of the sender or the route, or fail anything on a reply that is no refusal in its place.
#include "standard.hpp"

#include "estafette/verdict/classifier.hpp"
#include "estafette/verdict/suppression.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <random>
#include <set>

namespace estafette::verdict {
namespace {

using smtp::phase;

// The words that the rules look for: the runs of letters and blanks of their files.
std::vector<std::string> words_of_the_rules() {
    std::set<std::string> found;
    for (const auto& file : embedded_verdict()) {
        std::string word;
        for (const char c : file.path.starts_with("conf/rules/") ? file.content : std::string_view{}) {
            if ((c >= 'a' && c <= 'z') || c == ' ') {
                word += c;
            } else {
                if (word.size() > 2) {
                    found.insert(word);
                }
                word.clear();
            }
        }
    }
    return {found.begin(), found.end()};
}

// Replies made of such words, of bytes, and of codes that need not fit them.
class replies {
public:
    explicit replies(std::uint32_t seed)
        : random_{seed} {}

    smtp::outcome next() {
        static const auto words = words_of_the_rules();
        smtp::outcome what;
        what.at = static_cast<phase>(below(smtp::phase_count));
        what.dot_sent = what.at == phase::dot;
        smtp::reply answer;
        // Codes of servers, and any others.
        answer.code =
            below(4) == 0 ? 200 + static_cast<int>(below(400)) : usual_codes[below(usual_codes.size())];
        if (below(2) == 0) {
            answer.enhanced = smtp::enhanced_code{
                static_cast<std::uint16_t>(
                    below(8) == 0 ? 4 + static_cast<int>(below(2)) : answer.code / 100
                ),
                static_cast<std::uint16_t>(below(8)),
                static_cast<std::uint16_t>(below(40))
            };
        }
        for (auto left = below(5); left != 0; --left) {
            answer.text += words[below(words.size())];
            answer.text += separators[below(separators.size())];
        }
        for (auto left = below(8) == 0 ? below(20) : 0; left != 0; --left) {
            answer.text += static_cast<char>(below(256));
        }
        what.answer = std::move(answer);
        return what;
    }

private:
    static constexpr std::array usual_codes{
        421, 450, 451, 452, 454, 503, 530, 535, 550, 551, 552, 553, 554, 571
    };
    static constexpr std::array<std::string_view, 5> separators{" ", ", ", ". ", "\n", " <b@y.example> "};

    std::size_t below(std::size_t n) { return random_() % n; }

    std::minstd_rand random_;
};

void expect_bounds(const smtp::outcome& what, const verdict& v) {
    RC_ASSERT(is_meaningful(v.why, v.fault, v.what));
    if (v.fault == scope::route || v.fault == scope::sender) {
        RC_ASSERT(v.what == disposition::retry);
        RC_ASSERT(weigh(v) == suppresses::no);
    }
    if (what.at < phase::mail) {
        RC_ASSERT(v.fault == scope::route);
    }
    if (v.what == disposition::fail) {
        RC_ASSERT(what.answer->code >= 500 && what.answer->code != 503);
        RC_ASSERT(what.at > phase::ready);
    }
    if (v.what == disposition::accepted) {
        RC_ASSERT(what.at == phase::dot && what.answer->is_positive());
    }
}

// rapidcheck's hundred runs, each of this many replies.
constexpr int replies_a_run = 1000;

TEST(bounds, hold_for_any_reply) {
    std::set<std::string> decided;
    EXPECT_TRUE(rc::check([&] {
        replies any{*rc::gen::arbitrary<std::uint32_t>()};
        for (int i = 0; i < replies_a_run; ++i) {
            const auto what = any.next();
            const auto v = standard_rules().classify({what, {}, {}});
            expect_bounds(what, v);
            decided.insert(v.rule);
        }
    }));
    EXPECT_GT(decided.size(), standard_rules().summary().size() / 2) << "the replies reach the rules";
}

// Every rule of ours without its conditions but one that always holds.
std::string rules_without_conditions() {
    std::string out = "rules:\n";
    for (const auto& r : standard_rules().summary()) {
        out += "  - {id: " + r.id + ", server: mx-" + std::to_string(out.size()) + ".example, reason: ";
        out += to_text(r.why);
        out += r.fault ? ", scope: " + std::string{to_text(*r.fault)} : "";
        out += r.what ? ", disposition: " + std::string{to_text(*r.what)} : "";
        out += "}\n";
    }
    return out;
}

TEST(bounds, hold_for_every_rule_and_any_reply) {
    const auto rules = rules_without_conditions();
    const auto c = classifier::compile(std::vector<rule_file>{{"all.yaml", rules}});
    ASSERT_TRUE(c) << c.error();
    std::vector<std::string> servers;
    for (auto at = rules.find("mx-"); at != std::string::npos; at = rules.find("mx-", at + 1)) {
        servers.push_back(rules.substr(at, rules.find(',', at) - at));
    }
    ASSERT_EQ(servers.size(), c->summary().size());
    std::size_t next = 0;
    EXPECT_TRUE(rc::check([&] {
        replies any{*rc::gen::arbitrary<std::uint32_t>()};
        for (int i = 0; i < replies_a_run; ++i, ++next) {
            const auto what = any.next();
            const auto& server = servers[next % servers.size()];
            const auto v = c->classify({what, server, {}});
            const bool is_refusal = what.answer->code >= 400;
            RC_ASSERT(v.rule == (is_refusal ? c->summary()[next % servers.size()].id : ""));
            expect_bounds(what, v);
        }
    }));
}

// The rules that can be written at all: each reason with each scope and disposition that is accepted.
TEST(bounds, hold_for_every_rule_that_can_be_written) {
    std::vector<classifier> all;
    for (std::size_t why = 0; why < reason_count; ++why) {
        for (const std::string_view fault : {"", "recipient", "message", "sender", "route"}) {
            for (const std::string_view what : {"", "retry", "fail"}) {
                std::string text = "rules:\n  - {id: a, code: [4xx, 5xx], reason: ";
                text += to_text(static_cast<reason>(why));
                text += fault.empty() ? "" : ", scope: " + std::string{fault};
                text += what.empty() ? "" : ", disposition: " + std::string{what};
                text += "}\n";
                if (auto c = classifier::compile(std::vector<rule_file>{{"one.yaml", text}})) {
                    all.push_back(std::move(*c));
                }
            }
        }
    }
    ASSERT_GT(all.size(), reason_count);
    std::size_t next = 0;
    EXPECT_TRUE(rc::check([&] {
        replies any{*rc::gen::arbitrary<std::uint32_t>()};
        for (int i = 0; i < replies_a_run; ++i, ++next) {
            const auto what = any.next();
            expect_bounds(what, all[next % all.size()].classify({what, {}, {}}));
        }
    }));
}

}  // namespace
}  // namespace estafette::verdict
