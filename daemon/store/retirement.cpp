#include "retirement.hpp"

namespace estafette::store {

namespace {
constexpr milliseconds quiet_wait{20};  // for a checkpoint, where nobody waits for us
}

result<std::string> read_body(journal& j, ledger& l, const message_row& row) {
    if (*row.body.where != body_place::in_ledger) {
        return j.read_body(
            *row.body.where, static_cast<std::uint64_t>(row.body.offset), static_cast<std::size_t>(row.size)
        );
    }
    auto body = l.read_body(row.no);
    return body ? result<std::string>{std::move(*body)} : result<std::string>{errc::store_damaged};
}

settled retirement::step(std::size_t kept) {
    if (const std::string problem = checkpoint_.problem(); !problem.empty()) {
        failure_.written([&] { throw ledger_error{errc::store_failed, problem}; });
    }
    std::vector<journal::sealed> empty, sparse;
    for (const journal::sealed& s : journal_.all_sealed()) {
        const auto use = book_.numbers().segments.find(s.segment);
        if (s.last_sequence > book_.numbers().applied) {
            break;
        }
        if (use == book_.numbers().segments.end()) {
            empty.push_back(s);
        } else if (use->second.bytes < tuning_.sparse_below) {
            sparse.push_back(s);
        }
    }
    if (empty.size() + sparse.size() <= kept) {
        return settled::all;
    }
    if (!sparse.empty()) {
        // The further behind, the larger the step: a flood of mail for later cannot outrun it.
        empty_a_little(sparse.front().segment, sparse.size() * tuning_.bodies_per_step);
        return settled::more_to_do;
    }
    if (empty.back().last_sequence > checkpoint_.covered()) {
        checkpoint_.begin(book_.numbers().applied);
    }
    return drop(empty);
}

bool retirement::drop_up_to(std::int64_t newest) {
    std::vector<journal::sealed> old;
    for (const journal::sealed& s : journal_.all_sealed()) {
        if (s.segment > newest) {
            break;
        }
        if (book_.numbers().segments.contains(s.segment)) {
            empty_a_little(s.segment, tuning_.bodies_per_step);
            return false;
        }
        old.push_back(s);
    }
    if (old.empty()) {
        return true;
    }
    if (old.back().last_sequence > checkpoint_.covered()) {
        checkpoint_.begin(book_.numbers().applied);
        checkpoint_.wait(quiet_wait);
    }
    (void)drop(old);
    return false;
}

void retirement::shorten_log() {
    const std::uint64_t length = ledger_.log_bytes();
    log_copied_ = length < log_copied_ ? 0 : log_copied_;  // it began anew
    if (length - log_copied_ > tuning_.largest_log && !checkpoint_.is_running()) {
        log_copied_ = length;
        checkpoint_.begin(book_.numbers().applied);
    }
}

void retirement::empty_a_little(std::int64_t segment, std::size_t limit) {
    const auto waiting = ledger_.bodies_in(segment, limit);
    if (waiting.empty()) {
        throw ledger_error{errc::store_damaged, "a segment has bodies of nobody"};
    }
    const auto read = [this](const message_row& row) {
        auto body = read_body(journal_, ledger_, row);
        if (!body) {
            throw ledger_error{body.error(), "the content of " + row.id.text() + " cannot be read"};
        }
        return std::move(*body);
    };
    failure_.written([&] { book_.move_bodies(waiting, read); });
    checkpoint_.forget();
}

settled retirement::drop(const std::vector<journal::sealed>& empty) {
    for (const journal::sealed& s : empty) {
        if (s.last_sequence > checkpoint_.covered()) {
            // Where the checkpoint could not be, there will be another time.
            return checkpoint_.is_running() ? settled::more_to_do : settled::all;
        }
        if (const auto ec = journal_.drop(s.segment)) {
            failure_.of_journal(ec, journal_.problem());
            throw ledger_error{ec, "a segment of the journal cannot be removed"};
        }
    }
    return settled::all;
}

}  // namespace estafette::store
