// Each reason in words people can act on, in English, French and Dutch (conf/reasons/*.yaml, compiled
// in). Written for readers who know nothing of mail: what happened, who acts, what to do.
//
// Pure, const after construction, any thread. Values are shown through printable(), so peers cannot
// put control characters into a text. Numbers and times come formatted for the reader.
#pragma once

#include "estafette/base/zone.hpp"
#include "estafette/verdict/classifier.hpp"
#include "estafette/verdict/verdict.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace estafette::verdict {

enum class language : std::uint8_t { en, fr, nl };

inline constexpr std::size_t language_count = 3;

[[nodiscard]] std::string_view to_text(language l) noexcept;

// "fr", "fr-BE,fr;q=0.9,en;q=0.5" (Accept-Language), "nl_BE.UTF-8" (LANG); English where nothing fits.
[[nodiscard]] language choose_language(std::string_view wish) noexcept;

// What the texts may name; empty values are left out of the sentences gracefully.
struct explanation_facts {
    std::string recipient;  // address
    std::string server;     // host of the one that answered
    std::string reply;      // the server's words, printable
    std::string tenant;
    std::string next_attempt;  // formatted for the reader, or empty
    std::string expires;       // formatted for the reader, or empty
    std::string sender;        // address
    std::string attempted;     // when the server said it, formatted for the reader, or empty
    std::string code;          // "550 5.1.1"
    std::string problem;       // where no server answered: our own words for what stood in the way
    std::string relay;         // host of the server that the mail leaves through
    std::string sends_from;    // IP addresses the mail reaches recipients from
    std::string note;          // by whom and why it is held
    std::string since, cause;  // of the line on the suppression list: a formatted day, the cause's name
};

struct fact;

struct explanation {
    std::string headline;  // one line: "The recipient's mailbox is full"
    std::string happened;  // what happened
    std::string acts;      // who acts
    std::string advice;    // what to do, or what we do next
    std::string forward;   // a letter for the people who look after a server; empty where none has to act
};

// "1 May 2026 at 12:00 (UTC)", "1er mai 2026 à 14 h (Europe/Paris)", "1 mei 2026 om 14.00 uur (…)".
[[nodiscard]] std::string format_time(wall_time t, language l, const zone& where = {});

// "1 May 2026", "1er mai 2026", "1 mei 2026".
[[nodiscard]] std::string format_date(wall_time t, language l, const zone& where = {});

// "1,200", "1 200" (with a space that does not break), "1.200".
[[nodiscard]] std::string format_number(std::uint64_t n, language l);

// The state as an administrator sees it: Pending, Sent, Delivered, Failed, Cancelled.
enum class shown_state : std::uint8_t { pending, sent, delivered, failed, cancelled };

class catalogue {
public:
    // One file per language; whatever can be said (is_meaningful) must have its text in each. On
    // failure the message is "FILE:LINE: what is wrong".
    [[nodiscard]] static boost::system::result<catalogue, std::string> parse(std::span<const rule_file> files
    );

    // The embedded texts. They are tested, so failing to read them is a bug.
    [[nodiscard]] static const catalogue& standard();

    // What cannot be said together (a caller's slip) is explained as closely as possible.
    [[nodiscard]] explanation
    explain(reason why, scope fault, disposition what, language l, const explanation_facts& facts) const;

    // Of mail that a person holds.
    [[nodiscard]] explanation explain_hold(language l, const explanation_facts& facts) const;

    [[nodiscard]] std::string_view words(shown_state s, language l) const noexcept;

private:
    friend class catalogue_reader;

    struct entry {
        std::string headline, happened, acts, advice;  // templates
        std::string letter;                            // template; empty where nobody needs one
    };

    struct texts {
        std::map<std::uint32_t, entry> entries;  // by reason, disposition and scope
        std::array<std::string, 5> states;
        std::string said, next;
        entry hold;
        std::map<std::string, std::string, std::less<>> causes;  // of a line on the suppression list
    };

    [[nodiscard]] static explanation filled(const entry& from, std::span<const fact> values);

    std::array<texts, language_count> by_language_;
};

// The same with the standard catalogue.
[[nodiscard]] explanation
explain(reason why, scope fault, disposition what, language l, const explanation_facts& facts);

[[nodiscard]] explanation explain_hold(language l, const explanation_facts& facts);

[[nodiscard]] std::string_view words(shown_state s, language l) noexcept;

}  // namespace estafette::verdict
