#include "estafette/verdict/diagnosis.hpp"

#include <gtest/gtest.h>

namespace estafette::verdict {
namespace {

const wall_time now = from_unix_ms(1'800'000'000'000);

mail_fact mail(standing s, std::optional<reason> why = std::nullopt, scope fault = scope::recipient) {
    return {s, why, fault, now};
}

mail_fact failed(reason why) {
    return mail(standing::failed, why);
}

domain_fact
domain(std::uint32_t accepted, std::uint32_t unknown, std::uint32_t blocked, std::uint32_t unreachable) {
    domain_fact d;
    d.accepted = accepted;
    d.unknown = unknown;
    d.blocked = blocked;
    d.unreachable = unreachable;
    d.since = now - std::chrono::hours{24};
    if (accepted != 0) {
        d.last_accepted_at = now;
    }
    return d;
}

struct situation {
    const char* name;
    std::vector<mail_fact> mails;
    std::optional<route_fact> route;
    domain_fact domain;
    finding what;
    likelihood how_sure;
    std::vector<clue::kind> because;
};

using kind = clue::kind;

const std::vector<situation> situations{
    {"nothing is known", {}, {}, {}, finding::no_mail, likelihood::certain, {}},
    {"a mail for later",
     {mail(standing::scheduled)},
     {},
     {},
     finding::waits_for_its_time,
     likelihood::certain,
     {}},
    {"a mail on its way", {mail(standing::waiting)}, {}, {}, finding::under_way, likelihood::certain, {}},
    {"a first bounce, nothing else known",
     {failed(reason::unknown_user)},
     {},
     domain(0, 1, 0, 0),
     finding::wrong_address,
     likelihood::likely,
     {}},
    {"twice the same, and others get mail",
     {failed(reason::unknown_user), failed(reason::unknown_user)},
     {},
     domain(17, 2, 0, 0),
     finding::wrong_address,
     likelihood::certain,
     {kind::same_before, kind::others_accepted}},
    {"it took mail before",
     {failed(reason::unknown_user), mail(standing::relayed)},
     {},
     domain(1, 1, 0, 0),
     finding::wrong_address,
     likelihood::possible,
     {kind::accepted_before}},
    {"nobody at the domain exists",
     {failed(reason::unknown_user)},
     {},
     domain(0, 6, 0, 0),
     finding::wrong_address,
     likelihood::likely,
     {kind::others_unknown}},
    {"a domain that is none",
     {failed(reason::bad_domain)},
     {},
     domain(0, 0, 0, 0),
     finding::wrong_domain,
     likelihood::likely,
     {}},
    {"a domain that works for others",
     {failed(reason::bad_domain)},
     {},
     domain(3, 0, 0, 0),
     finding::wrong_domain,
     likelihood::possible,
     {kind::others_accepted}},
    {"a full mailbox",
     {failed(reason::mailbox_full)},
     {},
     domain(3, 0, 0, 0),
     finding::full_mailbox,
     likelihood::certain,
     {kind::others_accepted}},
    {"blocked alone",
     {failed(reason::blocked_policy)},
     {},
     domain(0, 0, 1, 0),
     finding::blocks_us,
     likelihood::likely,
     {}},
    {"blocked with others",
     {failed(reason::blocked_reputation)},
     {},
     domain(0, 0, 4, 0),
     finding::blocks_us,
     likelihood::certain,
     {kind::others_blocked}},
    {"an attachment too large",
     {failed(reason::message_too_large)},
     {},
     domain(2, 0, 0, 0),
     finding::refuses_this_mail,
     likelihood::likely,
     {kind::others_accepted}},
    {"greylisted",
     {mail(standing::waiting, reason::greylisted)},
     {},
     {},
     finding::told_to_wait,
     likelihood::certain,
     {}},
    {"nothing gets through",
     {mail(standing::waiting, reason::timeout)},
     {},
     domain(0, 0, 0, 5),
     finding::their_server_down,
     likelihood::certain,
     {kind::others_unreachable}},
    {"a passing fault",
     {mail(standing::waiting, reason::server_busy)},
     {},
     domain(5, 0, 0, 1),
     finding::their_server_down,
     likelihood::likely,
     {kind::others_accepted}},
    {"our route rests",
     {mail(standing::waiting, reason::greylisted)},
     route_fact{reason::auth_failed, false},
     domain(0, 0, 0, 0),
     finding::route_down,
     likelihood::certain,
     {}},
    {"a route's fault in the last answer",
     {mail(standing::waiting, reason::connection_failed, scope::route)},
     {},
     domain(0, 0, 0, 0),
     finding::route_down,
     likelihood::certain,
     {}},
    {"our route is paused by a person",
     {mail(standing::waiting)},
     route_fact{reason::other, true},
     domain(0, 0, 0, 0),
     finding::held,
     likelihood::certain,
     {}},
    {"a final failure is not the route's of today",
     {failed(reason::unknown_user)},
     route_fact{reason::auth_failed, false},
     domain(0, 1, 0, 0),
     finding::wrong_address,
     likelihood::likely,
     {}},
    {"a refused sender",
     {mail(standing::waiting, reason::sender_rejected, scope::sender)},
     {},
     {},
     finding::sender_refused,
     likelihood::likely,
     {}},
    {"suppressed", {failed(reason::suppressed)}, {}, {}, finding::suppressed, likelihood::certain, {}},
    {"expired after greylisting",
     {failed(reason::expired), failed(reason::greylisted)},
     {},
     {},
     finding::told_to_wait,
     likelihood::certain,
     {}},
    {"expired, and nothing else known",
     {failed(reason::expired)},
     {},
     {},
     finding::unclear,
     likelihood::possible,
     {}},
    {"in doubt and held",
     {mail(standing::held, reason::uncertain)},
     {},
     {},
     finding::in_doubt,
     likelihood::certain,
     {}},
    {"held by a person", {mail(standing::held, reason::other)}, {}, {}, finding::held, likelihood::certain, {}
    },
    {"cancelled", {mail(standing::cancelled)}, {}, {}, finding::cancelled, likelihood::certain, {}},
    {"taken by the server",
     {mail(standing::relayed, reason::accepted)},
     {},
     domain(1, 0, 0, 0),
     finding::handed_over,
     likelihood::likely,
     {}},
    {"confirmed",
     {mail(standing::delivered)},
     {},
     domain(1, 0, 0, 0),
     finding::arrived,
     likelihood::certain,
     {}},
};

TEST(Diagnosis, JudgesByTheMailsTheRouteAndTheDomain) {
    for (const auto& s : situations) {
        const auto d = diagnose(s.mails, s.route, s.domain);
        EXPECT_EQ(to_text(d.what), to_text(s.what)) << s.name;
        EXPECT_EQ(to_text(d.how_sure), to_text(s.how_sure)) << s.name;
        std::vector<clue::kind> found;
        for (const auto& c : d.because) {
            found.push_back(c.what);
        }
        EXPECT_EQ(found, s.because) << s.name;
    }
}

TEST(Diagnosis, CountsOthersWithoutTheAddressItself) {
    const std::vector<mail_fact> mails{failed(reason::unknown_user), failed(reason::unknown_user)};
    const auto d = diagnose(mails, {}, domain(0, 3, 0, 0));
    ASSERT_EQ(d.because.size(), 2u);
    EXPECT_EQ(d.because[0].count, 1u);  // one earlier mail to the address
    EXPECT_EQ(d.because[1].count, 1u);  // three at the domain, two of them its own
}

TEST(Diagnosis, NeverSaysThatMailArrivedWithoutAConfirmation) {
    for (std::size_t i = 0; i < reason_count; ++i) {
        for (const auto s :
             {standing::scheduled,
              standing::waiting,
              standing::held,
              standing::relayed,
              standing::failed,
              standing::cancelled}) {
            const std::vector<mail_fact> mails{mail(s, static_cast<reason>(i))};
            EXPECT_NE(diagnose(mails, {}, domain(9, 0, 0, 0)).what, finding::arrived);
        }
    }
}

TEST(Diagnosis, HasWordsForEveryFindingAndClueInEveryLanguage) {
    for (std::size_t l = 0; l < language_count; ++l) {
        for (std::size_t f = 0; f < finding_count; ++f) {
            diagnosis d;
            d.what = static_cast<finding>(f);
            for (std::size_t k = 0; k < clue_kind_count; ++k) {
                d.because.push_back({static_cast<clue::kind>(k), 1, now});
                d.because.push_back({static_cast<clue::kind>(k), 3, now});
            }
            const auto words = describe(d, "ann@customer.example", static_cast<language>(l));
            EXPECT_FALSE(words.sure.empty());
            EXPECT_FALSE(words.headline.empty()) << to_text(d.what);
            EXPECT_FALSE(words.acts.empty()) << to_text(d.what);
            EXPECT_FALSE(words.advice.empty()) << to_text(d.what);
            for (const auto& line : words.because) {
                EXPECT_FALSE(line.empty());
                EXPECT_EQ(line.find_first_of("{}[]"), std::string::npos) << line;
            }
        }
    }
}

TEST(Diagnosis, NamesTheDomainTheCountAndTheTime) {
    diagnosis d;
    d.what = finding::wrong_address;
    d.how_sure = likelihood::certain;
    d.because.push_back({clue::kind::others_accepted, 1017, *parse_rfc3339("2027-01-15T08:00:00Z")});
    EXPECT_EQ(
        describe(d, "ann@customer.example", language::en).because.front(),
        "1,017 other messages to customer.example were accepted in the past 24 hours, the last on 15 January "
        "2027 at 08:00 (UTC)."
    );
    EXPECT_EQ(
        describe(d, "ann@customer.example", language::nl, *zone::find("Europe/Brussels")).because.front(),
        "1.017 andere berichten aan customer.example zijn de afgelopen 24 uur aangenomen, het laatste op 15 "
        "januari 2027 om 09.00 uur (Europe/Brussels)."
    );
}

}  // namespace
}  // namespace estafette::verdict
