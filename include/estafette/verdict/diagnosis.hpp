// What is most likely the matter with mail to one address, judged from several facts: the address's last
// mails, its route, and what else went to the same domain lately. And the words for it
// (conf/diagnoses/*.yaml, compiled in), for readers who know nothing of mail.
//
// It says how sure it is and what it goes by; it never says that mail arrived where nobody confirmed it.
// Pure; any thread.
#pragma once

#include "estafette/verdict/catalogue.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace estafette::verdict {

enum class finding : std::uint8_t {
    no_mail,             // none is known to this address
    waits_for_its_time,  // it is to leave later
    under_way,           // it waits for its turn, or is being handed over
    wrong_address,       // the server knows no such mailbox
    wrong_domain,        // nothing behind the @ takes mail
    closed_mailbox,      // it was there, and is switched off
    full_mailbox,
    blocks_us,          // their server refuses mail of ours: the allow-list sheet
    refuses_this_mail,  // content, size, form
    told_to_wait,       // greylisting, limits
    their_server_down,  // or too busy
    route_down,         // our way out is broken or paused
    sender_refused,
    suppressed,
    in_doubt,
    held,  // by a person: the mail itself, or the way out
    cancelled,
    handed_over,  // their server took it: perhaps in junk mail or quarantine
    arrived,      // confirmed
    unclear,
};

inline constexpr std::size_t finding_count = 20;

enum class likelihood : std::uint8_t { certain, likely, possible };

[[nodiscard]] std::string_view to_text(finding f) noexcept;
[[nodiscard]] std::string_view to_text(likelihood l) noexcept;

// Where one mail to the address stands.
enum class standing : std::uint8_t { scheduled, waiting, held, relayed, delivered, failed, cancelled };

struct mail_fact {
    standing now = standing::waiting;
    std::optional<reason> why;
    scope fault = scope::recipient;
    wall_time at;  // of the last change
};

struct route_fact {
    reason why = reason::other;
    bool by_a_person = false;
};

// What became of mail to a domain through one route, in the last 24 hours at most.
struct domain_fact {
    std::uint32_t accepted = 0;
    std::uint32_t unknown = 0;      // addresses that do not exist
    std::uint32_t blocked = 0;      // refused for reputation, policy or content
    std::uint32_t unreachable = 0;  // no answer, or "not now"
    std::optional<wall_time> last_accepted_at;
    wall_time since;  // nothing is known from before
};

// One line of what a diagnosis goes by.
struct clue {
    enum class kind : std::uint8_t {
        same_before,         // earlier mails to this address ended in the same way
        accepted_before,     // earlier mails to this address were accepted
        others_accepted,     // others of the domain get mail
        others_unknown,      // other addresses of the domain do not exist either
        others_blocked,      // others of the domain are refused as well
        others_unreachable,  // nothing gets through to the domain
    };

    kind what;
    std::uint32_t count = 0;
    std::optional<wall_time> at;
};

inline constexpr std::size_t clue_kind_count = 6;

struct diagnosis {
    finding what = finding::unclear;
    likelihood how_sure = likelihood::possible;
    std::vector<clue> because;
};

// `mails` of the address, newest first; `route` where it rests or is paused, or is missing. `domain` may
// count the mails of the address as well: they are told apart here.
[[nodiscard]] diagnosis
diagnose(std::span<const mail_fact> mails, const std::optional<route_fact>& route, domain_fact domain);

struct diagnosis_words {
    std::string sure;      // "Very likely"
    std::string headline;  // "The address is wrong"
    std::string acts, advice;
    std::vector<std::string> because;
};

// Times are those of the clocks in `where`.
[[nodiscard]] diagnosis_words
describe(const diagnosis& d, std::string_view address, language l, const zone& where = {});

}  // namespace estafette::verdict
