#include "estafette/base/zone.hpp"

#include <date/tz.h>

#include <stdexcept>

namespace estafette {

namespace {

using instant = date::sys_time<milliseconds>;

const date::time_zone* find_rules(const std::string& name) noexcept {
    try {
        return date::locate_zone(name);
    } catch (const std::exception&) {  // no such zone, or no database on this machine
        return nullptr;
    }
}

}  // namespace

zone::zone(std::string name, const date::time_zone* rules)
    : name_{std::move(name)}
    , rules_{rules} {}

zone::zone()
    : zone{"UTC", nullptr} {}

result<zone> zone::find(const std::string& name) {
    if (name == "UTC") {
        return zone{};
    }
    const auto* rules = find_rules(name);
    if (rules == nullptr) {
        return errc::not_found;
    }
    return zone{name, rules};
}

local_time zone::to_local(wall_time t) const {
    if (rules_ == nullptr) {
        return local_time{t.time_since_epoch()};
    }
    return local_time{rules_->to_local(instant{t.time_since_epoch()}).time_since_epoch()};
}

wall_time zone::to_wall(local_time t, which of_two) const {
    if (rules_ == nullptr) {
        return wall_time{t.time_since_epoch()};
    }
    const auto info = rules_->get_info(date::local_time<milliseconds>{t.time_since_epoch()});
    switch (info.result) {
    case date::local_info::nonexistent: return wall_time{info.first.end.time_since_epoch()};
    case date::local_info::ambiguous:
        return wall_time{
            t.time_since_epoch() - (of_two == which::first ? info.first.offset : info.second.offset)
        };
    case date::local_info::unique: break;
    }
    return wall_time{t.time_since_epoch() - info.first.offset};
}

}  // namespace estafette
