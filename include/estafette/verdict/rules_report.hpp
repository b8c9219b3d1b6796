// What `estafette rules` prints: tables of replies classified, measured against expectations, one reply
// explained, what no rule matched. Text in, text out; files and options are the command line's business.
//
// A table is tab-separated with a header line and the columns code, enhanced and text (a line break of
// the reply is written \n). A row without a code is read as a 5yz or 4yz by its enhanced code's class.
#pragma once

#include "estafette/verdict/classifier.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace estafette::verdict {

// What is wrong with an input, in one sentence.
struct report_error {
    std::string text;
};

// One line per data row, in order: reason, scope, disposition, rule.
[[nodiscard]] boost::system::result<std::string, report_error>
classify_table(const classifier& c, std::string_view table);

struct score {
    struct miss {
        std::size_t line = 0;  // in the table, from 1
        std::string expected, found, rule, reply;
    };

    std::size_t rows = 0;   // with a code
    std::size_t right = 0;  // the reason's category is the expected one
    std::size_t healthy = 0, healthy_called_dead = 0;
    std::size_t dead = 0, dead_missed = 0;
    std::map<std::pair<std::string, std::string>, std::size_t> confusion;  // (expected, found) → count
    std::vector<miss> misses;

    [[nodiscard]] double share_right() const noexcept;
    [[nodiscard]] double share_called_dead() const noexcept;
    [[nodiscard]] double share_missed() const noexcept;
};

// Of the rows that have a code (and that `takes` takes, given the row's text, where it is set).
// `map` is a table of the columns reason, disposition (or *), category (one or several, by commas).
// Dead are the categories of unknown_user, inactive_user and bad_domain.
[[nodiscard]] boost::system::result<score, report_error> score_table(
    const classifier& c,
    std::string_view table,
    std::string_view expected_column,
    std::string_view map,
    const std::function<bool(std::string_view)>& takes = {}
);

// The figures, the confusion table, and each miss with its line.
[[nodiscard]] std::string print(const score& s);

// `text` is a reply as the server sent it: "550 5.1.1 no such user"; several lines if need be.
[[nodiscard]] boost::system::result<std::string, report_error>
explain_reply(const classifier& c, std::string_view text, std::string_view server);

// "COUNT<tab>TEXT" per line, the most frequent first.
[[nodiscard]] std::string print(const std::vector<classifier::unmatched_reply>& list);

}  // namespace estafette::verdict
