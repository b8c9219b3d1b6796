#include "estafette/verdict/hint.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace estafette::verdict {
namespace {

// Friday, 1 May 2026, 08:00:00 UTC.
constexpr wall_time now{milliseconds{1'777'622'400'000}};

TEST(hint, the_seconds_of_every_written_form_are_exact) {
    const std::vector<std::pair<std::string, int>> forms{
        {"Greylisted, please try again in 300 seconds", 300},
        {"Greylisting in action, please come back in 00:04:58", 298},
        {"come back in 01:00:00", 3600},
        {"Please retry after 5 minutes", 300},
        {"try again in 1 hour", 3600},
        {"try again in an hour", 3600},
        {"try again in one minute", 60},
        {"try again in half an hour", 1800},
        {"Deferred, retry in 4m58s", 298},
        {"retry in 90s", 90},
        {"retry in 15 min", 900},
        {"retry in 15min.", 900},
        {"please wait 1 hour and 30 minutes before retrying", 5400},
        {"please wait 2 hrs, 5 mins", 7500},
        {"Greylisted for 5 minutes", 300},
        {"Greylisted for 300 seconds (see our web site)", 300},
        {"greylisted, 47 seconds remaining", 47},
        {"You must wait 60 second(s) before you try again", 60},
        {"Too many mails, try again in 1 hour(s) 25 minute(s) and see our page", 5100},
        {"please try again in 5-10 minutes", 600},
        {"please try again in 5 to 10 minutes", 600},
        {"Try again later (retry-after: 120)", 120},
        {"slow down; retry_after=45", 45},
        {"Retry after 300", 300},
        {"come back in 04:58", 298},
        {"wait at least 300.0 seconds and retry", 300},
        {"Please retry in 2 days", 172800},
        {"Temporarily rejected\nTry again in 10 minutes", 600},
        {"TRY AGAIN IN 7 MINUTES", 420},
        {"Merci de réessayer dans 5 minutes", 300},
        {"Veuillez patienter 300 secondes", 300},
        {"Liste grise : revenez dans une heure", 3600},
        {"Revenez dans une demi-heure", 1800},
        {"Nouvel essai : reessayez apres 1 heure 30 minutes", 5400},
        {"Bitte versuchen Sie es in 5 Minuten erneut", 300},
        {"Bitte in einer Stunde wieder versuchen", 3600},
        {"Bitte in einer halben Stunde erneut versuchen", 1800},
        {"Graulistung: bitte 300 Sekunden warten", 300},
        {"Bitte warten Sie fünf Minuten", 300},
        {"Probeer het over 5 minuten opnieuw", 300},
        {"Probeer opnieuw over een uur", 3600},
        {"Wacht 300 seconden", 300},
        {"Probeer het over een half uur opnieuw", 1800},
        {"Bitte versuchen Sie es in f\xfcnf Minuten erneut", 300},
    };
    for (const auto& [text, expected] : forms) {
        EXPECT_EQ(retry_hint(text), seconds{expected}) << text;
    }
}

TEST(hint, dates_are_counted_from_now) {
    const std::vector<std::pair<std::string, int>> forms{
        {"try again after 2026-05-01 08:10:00 UTC", 600},
        {"try again after 2026-05-01T08:10:00Z", 600},
        {"please retry not before 2026-05-01 10:10 +0200", 600},
        {"come back after Fri, 01 May 2026 08:30:00 +0000", 1800},
        {"retry at 1 May 2026 08:01", 60},
        {"Greylisted until Fri May  1 08:05:00 2026", 300},
        {"try again after 2026-05-02 08:00:00", 86400},
        {"try again after 2026-05-01 03:05:00 -0500", 300},
    };
    for (const auto& [text, expected] : forms) {
        EXPECT_EQ(retry_hint(text, now), seconds{expected}) << text;
        EXPECT_EQ(retry_hint(text), std::nullopt) << text << ": no date is read without now";
    }
}

TEST(hint, a_number_that_measures_something_else_is_no_hint) {
    for (const auto* text : {
             "",
             "Try again later",
             "try again in a few minutes",
             "limit of 30 messages per 5 minutes reached, try again later",
             "too many messages in the last 60 seconds, try again later",
             "you sent 100 mails within 1 hour, try again later",
             "message 4 hours old, try again",
             "mailbox full for 3 days",
             "user unknown since 5 minutes",
             "Greylisted, see http://example.org/300",
             "retry later, queue 5 m3 s",
             "retry, rate limit: maximum 10 minutes",
             "try again at 14:30:00",
             "try again, 550 5.7.1",
             "retry in 0 seconds",
             "retry in 99999999999 seconds",
             "retry in 400 days",
             "try again after 2026-05-01 07:00:00",
             "try again after 2026-13-41 27:00:00",
             "retry every 30 minutes",
             "réessayez, maximum 100 messages par 10 minutes",
             "Bitte erneut versuchen: 20 Nachrichten pro 5 Minuten",
             "30 berichten per 10 minuten, probeer later opnieuw",
         }) {
        EXPECT_EQ(retry_hint(text, now), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace estafette::verdict
