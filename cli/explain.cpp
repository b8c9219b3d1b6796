// estafette explain: what became of mail to an address, or of one message, in words people can act on.
// The diagnosis comes from the daemon in the reader's language; the labels around it are here.

#include "explain.hpp"

#include "attempt.hpp"
#include "command.hpp"
#include "fields.hpp"
#include "output.hpp"

#include "estafette/base/ids.hpp"
#include "estafette/base/text.hpp"
#include "estafette/base/zone.hpp"
#include "estafette/verdict/catalogue.hpp"

#include <boost/json/serialize.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <memory>

namespace estafette::cli {

namespace json = boost::json;

namespace {

using verdict::language;

enum class label : std::uint8_t {
    happened,
    acts,
    advice,
    next_attempt,
    said,
    answering,
    letter,
    message,
    attempts,
    history,
    unknown,
    bounces,
    forward,
    note,
};

struct labels {
    std::array<const char*, verdict::language_count> of;  // en, fr, nl
};

constexpr std::array<labels, 14> words_of_labels{{
    {{"What happened", "Ce qui s’est passé", "Wat er gebeurd is"}},
    {{"Who acts", "Qui doit agir", "Wie iets moet doen"}},
    {{"What to do", "Que faire", "Wat te doen"}},
    {{"Next attempt", "Prochaine tentative", "Volgende poging"}},
    {{"The server said", "Réponse du serveur", "Antwoord van de server"}},
    {{"in answer to", "en réponse à", "als antwoord op"}},
    {{"To pass on to the people who look after the server",
      "À transmettre aux responsables du serveur",
      "Door te geven aan de beheerders van de server"}},
    {{"Message", "Message", "Bericht"}},
    {{"Attempts", "Tentatives", "Pogingen"}},
    {{"Earlier messages to this address:",
      "Messages précédents à cette adresse :",
      "Eerdere berichten aan dit adres:"}},
    {{"No message to this address is known:",
      "Aucun message connu pour cette adresse :",
      "Er is geen bericht aan dit adres bekend:"}},
    {{"If the message comes back after all, the report about it goes to",
      "Si le message revient malgré tout, l’avis de non-remise arrive à l’adresse",
      "Komt het bericht toch terug, dan gaat de melding daarover naar"}},
    {{"We learn of it only if such reports are passed on to us: let that mailbox forward them, as "
      "attachments, to "
      "the address that your mail server hands over to Estafette (“A mailbox” in docs/bounces.md), or hand "
      "over a "
      "single one with “estafette bounce FILE”.",
      "Nous ne l’apprenons que si ces avis nous sont transmis : faites-les transférer depuis cette boîte, en "
      "pièce "
      "jointe, vers l’adresse que votre serveur de messagerie remet à Estafette (« A mailbox » dans "
      "docs/bounces.md), ou remettez un seul avis avec « estafette bounce FICHIER ».",
      "Wij vernemen het alleen als zulke meldingen aan ons worden doorgegeven: laat die mailbox ze als "
      "bijlage "
      "doorsturen naar het adres dat uw mailserver aan Estafette overdraagt (“A mailbox” in "
      "docs/bounces.md), of "
      "geef één melding door met “estafette bounce BESTAND”."}},
    {{"Note", "Note", "Notitie"}},
}};

const char* in(language l, label what) {
    return words_of_labels[static_cast<std::size_t>(what)].of[static_cast<std::size_t>(l)];
}

std::string_view colon(language l) {
    return l == language::fr ? "\u00a0:" : ":";
}

// By the clocks of the tenant's readers, which the daemon names.
std::string written(const json::value& recipient, std::optional<wall_time> t, language l) {
    const auto where = zone::find(text(recipient, "time_zone"));
    return t ? verdict::format_time(*t, l, where ? *where : zone{}) : "-";
}

std::string said(const json::value& attempt, language l) {
    std::string out = answer_of(attempt);
    const std::string server = text(attempt, "server");
    const std::string command = command_of(attempt);
    if (!server.empty()) {
        out += " (" + server;
        out += command.empty() ? ")" : std::string{", "} + in(l, label::answering) + " " + command + ")";
    }
    return out;
}

// For the states that have no reason: nothing is wrong.
struct state_words {
    const char* state;
    std::array<const char*, verdict::language_count> headline, happened;  // en, fr, nl
};

constexpr std::array<state_words, 4> words_of_states{{
    {"scheduled",
     {"It is to leave later", "Il doit partir plus tard", "Het moet later vertrekken"},
     {"The message waits for its time, and then leaves automatically.",
      "Le message attend son heure, puis partira automatiquement.",
      "Het bericht wacht op zijn tijd en vertrekt dan automatisch."}},
    {"queued",
     {"It is about to leave", "Il est sur le point de partir", "Het staat op het punt te vertrekken"},
     {"The message waits for a connection to the mail server, or is just being handed over.",
      "Le message attend une connexion au serveur de messagerie, ou est en train de lui être transmis.",
      "Het bericht wacht op een verbinding met de mailserver, of wordt er net aan overgedragen."}},
    {"delivered",
     {"It has arrived", "Il est arrivé", "Het is aangekomen"},
     {"The recipient’s mail server confirmed this.",
      "Le serveur de messagerie du destinataire l’a confirmé.",
      "De mailserver van de ontvanger heeft dat bevestigd."}},
    {"cancelled",
     {"It was cancelled before it left",
      "Il a été annulé avant de partir",
      "Het is geannuleerd voordat het vertrok"},
     {"The message was not sent.", "Le message n’a pas été envoyé.", "Het bericht is niet verstuurd."}},
}};

// A server took it: the catalogue has words for that as for any other answer.
verdict::explanation explain_acceptance(const json::value& recipient, language l) {
    verdict::explanation_facts facts;
    facts.recipient = text(recipient, "address");
    if (const json::value* last = member(recipient, "last_attempt")) {
        const std::string server = text(*last, "server");
        facts.server = server.substr(0, server.rfind(':'));
        facts.reply = text(*last, "text");
    }
    return verdict::explain(
        verdict::reason::accepted, verdict::scope::recipient, verdict::disposition::accepted, l, facts
    );
}

// In sending hours, for example, or under a limit.
bool waits_for_later(const json::value& recipient, wall_time now) {
    const auto next = time(recipient, "next_attempt_at");
    return text(recipient, "state") == "queued" && next && *next > now + std::chrono::minutes{1};
}

verdict::explanation diagnosis_of(const json::value& recipient, language l, wall_time now) {
    const json::value* words = member(recipient, "explanation");
    const json::value& from = words == nullptr ? recipient : *words;
    verdict::explanation out{
        text(from, "headline"), text(from, "happened"), text(from, "acts"), text(from, "advice"), {}
    };
    const std::string state = waits_for_later(recipient, now) ? "scheduled" : text(recipient, "state");
    if (out.headline.empty() && state == "relayed") {
        return explain_acceptance(recipient, l);
    }
    for (const state_words& one : words_of_states) {
        if (out.headline.empty() && state == one.state) {
            out.headline = one.headline[static_cast<std::size_t>(l)];
            out.happened = one.happened[static_cast<std::size_t>(l)];
        }
    }
    return out;
}

// Line by line: a text to copy.
void print_letter(const json::value& recipient, language l, console& io) {
    const json::value* words = member(recipient, "explanation");
    const json::value* letter = words == nullptr ? nullptr : member(*words, "forward");
    if (letter == nullptr || !letter->is_string()) {
        return;
    }
    io.out << "\n  " << in(l, label::letter) << colon(l) << '\n';
    std::string_view rest{letter->get_string().data(), letter->get_string().size()};
    while (!rest.empty()) {
        const auto end = std::min(rest.find('\n'), rest.size());
        io.out << (end == 0 ? "" : "    ") << printable(rest.substr(0, end)) << '\n';
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
}

}  // namespace

void print_recipient(const json::value& recipient, language l, console& io) {
    const verdict::explanation found = diagnosis_of(recipient, l, io.now());
    io.out << text(recipient, "address") << " — " << text(recipient, "shown");
    if (!found.headline.empty()) {
        io.out << colon(l) << ' ' << found.headline;
    }
    io.out << '\n';

    facts lines;
    const auto add = [&](label name, std::string value) {
        lines.add(std::string{"  "} + in(l, name), std::move(value));
    };
    add(label::happened, found.happened);
    add(label::acts, found.acts);
    add(label::advice, found.advice);
    if (const auto next = time(recipient, "next_attempt_at")) {
        add(label::next_attempt, written(recipient, next, l));
    }
    if (const json::value* last = member(recipient, "last_attempt")) {
        add(label::said, said(*last, l));
    }
    add(label::attempts, std::to_string(number(recipient, "attempts").value_or(0)));
    if (member(recipient, "explanation") == nullptr || text(recipient, "state") == "cancelled") {
        add(label::note, text(recipient, "note"));  // else it is part of the explanation
    }
    add(label::message,
        text(recipient, "message") + ", " + written(recipient, time(recipient, "accepted_at"), l));
    lines.print(io);
    print_letter(recipient, l, io);
}

language reader_language(const std::string& lang, const console& io) {
    if (!lang.empty()) {
        return verdict::choose_language(lang);
    }
    for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
        if (const auto value = io.environment(name)) {
            return verdict::choose_language(*value);
        }
    }
    return language::en;
}

namespace {

// What was handed over may still come back, and then to whom?
void print_way_back(const json::value& message, language l, console& io) {
    const std::string mailbox = text(message, "bounces_to");
    if (!mailbox.empty()) {
        io.out << "\n" << in(l, label::bounces) << " " << mailbox << ".\n" << in(l, label::forward) << '\n';
    }
}

bool has_left(const json::value& recipient) {
    return text(recipient, "state") == "relayed";
}

struct explain_options {
    std::string subject, tenant, lang;
    unsigned limit = 5;
};

int explain_message(const std::string& id, language l, invocation& call) {
    const std::string target =
        "/v1/messages/" + percent_encode(id) + "?lang=" + std::string{verdict::to_text(l)};
    const auto message = ask(call.api(), {"GET", target, {}, {}, {}});
    if (!message) {
        return report(call.io, message.error(), call.how());
    }
    bool is_first = true, some_left = false;
    for (const json::value& recipient : list(*message, "recipients")) {
        some_left = some_left || has_left(recipient);
        if (call.json) {
            call.io.out << json::serialize(recipient) << '\n';
            continue;
        }
        call.io.out << (is_first ? "" : "\n");
        print_recipient(recipient, l, call.io);
        is_first = false;
    }
    if (some_left && !call.json) {
        print_way_back(*message, l, call.io);
    }
    return 0;
}

// The newest mail in full; the list of recipients may come without the explanation.
boost::system::result<json::value, failure>
with_explanation(const json::value& recipient, language l, invocation& call) {
    if (member(recipient, "explanation") != nullptr) {
        return recipient;
    }
    const std::string target = "/v1/messages/" + percent_encode(text(recipient, "message")) +
                               "?lang=" + std::string{verdict::to_text(l)};
    const auto message = ask(call.api(), {"GET", target, {}, {}, {}});
    if (!message) {
        return message.error();
    }
    for (const json::value& candidate : list(*message, "recipients")) {
        if (text(candidate, "id") == text(recipient, "id")) {
            return candidate;
        }
    }
    return recipient;
}

void print_history(const json::array& recipients, language l, console& io) {
    if (recipients.size() < 2) {
        return;
    }
    io.out << '\n' << in(l, label::history) << '\n';
    table rows{"", "", "", ""};
    for (std::size_t i = 1; i < recipients.size(); ++i) {
        const json::value& one = recipients[i];
        rows.add(
            {"  " + written(one, time(one, "accepted_at"), l),
             text(one, "shown"),
             diagnosis_of(one, l, io.now()).headline,
             text(one, "message")}
        );
    }
    rows.print_rows(io);
}

// What is most likely the matter with the address, from several mails and what else went to its domain.
void print_diagnosis(const json::value& found, const std::string& address, language l, console& io) {
    io.out << address << '\n';
    facts lines;
    lines.add("  " + text(found, "sure"), text(found, "headline"));
    for (const json::value& clue : list(found, "because")) {
        lines.add("  ·", std::string{clue.is_string() ? std::string_view{clue.as_string()} : ""});
    }
    lines.add("  →", text(found, "acts") + std::string{colon(l)} + " " + text(found, "advice"));
    lines.print(io);
    io.out << '\n';
}

// None from a daemon that knows no diagnosis yet.
std::optional<json::value> diagnosis_of_address(const explain_options& given, language l, invocation& call) {
    const std::string query = query_of({
        {"address", given.subject},
        {"tenant", given.tenant},
        {"lang", std::string{verdict::to_text(l)}},
    });
    auto found = ask(call.api(), {"GET", "/v1/diagnosis" + query, {}, {}, {}});
    return found && !text(*found, "finding").empty() ? std::optional{std::move(*found)} : std::nullopt;
}

int explain_address(const explain_options& given, language l, invocation& call) {
    const std::string query = query_of({
        {"address", given.subject},
        {"tenant", given.tenant},
        {"limit", std::to_string(given.limit)},
        {"lang", std::string{verdict::to_text(l)}},
    });
    const auto page = ask(call.api(), {"GET", "/v1/recipients" + query, {}, {}, {}});
    if (!page) {
        return report(call.io, page.error(), call.how());
    }
    const json::array& recipients = list(*page, "recipients");
    if (recipients.empty()) {
        const std::string words = std::string{in(l, label::unknown)} + " " + given.subject;
        return report(call.io, {exit_code::no_such, words, {}}, call.how());
    }
    const auto newest = with_explanation(recipients.front(), l, call);
    if (!newest) {
        return report(call.io, newest.error(), call.how());
    }
    auto found = diagnosis_of_address(given, l, call);
    if (call.json) {
        if (found) {
            found->as_object().erase("recipients");  // they follow, a line each
            call.io.out << json::serialize(*found) << '\n';
        }
        call.io.out << json::serialize(*newest) << '\n';
        for (std::size_t i = 1; i < recipients.size(); ++i) {
            call.io.out << json::serialize(recipients[i]) << '\n';
        }
        return 0;
    }
    if (found) {
        print_diagnosis(*found, given.subject, l, call.io);
    }
    print_recipient(*newest, l, call.io);
    if (has_left(*newest)) {
        const auto message =
            ask(call.api(), {"GET", "/v1/messages/" + percent_encode(text(*newest, "message")), {}, {}, {}});
        if (message) {  // else it goes without saying
            print_way_back(*message, l, call.io);
        }
    }
    print_history(recipients, l, call.io);
    return 0;
}

int explain(const explain_options& given, invocation& call) {
    const language l = reader_language(given.lang, call.io);
    if (const auto whole = message_id::parse(given.subject)) {
        return explain_message(whole->text(), l, call);
    }
    if (const auto one = recipient_id::parse(given.subject)) {
        return explain_message(one->message.text(), l, call);
    }
    if (given.subject.find('@') == std::string::npos) {
        return report(call.io, usage("explain takes an address or a message's id"), call.how());
    }
    return explain_address(given, l, call);
}

}  // namespace

void add_explain(CLI::App& app, invocation& call) {
    auto o = std::make_shared<explain_options>();
    CLI::App* command =
        app.add_subcommand("explain", "Say in words what became of mail, why, and who must act");
    command->footer("Examples:\n"
                    "  estafette explain ann@customer.example\n"
                    "  estafette explain ann@customer.example --lang fr\n"
                    "  estafette explain 01977a1e-5d7c-7d3e-8f52-1c6d1f2b3a4c --lang nl");
    command->add_option("subject", o->subject, "A recipient's address, or a message's id")
        ->type_name("ADDRESS|ID")
        ->required();
    command->add_option("--lang", o->lang, "The language; otherwise after $LC_ALL, $LC_MESSAGES, $LANG")
        ->type_name("LANGUAGE")
        ->check(CLI::IsMember({"en", "fr", "nl"}));
    command->add_option("--tenant", o->tenant, "Only mail of this tenant")->type_name("NAME");
    command->add_option("--limit", o->limit, "How many mails to the address")
        ->type_name("N")
        ->check(CLI::Range(1, 500))
        ->capture_default_str();
    command->callback([o, &call] { call.action = [o, &call] { return explain(*o, call); }; });
}

}  // namespace estafette::cli
