// What became of mail to each recipient domain through each route, in the last 24 hours: counted in
// memory, hour by hour, for the diagnosis of an address. Not durable: it knows nothing from before the
// start, and says so.
//
// Bounded: at most `most_domains` pairs, those noted longest ago are forgotten first.
// Pure (now is a parameter). Thread: the loop.
#pragma once

#include "estafette/base/ids.hpp"
#include "estafette/verdict/diagnosis.hpp"

#include <array>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace estafette::sched {

class domain_record {
public:
    static constexpr std::size_t most_domains = 4'096;

    explicit domain_record(wall_time started)
        : started_{started} {}

    void note(const route_id& route, std::string_view domain, const verdict::verdict& judged, wall_time now);

    [[nodiscard]] verdict::domain_fact
    of(const route_id& route, std::string_view domain, wall_time now) const;

private:
    static constexpr std::size_t hours = 24;

    struct hour {
        std::int64_t number = 0;  // since 1970
        std::uint32_t accepted = 0, unknown = 0, blocked = 0, unreachable = 0;
    };

    struct entry {
        std::string route, domain;
        std::array<hour, hours> by_hour{};
        std::optional<wall_time> last_accepted_at;
    };

    // Of the entry's own strings, so that nothing is allocated to find it.
    struct key {
        std::string_view route, domain;

        bool operator==(const key&) const = default;
    };

    struct hash {
        std::size_t operator()(const key& k) const noexcept {
            return std::hash<std::string_view>{}(k.domain) * 31 + std::hash<std::string_view>{}(k.route);
        }
    };

    [[nodiscard]] entry& entry_of(const key& k);

    wall_time started_;
    std::list<entry> entries_;  // the latest noted first
    std::unordered_map<key, std::list<entry>::iterator, hash> index_;
};

}  // namespace estafette::sched
