// The same thing said in many ways and languages, and sentences that only sound like it. All are our own,
// in the manner of what servers say; a rule that knew one sentence only would fail here.
#include "standard.hpp"

#include "estafette/verdict/classifier.hpp"

#include <gtest/gtest.h>

namespace estafette::verdict {
namespace {

reason read(int code, const std::string& text) {
    smtp::outcome what;
    what.at = smtp::phase::rcpt;
    smtp::reply answer;
    answer.code = code;
    answer.text = text;
    answer.enhanced = smtp::enhanced_code::parse(text.substr(0, text.find(' ')));
    what.answer = answer;
    return standard_rules().classify({what, {}, {}}).why;
}

struct wordings {
    reason why;
    int code;
    std::vector<std::string> texts;
};

void expect_read(const std::vector<wordings>& table) {
    for (const auto& [why, code, texts] : table) {
        for (const auto& text : texts) {
            EXPECT_EQ(to_text(read(code, text)), to_text(why)) << code << " " << text;
        }
    }
}

TEST(wording, a_recipient_that_does_not_exist) {
    expect_read({
        {reason::unknown_user,
         550,
         {
             "We cannot find this recipient in our directory",
             "The person you write to has no account here",
             "The address you gave us was nowhere found: recipient lookup failed",
             "No - such user",
             "Our list of users does not have that mailbox",
             "The account pat at y.example is not known",
             "5.1.1 The mailbox of pat could not be located",
             "5.1.1 Adresse inexistante chez nous. LPN105_416",
             "Benutzer hat bei uns kein Konto",
             "Diese Mailadresse ist uns nicht bekannt",
             "Die genannte Adresse wurde leider nicht gefunden",
             "L'adresse du correspondant n'a pas été trouvée",
             "Aucune boîte de ce nom",
             "Dat adres is bij ons niet bekend",
             "Onbekende geadresseerde",
             "El usuario indicado no fue encontrado",
             "L'utente cercato non esiste",
             "Nie ma takiego użytkownika",
             "Mottagaren finns inte",
             "Command RCPT for user pat not ok",
             "I can't deliver mail to <pat@y.example>",
             "We could not verify the recipient",
             "No forwarding entry for this address",
             "Nobody named Pat in this house",
             "Pat is not known at this site",
             "That colleague does not work here",
             "Ihre Empfängeradresse ist hier nicht vergeben",
             "Unter dem Namen ist niemand bekannt",
             "Destinatario sbagliato: errato",
             "A címzett nem található",
             "Osoitetta ei löydy",
         }},
        {reason::unknown_user,
         450,
         {"4.1.1 <b@y.example>: Recipient address rejected: unverified address: host mx said: 550 no such "
          "user"}},
    });
}

TEST(wording, a_recipient_that_is_not_used_any_more) {
    expect_read({
        {reason::inactive_user,
         550,
         {
             "The account of the person you write to was closed",
             "Das Postfach von Pat ist seit Mai gesperrt",
             "Le compte de cette personne est suspendu",
             "Het postvak van deze collega is opgeheven",
             "La cuenta de Pat esta suspendida",
             "No login activity for two years",
             "Pat has never logged in to the service",
             "The account has not yet been activated",
             "This user can't receive mail",
             "Das Konto des Empfängers ist nicht mehr aktiv",
             "Cuenta cerrada por falta de uso",
             "Indirizzo chiuso per inattività",
             "Konto odbiorcy jest nieaktywne",
         }},
    });
}

TEST(wording, a_mailbox_that_is_full) {
    expect_read({
        {reason::mailbox_full,
         552,
         {
             "The mailbox of pat has no more room",
             "There are too many messages on the server for this user",
             "La boîte de réception de votre correspondant est pleine",
             "Das Postfach der Empfängerin ist leider voll",
             "Het postvak van uw collega is vol",
             "El usuario ha superado la cuota",
             "That person's quota is used up",
             "The space is used up",
             "The mail is larger than the remaining space",
             "Skrzynka adresata jest przepełniona",
             "Modtagerens postkasse er fuld",
         }},
    });
}

TEST(wording, a_server_that_does_not_relay) {
    expect_read({
        {reason::relay_denied,
         550,
         {
             "Unable to relay",
             "This host is not configured to be used as a relay",
             "Relaying to the outside world is not permitted",
             "5.7.1 You are not allowed to relay",
             "We do not allow anybody to relay",
             "Mail to the outside (relaying) is not permitted here",
             "Le relayage est interdit",
             "Das Weiterleiten ist hier nicht erlaubt",
             "Doorsturen is niet toegestaan",
             "No se permite el reenvío",
         }},
        {reason::auth_failed, 503, {"5.5.4 Send the AUTH command first"}},
    });
}

TEST(wording, a_sending_host_that_is_blocked) {
    expect_read({
        {reason::blocked_reputation,
         554,
         {
             "Your host, as of now, is blocked",
             "Your network has for a week been banned by us",
             "No access for this IP",
             "We noticed a directory harvest attack",
             "Ihre IP ist derzeit gesperrt",
             "L'adresse IP de votre serveur est bloquée",
             "Connections refused by 192.0.2.1's owner: access denied for IP 192.0.2.1",
             "Mails from [192.0.2.1] are refused",
             "192.0.2.1 is temporarily blocked",
             "We do not accept connections from your server",
             "Twój serwer jest na czarnej liście",
         }},
    });
}

// What sounds as if the recipient were at fault, but is not. Calling a good address dead is the worst
// mistake: mail to it stops.
TEST(wording, a_good_address_is_not_called_dead) {
    const std::vector<std::pair<int, std::string>> texts{
        {550, "Your account is suspended"},
        {550, "The sender's account was not found"},
        {550, "5.7.1 Recipient address denied: our policy says no"},
        {554, "Your session was closed"},
        {550, "TLS is disabled for this user"},
        {451, "The user database could not be found, try again later"},
        {550, "User authentication: invalid user or password"},
        {550, "5.1.1 Recipient rejected: your IP is listed at bl.example.net"},
        {550, "Your subscription is inactive"},
        {550, "The message for this recipient was deleted: it holds a virus"},
        {550, "Invalid header in the mail for this user"},
        {421, "The account server is closed for maintenance"},
        {450, "Recipient address rejected: user lookup failed for now"},
        {550, "Unknown command after the address"},
        {550, "5.1.1 The address of the sender does not exist"},
        {554, "The sending address is unknown to us"},
        {550, "Unknown client host"},
        {550, "Mailbox of this user is protected; confirm that you are human"},
        {550, "The user has rejected your message"},
        {535, "5.7.3 The account is locked"},
        {450, "4.2.0 The mailbox is locked by another session"},
        {451, "4.2.1 The account is being migrated and closed for an hour"},
        {451, "4.7.5 The certificate of the recipient's domain has expired"},
        {452, "4.2.1 Mailbox gets too many messages for the moment"},
        {451, "4.4.1 The host is unreachable"},
        {552, "5.2.3 The recipient does not receive messages of that size"},
        {550, "La conta do seu servidor: IP bloqueado"},
        {550, "Sender verify failed: the other server said 550 user unknown"},
        {550, "5.7.1 The recipient won't accept your mail"},
    };
    for (const auto& [code, text] : texts) {
        const auto why = read(code, text);
        EXPECT_TRUE(why != reason::unknown_user && why != reason::inactive_user && why != reason::bad_domain)
            << code << " " << text << " is called " << to_text(why);
    }
}

TEST(wording, words_of_one_fault_inside_a_sentence_about_another) {
    expect_read({
        {reason::server_busy,
         451,
         {
             "4.3.0 <ann@y.example>: Temporary lookup failure",
             "4.4.1 Can't connect to 127.0.0.1 port 10024, Connection refused at /usr/sbin/amavisd-new line "
             "2912",
             "We are unable to process your connection at this time",
         }},
        {reason::server_error, 451, {"4.0.0 Error processing message: no data"}},
        {reason::rate_limited,
         550,
         {
             "5.7.1 <ann@y.example>: Recipient address rejected: Policy Rejection - Quota Exceeded",
             "5.2.0 Submission quota exceeded: SubmissionQuotaExceededException",
         }},
        {reason::relay_denied, 553, {"This host denies relaying", "host denies relay."}},
        {reason::sender_rejected,
         553,
         {"The host denies the sender", "Domain may not exist or DNS check failed [1]"}},
        {reason::blocked_reputation,
         550,
         {"black ip", "Blocked IP", "Access denied - under investigation for spam abuse"}},
        {reason::message_too_large, 554, {"The attachment is too long", "attachment is too long."}},
        {reason::other,
         550,
         {"Requested action not taken: mailbox unavailable Failure sending mail. Try again later"}},
        {reason::unknown_user,
         553,
         {
             "\"RCPT TO\" mailbox unavailable",
             "5.1.1 <ann@y.example> Mailbox is not available",
             "Mailbox unavailable for this recipient",
         }},
        {reason::server_busy, 450, {"Mailbox is not available", "Mailbox unavailable for now"}},
        {reason::inactive_user, 550, {"5.7.13 STOREDRV.Deliver.Exception:AccountDisabledException"}},
        {reason::server_error, 550, {"5.2.0 RESOLVER.ADR.BadPrimary"}},
        {reason::bad_domain, 554, {"5.4.4 [internal] domain lookup failed"}},
        {reason::blocked_reputation,
         421,
         {"4.7.1 [TS03] All messages from 192.0.2.1 will be permanently deferred"}},
        {reason::mailbox_full,
         552,
         {"Requested mail action aborted: exceeded storage allocation For explanation visit "
          "https://postmaster.example/en/case?c=r1503&i=ip&v=192.0.2.7"}},
    });
}

}  // namespace
}  // namespace estafette::verdict
