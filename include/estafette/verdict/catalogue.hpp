// Each reason in words people can act on, in English, French and Dutch (conf/reasons/*.yaml).
#pragma once

#include "estafette/verdict/verdict.hpp"

#include <string>
#include <string_view>

namespace estafette::verdict {

enum class language : std::uint8_t { en, fr, nl };

inline constexpr std::size_t language_count = 3;

[[nodiscard]] std::string_view to_text(language l) noexcept;

// "fr", "fr-BE,fr;q=0.9,en;q=0.5" (Accept-Language), "nl_BE.UTF-8" (LANG); English where nothing fits.
[[nodiscard]] language choose_language(std::string_view wish) noexcept;

// What the texts may name; empty values are left out of the sentences gracefully.
struct explanation_facts {
    std::string recipient;  // address
    std::string server;     // host
    std::string reply;      // the server's words, printable
    std::string tenant;
    std::string next_attempt;  // formatted for the reader, or empty
    std::string expires;       // formatted for the reader, or empty
};

struct explanation {
    std::string headline;  // one line: "The recipient's mailbox is full"
    std::string happened;  // what happened
    std::string acts;      // who acts
    std::string advice;    // what to do, or what we do next
};

[[nodiscard]] explanation
explain(reason why, scope fault, disposition what, language l, const explanation_facts& facts);

// The state as an administrator sees it: Pending, Sent, Delivered, Failed, Cancelled.
enum class shown_state : std::uint8_t { pending, sent, delivered, failed, cancelled };
[[nodiscard]] std::string_view words(shown_state s, language l) noexcept;

}  // namespace estafette::verdict
