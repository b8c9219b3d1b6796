#include "pattern_index.hpp"

#include <map>

namespace estafette::verdict {
namespace {

// Of one branch's automaton; beyond it RE2 uses another that needs none.
constexpr std::int64_t automaton_memory = 8ll << 20;

const RE2::Options& pattern_options() {
    static const auto made = [] {
        RE2::Options options;
        options.set_encoding(RE2::Options::EncodingUTF8);
        options.set_case_sensitive(false);
        options.set_never_capture(true);
        options.set_log_errors(false);
        options.set_max_mem(automaton_memory);
        return options;
    }();
    return made;
}

}  // namespace

std::string pattern_index::add(const std::string& pattern) {
    if (const RE2 whole{pattern, pattern_options()}; !whole.ok()) {
        return whole.error();
    }
    branches_of_.push_back(branches_of(pattern));
    return {};
}

void pattern_index::finish() {
    std::map<std::string, std::vector<use>> by_atom;
    for (std::uint32_t p = 0; p < branches_of_.size(); ++p) {
        for (auto& known : branches_of_[p]) {
            const auto number = static_cast<std::uint32_t>(branches_.size());
            branch b;
            b.pattern = p;
            b.text = std::move(known.pattern);
            b.literal = std::move(known.literal);
            std::uint8_t bit = 1;
            for (const auto& list : known.needed) {
                b.needs |= bit;
                for (const auto& atom : list) {
                    by_atom[atom].push_back({number, bit});
                }
                bit = static_cast<std::uint8_t>(bit << 1);
            }
            if (b.needs == 0) {
                always_.push_back(number);
            }
            branches_.push_back(std::move(b));
        }
    }
    std::vector<std::string> atoms;
    for (auto& [atom, uses] : by_atom) {
        atoms.push_back(atom);
        atom_size_.push_back(atom.size());
        first_use_.push_back(static_cast<std::uint32_t>(uses_.size()));
        uses_.insert(uses_.end(), uses.begin(), uses.end());
    }
    first_use_.push_back(static_cast<std::uint32_t>(uses_.size()));
    if (!atoms.empty()) {
        finder_ = atom_finder{atoms};
    }
    answers_.resize(branches_of_.size());
    branch_of_.resize(branches_of_.size(), none);
    branches_of_.clear();
}

void pattern_index::is_possible(std::uint32_t number) {
    auto& b = branches_[number];
    auto& known = answers_[b.pattern];
    if (known == answer::no) {
        possible_.push_back(b.pattern);
        known = answer::maybe;
    }
    if (!b.literal.empty()) {
        known = answer::yes;
    }
    b.next = branch_of_[b.pattern];
    branch_of_[b.pattern] = number;
}

void pattern_index::found(std::uint32_t atom, std::size_t end) {
    for (auto i = first_use_[atom]; i < first_use_[atom + 1]; ++i) {
        auto& b = branches_[uses_[i].branch];
        if (b.has == b.needs) {
            continue;
        }
        // A literal is longer than what was looked for, or just that.
        if (!b.literal.empty() && !text_.substr(end - atom_size_[atom]).starts_with(b.literal)) {
            continue;
        }
        if (b.has == 0) {
            touched_.push_back(uses_[i].branch);
        }
        b.has |= uses_[i].bit;
        if (b.has == b.needs) {
            is_possible(uses_[i].branch);
        }
    }
}

const std::vector<std::uint32_t>& pattern_index::begin(std::string_view text) {
    for (const auto number : touched_) {
        branches_[number].has = 0;
    }
    for (const auto pattern : possible_) {
        answers_[pattern] = answer::no;
        branch_of_[pattern] = none;
    }
    touched_.clear();
    possible_.clear();
    text_ = text;
    finder_.find(text, [this](std::uint32_t atom, std::size_t end) { found(atom, end); });
    for (const auto number : always_) {
        is_possible(number);
    }
    return possible_;
}

bool pattern_index::run(branch& b) {
    if (!b.machine) {
        b.machine = std::make_unique<RE2>(b.text, pattern_options());
    }
    const re2::StringPiece whole{text_.data(), text_.size()};
    return b.machine->Match(whole, 0, whole.size(), RE2::UNANCHORED, nullptr, 0);
}

bool pattern_index::matches(std::uint32_t pattern) {
    auto& known = answers_[pattern];
    if (known == answer::maybe) {
        known = answer::no;
        for (auto b = branch_of_[pattern]; b != none && known == answer::no; b = branches_[b].next) {
            known = run(branches_[b]) ? answer::yes : answer::no;
        }
    }
    return known == answer::yes;
}

}  // namespace estafette::verdict
