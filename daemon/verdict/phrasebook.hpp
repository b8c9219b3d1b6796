// Sentences in three languages under dotted keys ("findings.wrong_address.headline"), read from one YAML
// file a language. Every language must have the same keys, and name no other facts than are known.
// Pure, const after construction, any thread.
#pragma once

#include "fill.hpp"

#include "estafette/verdict/catalogue.hpp"

#include <array>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace estafette::verdict {

class phrasebook {
public:
    // On failure "FILE:LINE: what is wrong".
    [[nodiscard]] static boost::system::result<phrasebook, std::string>
    parse(std::span<const rule_file> files, std::span<const std::string_view> known_facts);

    // The embedded files of a folder ("conf/diagnoses/"). They are tested: failing to read them is a bug.
    [[nodiscard]] static phrasebook
    embedded(std::string_view folder, std::span<const std::string_view> known_facts);

    // The sentence with the facts filled in; empty for an unknown key.
    [[nodiscard]] std::string say(language l, std::string_view key, facts values = {}) const;

    [[nodiscard]] bool has(std::string_view key) const;

private:
    std::array<std::map<std::string, std::string, std::less<>>, language_count> sentences_;
};

}  // namespace estafette::verdict
