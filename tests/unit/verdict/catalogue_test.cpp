#include "estafette/verdict/catalogue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <tuple>

namespace estafette::verdict {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::array all_languages{language::en, language::fr, language::nl};

struct said {
    reason why;
    scope fault;
    disposition what;
};

std::vector<said> everything_that_can_be_said() {
    std::vector<said> all;
    for (std::size_t i = 0; i < reason_count; ++i) {
        for (const auto d :
             {disposition::accepted, disposition::retry, disposition::fail, disposition::uncertain}) {
            for (const auto s : {scope::recipient, scope::message, scope::sender, scope::route}) {
                if (is_meaningful(static_cast<reason>(i), s, d)) {
                    all.push_back({static_cast<reason>(i), s, d});
                }
            }
        }
    }
    return all;
}

// Times as each language's readers write them.
explanation_facts all_facts(language l = language::en) {
    const auto time = [l](const char* t) { return format_time(*parse_rfc3339(t), l); };
    explanation_facts f;
    f.recipient = "anna@example.org";
    f.server = "mx.example.org";
    f.reply = "no such mailbox.";
    f.tenant = "acme";
    f.next_attempt = time("2026-05-03T10:15:00Z");
    f.expires = time("2026-05-08T10:00:00Z");
    f.sender = "badges@vendor.example";
    f.attempted = time("2026-05-03T10:00:00Z");
    f.code = "550 5.1.1";
    f.relay = "smtp.vendor.example";
    f.sends_from = "192.0.2.10, 192.0.2.11";
    f.note = "uid 0: maintenance";
    f.since = format_date(*parse_rfc3339("2026-05-01T00:00:00Z"), l);
    f.cause = "unknown_user";
    return f;
}

std::string whole(const explanation& e) {
    return e.headline + "\n" + e.happened + "\n" + e.acts + "\n" + e.advice + "\n";
}

TEST(catalogue, has_a_full_explanation_for_whatever_can_be_said_in_every_language) {
    for (const auto& [why, fault, what] : everything_that_can_be_said()) {
        for (const auto l : all_languages) {
            for (const auto& facts : {explanation_facts{}, all_facts(l)}) {
                const auto e = explain(why, fault, what, l, facts);
                const auto where = std::string{to_text(why)} + " " + std::string{to_text(l)};
                EXPECT_FALSE(e.headline.empty()) << where;
                EXPECT_FALSE(e.happened.empty()) << where;
                EXPECT_FALSE(e.acts.empty()) << where;
                EXPECT_FALSE(e.advice.empty()) << where;
                EXPECT_FALSE(e.headline.ends_with('.')) << where << ": a headline has no full stop";
                EXPECT_TRUE(e.happened.ends_with('.')) << where << e.happened;
                EXPECT_TRUE(e.advice.ends_with('.')) << where << e.advice;
                EXPECT_EQ(whole(e).find_first_of("{}[]|"), std::string::npos) << where << whole(e);
                EXPECT_THAT(whole(e), Not(HasSubstr("  "))) << where;
                EXPECT_THAT(whole(e), Not(HasSubstr("'"))) << where << ": ’ is the apostrophe";
            }
        }
    }
}

TEST(catalogue, languages_do_not_borrow_from_each_other) {
    for (const auto& [why, fault, what] : everything_that_can_be_said()) {
        const auto en = explain(why, fault, what, language::en, {});
        const auto fr = explain(why, fault, what, language::fr, {});
        const auto nl = explain(why, fault, what, language::nl, {});
        for (const auto part : {&explanation::headline, &explanation::happened, &explanation::advice}) {
            EXPECT_NE(en.*part, fr.*part) << to_text(why);
            EXPECT_NE(en.*part, nl.*part) << to_text(why);
            EXPECT_NE(fr.*part, nl.*part) << to_text(why);
        }
    }
}

TEST(catalogue, french_has_the_spaces_that_french_typography_asks_for) {
    EXPECT_THAT(
        explain(reason::unknown_user, scope::recipient, disposition::fail, language::fr, all_facts())
            .happened,
        HasSubstr("mx.example.org a répondu\u00a0: «\u00a0no such mailbox\u00a0».")
    );
}

TEST(catalogue, facts_are_named_where_they_are_known) {
    const auto e =
        explain(reason::mailbox_full, scope::recipient, disposition::retry, language::en, all_facts());
    EXPECT_EQ(e.headline, "The recipient’s mailbox is full");
    EXPECT_EQ(
        e.happened,
        "The mailbox of anna@example.org has no room left for the message. "
        "mx.example.org answered: “no such mailbox”."
    );
    EXPECT_EQ(e.acts, "The recipient");
    EXPECT_THAT(
        e.advice, HasSubstr("The next attempt is planned for 3 May 2026 at 10:15 (UTC). We keep trying until")
    );
}

TEST(catalogue, what_the_server_said_cannot_change_the_sentence) {
    explanation_facts facts;
    facts.reply = "550 {recipient} [x\r\n\x1b[31m\xe2\x80\xae";
    const auto e = explain(reason::other, scope::recipient, disposition::fail, language::en, facts);
    EXPECT_THAT(e.happened, HasSubstr("550 {recipient} [x"));
    EXPECT_EQ(e.happened.find('\x1b'), std::string::npos);
    EXPECT_EQ(e.happened.find('\n'), std::string::npos);
    EXPECT_EQ(e.happened.find("\xe2\x80\xae"), std::string::npos);
    facts.reply = std::string(100'000, 'x');
    EXPECT_LT(
        explain(reason::other, scope::recipient, disposition::fail, language::en, facts).happened.size(),
        2000u
    );
}

TEST(catalogue, a_combination_that_cannot_be_is_still_explained) {
    EXPECT_EQ(
        explain(reason::expired, scope::route, disposition::fail, language::en, {}).headline,
        explain(reason::expired, scope::recipient, disposition::fail, language::en, {}).headline
    );
    EXPECT_FALSE(
        explain(reason::greylisted, scope::route, disposition::fail, language::nl, {}).headline.empty()
    );
}

TEST(catalogue, a_languages_wish_is_understood) {
    const std::vector<std::pair<std::string, language>> wishes{
        {"", language::en},
        {"C", language::en},
        {"C.UTF-8", language::en},
        {"en_GB.UTF-8", language::en},
        {"fr", language::fr},
        {"FR", language::fr},
        {"fr-BE,fr;q=0.9,en;q=0.5", language::fr},
        {"nl_BE.UTF-8", language::nl},
        {"de,nl;q=0.7,fr;q=0.3", language::nl},
        {"de;q=0.9, fr;q=0.2, nl;q=0.8", language::nl},
        {"fr;q=0,nl;q=0.001", language::nl},
        {"fr;q=0", language::en},
        {"*", language::en},
        {"frr", language::en},
        {",,;q=,fr", language::fr},
        {"fr_FR@euro", language::fr},
    };
    for (const auto& [wish, expected] : wishes) {
        EXPECT_EQ(choose_language(wish), expected) << wish;
    }
}

TEST(catalogue, states_have_a_word_in_every_language) {
    EXPECT_EQ(words(shown_state::pending, language::en), "Pending");
    EXPECT_EQ(words(shown_state::delivered, language::fr), "Remis");
    EXPECT_EQ(words(shown_state::failed, language::nl), "Mislukt");
}

TEST(catalogue, has_a_letter_for_those_who_look_after_servers_where_they_must_act) {
    for (const auto l : all_languages) {
        EXPECT_EQ(explain(reason::unknown_user, scope::recipient, disposition::fail, l, {}).forward, "");
        EXPECT_EQ(explain(reason::greylisted, scope::recipient, disposition::retry, l, {}).forward, "");
        EXPECT_EQ(explain(reason::mailbox_full, scope::recipient, disposition::fail, l, {}).forward, "");
        const auto refused = [&](const explanation_facts& facts) {
            return explain(reason::blocked_policy, scope::recipient, disposition::fail, l, facts).forward;
        };
        for (const auto* known :
             {": anna@example.org\n",
              ": smtp.vendor.example\n",
              ": 192.0.2.10, 192.0.2.11\n",
              ": 550 5.1.1\n",
              "no such mailbox",
              ": badges@vendor.example\n",
              ": vendor.example\n",
              ": 3 May 2026 at 10:00 (UTC)\n"}) {
            EXPECT_THAT(refused(all_facts()), HasSubstr(known)) << to_text(l);
        }
        // Each is asked for what they can do.
        std::set<std::string> letters{refused(all_facts())};
        for (const auto& [why, fault] : std::vector<std::pair<reason, scope>>{
                 {reason::auth_failed, scope::route},
                 {reason::sender_rejected, scope::sender},
                 {reason::blocked_reputation, scope::route},
             }) {
            letters.insert(explain(why, fault, disposition::retry, l, all_facts()).forward);
        }
        EXPECT_EQ(letters.size(), 4u) << to_text(l);
        const auto bare = refused({});
        EXPECT_FALSE(bare.empty());
        EXPECT_EQ(bare.find_first_of("{}[]|"), std::string::npos) << bare;
        for (const auto* blank : {"  ", " \n", "\n\n\n"}) {
            EXPECT_THAT(bare, Not(HasSubstr(blank))) << to_text(l);
            EXPECT_THAT(refused(all_facts()), Not(HasSubstr(blank))) << to_text(l);
        }
    }
}

TEST(catalogue, writes_times_as_the_reader_does) {
    const auto t = *parse_rfc3339("2026-05-01T07:05:00Z");
    EXPECT_EQ(format_time(t, language::en), "1 May 2026 at 07:05 (UTC)");
    EXPECT_EQ(format_time(t, language::fr), "1er mai 2026 à 7\u00a0h\u00a005 (UTC)");
    EXPECT_EQ(format_time(t, language::nl), "1 mei 2026 om 07.05 uur (UTC)");
    EXPECT_EQ(format_date(t, language::fr), "1er mai 2026");
    const auto late = *parse_rfc3339("2027-12-31T23:00:59Z");
    EXPECT_EQ(format_time(late, language::fr), "31 décembre 2027 à 23\u00a0h (UTC)");
    const auto paris = *zone::find("Europe/Paris");
    EXPECT_EQ(format_time(late, language::fr, paris), "1er janvier 2028 à 0\u00a0h (Europe/Paris)");
    EXPECT_EQ(format_time(t, language::en, paris), "1 May 2026 at 09:05 (Europe/Paris)");
    EXPECT_EQ(format_date(late, language::nl, paris), "1 januari 2028");
}

TEST(catalogue, writes_numbers_as_the_reader_does) {
    EXPECT_EQ(format_number(7, language::fr), "7");
    EXPECT_EQ(format_number(999, language::en), "999");
    EXPECT_EQ(format_number(1000, language::en), "1,000");
    EXPECT_EQ(format_number(1234567, language::fr), "1\u00a0234\u00a0567");
    EXPECT_EQ(format_number(123456, language::nl), "123.456");
}

TEST(catalogue, says_why_and_since_when_an_address_is_suppressed) {
    for (const auto l : all_languages) {
        std::set<std::string> said;
        for (const auto* cause : {"", "unknown_user", "complaint", "unsubscribed", "manual"}) {
            auto facts = all_facts(l);
            facts.cause = cause;
            const auto e = explain(reason::suppressed, scope::recipient, disposition::fail, l, facts);
            EXPECT_THAT(e.happened, HasSubstr(facts.since)) << to_text(l);
            said.insert(e.happened);
        }
        EXPECT_EQ(said.size(), 5u) << to_text(l);
    }
}

TEST(catalogue, mail_that_somebody_holds_is_no_servers_fault) {
    for (const auto l : all_languages) {
        const auto e = explain_hold(l, all_facts(l));
        EXPECT_THAT(e.happened, HasSubstr("uid 0: maintenance")) << to_text(l);
        EXPECT_EQ(e.forward, "") << to_text(l);
        EXPECT_FALSE(e.headline.empty() || e.acts.empty() || e.advice.empty()) << to_text(l);
        EXPECT_EQ(whole(explain_hold(l, {})).find_first_of("{}[]|"), std::string::npos) << to_text(l);
    }
}

// The texts as they are read, in one file: a change of wording is seen as such.
// scripts/generate writes it anew.
TEST(catalogue, the_texts_are_those_of_the_golden_file) {
    std::ostringstream all;
    for (const auto l : all_languages) {
        for (const auto& [why, fault, what] : everything_that_can_be_said()) {
            all << to_text(l) << ' ' << to_text(why) << ' ' << to_text(what) << '/' << to_text(fault) << '\n'
                << whole(explain(why, fault, what, l, all_facts(l))) << '\n';
        }
        all << to_text(l) << " held\n" << whole(explain_hold(l, all_facts(l))) << '\n';
        for (const auto& [who, why, fault] : std::vector<std::tuple<const char*, reason, scope>>{
                 {"recipient_it", reason::blocked_policy, scope::recipient},
                 {"operator", reason::blocked_reputation, scope::recipient},
                 {"sender_it", reason::sender_rejected, scope::sender},
                 {"server_admin", reason::auth_failed, scope::route},
             }) {
            all << to_text(l) << " letter " << who << '\n'
                << explain(why, fault, disposition::retry, l, all_facts(l)).forward << "\n\n";
        }
    }
    const std::string path = ESTAFETTE_SOURCE_DIR "/tests/unit/verdict/reasons.golden.txt";
    if (std::getenv("ESTAFETTE_REGENERATE")) {
        std::ofstream{path} << all.str();
    }
    std::ifstream file{path};
    const std::string golden{std::istreambuf_iterator<char>{file}, {}};
    EXPECT_TRUE(golden == all.str()) << "texts have changed: run with scripts/generate and read the diff";
}

std::vector<rule_file> files_of(const std::string& change_in, std::string from, const std::string& to) {
    std::vector<rule_file> files;
    for (const auto& file : embedded_verdict()) {
        if (file.path.starts_with("conf/reasons/")) {
            files.push_back({std::string{file.path}, std::string{file.content}});
            if (file.path == change_in) {
                auto& content = files.back().content;
                const auto at = content.find(from);
                EXPECT_NE(at, std::string::npos) << from;
                content.replace(at, from.size(), to);
            }
        }
    }
    return files;
}

TEST(catalogue, a_bad_file_is_refused_with_its_line) {
    struct row {
        std::string from, to, expected;
    };
    for (const auto& [from, to, expected] : std::vector<row>{
             {"language: en", "language: de", "language: must be en, fr or nl"},
             {"  unknown_user:\n", "  unknown_usr:\n", "unknown reason unknown_usr"},
             {"      headline: This address does not exist\n", "", "no text for headline"},
             {"acts: you", "acts: yuo", "no text for yuo"},
             {"{recipient|this address}", "{recipient}", "needs words"},
             {"{recipient|this address}", "{person|somebody}", "unknown fact {person}"},
             {"{recipient|this address}", "{recipient|this address", "a brace"},
             {"{next_attempt}.]", "{next_attempt}.]]", "closing bracket"},
             {"{details}\\nCould you please let", "Could you please let", "has no {details}"},
             {"  sender_it: \"Hello", "  sender: \"Hello", "no text for sender_it"},
             {"  complaint: the recipient complained about a message\n", "", "no text for complaint"},
             {"held:\n", "hold:\n", "held must be a map"},
             {"retry/sender:", "retry/sendr:", "unknown key"},
             {"  sent: Sent\n", "", "no text for sent"},
         }) {
        const auto made = catalogue::parse(files_of("conf/reasons/en.yaml", from, to));
        ASSERT_FALSE(made) << to;
        EXPECT_THAT(made.error(), HasSubstr(expected));
        EXPECT_THAT(made.error(), ::testing::StartsWith("conf/reasons/en.yaml:"));
    }
    auto two = files_of("", "", "");
    two.pop_back();
    EXPECT_EQ(catalogue::parse(two).error(), "no file for the language nl");
}

}  // namespace
}  // namespace estafette::verdict
