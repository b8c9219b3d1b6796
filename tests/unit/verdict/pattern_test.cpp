// Patterns are looked for by strings that they cannot do without; that must find what the patterns alone
// find. Seen through rules, since the index is private to the floor.
#include "estafette/verdict/classifier.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <re2/re2.h>

#include <optional>

namespace estafette::verdict {
namespace {

// One rule a pattern, so that what decides is the first pattern that matches.
classifier of_patterns(const std::vector<std::string>& patterns) {
    std::string yaml = "rules:\n";
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        std::string quoted;
        for (const char c : patterns[i]) {
            quoted += c == '\'' ? "''" : std::string(1, c);
        }
        yaml += "  - {id: p" + std::to_string(i) + ", text: '" + quoted + "', reason: other}\n";
    }
    auto made = classifier::compile(std::vector<rule_file>{{"a.yaml", yaml}});
    EXPECT_TRUE(made) << made.error();
    return std::move(*made);
}

std::string first_by_index(const classifier& c, const std::string& text) {
    smtp::outcome what;
    what.at = smtp::phase::rcpt;
    what.answer = smtp::reply{550, {}, text, false};
    return c.classify({what, {}, {}}).rule;
}

std::string first_by_re2(const std::vector<std::string>& patterns, const std::string& text) {
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        if (RE2::PartialMatch(text, RE2{patterns[i], RE2::Quiet})) {
            return "p" + std::to_string(i);
        }
    }
    return "";
}

TEST(patterns, are_found_whatever_their_syntax) {
    struct row {
        std::string pattern;
        std::vector<std::string> hits, misses;
    };
    const std::vector<row> rows{
        {"full|quota", {"it is full", "quota"}, {"ful l", ""}},
        {"(?:mail ?box|inbox) (?:is )?full",
         {"mailbox full", "mail box is full"},
         {"inbox not full", "inboxfull"}},
        {"a{0}b|c{2,3}d", {"b", "xccd"}, {"cd", "a"}},
        {"colou?r+s*", {"color", "colourrs"}, {"colo"}},
        {"(ab|c)+x", {"ababx", "cx"}, {"abab", "x"}},
        {"[sz]ero|[^a]at|[a-c]ut", {"zero", "bat", "but"}, {"aat", "dut"}},
        {"[]x]y|p[|)]q", {"]y", "xy", "p|q", "p)q"}, {"zy", "pq"}},
        {"^begin|end$|\\bword\\b", {"begins", "the end", "a word."}, {"to begin", "ended", "swords"}},
        {"\\(x\\)|\\.y\\.|\\d\\d z", {"(x)", "a.y.", "12 z"}, {"x", "ay", "1 z"}},
        {"(?i:upper)|x", {"upper", "x"}, {"uppe"}},
        {"a.c|q", {"abc", "q"}, {"ac"}},
        {"(?:|opt)tail", {"tail", "opttail"}, {"tai"}},
        {"x|", {"anything", ""}, {}},
        {"a very long string that is more than is looked for",
         {"a very long string that is more than is looked for."},
         {"a very long string that is more than is"}},
        {"не найден|不存在", {"не найден", "邮箱不存在"}, {"найден"}},
        {"a", {"a"}, {"b"}},
        {"(?:a|b(?:c|d(?:e|f)))g", {"ag", "bcg", "bdfg"}, {"bg", "bdg"}},
        {"\\Qa|b\\E", {"a|b"}, {"a", "b"}},
    };
    for (const auto& [pattern, hits, misses] : rows) {
        const auto c = of_patterns({pattern});
        for (const auto& text : hits) {
            EXPECT_EQ(first_by_index(c, text), "p0") << pattern << " in " << text;
        }
        for (const auto& text : misses) {
            EXPECT_EQ(first_by_index(c, text), "") << pattern << " in " << text;
        }
    }
}

TEST(patterns, a_reply_is_known_again_only_where_all_that_decides_is_the_same) {
    const auto c = classifier::compile(std::vector<rule_file>{{"a.yaml", R"(rules:
  - {id: server, text: word, server: mx.y.example, reason: other}
  - {id: profile, text: word, profile: acme, reason: other}
  - {id: enhanced, text: word, enhanced: 5.7.1, reason: other}
  - {id: code, text: word, code: 552, reason: other}
  - {id: phase, text: word, phase: dot, reason: other}
  - {id: text, text: 'word 2', reason: other}
)"}});
    ASSERT_TRUE(c) << c.error();
    const auto rule = [&](int code,
                          std::optional<smtp::enhanced_code> enhanced,
                          smtp::phase at,
                          std::string text,
                          std::string_view server = {},
                          std::string_view profile = {}) {
        smtp::outcome what;
        what.at = at;
        what.answer = smtp::reply{code, enhanced, std::move(text), false};
        return c->classify({what, server, profile}).rule;
    };
    for (int twice = 0; twice < 2; ++twice) {
        EXPECT_EQ(rule(550, {}, smtp::phase::rcpt, "word"), "");
        EXPECT_EQ(rule(550, {}, smtp::phase::rcpt, "word", "mx.y.example"), "server");
        EXPECT_EQ(rule(550, {}, smtp::phase::rcpt, "word", "mx.z.example", "acme"), "profile");
        EXPECT_EQ(rule(550, smtp::enhanced_code{5, 7, 1}, smtp::phase::rcpt, "word"), "enhanced");
        EXPECT_EQ(rule(550, smtp::enhanced_code{5, 7, 257}, smtp::phase::rcpt, "word"), "");
        EXPECT_EQ(rule(552, {}, smtp::phase::rcpt, "word"), "code");
        EXPECT_EQ(rule(550, {}, smtp::phase::dot, "word"), "phase");
        EXPECT_EQ(rule(550, {}, smtp::phase::rcpt, "word 2"), "text");
    }
}

TEST(patterns, the_memory_of_replies_is_bounded_and_right) {
    const auto c = of_patterns({"quux 1[0-9]* end", "quux"});
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 20'000; ++i) {
            const auto text = "quux " + std::to_string(i) + " end";
            ASSERT_EQ(first_by_index(c, text), std::to_string(i)[0] == '1' ? "p0" : "p1") << text;
        }
    }
}

// Random patterns of a small alphabet over random texts of it, each text twice: new, and known again.
TEST(patterns, agree_with_re2) {
    const auto piece = rc::gen::element<std::string>(
        "a",
        "b",
        "ab",
        "ba",
        "(?:a|b)",
        "(?:ab|c)",
        "c?",
        "b+",
        "a*",
        ".",
        "[ab]",
        "[^a]",
        "\\b",
        "^",
        "$",
        "(?:a|)",
        "c{1,2}",
        "|",
        "abc",
        " ",
        "(?:b(?:a|c)|ca)",
        "\\w"
    );
    rc::check("the index finds what RE2 finds", [&piece] {
        std::vector<std::string> patterns;
        for (const auto& pieces : *rc::gen::container<std::vector<std::vector<std::string>>>(
                 4, rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(piece))
             )) {
            std::string pattern;
            for (const auto& p : pieces) {
                pattern += p;
            }
            patterns.push_back(pattern);
        }
        const auto c = of_patterns(patterns);
        for (int i = 0; i < 8; ++i) {
            const auto text = *rc::gen::container<std::string>(rc::gen::element('a', 'b', 'c', 'x', '-'));
            RC_ASSERT(first_by_index(c, text) == first_by_re2(patterns, text));
            RC_ASSERT(first_by_index(c, text) == first_by_re2(patterns, text));
        }
    });
}

}  // namespace
}  // namespace estafette::verdict
