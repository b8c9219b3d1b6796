// One rule: what a reply must look like, and what it means then. Text conditions are patterns of one
// common RE2::Set and named here by their numbers. Pure.
#pragma once

#include "estafette/verdict/classifier.hpp"
#include "estafette/verdict/verdict.hpp"

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace estafette::verdict {

// "550", "5xx", "55x" or "500-559".
struct code_range {
    int first = 0, last = 0;
};

// "5.1.1", "x.1.1", "5.7.500-509": for each part the first and last number.
struct enhanced_pattern {
    struct part {
        std::uint16_t first = 0, last = 0xFFFF;
    };

    std::array<part, 3> parts;

    [[nodiscard]] bool matches(const smtp::enhanced_code& code) const noexcept;
};

struct rule {
    std::string id;  // "google/over-quota"

    std::vector<code_range> codes;
    std::vector<enhanced_pattern> enhanced;
    bool without_enhanced = false;  // enhanced: none
    std::bitset<smtp::phase_count> phases;
    std::vector<std::string> servers;    // suffixes of the server's name
    std::vector<std::string> profiles;   // the route's profile
    std::vector<std::string> banners;    // what its greeting holds, in lower case
    std::vector<std::uint32_t> text;     // at least one of these patterns…
    std::vector<std::uint32_t> with;     // …and at least one of these…
    std::vector<std::uint32_t> without;  // …and none of these

    reason why = reason::other;
    std::optional<scope> fault;
    std::optional<disposition> what;
    std::optional<seconds> delay;
    bool is_certain = true;  // false: its words may mean something else

    // All conditions but the texts.
    [[nodiscard]] bool
    fits(const evidence& e, const std::optional<smtp::enhanced_code>& enhanced_code) const noexcept;

    [[nodiscard]] bool asks_for_server() const noexcept {
        return !servers.empty() || !profiles.empty() || !banners.empty();
    }
};

struct rule_set {
    std::vector<rule> rules;
    std::vector<std::string> patterns;  // each once
    std::vector<std::string> places;    // "FILE:LINE" where each pattern is first used
};

// "FILE:LINE: what is wrong" on failure. Files are taken in the order of their names.
[[nodiscard]] boost::system::result<rule_set, std::string> read_rules(std::span<const rule_file> files);

}  // namespace estafette::verdict
