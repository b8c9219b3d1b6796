#include "phrasebook.hpp"

#include "estafette/verdict/diagnosis.hpp"

#include <array>

namespace estafette::verdict {

namespace {

const phrasebook& book() {
    static constexpr std::array<std::string_view, 4> known{"address", "domain", "count", "time"};
    static const phrasebook made = phrasebook::embedded("conf/diagnoses/", known);
    return made;
}

std::string_view key_of(clue::kind k) noexcept {
    switch (k) {
    case clue::kind::same_before: return "same_before";
    case clue::kind::accepted_before: return "accepted_before";
    case clue::kind::others_accepted: return "others_accepted";
    case clue::kind::others_unknown: return "others_unknown";
    case clue::kind::others_blocked: return "others_blocked";
    case clue::kind::others_unreachable: return "others_unreachable";
    }
    return "";
}

}  // namespace

diagnosis_words describe(const diagnosis& d, std::string_view address, language l, const zone& where) {
    const std::string whole{address};
    const std::string domain = whole.substr(whole.rfind('@') + 1);
    const std::string key = "findings." + std::string{to_text(d.what)} + ".";
    const std::array about{fact{"address", whole}, fact{"domain", domain}};
    diagnosis_words out;
    out.sure = book().say(l, "likelihoods." + std::string{to_text(d.how_sure)});
    out.headline = book().say(l, key + "headline", about);
    out.acts = book().say(l, key + "acts");
    out.advice = book().say(l, key + "advice", about);
    for (const clue& c : d.because) {
        const std::array values{
            about[0],
            about[1],
            fact{"count", format_number(c.count, l)},
            fact{"time", c.at ? format_time(*c.at, l, where) : std::string{}},
        };
        const std::string number = c.count == 1 ? ".one" : ".many";
        out.because.push_back(book().say(l, "clues." + std::string{key_of(c.what)} + number, values));
    }
    return out;
}

}  // namespace estafette::verdict
