#include "literals.hpp"

#include <algorithm>
#include <optional>

namespace estafette::verdict {
namespace {

using strings = std::vector<std::string>;

constexpr std::size_t most_exact = 48;    // strings that a part may stand for
constexpr std::size_t most_needed = 160;  // strings of one list
constexpr std::size_t telling = 6;        // a string of that length is rare enough
constexpr std::size_t few = 4;
constexpr std::size_t most_digits = 4;  // of a repetition's numbers

// Of a part of a pattern: all strings that it can be, or else lists of strings it cannot do without.
struct part {
    bool is_exact = false;
    strings exact;
    std::vector<strings> needed;
};

part nothing_known() {
    return {};
}

part empty_part() {
    return {true, {""}, {}};
}

std::size_t shortest(const strings& list) {
    std::size_t least = list.empty() ? 0 : list.front().size();
    for (const auto& s : list) {
        least = std::min(least, s.size());
    }
    return least;
}

void keep_unique(strings& list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
}

// Long strings are rare in texts, and few lists of them are.
bool is_more_telling(const strings& a, const strings& b) {
    const auto long_a = std::min(shortest(a), longest_needed);
    const auto long_b = std::min(shortest(b), longest_needed);
    return long_a != long_b ? long_a > long_b : a.size() < b.size();
}

void add_needed(std::vector<strings>& lists, strings list) {
    if (list.size() > most_needed || shortest(list) < 2) {
        return;
    }
    for (auto& s : list) {
        s.resize(std::min(s.size(), longest_needed));
    }
    keep_unique(list);
    lists.push_back(std::move(list));
    std::sort(lists.begin(), lists.end(), is_more_telling);
    // A second list only where the first says little.
    const bool is_enough = shortest(lists.front()) >= telling && lists.front().size() <= few;
    lists.resize(std::min<std::size_t>(lists.size(), is_enough ? 1 : 2));
}

// One after the other.
class sequence {
public:
    void add(part next) {
        if (next.is_exact && run_.size() * next.exact.size() <= most_exact) {
            strings longer;
            for (const auto& begin : run_) {
                for (const auto& end : next.exact) {
                    longer.push_back(begin + end);
                }
            }
            keep_unique(longer);
            run_ = std::move(longer);
            return;
        }
        end_run();
        if (next.is_exact) {
            run_ = std::move(next.exact);
            is_whole_ = false;
            return;
        }
        for (auto& list : next.needed) {
            add_needed(needed_, std::move(list));
        }
        is_whole_ = false;
    }

    [[nodiscard]] part end() {
        if (is_whole_) {
            return {true, std::move(run_), {}};
        }
        end_run();
        return {false, {}, std::move(needed_)};
    }

private:
    void end_run() {
        add_needed(needed_, std::move(run_));
        run_ = {""};
    }

    strings run_{""};
    bool is_whole_ = true;  // run_ is all there is
    std::vector<strings> needed_;
};

// One of several.
part any_of(std::vector<part> parts) {
    if (parts.size() == 1) {
        return std::move(parts.front());
    }
    part all{true, {}, {}};
    strings needed;
    for (auto& p : parts) {
        all.is_exact &= p.is_exact;
        auto list = p.is_exact ? p.exact : p.needed.empty() ? strings{""} : p.needed.front();
        needed.insert(needed.end(), list.begin(), list.end());
        all.exact.insert(all.exact.end(), p.exact.begin(), p.exact.end());
    }
    keep_unique(all.exact);
    if (all.is_exact && all.exact.size() <= most_exact) {
        return all;
    }
    part one;
    add_needed(one.needed, std::move(needed));
    return one;
}

class pattern_reader {
public:
    explicit pattern_reader(std::string_view pattern)
        : rest_{pattern} {}

    // None where some of it is not understood.
    [[nodiscard]] std::optional<part> read() {
        auto whole = alternatives();
        return is_understood_ && rest_.empty() ? std::optional{std::move(whole)} : std::nullopt;
    }

    [[nodiscard]] bool has_conditions() const { return has_conditions_; }

private:
    part alternatives() {
        if (++depth_ > 60) {
            is_understood_ = false;
            return nothing_known();
        }
        std::vector<part> all;
        all.push_back(one_alternative());
        while (is_understood_ && take('|')) {
            all.push_back(one_alternative());
        }
        --depth_;
        return any_of(std::move(all));
    }

    part one_alternative() {
        sequence s;
        while (is_understood_ && !rest_.empty() && rest_.front() != '|' && rest_.front() != ')') {
            s.add(repeated(atom()));
        }
        return s.end();
    }

    part atom() {
        const char c = rest_.front();
        switch (c) {
        case '(': return group();
        case '[': return one_of_class();
        case '\\': return escaped();
        case '.': rest_.remove_prefix(1); return nothing_known();
        case '^':
        case '$':
            rest_.remove_prefix(1);
            has_conditions_ = true;
            return empty_part();
        case '*':
        case '+':
        case '?':
        case '{': is_understood_ = false; return nothing_known();
        default: return one_letter();
        }
    }

    // All bytes of a character: a repetition is of the whole.
    part one_letter() {
        std::size_t n = 1;
        while (n < rest_.size() && (static_cast<unsigned char>(rest_[n]) & 0xC0) == 0x80) {
            ++n;
        }
        std::string s{rest_.substr(0, n)};
        rest_.remove_prefix(n);
        if (s[0] >= 'A' && s[0] <= 'Z') {
            s[0] = static_cast<char>(s[0] - 'A' + 'a');
        }
        return {true, {std::move(s)}, {}};
    }

    part group() {
        rest_.remove_prefix(1);
        if (rest_.starts_with("?:")) {
            rest_.remove_prefix(2);
        } else if (rest_.starts_with('?')) {
            is_understood_ = false;
            return nothing_known();
        }
        auto inside = alternatives();
        is_understood_ &= take(')');
        return inside;
    }

    part escaped() {
        const char c = rest_.size() > 1 ? rest_[1] : '\0';
        rest_.remove_prefix(std::min<std::size_t>(2, rest_.size()));
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_letter && c > 0) {
            return {true, {std::string(1, c)}, {}};
        }
        switch (c) {
        case 'b':
        case 'B':
        case 'A':
        case 'z': has_conditions_ = true; return empty_part();
        case 'w':
        case 'W':
        case 'd':
        case 'D':
        case 's':
        case 'S': return nothing_known();
        default: is_understood_ = false; return nothing_known();
        }
    }

    // A few letters written out; any other class is only known to take one character.
    part one_of_class() {
        strings letters;
        bool is_plain = true;
        std::size_t i = 1;
        if (i < rest_.size() && rest_[i] == '^') {
            is_plain = false;
            ++i;
        }
        for (bool is_first = true; i < rest_.size() && (rest_[i] != ']' || is_first); ++i, is_first = false) {
            const char c = rest_[i];
            if (c == '[') {
                is_understood_ = false;  // [[:alpha:]]
            }
            if (c == '\\') {
                is_plain = false;
                ++i;
            }
            is_plain &= (c >= 'a' && c <= 'z') || c == ' ' || c == '.' || c == ':' || c == '_';
            letters.emplace_back(1, c);
        }
        is_understood_ &= i < rest_.size();
        rest_.remove_prefix(std::min(i + 1, rest_.size()));
        return is_plain && letters.size() <= 4 ? part{true, std::move(letters), {}} : nothing_known();
    }

    part repeated(part p) {
        while (is_understood_ && !rest_.empty()) {
            const char c = rest_.front();
            if (c == '?') {
                rest_.remove_prefix(1);
                p.exact.emplace_back("");
                p = p.is_exact ? part{true, std::move(p.exact), {}} : nothing_known();
            } else if (c == '*') {
                rest_.remove_prefix(1);
                p = nothing_known();
            } else if (c == '+') {
                rest_.remove_prefix(1);
                p = at_least_one(std::move(p));
            } else if (c == '{') {
                p = counted(std::move(p));
            } else {
                break;
            }
        }
        return p;
    }

    static part at_least_one(part p) {
        if (p.is_exact) {
            part one;
            add_needed(one.needed, std::move(p.exact));
            return one;
        }
        return p;
    }

    part counted(part p) {
        const auto end = rest_.find('}');
        const auto inside = rest_.substr(0, std::min(end, rest_.size()));
        const auto digits = inside.size() > 1 ? inside.substr(1, inside.find(',') - 1) : std::string_view{};
        const bool is_count = end != rest_.npos && !digits.empty() && digits.size() <= most_digits &&
                              digits.find_first_not_of("0123456789") == digits.npos;
        if (!is_count) {
            is_understood_ = false;
            return nothing_known();
        }
        rest_.remove_prefix(end + 1);
        return digits.find_first_not_of('0') == digits.npos ? nothing_known() : at_least_one(std::move(p));
    }

    [[nodiscard]] bool take(char c) {
        if (!rest_.starts_with(c)) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }

    std::string_view rest_;
    bool is_understood_ = true;
    bool has_conditions_ = false;  // ^, $, \b: it matters what stands beside
    int depth_ = 0;
};

// At the bars outside of groups and classes.
std::vector<std::string> split(std::string_view pattern) {
    std::vector<std::string> parts{""};
    int depth = 0;
    bool in_class = false;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const char c = pattern[i];
        if (c == '\\' && i + 1 < pattern.size()) {
            parts.back() += c;
            parts.back() += pattern[++i];
            continue;
        }
        if (c == '|' && depth == 0 && !in_class) {
            parts.emplace_back();
            continue;
        }
        depth += !in_class && c == '(' ? 1 : 0;
        depth -= !in_class && c == ')' ? 1 : 0;
        if (c == '[' && !in_class) {
            in_class = true;
            // "]" in the first place is a letter
            const auto first = i + 1 + (pattern.substr(i + 1).starts_with('^') ? 1 : 0);
            if (first < pattern.size() && pattern[first] == ']') {
                parts.back() += pattern.substr(i, first - i);
                i = first;
                parts.back() += ']';
                continue;
            }
        } else if (c == ']') {
            in_class = false;
        }
        parts.back() += c;
    }
    return parts;
}

}  // namespace

std::vector<pattern_branch> branches_of(std::string_view pattern) {
    if (!pattern_reader{pattern}.read()) {
        return {{std::string{pattern}, {}, {}}};  // its flags may be about all branches
    }
    std::vector<pattern_branch> all;
    for (auto& text : split(pattern)) {
        pattern_reader reader{text};
        auto known = reader.read();
        pattern_branch branch{std::move(text), {}, {}};
        if (known && known->is_exact) {
            if (known->exact.size() == 1 && !known->exact.front().empty() && !reader.has_conditions()) {
                branch.literal = known->exact.front();
            }
            add_needed(branch.needed, std::move(known->exact));
        } else if (known) {
            branch.needed = std::move(known->needed);
        }
        if (branch.needed.empty()) {
            branch.literal.clear();  // one letter: not worth looking for
        }
        all.push_back(std::move(branch));
    }
    return all;
}

}  // namespace estafette::verdict
