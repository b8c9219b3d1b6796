// Who waits unclaimed, by tenant and precedence: what the ledger's index of due recipients says, less those
// that the book hides (claimed, or changed since the ledger had them), plus those that only the book knows.
//
// Promise: a claim costs what it claims, and waiting() a look at each lane, whatever the length of a lane:
// before a lane's mark the ledger has nothing that counts.
// Not here: the rows (book.hpp). Errors are ledger_error, thrown.
// Thread: the store's.
#pragma once

#include "ledger.hpp"

#include <functional>
#include <map>
#include <set>
#include <utility>

namespace estafette::store {

struct lane {
    tenant_id tenant;
    mail::priority precedence = mail::priority::transactional;
    std::set<due_key> fresh;      // only the book knows that these wait
    due_key mark;                 // what the ledger has before it is hidden
    std::optional<due_key> next;  // the ledger's first that counts, if it is known
    bool next_is_known = false;
};

class lanes {
public:
    // Whether the ledger's entry of this recipient does not count.
    using hides = std::function<bool(std::int64_t recipient)>;

    lanes(ledger& l, hides is_hidden);

    // Where the recipients of a message stand; it stays where it is.
    [[nodiscard]] lane& of(const tenant_id& tenant, mail::priority precedence);

    // The book alone knows that it waits; no longer.
    static void add_fresh(lane& in, due_key who) { in.fresh.insert(who); }

    static void remove_fresh(lane& in, due_key who) { in.fresh.erase(who); }

    // The ledger's entry counts from now on; no longer.
    static void add_written(lane& in, due_key who);
    static void remove_written(lane& in, due_key who);

    // Up to `limit` of those that are due at `until`, earliest first. The caller hides them all, or says
    // add_… again.
    [[nodiscard]] std::vector<due_key> take(lane& from, wall_time until, std::size_t limit);

    [[nodiscard]] std::vector<waiting_tenant> waiting();

private:
    void look(lane& in);

    ledger& ledger_;
    hides is_hidden_;
    std::map<std::pair<tenant_id, mail::priority>, lane> lanes_;
};

}  // namespace estafette::store
