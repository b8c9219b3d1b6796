// What failed first and for good, in the journal or the ledger: after it no write is tried again and no
// sync believed, until the process is another one.
// Thread: the store's.
#pragma once

#include "sqlite.hpp"

#include <string>
#include <utility>

namespace estafette::store {

class store_failure {
public:
    explicit store_failure(std::string ledger_path)
        : ledger_path_{std::move(ledger_path)} {}

    [[nodiscard]] const error_code& code() const noexcept { return code_; }

    // File, call and error, for people; empty before the first failure.
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

    void of_journal(const error_code& why, const std::string& problem) {
        code_ = why;
        problem_ = problem;
    }

    void of_ledger(const std::string& what) {
        code_ = errc::store_failed;
        problem_ = problem_.empty() ? ledger_path_ + ": " + what : problem_;
    }

    // A call that writes to the ledger or syncs it. No space and a busy file are for now; anything else
    // is for good, and the call is not made again.
    template <class Call> auto written(Call call) -> decltype(call()) {
        if (ledger_has_failed_) {
            throw ledger_error{code_, "the ledger failed before"};
        }
        try {
            return call();
        } catch (const ledger_error& e) {
            if (e.code == errc::store_full || e.code == errc::store_busy) {
                throw;
            }
            ledger_has_failed_ = true;
            of_ledger(e.what);
            throw ledger_error{errc::store_failed, e.what};
        }
    }

private:
    std::string ledger_path_;
    error_code code_;
    std::string problem_;
    bool ledger_has_failed_ = false;
};

}  // namespace estafette::store
