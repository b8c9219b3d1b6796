// Whether a route that denies relaying denies it for some recipients or for all: pure.
//
// "Relay access denied" in answer to RCPT is said of one recipient. A relay may say it of a domain that it
// does not serve, or because it does not know us any more. Only the second is the route's fault, and only
// repetition tells: several domains, or many recipients, and nobody accepted in between.
// docs/decisions has the page on it.
#pragma once

#include "estafette/base/ids.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace estafette::sched {

class denials {
public:
    static constexpr std::size_t most_domains = 3;
    static constexpr std::size_t most_recipients = 20;

    // A recipient of this domain was denied at RCPT. True: it is the route that is denied.
    [[nodiscard]] bool note(const route_id& route, std::string_view domain);

    // The route accepted somebody, or rests.
    void clear(const route_id& route);

private:
    struct tally {
        std::set<std::string, std::less<>> domains;  // at most most_domains
        std::size_t recipients = 0;
    };

    std::map<route_id, tally> tallies_;
};

}  // namespace estafette::sched
