// What greylisting sounds like, and what only sounds like it. The sentences are our own, in the manner
// of postgrey, milter-greylist, sqlgrey, gld, rspamd, Exim, OpenBSD spamd, GMX, Orange, Exchange, Mimecast.
#include "standard.hpp"

#include "estafette/verdict/classifier.hpp"

#include <gtest/gtest.h>

namespace estafette::verdict {
namespace {

verdict read(const classifier& c, int code, const std::string& text) {
    smtp::outcome what;
    what.at = smtp::phase::rcpt;
    smtp::reply answer;
    answer.code = code;
    answer.text = text;
    answer.enhanced = smtp::enhanced_code::parse(text.substr(0, text.find(' ')));
    what.answer = answer;
    return c.classify({what, {}, {}});
}

TEST(greylisting, is_recognised_in_whatever_words) {
    const auto& c = standard_rules();
    const std::vector<std::pair<int, std::string>> replies{
        {450,
         "4.2.0 <b@y.example>: Recipient address rejected: Greylisted, see "
         "http://postgrey.example/help/y.html"},
        {451, "4.7.1 Greylisting in action, please come back in 00:05:00"},
        {451, "4.7.1 Greylisting in action, please come back later"},
        {450, "4.7.1 <b@y.example>: Recipient address rejected: Greylisted for 5 minutes"},
        {450, "4.7.1 Greylisted for 300 seconds"},
        {451, "4.7.1 Try again later, greylisted"},
        {450, "Graylisted, please retry"},
        {451, "Temporarily gray-listed. Come back in 10 minutes."},
        {450, "4.7.0 grey listing active for this sender"},
        {451, "GL: greylisted, try again in 60 seconds"},
        {421, "4.7.0 greylist: first contact from your host"},
        {450, "4.3.0 mail from your host is greylisted, retry in 300 s"},
        {451, "This is the first time we see you, please try again in a few minutes"},
        {451, "4.7.1 First contact: please retry after 5 minutes"},
        {450, "New sender, deferred. Try again later."},
        {451, "Unknown triplet, try again in a moment"},
        {450, "4.7.1 client/sender triplet is new, deferring"},
        {451, "You have not been seen before, come back later"},
        {450, "Please come back in 5 minutes"},
        {451, "4.7.1 Please come back later; you are not yet whitelisted"},
        {450, "4.2.0 server not yet known, retry in 10 minutes"},
        {451, "Deferred for 300 seconds"},
        {450, "Delayed as an anti-spam measure, please try again"},
        {451, "4.7.1 Anti-spam: message delayed, retry in 15 minutes"},
        {450, "Retry timeout not reached, try again in 45 seconds"},
        {451, "You retried too soon, please wait 2 minutes"},
        {451, "Internal resource temporarily unavailable - see our community pages"},
        {450, "4.7.1 <b@y.example>: Recipient address rejected: try again later"},
        {451, "4.7.1 Please try again later"},
        {450,
         "4.2.0 <b@y.example>: Recipient address rejected: Service temporarily unavailable: please try again "
         "in 60 seconds"},
        {451, "Liste grise : revenez dans 5 minutes"},
        {450, "4.7.1 Première connexion de votre serveur, réessayez plus tard"},
        {451, "Graulistung aktiv, bitte später erneut versuchen"},
        {450, "Beim ersten Versuch wird die Annahme verzögert"},
        {451, "Grijze lijst: probeer het over 5 minuten opnieuw"},
        {450, "Eerste contact, probeer het later nog eens"},
        {451, "Lista gris activa, intente de nuevo en 5 minutos"},
        {550, "5.7.1 You are greylisted, try again in 5 minutes"},
        {554, "Greylisted: please try later"},
        {450, "postgrey: deferred"},
        {451, "sqlgrey says: come again in 5 minutes"},
        {450, "4.7.1 Temporary reject: first attempt, later again please"},
        {451, "4.7.1 Too early, try again in 32 seconds"},
    };
    for (const auto& [code, text] : replies) {
        const auto v = read(c, code, text);
        EXPECT_EQ(v.why, reason::greylisted) << code << ' ' << text << " (" << v.rule << ')';
        EXPECT_EQ(v.what, disposition::retry) << text;
        EXPECT_EQ(v.fault, scope::recipient) << text;
    }
    EXPECT_GE(replies.size(), 40u);
}

TEST(greylisting, is_not_seen_where_it_only_sounds_like_it) {
    const auto& c = standard_rules();
    const std::vector<std::pair<int, std::string>> replies{
        {450, "4.2.2 Mailbox full, try again later"},
        {452, "4.2.2 Over quota, please retry in a few days"},
        {421, "4.7.0 Too many connections from your host, try again in 5 minutes"},
        {421, "4.7.0 Rate limited, come back in 10 minutes"},
        {450, "4.7.1 Too many messages, slow down and try again in 300 seconds"},
        {451, "4.7.1 Rate limit exceeded for your host, retry after 60 seconds"},
        {421, "Service not available, closing transmission channel, try again later"},
        {451, "4.3.0 Temporary local problem, please try again later"},
        {451, "4.3.2 Please try again later, system is shutting down"},
        {452, "4.3.1 Insufficient system storage, try again later"},
        {451, "4.4.3 Temporary lookup failure, try again later"},
        {450, "4.1.2 <b@y.example>: Recipient address rejected: Domain not found"},
        {450, "4.1.8 <a@x.example>: Sender address rejected: Domain not found"},
        {450, "4.7.25 Client host rejected: cannot find your hostname"},
        {450, "4.7.1 Client host rejected: cannot find your reverse hostname, try again later"},
        {450,
         "4.1.1 <b@y.example>: Recipient address rejected: unverified address: Address verification in "
         "progress"},
        {451, "4.7.1 Your address is on a blocklist, try again in an hour"},
        {451, "4.7.1 Service unavailable; Client host [192.0.2.1] blocked using rbl.example, retry later"},
        {421, "4.7.0 Temporarily deferred because of your poor reputation"},
        {451, "4.7.0 Temporary server error. Please try again later"},
        {454, "4.7.0 Temporary authentication failure, try again later"},
        {454, "4.7.0 TLS not available due to local problem"},
        {450, "4.5.3 Too many recipients, try the others later"},
        {451, "4.6.0 Message could not be scanned: virus scanner unavailable"},
        {451, "Could not load the user database, come again"},
        {451, "4.2.1 Mailbox temporarily disabled, try again later"},
        {450, "4.2.1 The recipient is receiving mail too quickly, try again later"},
        {550, "5.7.1 You are not on the whitelist of this user"},
        {550, "5.1.1 No such user: grey@y.example"},
        {550, "5.7.1 Spam message refused, do not try again"},
        {552, "5.2.2 Mailbox full, retry later"},
        {451, "4.4.2 Timeout while waiting for data"},
        {421, "4.4.2 Connection timed out, retry later"},
        {451, "4.4.1 Could not connect to the remote host, retrying later"},
        {450, "4.2.0 Mailbox busy, try again later"},
        {451, "4.7.1 Sorry, our service is temporarily unavailable; come back later"},
        {451, "4.3.5 Server configuration problem, try again later"},
        {451, "4.3.0 Queue file write error, try later"},
        {450, "4.7.1 Too much mail from your domain today, come back tomorrow"},
        {451, "4.7.1 SPF check failed temporarily, please retry"},
        {421, "4.3.2 Maintenance until 10:00, try again later"},
        {451, "4.7.0 Sending limit exceeded for your account, wait 1 hour"},
        {553, "Greystone Ltd: no such user here"},
        {550, "5.7.1 This looks like spam: greylist score 12.5"},
    };
    for (const auto& [code, text] : replies) {
        const auto v = read(c, code, text);
        EXPECT_NE(v.why, reason::greylisted) << code << ' ' << text << " (" << v.rule << ')';
    }
    EXPECT_GE(replies.size(), 40u);
}

}  // namespace
}  // namespace estafette::verdict
