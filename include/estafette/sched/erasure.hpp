// A person is to be forgotten: what is asked, and what came of it. Values only.
#pragma once

#include "estafette/base/ids.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace estafette::sched {

struct erase_request {
    std::string address;             // as mail::address::text()
    std::vector<tenant_id> tenants;  // empty: all
    std::string pseudonym;           // an address that says nothing
    std::string by, why;
    bool is_dry_run = false;  // count only
};

struct erase_result {
    std::size_t recipients = 0;  // erased
    std::size_t messages = 0;    // that they belong to
    std::size_t cancelled = 0;   // of the recipients, those that had not left
    std::size_t in_hand = 0;     // a connection has begun with them: not erased, to be asked for again
};

}  // namespace estafette::sched
