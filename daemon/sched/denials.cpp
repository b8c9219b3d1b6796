#include "estafette/sched/denials.hpp"

namespace estafette::sched {

bool denials::note(const route_id& route, std::string_view domain) {
    tally& t = tallies_[route];
    ++t.recipients;
    if (t.domains.size() < most_domains) {
        t.domains.emplace(domain);
    }
    return t.domains.size() >= most_domains || t.recipients >= most_recipients;
}

void denials::clear(const route_id& route) {
    if (!tallies_.empty()) {
        tallies_.erase(route);
    }
}

}  // namespace estafette::sched
