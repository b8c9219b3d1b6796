#include "pattern_index.hpp"

namespace estafette::verdict {
namespace {

// Of one pattern's automaton; beyond it RE2 uses another that needs none.
constexpr std::int64_t automaton_memory = 8ll << 20;

RE2::Options pattern_options() {
    RE2::Options options;
    options.set_encoding(RE2::Options::EncodingUTF8);
    options.set_case_sensitive(false);
    options.set_never_capture(true);
    options.set_log_errors(false);
    options.set_max_mem(automaton_memory);
    return options;
}

}  // namespace

std::string pattern_index::add(const std::string& pattern) {
    static const auto options = pattern_options();
    int number = 0;
    if (filter_->Add(pattern, options, &number) != RE2::NoError) {
        return RE2{pattern, options}.error();
    }
    ++size_;
    return {};
}

void pattern_index::finish() {
    if (size_ == 0) {
        return;
    }
    std::vector<std::string> atoms;
    filter_->Compile(&atoms);
    finder_ = atom_finder{atoms};
    seen_.resize(atoms.size());
    answers_.resize(size_);
}

const std::vector<int>& pattern_index::begin(std::string_view text) {
    text_ = text;
    atoms_.clear();
    finder_.find(text, [this](std::uint32_t atom) {
        if (!seen_[atom]) {
            seen_[atom] = true;
            atoms_.push_back(static_cast<int>(atom));
        }
    });
    for (const auto atom : atoms_) {
        seen_[static_cast<std::size_t>(atom)] = false;
    }
    for (const auto pattern : possible_) {
        answers_[static_cast<std::size_t>(pattern)] = answer::no;
    }
    possible_.clear();
    if (size_ != 0) {
        filter_->AllPotentials(atoms_, &possible_);
    }
    for (const auto pattern : possible_) {
        answers_[static_cast<std::size_t>(pattern)] = answer::maybe;
    }
    return possible_;
}

bool pattern_index::matches(std::uint32_t pattern) {
    auto& known = answers_[pattern];
    if (known == answer::maybe) {
        const auto& re = filter_->GetRE2(static_cast<int>(pattern));
        const re2::StringPiece whole{text_.data(), text_.size()};
        known = re.Match(whole, 0, whole.size(), RE2::UNANCHORED, nullptr, 0) ? answer::yes : answer::no;
    }
    return known == answer::yes;
}

}  // namespace estafette::verdict
