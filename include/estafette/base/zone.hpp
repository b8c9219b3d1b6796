// A time zone by its IANA name, from the machine's own database (/usr/share/zoneinfo): wall clocks of
// people to instants and back, also where clocks are put forward or back.
//
// Promise: every local time has an instant. One that is skipped is the instant at which the clocks were put
// forward; one that comes twice is the first or the last of them, as the caller says.
// Thread: any; the first look at a zone reads its file.
#pragma once

#include "estafette/base/time.hpp"

#include <chrono>
#include <string>

namespace date {
class time_zone;
}

namespace estafette {

using local_time = std::chrono::local_time<milliseconds>;

class zone {
public:
    zone();  // UTC

    // errc::not_found.
    [[nodiscard]] static result<zone> find(const std::string& name);

    enum class which : std::uint8_t { first, last };  // of a local time that comes twice

    [[nodiscard]] local_time to_local(wall_time t) const;
    [[nodiscard]] wall_time to_wall(local_time t, which of_two = which::first) const;

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    bool operator==(const zone& other) const noexcept { return name_ == other.name_; }

private:
    zone(std::string name, const date::time_zone* rules);

    std::string name_;
    const date::time_zone* rules_;  // owned by the database, which lives as long as the process
};

}  // namespace estafette
