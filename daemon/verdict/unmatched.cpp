#include "unmatched.hpp"

#include "estafette/base/text.hpp"

#include <algorithm>

namespace estafette::verdict {
namespace {

constexpr std::size_t most_groups = 1000;
constexpr std::size_t longest_text = 300;
constexpr std::size_t longest_reply = 2000;  // kept, to be judged again by other rules

// Words that hold a digit or an @ are what changes from one reply to the next.
std::string group_key(std::string_view text) {
    std::string key;
    for (std::size_t i = 0; i < text.size();) {
        const auto end = std::min(text.find(' ', i), text.size());
        const auto word = text.substr(i, end - i);
        key += word.find_first_of("0123456789@") == std::string_view::npos ? word : std::string_view{"#"};
        key += ' ';
        i = end + 1;
    }
    return key;
}

}  // namespace

void unmatched_list::count(const evidence& e) {
    const auto& answer = *e.what.answer;
    ++total_;
    auto text = std::to_string(answer.code) + " " +
                (answer.enhanced ? answer.enhanced->text() + " " : std::string{}) + answer.text;
    text = printable(text, longest_text);
    auto key = std::to_string(answer.code) + " " + group_key(text);
    if (const auto found = by_key_.find(key); found != by_key_.end()) {
        auto& shown = found->second->shown;
        ++shown.count;
        shown.server = e.server;
        shown.seen_at = e.now;
        groups_.splice(groups_.begin(), groups_, found->second);
        return;
    }
    smtp::outcome what;
    what.at = e.what.at;
    what.answer = smtp::reply{answer.code, answer.enhanced, answer.text.substr(0, longest_reply), false};
    groups_.push_front({key, std::move(what), {std::move(text), answer.code, 1, std::string{e.server}, e.now}}
    );
    by_key_.emplace(std::move(key), groups_.begin());
    if (groups_.size() > most_groups) {
        by_key_.erase(groups_.back().key);
        groups_.pop_back();
    }
}

void unmatched_list::forget(const std::function<bool(const evidence&)>& is_known) {
    for (auto g = groups_.begin(); g != groups_.end();) {
        if (is_known({g->what, g->shown.server, {}, {}})) {
            by_key_.erase(g->key);
            g = groups_.erase(g);
        } else {
            ++g;
        }
    }
}

std::vector<classifier::unmatched_reply> unmatched_list::list() const {
    std::vector<classifier::unmatched_reply> all;
    for (const auto& g : groups_) {
        all.push_back(g.shown);
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
        return a.count != b.count ? a.count > b.count : a.text < b.text;
    });
    return all;
}

}  // namespace estafette::verdict
