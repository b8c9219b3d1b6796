#include "estafette/verdict/rules_report.hpp"

#include "estafette/base/text.hpp"
#include "estafette/verdict/catalogue.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <optional>
#include <set>

namespace estafette::verdict {
namespace {

std::vector<std::string_view> split(std::string_view line, char at) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto end = line.find(at);
        parts.push_back(line.substr(0, end));
        if (end == std::string_view::npos) {
            return parts;
        }
        line.remove_prefix(end + 1);
    }
}

// A tab-separated table whose columns are found by the names in its first line.
class table_reader {
public:
    explicit table_reader(std::string_view text)
        : rest_{text} {
        columns_ = split(line(), '\t');
    }

    [[nodiscard]] std::optional<std::size_t> column(std::string_view name) const {
        const auto found = std::find(columns_.begin(), columns_.end(), name);
        return found == columns_.end() ? std::nullopt
                                       : std::optional{static_cast<std::size_t>(found - columns_.begin())};
    }

    // False at the end of the table.
    [[nodiscard]] bool next() {
        if (rest_.empty()) {
            return false;
        }
        cells_ = split(line(), '\t');
        return true;
    }

    // Empty where the row is short.
    [[nodiscard]] std::string_view cell(std::size_t at) const { return at < cells_.size() ? cells_[at] : ""; }

    [[nodiscard]] std::size_t line_number() const { return number_; }

private:
    std::string_view line() {
        const auto end = std::min(rest_.find('\n'), rest_.size());
        auto found = rest_.substr(0, end);
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
        if (found.ends_with('\r')) {
            found.remove_suffix(1);
        }
        ++number_;
        return found;
    }

    std::string_view rest_;
    std::vector<std::string_view> columns_, cells_;
    std::size_t number_ = 0;
};

std::string with_line_breaks(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == 'n') {
            out += '\n';
            ++i;
        } else {
            out += text[i];
        }
    }
    return out;
}

std::optional<int> parse_code(std::string_view text) {
    int code = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), code);
    const bool is_whole = ec == std::errc{} && end == text.data() + text.size();
    return is_whole && code >= 200 && code <= 599 ? std::optional{code} : std::nullopt;
}

// The outcome of a RCPT command: what is not said otherwise is taken for the recipient's.
smtp::outcome as_outcome(std::optional<int> code, std::string_view enhanced, std::string text) {
    smtp::outcome what;
    what.at = smtp::phase::rcpt;
    smtp::reply answer;
    answer.enhanced = smtp::enhanced_code::parse(enhanced);
    answer.code = code.value_or(answer.enhanced && answer.enhanced->klass == 5 ? 550 : 450);
    answer.text = std::move(text);
    if (code && *code >= 200 && *code < 300) {
        what.at = smtp::phase::dot;
    }
    what.answer = std::move(answer);
    return what;
}

struct columns {
    std::size_t code = 0, enhanced = 0, text = 0;
};

boost::system::result<columns, report_error> find_columns(const table_reader& table) {
    columns found;
    for (const auto& [name, at] : {
             std::pair{"code", &found.code},
             std::pair{"enhanced", &found.enhanced},
             std::pair{"text", &found.text},
         }) {
        const auto column = table.column(name);
        if (!column) {
            return report_error{"the table has no column " + std::string{name}};
        }
        *at = *column;
    }
    return found;
}

verdict classify_row(const classifier& c, const table_reader& row, const columns& at) {
    const auto what = as_outcome(
        parse_code(trim(row.cell(at.code))), trim(row.cell(at.enhanced)), with_line_breaks(row.cell(at.text))
    );
    return c.classify({what, {}, {}});
}

// reason → disposition → categories
class category_map {
public:
    [[nodiscard]] static boost::system::result<category_map, report_error> read(std::string_view text) {
        category_map made;
        table_reader table{text};
        const auto why = table.column("reason");
        const auto what = table.column("disposition");
        const auto category = table.column("category");
        if (!why || !what || !category) {
            return report_error{"the map needs the columns reason, disposition and category"};
        }
        while (table.next()) {
            if (trim(table.cell(*why)).empty()) {
                continue;
            }
            auto& list = made.lists_[{std::string{table.cell(*why)}, std::string{table.cell(*what)}}];
            for (const auto part : split(table.cell(*category), ',')) {
                list.emplace_back(trim(part));
            }
        }
        return made;
    }

    [[nodiscard]] const std::vector<std::string>& of(reason why, disposition what) const {
        static const std::vector<std::string> none{"(none)"};
        for (const auto key : {to_text(what), std::string_view{"*"}}) {
            if (const auto found = lists_.find({std::string{to_text(why)}, std::string{key}});
                found != lists_.end()) {
                return found->second;
            }
        }
        return none;
    }

private:
    std::map<std::pair<std::string, std::string>, std::vector<std::string>> lists_;
};

constexpr bool is_dead(reason r) noexcept {
    return r == reason::unknown_user || r == reason::inactive_user || r == reason::bad_domain;
}

double share(std::size_t part, std::size_t whole) noexcept {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string percent(std::size_t part, std::size_t whole) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.1f %% (%zu of %zu)", share(part, whole) * 100, part, whole);
    return text.data();
}

}  // namespace

boost::system::result<std::string, report_error> classify_table(const classifier& c, std::string_view table) {
    table_reader rows{table};
    const auto at = find_columns(rows);
    if (!at) {
        return at.error();
    }
    std::string out;
    while (rows.next()) {
        const auto v = classify_row(c, rows, *at);
        out += std::string{to_text(v.why)} + '\t' + std::string{to_text(v.fault)} + '\t' +
               std::string{to_text(v.what)} + '\t' + v.rule + '\n';
    }
    return {boost::system::in_place_value, std::move(out)};
}

double score::share_right() const noexcept {
    return share(right, rows);
}

double score::share_called_dead() const noexcept {
    return share(healthy_called_dead, healthy);
}

double score::share_missed() const noexcept {
    return share(dead_missed, dead);
}

boost::system::result<score, report_error> score_table(
    const classifier& c,
    std::string_view table,
    std::string_view expected_column,
    std::string_view map,
    const std::function<bool(std::string_view)>& takes
) {
    table_reader rows{table};
    const auto at = find_columns(rows);
    if (!at) {
        return at.error();
    }
    const auto expectation = rows.column(expected_column);
    if (!expectation) {
        return report_error{"the table has no column " + std::string{expected_column}};
    }
    const auto categories = category_map::read(map);
    if (!categories) {
        return categories.error();
    }
    std::set<std::string, std::less<>> dead;
    for (const auto why : {reason::unknown_user, reason::inactive_user, reason::bad_domain}) {
        const auto& list = categories->of(why, disposition::fail);
        dead.insert(list.begin(), list.end());
    }
    score s;
    while (rows.next()) {
        if (!parse_code(trim(rows.cell(at->code))) || (takes && !takes(rows.cell(at->text)))) {
            continue;
        }
        const auto v = classify_row(c, rows, *at);
        const auto& found = categories->of(v.why, v.what);
        const std::string expected{trim(rows.cell(*expectation))};
        const bool is_right = std::find(found.begin(), found.end(), expected) != found.end();
        const bool expects_dead = dead.contains(expected);
        ++s.rows;
        s.right += is_right ? 1 : 0;
        s.dead += expects_dead ? 1 : 0;
        s.healthy += expects_dead ? 0 : 1;
        s.dead_missed += expects_dead && !is_dead(v.why) ? 1 : 0;
        s.healthy_called_dead += !expects_dead && is_dead(v.why) ? 1 : 0;
        ++s.confusion[{expected, is_right ? expected : found.front()}];
        if (!is_right) {
            s.misses.push_back({
                rows.line_number(),
                expected,
                found.front(),
                v.rule,
                std::string{rows.cell(at->code)} + " " + std::string{rows.cell(at->enhanced)} + " " +
                    printable(rows.cell(at->text), 400),
            });
        }
    }
    return s;
}

std::string print(const score& s) {
    std::string out = "right               " + percent(s.right, s.rows) + "\ngood called dead    " +
                      percent(s.healthy_called_dead, s.healthy) + "\ndead missed         " +
                      percent(s.dead_missed, s.dead) + "\n\nexpected\tfound\tcount\n";
    for (const auto& [pair, count] : s.confusion) {
        out += pair.first + '\t' + pair.second + '\t' + std::to_string(count) + '\n';
    }
    if (!s.misses.empty()) {
        out += "\nline\texpected\tfound\trule\treply\n";
    }
    for (const auto& m : s.misses) {
        out += std::to_string(m.line) + '\t' + m.expected + '\t' + m.found + '\t' +
               (m.rule.empty() ? "-" : m.rule) + '\t' + m.reply + '\n';
    }
    return out;
}

boost::system::result<std::string, report_error>
explain_reply(const classifier& c, std::string_view text, std::string_view server) {
    text = trim(text);
    const auto code = text.size() >= 3 ? parse_code(text.substr(0, 3)) : std::nullopt;
    if (!code) {
        return report_error{"a reply begins with its code: 550 5.1.1 no such user"};
    }
    auto words = with_line_breaks(text.substr(std::min<std::size_t>(4, text.size())));
    const std::string_view begin{words.data(), std::min(words.find_first_of(" \n"), words.size())};
    const auto enhanced = smtp::enhanced_code::parse(begin);
    const auto what = as_outcome(code, enhanced ? begin : std::string_view{}, words);
    const auto v = c.classify({what, server, {}});
    explanation_facts facts;
    facts.server = server;
    facts.reply = printable(text);
    const auto in_words = explain(v.why, v.fault, v.what, language::en, facts);
    std::string out = "reason       " + std::string{to_text(v.why)} + "\nscope        " +
                      std::string{to_text(v.fault)} + "\ndisposition  " + std::string{to_text(v.what)} +
                      "\nrule         " + (v.rule.empty() ? "none matched" : v.rule) +
                      (v.certain ? "" : " (a guess: the words say nothing that a rule knows)") + "\n";
    if (v.retry_hint) {
        out += "wait         " + format_duration(*v.retry_hint) + "\n";
    }
    out += "\n" + in_words.headline + "\n" + in_words.happened + "\nWho acts: " + in_words.acts + "\n" +
           in_words.advice + "\n";
    return {boost::system::in_place_value, std::move(out)};
}

std::string print(const std::vector<classifier::unmatched_reply>& list) {
    std::string out;
    for (const auto& reply : list) {
        out += std::to_string(reply.count) + '\t' + reply.text + '\n';
    }
    return out;
}

}  // namespace estafette::verdict
